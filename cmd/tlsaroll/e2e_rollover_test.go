package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/lab"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// someoneElses is a record of another host behind the same name.
const someoneElses = "3 1 1 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

// rollUnderLoad rolls to next while senders hammer, and wants not one failure.
// It prints how the wait was spent, and returns when the last server was seen
// converged.
func (h *host) rollUnderLoad(next *lab.Pair, o lab.HammerOptions, atLeast int) (converged time.Duration) {
	h.t.Helper()
	hammer := h.Hammer(h.t.Context(), o)
	begin := time.Now()
	_, errs := h.must(exitDone, "rollover", "mx1", "--cert", next.Fullchain(), "--key", next.Privkey(), "--wait=retired")
	took := time.Since(begin)
	if err := hammer.Until(h.t.Context(), func(c lab.Counts) bool { return c.Total >= atLeast }); err != nil {
		h.t.Error(err)
	}
	counts := hammer.Stop()
	h.t.Logf("rollover took %s under load: %s", took.Round(10*time.Millisecond), counts)
	if counts.Failed > 0 || counts.Total < atLeast {
		h.t.Errorf("%d of %d handshakes failed, want 0 of at least %d\n%s", counts.Failed, counts.Total, atLeast, errs)
	}
	converged = h.overhead(begin, errs)
	s := h.state()
	if s.Live == nil || s.Live.Leaf != leafID(next) || s.Successor != nil || s.Phase != rollover.Steady {
		h.t.Errorf("status after the rollover: %+v", s)
	}
	for _, e := range s.Endpoints {
		if e.Verified != "yes" || e.Security != rollover.Secure {
			h.t.Errorf("%s: verified %s, %s", e.URL, e.Verified, e.Security)
		}
	}
	return converged
}

// overhead prints when what happened, and how much later than need be the swap
// came: at most a second after the last server was seen converged plus Ipub.
func (h *host) overhead(begin time.Time, errs *output) time.Duration {
	h.t.Helper()
	converged, seen := errs.first("mx1: published")
	link, err := os.Lstat(filepath.Join(h.Dir, "tlsaroll", "live", "mx1"))
	if !seen || err != nil {
		h.t.Fatalf("no word of convergence, or no live link: %v\n%s", err, errs)
	}
	swapped := link.ModTime() // one rename made the pair live; reloads come after
	ipub := h.ttl + labFloor
	over := swapped.Sub(converged.Add(ipub))
	since := func(t time.Time) time.Duration { return t.Sub(begin).Round(10 * time.Millisecond) }
	h.t.Logf("last server seen converged %s, longest TTL %s, floor %s, swapped %s: overhead %s", since(converged), h.ttl, labFloor, since(swapped), over.Round(time.Millisecond))
	if late := time.Second + h.Late(swapped); over > late {
		h.t.Errorf("the swap came %s after the last server was seen converged + %s, want %s at most", over, ipub, late)
	}
	// A line is printed when its pass is over, which a busy machine makes late: so
	// this bound is loose. That nobody failed is what proves the wait.
	if over < -2*time.Second-h.Late(converged) {
		h.t.Errorf("the swap came %s before the wait was over", -over)
	}
	return since(converged)
}

// only wants exactly these records at an owner name.
func (h *host) only(owner string, want ...string) {
	h.t.Helper()
	slices.Sort(want)
	if got := h.records(owner); !slices.Equal(got, want) {
		h.t.Errorf("%s has %v, want %v", owner, got, want)
	}
}

func TestRolloverUnderLoad(t *testing.T) {
	t.Parallel()
	h := newHost(t, lab.Options{TTL: labTTL, Resolvers: 8, Records: []string{lab.Owner(25) + " 10 IN TLSA " + someoneElses}}, setting{})
	next := h.Certificates().Issue(t, lab.LeafOptions{})
	h.ReleaseSecondary(t) // so that the lag is that of our own change
	h.LagSecondary(9 * time.Second)
	if converged := h.rollUnderLoad(next, lab.HammerOptions{Rate: 12}, 360); converged < 8*time.Second {
		t.Errorf("the secondary was seen converged after %s, and should lag 9s", converged)
	}
	h.only(lab.Owner(25), next.TLSA(t, tlsa.EE), someoneElses)
}

