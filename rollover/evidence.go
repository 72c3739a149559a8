package rollover

import (
	"slices"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// AddressEvidence is what was seen at one address of an owner's endpoints.
type AddressEvidence struct {
	URL     string                 `json:"url"`
	Address string                 `json:"address"`
	TTL     time.Duration          `json:"ttl,omitempty"` // the longest seen: a cache may have it since then
	Local   bool                   `json:"local,omitempty"`
	Since   time.Time              `json:"since"`            // first look that listed it
	Listed  time.Time              `json:"listed"`           // last look that did
	Gone    time.Time              `json:"gone,omitzero"`    // first look since that did not
	Looks   [looksNeeded]time.Time `json:"looks"`            // the last looks in which every offer was answered, newest first
	Err     string                 `json:"err,omitempty"`    // why the last look was not one of them
	Cells   []Cell                 `json:"cells,omitempty"`  // the last look
	Missing time.Time              `json:"missing,omitzero"` // first look since that found no answer, or no TLS
	Missed  time.Time              `json:"missed,omitzero"`  // last look that did
	Misses  int                    `json:"misses,omitempty"` // how many did, looksNeeded at most
}

// Cell is one handshake of the last look.
type Cell struct {
	SNI       bool             `json:"sni"`
	Algorithm string           `json:"algorithm"`
	Chain     tlsa.ChainID     `json:"chain,omitempty"`
	Outcome   PresentedOutcome `json:"outcome"`
	Err       string           `json:"err,omitempty"`
}

// PresentedChain is a chain that some address presented, or may have: installing
// one and taking one out count as seeing it everywhere (DESIGN 4.8).
type PresentedChain struct {
	Chain tlsa.ChainID `json:"chain"`
	First time.Time    `json:"first"`
	Last  time.Time    `json:"last"`
	Where string       `json:"where,omitempty"` // for a sentence
}

// answered reports whether the address presented some chain in the last look.
func (e AddressEvidence) answered() bool {
	return slices.ContainsFunc(e.Cells, func(c Cell) bool { return c.Outcome == Served })
}

// shownNow are the chains that the last look showed, sorted.
func (l *Ledger) shownNow() []tlsa.ChainID {
	var ids []tlsa.ChainID
	for _, a := range l.Addresses {
		for _, c := range a.Cells {
			if c.Outcome == Served {
				ids = append(ids, c.Chain)
			}
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// broken is why TLS did not work at the address, "" where it did or is not known.
func (e AddressEvidence) broken() string {
	if i := slices.IndexFunc(e.Cells, func(c Cell) bool { return c.Outcome == NoTLS }); i >= 0 {
		return e.Cells[i].Err
	}
	return ""
}

// lost reports whether the address has had no answer, or no TLS, for so long that
// it is worth a word: in three looks, and not just while a service starts.
func (e *AddressEvidence) lost(now time.Time) bool {
	return e.Misses >= looksNeeded && now.Sub(e.Missing) > missGrace
}

// miss counts a look that found no answer, or no TLS.
func (e *AddressEvidence) miss(now time.Time) {
	switch {
	case e.Misses == 0:
		e.Missing = now
	case !now.After(e.Missed):
		return // the same look, for another lineage
	}
	e.Missed, e.Misses = now, min(e.Misses+1, looksNeeded)
}

// looked enters the handshakes of one look at an endpoint's addresses. Where these
// could not be found, they are those known before.
func (l *Ledger) looked(url string, at Sight[[]Address], served []Presented, now time.Time) {
	for _, addr := range at.Value {
		i := slices.IndexFunc(l.Addresses, func(a AddressEvidence) bool { return a.URL == url && a.Address == addr.Address })
		if i < 0 {
			l.Addresses = append(l.Addresses, AddressEvidence{URL: url, Address: addr.Address, Since: now})
			i = len(l.Addresses) - 1
		}
		a := &l.Addresses[i]
		a.TTL, a.Local, a.Listed, a.Gone = max(a.TTL, addr.TTL), addr.Local, now, time.Time{}
	}
	for i := range l.Addresses {
		a := &l.Addresses[i]
		if a.URL != url {
			continue
		}
		var cells []Cell
		for _, p := range served {
			if p.URL == a.URL && p.Address == a.Address {
				cells = append(cells, Cell{p.SNI, p.Algorithm, p.Chain, p.Outcome, p.Err})
			}
		}
		switch {
		case len(cells) > 0:
			l.saw(a, cells, now)
		case !slices.ContainsFunc(at.Value, func(b Address) bool { return b.Address == a.Address }):
		case !at.Known():
			a.Err = "addresses cannot be found: " + at.Err
			a.miss(now)
		default:
			a.Err = "it was not looked at"
		}
	}
}

// forgetAddresses drops those of the URLs given that caches cannot hold any more:
// an address counts until its own TTL after the first look that no longer listed it,
// and the second or two that resolvers are late with forgetting.
func (l *Ledger) forgetAddresses(of func(url string) bool, now time.Time) {
	for i := range l.Addresses {
		if a := &l.Addresses[i]; of(a.URL) && a.Listed.Before(now) && a.Gone.IsZero() {
			a.Gone = now
		}
	}
	l.Addresses = slices.DeleteFunc(l.Addresses, func(a AddressEvidence) bool {
		return !a.Gone.IsZero() && !now.Before(a.forgotten())
	})
}

// forgotten is when no cache leads to an address any more that has left DNS.
func (e *AddressEvidence) forgotten() time.Time { return e.Gone.Add(e.TTL + minFloor) }

func (l *Ledger) saw(a *AddressEvidence, cells []Cell, now time.Time) {
	a.Cells, a.Err = cells, ""
	for _, c := range cells {
		switch c.Outcome {
		case Served:
			l.presented(c.Chain, now, a.Address)
		case Unreached:
			a.Err = c.Err
		}
	}
	if a.Err != "" || a.broken() != "" {
		a.miss(now)
	} else {
		a.Missing, a.Missed, a.Misses = time.Time{}, time.Time{}, 0
	}
	if a.Err == "" && now.After(a.Looks[0]) {
		copy(a.Looks[1:], a.Looks[:])
		a.Looks[0] = now
	}
}

// presented notes that a chain is, or may be, presented at some address.
func (l *Ledger) presented(id tlsa.ChainID, now time.Time, where string) {
	i := slices.IndexFunc(l.Presented, func(p PresentedChain) bool { return p.Chain == id })
	if i < 0 {
		l.Presented = append(l.Presented, PresentedChain{Chain: id, First: now})
		i = len(l.Presented) - 1
	}
	l.Presented[i].Last, l.Presented[i].Where = now, where
}

// gone reports whether a chain was last presented so long ago that its
// records may leave: for the whole window, and in three looks at every address
// since. A reason says what is lacking.
func (l *Ledger) gone(p PresentedChain, window time.Duration, now time.Time) *Reason {
	until := p.Last.Add(window)
	if at := l.presenting(p.Chain); at != "" {
		r := reason(CodeRetireWindow, "%s presents chain %s: its records stay as long as it does", at, p.Chain.Short()).of(at)
		if window > 0 {
			r.Text += ", and for " + span(window) + " more"
		}
		return &r
	}
	if now.Before(until) {
		r := reason(CodeRetireWindow, "chain %s was presented at %s until %s: its records stay until %s", p.Chain.Short(), p.Where, Stamp(p.Last), Stamp(until))
		r.Until = until
		return &r
	}
	return l.sinceThen(p.Last)
}

// presenting is the address that presented a chain when it was last looked at, "" if
// none did.
func (l *Ledger) presenting(id tlsa.ChainID) string {
	for i := range l.Addresses {
		a := &l.Addresses[i]
		if a.Gone.IsZero() && slices.ContainsFunc(a.Cells, func(c Cell) bool { return c.Outcome == Served && c.Chain == id }) {
			return a.Address
		}
	}
	return ""
}

// seenSince reports whether all offers were answered in three looks after t.
func (e *AddressEvidence) seenSince(t time.Time) bool { return e.Looks[looksNeeded-1].After(t) }

// seenSince reports whether that holds for every address.
func (l *Ledger) seenSince(t time.Time) bool {
	return len(l.Addresses) > 0 && !slices.ContainsFunc(l.Addresses, func(a AddressEvidence) bool { return !a.seenSince(t) })
}

// sinceThen says which address was not looked at three times after t, nil if all were.
func (l *Ledger) sinceThen(t time.Time) *Reason {
	if len(l.Addresses) == 0 {
		r := reason(CodeEndpointUnseen, "no address of the endpoint has been looked at")
		return &r
	}
	a := l.lacking(func(a *AddressEvidence) bool { return a.seenSince(t) })
	switch {
	case a == nil:
		return nil
	case !a.Gone.IsZero():
		return a.lingers()
	}
	r := reason(CodeEndpointUnseen, "%s has not been seen %d times since %s%s", a.Address, looksNeeded, Stamp(t), because(a.Err))
	return &r
}

// justLooked says which address was not looked at by now, nil if all were. Nobody has
// presented a pair that was never live, as far as is known; but a server that reads the
// ACME client's files has it since the last look.
func (l *Ledger) justLooked(now time.Time) *Reason {
	a := l.lacking(func(a *AddressEvidence) bool { return now.Sub(a.Looks[0]) <= settleLook })
	switch {
	case a == nil:
		return nil
	case !a.Gone.IsZero():
		return a.lingers()
	}
	r := reason(CodeEndpointUnseen, "%s is looked at once more before a record leaves that nobody was seen to need", a.Address)
	return &r
}

// lacking is an address that was not seen as it should be, nil if there is none: one that
// can be looked at, else of those that have left DNS the one that caches know longest.
func (l *Ledger) lacking(seen func(*AddressEvidence) bool) *AddressEvidence {
	var gone *AddressEvidence
	for i := range l.Addresses {
		switch a := &l.Addresses[i]; {
		case seen(a):
		case a.Gone.IsZero():
			return a
		case gone == nil || gone.forgotten().Before(a.forgotten()):
			gone = a
		}
	}
	return gone
}

// lingers says until when an address counts that is looked at no more.
func (e *AddressEvidence) lingers() *Reason {
	r := reason(CodeEndpointUnseen, "%s has left DNS, and clients may come there until %s", e.Address, Stamp(e.forgotten()))
	r.Until = e.forgotten()
	return &r
}

// forgetPresented drops chains that no window can reach back to.
func (l *Ledger) forgetPresented(window time.Duration, live func(tlsa.ChainID) bool, now time.Time) {
	l.Presented = slices.DeleteFunc(l.Presented, func(p PresentedChain) bool {
		return !live(p.Chain) && now.Sub(p.Last) > window+remember && l.seenSince(p.Last)
	})
}
