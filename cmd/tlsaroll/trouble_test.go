package main

import (
	"errors"
	"testing"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/config"
	"github.com/tlsaroll/tlsaroll/rollover/agent"
)

// TestPassesThatFail: one that cannot be made is told until one over the same
// lineages is, whatever becomes of others.
func TestPassesThatFail(t *testing.T) {
	d := newTestDaemon(config.Config{})
	full, gone := errors.New("no space left on device"), errors.New("gone")
	for _, step := range []struct {
		report agent.Report
		want   string
	}{
		{agent.Report{Lineages: []string{"mx2"}, Err: full}, "mx2: no space left on device"},
		{agent.Report{Lineages: []string{"mx1"}}, "mx2: no space left on device"},
		{agent.Report{Lineages: []string{"mx3"}, Err: full}, "mx2, mx3: no space left on device"},
		{agent.Report{Lineages: []string{"mx1"}, Err: gone}, "mx1: gone (2 other lineages: see the log)"},
		{agent.Report{Lineages: []string{"mx1"}}, "mx2, mx3: no space left on device"},
		{agent.Report{Lineages: []string{"mx2", "mx3"}}, ""}, // one group by now
	} {
		d.passedOver(step.report)
		got := ""
		for _, w := range d.told() {
			got += w.Text
		}
		if got != step.want {
			t.Errorf("after %v, %v: %q, want %q", step.report.Lineages, step.report.Err, got, step.want)
		}
	}
}
