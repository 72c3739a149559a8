package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/lab"
	person "github.com/tlsaroll/tlsaroll/dnsprovider/manual"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// TestExampleManual has a person change the zone, as examples/manual says, under load.
func TestExampleManual(t *testing.T) {
	t.Parallel()
	l := lab.Start(t, lab.Options{TTL: exampleTTL, Resolvers: 2, Records: []string{lab.Owner(25) + " 5 IN TLSA " + someoneElses}})
	letters := filepath.Join(l.Dir, "log", "letters")
	h := newHostOf(t, l, "manual/tlsaroll.yaml",
		aReplacement{"state: ", "control: " + filepath.Join(l.Dir, "run", "control.sock") + "\nstate: "},
		aReplacement{"mail: hostmaster@example.org", "tell: [tee, -a, " + letters + "]"},
		aReplacement{"server: ns1.example.org", "server: " + l.Primary.String()},
		aReplacement{"/var/lib/lego", l.Lego().Dir},
		tellFile(l))
	d := h.run()
	h.eventually(20*time.Second, "adopted", live(h.Live))

	hammer := h.Hammer(t.Context(), lab.HammerOptions{Rate: 3})
	next := h.Certificates().Issue(t, lab.LeafOptions{})
	h.Lego().Renew(t, next)
	h.shows("examples/manual/README.md", 1, digests(next.TLSA(t, tlsa.EE), "8f3c21aa0b5d9e6f4c7a1b2d3e4f5061728394a5b6c7d8e9fa0b1c2d3e4f5061")...)
	time.Sleep(5 * time.Second) // nothing is told twice meanwhile
	notices := h.letters(letters, 1)
	if c := notices[0].Changes; len(c) != 1 || !c[0].Urgent || len(c[0].Remove) > 0 {
		t.Errorf("told %+v", notices)
	}
	h.does(notices[0])
	h.eventually(30*time.Second, "swapped", func(s rollover.LineageStatus) bool { return s.Live != nil && s.Live.Leaf == leafID(next) })
	h.shows("examples/manual/README.md", 2, digests(h.Live.TLSA(t, tlsa.EE), "41aab07e6d5c4b3a29181706f5e4d3c2b1a09f8e7d6c5b4a39281706f5e4d3c2")...)
	notices = h.letters(letters, 2)
	if c := notices[1].Changes; len(c) != 1 || c[0].Urgent || len(c[0].Add) > 0 {
		t.Errorf("told %+v", notices[1])
	}
	h.does(notices[1])
	h.eventually(30*time.Second, "renewed", live(next))
	h.unharmed(hammer, 40)
	h.only(lab.Owner(25), next.TLSA(t, tlsa.EE), someoneElses)
	h.toldNobody()
	h.letters(letters, 2)
	if text := d.String(); strings.Contains(text, "level=ERROR") {
		t.Errorf("the daemon says\n%s", text)
	}
}

// digests puts the digest of a record in the place of the one that a page has, whole and short.
func digests(record, page string) []aReplacement {
	digest := record[strings.LastIndex(record, " ")+1:]
	return []aReplacement{{page, digest}, {page[:12] + "…", digest[:12] + "…"}}
}

// letters are the notices that a person got so far, of which there have to be so many.
func (h *host) letters(file string, n int) (notices []person.Notice) {
	h.t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		h.t.Fatal(err)
	}
	for line := range bytes.Lines(text) {
		var notice person.Notice
		if err := json.Unmarshal(line, &notice); err != nil {
			h.t.Fatal(err)
		}
		notices = append(notices, notice)
	}
	if len(notices) != n {
		h.t.Fatalf("%d notices, want %d:\n%s", len(notices), n, text)
	}
	return notices
}

// does does what a notice says.
func (h *host) does(n person.Notice) {
	h.t.Helper()
	var changes []lab.Change
	for _, c := range n.Changes {
		for _, line := range c.Add {
			changes = append(changes, lab.Add(line))
		}
		for _, line := range c.Remove {
			changes = append(changes, lab.Remove(line))
		}
	}
	h.Update(h.t, changes...)
}
