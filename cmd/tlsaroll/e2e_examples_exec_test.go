package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/lab"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// TestExampleZonefile has the daemon change a zone that is a file, by the script of
// examples/exec-zonefile, under load.
func TestExampleZonefile(t *testing.T) {
	t.Parallel()
	l := lab.Start(t, lab.Options{TTL: exampleTTL, Resolvers: 2, Records: []string{lab.Owner(25) + " 5 IN TLSA " + someoneElses}})
	dir := filepath.Join(l.Dir, "primary")
	zone := filepath.Join(dir, "example.org.zone")
	script, err := filepath.Abs(filepath.Join(root, "examples/exec-zonefile/zonefile"))
	if err != nil {
		t.Fatal(err)
	}
	h := newHostOf(t, l, "exec-zonefile/tlsaroll.yaml",
		aReplacement{"state: ", "control: " + filepath.Join(l.Dir, "run", "control.sock") + "\nstate: "},
		aReplacement{"/usr/local/lib/tlsaroll/zonefile", script},
		aReplacement{"/var/lib/bind/example.org.zone", zone},
		aReplacement{"    timeout: 60s", "    env: [\"RNDC=rndc -c " + filepath.Join(dir, "rndc.conf") + "\"]\n    timeout: 60s"},
		aReplacement{"/var/lib/lego", l.Lego().Dir},
		tellFile(l))
	h.zoneIsAFile(dir, filled(t, "exec-zonefile/named.conf.snippet", aReplacement{"/var/lib/bind/example.org.zone", zone}))
	d := h.run()
	h.eventually(20*time.Second, "adopted", live(h.Live))

	h.LagSecondary(2 * time.Second)
	hammer := h.Hammer(t.Context(), lab.HammerOptions{Rate: 3})
	next := h.Certificates().Issue(t, lab.LeafOptions{})
	h.Lego().Renew(t, next)
	h.eventually(40*time.Second, "renewed", live(next))
	h.unharmed(hammer, 40)
	h.only(lab.Owner(25), next.TLSA(t, tlsa.EE), someoneElses)
	h.toldNobody()
	if text := d.String(); strings.Contains(text, "level=ERROR") {
		t.Errorf("the daemon says\n%s", text)
	}
}

// zoneIsAFile gives the lab's primary the example's zone clause in the place of its own, and
// puts the records that stand at first where the example's page says: between the lines
// that are tlsaroll's.
func (h *host) zoneIsAFile(dir, snippet string) {
	h.t.Helper()
	conf, zone := filepath.Join(dir, "named.conf"), filepath.Join(dir, "example.org.zone")
	own := h.read(conf)
	begin := strings.Index(own, "zone \"example.org.\"")
	end := begin + strings.Index(own[begin:], "\n};\n") + len("\n};\n")
	h.write(conf, own[:begin]+own[end:]+snippet)
	if out, err := h.command("named-checkconf", conf); err != nil {
		h.t.Fatalf("named-checkconf: %v: %s", err, out)
	}
	marks := strings.Split(readDocument(h.t, "examples/exec-zonefile/README.md").blocks("text")[0], "\n")
	var rest, records []string
	for line := range strings.Lines(h.read(zone)) {
		if strings.Contains(line, "TLSA") {
			records = append(records, line)
		} else {
			rest = append(rest, line)
		}
	}
	if len(records) != 2 || len(marks) != 4 {
		h.t.Fatalf("%q, %q", records, marks)
	}
	text := strings.Join(rest, "") + marks[0] + "\n" + strings.Join(records, "") + marks[2] + "\n"
	if err := os.WriteFile(zone, []byte(text), 0o600); err != nil {
		h.t.Fatal(err)
	}
	if out, err := h.command("rndc", "-c", filepath.Join(dir, "rndc.conf"), "reconfig"); err != nil {
		h.t.Fatalf("rndc reconfig: %v: %s", err, out)
	}
}
