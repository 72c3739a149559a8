package rollover

import (
	"slices"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// recognize believes the live link: whatever it leads to is live, whoever made it.
func (x *pass) recognize() {
	for _, name := range x.names {
		view, looked := x.seen.Lineages[name]
		if !looked {
			continue
		}
		l := x.Lineages[name]
		switch {
		case !view.Live.Known():
			x.wait(name, reason(CodeLiveUnreadable, "the live pair cannot be read: %s", view.Live.Err))
		case view.Live.Value == "":
			l = x.unadopted(name, l, view)
		default:
			l = x.recognized(name, l, view.Live.Value)
		}
		standby := view.Standby
		if !x.policy.Lineages[name].Scheme.Standby || l.Distrusts(standby) {
			standby = tlsa.Association{}
		}
		if l.Standby != standby {
			l.Standby, l.StandbyReady = standby, time.Time{}
		}
		l.Issuing = view.Issuing
		x.Lineages[name] = l
	}
}

// recognized is the lineage with id as its live chain.
func (x *pass) recognized(name string, l Lineage, id tlsa.ChainID) Lineage {
	if sw := l.Swapping; sw != nil {
		switch {
		case sw.Step == SwapIntended && id == sw.To:
			return l // a crash came between the switch and its record: settle decides
		case sw.Step == SwapIntended, id != sw.To && id != sw.From, sw.Step != SwapUndoing && id != sw.To:
			l.Swapping = nil // it was not carried out, or someone else has switched since
		}
	}
	if id == l.Live {
		return l
	}
	if l.Live == "" && id == l.Adopting { // a crash came between the link and its record
		x.adopted(Adopt{name, id})
		return x.Lineages[name]
	}
	if l.Live != "" {
		l.Previous = l.Live
		x.presentEverywhere(name, l.Live)
	}
	x.presentEverywhere(name, id)
	l.Live, l.Returned = id, time.Time{}
	if l.Successor == id {
		l = x.promote(l)
	}
	return l
}

// promote lets the queued pair take the successor's place.
func (x *pass) promote(l Lineage) Lineage {
	l.Successor, l.Queued, l.Since = l.Queued, "", x.now
	l.ReadyAt, l.Phase, l.Recalled = time.Time{}, "", time.Time{}
	swapping := l.Held != nil && l.Swapping != nil && l.Swapping.To == l.Held.Chain
	if l.Held != nil && l.Held.Chain != l.Successor && !swapping { // a try that is not verified yet counts
		l.Held = nil
	}
	return l
}

// presentEverywhere notes that a chain may be presented at every address of the
// lineage from now on: installing and taking out count as seeing (DESIGN 4.8).
func (x *pass) presentEverywhere(lineage string, id tlsa.ChainID) {
	for _, owner := range x.ownersOf(lineage) {
		if l, ok := x.Owners[owner]; ok {
			l.presented(id, x.now, "every address of "+lineage)
			x.Owners[owner] = l
		}
	}
}

// unadopted takes over the pair that the install files hold, if it is the one
// that is served; a host that serves nothing yet needs none.
func (x *pass) unadopted(name string, l Lineage, view LineageView) Lineage {
	if l.Swapping != nil && l.Swapping.Step == SwapIntended {
		l.Swapping = nil // a crash came before the switch
	}
	installed := view.Installed
	l.Adopting = ""
	switch {
	case !installed.Known():
		x.wait(name, reason(CodeNotAdopted, "no pair is live yet, and the install files cannot be read: %s", installed.Err))
	case !x.lookedAt(name):
		x.unseen = true
		x.wait(name, reason(CodeAdopting, "no pair is live yet: looking at what is served and published"))
	case installed.Value == "" && (x.servesNothing(name) || x.servesSiblings(name)):
		l.Live = "" // the first pair of a new host or algorithm: the guards of swap decide
	case installed.Value != "" && x.isServed(name, installed.Value):
		l.Adopting = installed.Value
		x.act(Adopt{name, installed.Value})
		x.wait(name, reason(CodeAdopting, "the pair in the install files is served: it is being adopted"))
	case installed.Value == "":
		x.wait(name, reason(CodeNotAdopted, "no pair is live yet, and something is served that is not known here (hint: tlsaroll adopt %s --cert FILE --key FILE)", name))
	default:
		x.unseen = true
		x.wait(name, reason(CodeNotAdopted, "no pair is live yet, and the install files do not hold the one that is served (hint: tlsaroll adopt %s --cert FILE --key FILE)", name))
	}
	return l
}

// lookedAt reports whether every owner name and endpoint of the lineage was looked at.
func (x *pass) lookedAt(name string) bool {
	return !slices.ContainsFunc(x.ownersOf(name), func(owner tlsa.Owner) bool {
		l, ok := x.Owners[owner]
		return !ok || l.Looked.IsZero() || !slices.ContainsFunc(l.Addresses, func(a AddressEvidence) bool { return len(a.Cells) > 0 })
	})
}

// isServed reports whether some address presents the chain's leaf now.
func (x *pass) isServed(name string, id tlsa.ChainID) bool {
	want := x.chain(id)
	return want != nil && x.anyCell(name, func(_ AddressEvidence, c Cell) bool { return x.shows(c, want) })
}

// shows reports whether a handshake presented the chain's leaf.
func (x *pass) shows(c Cell, want *tlsa.Chain) bool {
	got := x.chain(c.Chain)
	return c.Outcome == Served && got != nil && want != nil && got.LeafID() == want.LeafID()
}

// servesNothing reports whether no address has TLS: each was asked, and what
// cannot be reached is on this host, where a service that awaits its first pair
// may not even start.
func (x *pass) servesNothing(name string) bool {
	return x.lookedAt(name) && !x.anyCell(name, func(a AddressEvidence, c Cell) bool {
		return c.Outcome != NoTLS && (c.Outcome != Unreached || !a.Local)
	})
}

// servesSiblings reports whether all that is presented is live in another lineage
// of the group, as where an RSA certificate comes beside an ECDSA one.
func (x *pass) servesSiblings(name string) bool {
	return x.lookedAt(name) && !x.anyCell(name, func(_ AddressEvidence, c Cell) bool {
		return c.Outcome != NotOffered && !(c.Outcome == Served && x.liveElsewhere(name, c.Chain))
	})
}

func (x *pass) liveElsewhere(name string, id tlsa.ChainID) bool {
	return slices.ContainsFunc(x.names, func(other string) bool { return other != name && x.Lineages[other].Live == id })
}

func (x *pass) anyCell(name string, is func(AddressEvidence, Cell) bool) bool {
	for _, owner := range x.ownersOf(name) {
		for _, a := range x.Owners[owner].Addresses {
			if slices.ContainsFunc(a.Cells, func(c Cell) bool { return is(a, c) }) {
				return true
			}
		}
	}
	return false
}
