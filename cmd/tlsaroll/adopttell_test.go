package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/agent"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/config"
)

// TestTakeoverWithoutRecords tells records that are yet to come from those that a person had taken
// out, which do not come by themselves.
func TestTakeoverWithoutRecords(t *testing.T) {
	const owner = "_25._tcp.mx1.example.org."
	for name, test := range map[string]struct {
		withdrawn bool
		want      string
	}{
		"to come":   {false, "  records  " + owner + " has none: they are published next"},
		"withdrawn": {true, "  records  " + owner + " has none, as they were withdrawn (hint: tlsaroll rollover mx1 publishes again)"},
	} {
		t.Run(name, func(t *testing.T) {
			w := quiet()
			o := &office{program: newProgram(w), keeper: &own{cfg: &config.Config{}}}
			l := rollover.Lineage{Live: "aaaaaaaa"}
			if test.withdrawn {
				l.Withdrawn = w.now()
			}
			took := o.takeoverOf("mx1", agent.Report{State: rollover.State{Lineages: map[string]rollover.Lineage{"mx1": l}}, At: w.now()}, nil)
			took.owners = []owned{{name: owner}}
			lines := took.lines()
			if diff := cmp.Diff(test.want, lines[len(lines)-1]); diff != "" {
				t.Errorf("want -, got +:\n%s", diff)
			}
		})
	}
}
