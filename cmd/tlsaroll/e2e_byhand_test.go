package main

import (
	"strings"
	"testing"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/lab"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// TestByHand has a person change the zone: nothing is an error meanwhile, the line to add is
// shown whole, and all goes on by itself once it is there.
func TestByHand(t *testing.T) {
	t.Parallel()
	h := newHost(t, lab.Options{TTL: labTTL, Resolvers: 1}, setting{api: `type: manual, tell: ["true"]`})
	h.must(exitDone, "adopt", "mx1")
	next := h.Certificates().Issue(t, lab.LeafOptions{})
	record := lab.Owner(25) + " 10 IN TLSA " + next.TLSA(t, tlsa.EE)
	for _, step := range []struct {
		args []string
		code int
	}{
		{[]string{"rollover", "mx1", "--cert", next.Fullchain(), "--key", next.Privkey()}, exitWaiting},
		{[]string{"once"}, exitDone},
		{[]string{"once", "--exit-code"}, exitPerson},
		{[]string{"status"}, exitDone},
		{[]string{"plan", "--exit-code"}, exitPerson},
	} {
		out, errs := h.must(step.code, step.args...)
		if !strings.Contains(out.String()+errs.String(), "add "+record) || strings.Contains(errs.String(), "error: ") {
			t.Errorf("%s says\n%s%s", strings.Join(step.args, " "), out, errs)
		}
	}
	// Nobody is asked to publish records of a test.
	if _, errs := h.must(exitUsage, "provider", "test", "ns1"); strings.Contains(errs.String(), " IN TLSA ") {
		t.Errorf("a person was told: %s", errs)
	}
	h.Update(t, lab.Add(record))
	h.must(exitDone, "rollover", "mx1", "--wait=served")
}