func TestRolloverToNewIntermediate(t *testing.T) {
	t.Parallel()
	h := newHost(t, lab.Options{TTL: labTTL, SecondaryLag: 2 * time.Second, Resolvers: 4, TLSA: []tlsa.Params{tlsa.EE, tlsa.TA}}, setting{scheme: "ee+ta"})
	h.Certificates().NewIntermediate(t)
	next := h.Certificates().Issue(t, lab.LeafOptions{})
	h.rollUnderLoad(next, lab.HammerOptions{Rate: 6}, 120)
	h.only(lab.Owner(25), next.TLSA(t, tlsa.EE), next.TLSA(t, tlsa.TA))
}

func TestRolloverBehindAlias(t *testing.T) {
	t.Parallel()
	const target = "_dane.example.net."
	h := newHost(t, lab.Options{TTL: labTTL, SecondaryLag: 2 * time.Second, Resolvers: 4, Zones: []string{"example.net."}, Alias: map[string]string{lab.Owner(25): target}},
		setting{zone: "example.net.", knownTTL: "20s"})
	next := h.Certificates().Issue(t, lab.LeafOptions{})
	hammer := h.Hammer(t.Context(), lab.HammerOptions{Rate: 6})
	h.must(exitDone, "rollover", "mx1", "--cert", next.Fullchain(), "--key", next.Privkey(), "--wait=retired")
	counts := hammer.Stop()
	t.Log(counts)
	if counts.Failed > 0 || counts.Total < 90 {
		t.Errorf("%d of %d handshakes failed", counts.Failed, counts.Total)
	}
	h.only(target, next.TLSA(t, tlsa.EE))
}

func TestRolloverWithDovecot(t *testing.T) {
	t.Parallel()
	h := newHost(t, lab.Options{TTL: labTTL, SecondaryLag: 2 * time.Second, Resolvers: 4, Dovecot: true}, setting{endpoints: []string{"imaps://" + lab.Host}})
	next := h.Certificates().Issue(t, lab.LeafOptions{})
	imaps := h.Hammer(t.Context(), lab.HammerOptions{Port: 993, Rate: 3})
	h.rollUnderLoad(next, lab.HammerOptions{Rate: 6}, 120)
	counts := imaps.Stop()
	t.Log(counts)
	if counts.Failed > 0 || counts.Total < 36 {
		t.Errorf("imaps: %d of %d handshakes failed", counts.Failed, counts.Total)
	}
	h.only(lab.Owner(25), next.TLSA(t, tlsa.EE))
	h.only(lab.Owner(993), next.TLSA(t, tlsa.EE))
}

// TestRolloverByTimer makes the first step and leaves the rest to calls of once,
// each a process of its own: nothing stays running while it waits.
func TestRolloverByTimer(t *testing.T) {
	t.Parallel()
	h := newHost(t, lab.Options{TTL: labTTL, SecondaryLag: 2 * time.Second, Resolvers: 2}, setting{})
	next := h.Certificates().Issue(t, lab.LeafOptions{})
	hammer := h.Hammer(t.Context(), lab.HammerOptions{Rate: 3})
	out, errs := h.must(exitWaiting, "rollover", "mx1", "--cert", next.Fullchain(), "--key", next.Privkey())
	t.Logf("the first step says:\n%s%s", out, errs)
	for end := time.Now().Add(time.Minute); ; time.Sleep(time.Second) {
		code, out, errs := h.tlsaroll("once", "--exit-code")
		if code == exitDone {
			break
		}
		if code != exitWaiting || time.Now().After(end) {
			t.Fatalf("once: exit %d\n%s%s", code, out, errs)
		}
	}
	if s := h.state(); s.Live == nil || s.Live.Leaf != leafID(next) {
		t.Errorf("status: %+v", s)
	}
	if counts := hammer.Stop(); counts.Failed > 0 || counts.Total < 36 {
		t.Errorf("%s", counts)
	}
	h.only(lab.Owner(25), next.TLSA(t, tlsa.EE))
}
