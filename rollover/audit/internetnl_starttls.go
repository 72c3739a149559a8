package audit

import (
	"cmp"
	"slices"

	"github.com/tlsaroll/tlsaroll/rollover"
)

// nlStartTLS judges whether a host speaks TLS, and says by which address.
func nlStartTLS(h Host) (*Address, grade) {
	switch {
	case len(h.Addresses) == 0 && h.Reach.Err != "":
		return nil, untested("the addresses are not known: %s", h.Reach.Err)
	case len(h.Addresses) == 0 && !looked(h.Reach):
		return nil, untested("the addresses were not looked up")
	case len(h.Addresses) == 0:
		return nil, grade{
			status: StatusError, verdict: "other", beyond: true, text: "there is no address",
			ours: "what has no address gets no mail, and senders go on to the next host",
		}
	}
	a := nlAddress(h.Addresses)
	first := nlHandshake(*a)
	g := grade{text: a.Address.String()}
	switch {
	case a.Untested != "":
		return nil, untested("%s: %s", a.Address, a.Untested)
	case nlSpeaksTLS(*a):
		g.status, g.verdict = StatusPassed, "good"
	case first == nil:
		return nil, untested("%s: not asked", a.Address)
	case first.Outcome == rollover.NoTLS:
		g.status, g.verdict, g.text = StatusFailed, "bad", g.text+": "+cmp.Or(first.Err, "no TLS")
		g.ours = "Internet.nl takes a server that it gets no TLS from for one that cannot be reached, and shows an error"
		return a, g
	default:
		g.status, g.verdict, g.beyond, g.text = StatusError, "other", true, g.text+": "+cmp.Or(first.Err, "not reached")
		g.ours = "what we cannot reach we call unknown: it may be reached from elsewhere"
		return a, g
	}
	for _, other := range h.Addresses {
		if hs := nlHandshake(other); hs != nil && hs.Outcome == rollover.NoTLS && !nlSpeaksTLS(other) {
			g.ours = "Internet.nl looks at one address alone, and " + other.Address.String() + " speaks no TLS"
		}
	}
	return a, g
}

// nlAddress is the one that is looked at: an IPv4 address where there is one, of several
// the last that DNS gave, which is chance. Here it is the first one that was asked.
func nlAddress(all []Address) *Address {
	better := func(want func(a Address) bool) int { return slices.IndexFunc(all, want) }
	v4 := func(a Address) bool { return a.Address.Addr().Unmap().Is4() }
	for _, want := range []func(a Address) bool{
		func(a Address) bool { return v4(a) && a.Untested == "" },
		func(a Address) bool { return a.Untested == "" },
	} {
		if i := better(want); i >= 0 {
			return &all[i]
		}
	}
	return &all[0]
}

// nlHandshake is the one with SNI for any algorithm, as Internet.nl's is.
func nlHandshake(a Address) *Handshake {
	for i, h := range a.Handshakes {
		if h.SNI && h.Algorithm == "any" {
			return &a.Handshakes[i]
		}
	}
	return nil
}

// nlSpeaksTLS counts the old versions too, which our own handshakes do not offer.
func nlSpeaksTLS(a Address) bool {
	if a.TLS != nil && len(a.TLS.Versions) > 0 {
		return true
	}
	h := nlHandshake(a)
	return h != nil && (h.Outcome == rollover.Served || h.Chain != nil)
}
