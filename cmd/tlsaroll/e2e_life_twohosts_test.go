package main

import (
	"net/netip"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/lab"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// twoHosts is one name with two hosts behind it: the daemon runs on the first.
func twoHosts(t *testing.T, second *lab.LeafOptions, more ...string) *host {
	t.Helper()
	h := newHost(t, lab.Options{TTL: lifeTTL, Resolvers: 3, SecondMX: true, SecondLeaf: second, Records: append(more, foreignRecord...)}, setting{})
	h.elsewhere(elsewhere{Synchronised: true, Addresses: []netip.Addr{h.Postfix.Addr.Addr()}})
	h.configure(setting{staged: staged(h.Lego())})
	logged(t, h.run())
	h.eventually(30*time.Second, "adopted", func(s rollover.LineageStatus) bool { return s.Live != nil })
	return h
}

// both wants that senders came to both hosts.
func (h *host) both(hammer *lab.Tally) {
	h.t.Helper()
	counts := hammer.Counts()
	for _, s := range []*lab.MailServer{h.Postfix, h.SecondPostfix} {
		if n := counts.PerAddress[s.Addr.Addr()]; n < 20 {
			h.t.Errorf("%d handshakes with %s, want 20 at least", n, s.Addr)
		}
	}
}

// TestLifeOtherHostCopiesLate: somebody copies the pair to the other host, which takes its
// time. As long as that presents the old chain, its record stays, and status names it.
func TestLifeOtherHostCopiesLate(t *testing.T) {
	t.Parallel()
	h := twoHosts(t, nil)
	hammer := h.Hammer(t.Context(), lab.HammerOptions{Rate: 3})
	next, _ := h.renewed()
	_, swapped := h.swapsInTime(time.Minute, next)
	h.eventually(30*time.Second, "waiting for the other host", says(rollover.CodeRetireWindow, h.SecondPostfix.Addr.String()+" presents chain"))
	h.eventually(30*time.Second, "long after the swap", func(s rollover.LineageStatus) bool { return time.Since(swapped) > 2*lifeIpub })
	out, _ := h.must(exitDone, "status", "mx1")
	h.asRecipe("retire-window", out.String())
	if s := h.state(); !says(rollover.CodeRetireWindow, h.SecondPostfix.Addr.String()+" presents chain")(s) || s.Endpoints[0].Verified != rollover.Yes {
		t.Errorf("with the old chain at the other host:\n%s", s.Explain(time.Now()))
	}
	h.only(lab.Owner(25), h.Live.TLSA(t, tlsa.EE), next.TLSA(t, tlsa.EE), someoneElses)
	h.SecondPostfix.Install(t, next)
	h.SecondPostfix.RunReload(t)
	h.eventually(30*time.Second, "calm", calm(next))
	h.both(hammer)
	h.unharmed(hammer, 40)
	h.only(lab.Owner(25), next.TLSA(t, tlsa.EE), someoneElses)
}

// TestLifeOtherHostHasItsOwnPair: the other host keeps its own record, which is not ours,
// and rolls over by itself, before us and after.
func TestLifeOtherHostHasItsOwnPair(t *testing.T) {
	t.Parallel()
	h := twoHosts(t, &lab.LeafOptions{})
	theirs := h.SecondLive
	hammer := h.Hammer(t.Context(), lab.HammerOptions{Rate: 3})
	for range 2 {
		next, _ := h.renewed()
		// In the middle of our wait they roll over, by hand and by the book.
		other := h.Certificates().Issue(t, lab.LeafOptions{})
		line := func(p *lab.Pair) string { return lab.Owner(25) + " 5 IN TLSA " + p.TLSA(t, tlsa.EE) }
		h.Update(t, lab.Add(line(other)))
		h.swapsInTime(time.Minute, next)
		h.eventually(time.Minute, "calm", calm(next))
		h.SecondPostfix.Install(t, other)
		h.SecondPostfix.RunReload(t)
		seen := time.Now()
		h.eventually(time.Minute, "their old process gone", func(rollover.LineageStatus) bool { return time.Since(seen) > 2*time.Second })
		h.Update(t, lab.Remove(line(theirs)))
		h.eventually(time.Minute, "calm", calm(next))
		h.only(lab.Owner(25), next.TLSA(t, tlsa.EE), other.TLSA(t, tlsa.EE), someoneElses)
		theirs = other
	}
	h.both(hammer)
	h.unharmed(hammer, 40)
}
