package rollover

import (
	"slices"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// swap makes a ready successor live.
func (x *pass) swap() {
	for _, name := range x.names {
		l := x.Lineages[name]
		next := x.chain(l.Successor)
		if next == nil || !x.mayReplace(name, l) {
			continue
		}
		l.ReadyAt = x.readySince(l, x.readyAt(name, next))
		x.Lineages[name] = l
		unmet, late := x.unmetGuards(name, next)
		returning := x.mayReturn(name, l)
		if returning {
			late = nil // the guard of the way back stands in for them
		}
		l.Phase = x.phase(name, next, l.ReadyAt)
		x.Lineages[name] = l
		forced := x.deadlineForces(name, l, late)
		if len(unmet) > 0 || len(late) > 0 && !forced {
			x.wait(name, unmet...)
			x.wait(name, late...)
			continue
		}
		if !x.lookedNow(name) {
			x.lookNow = true // guards hold by what was seen before: see that they hold now
			continue
		}
		if returning && !x.copiesRead(name) {
			continue
		}
		x.begin(name, l, len(late) > 0)
	}
}

// lookedNow reports whether every owner name was looked at in this pass.
func (x *pass) lookedNow(name string) bool {
	return !slices.ContainsFunc(x.ownersOf(name), func(owner tlsa.Owner) bool {
		_, looked := x.seen.Owners[owner]
		return !looked
	})
}

// mayReplace reports whether what is live is known, or known to be nothing, and
// no other swap is under way. One that failed and cannot be undone is not: the
// successor is the way out.
func (x *pass) mayReplace(name string, l Lineage) bool {
	view, looked := x.seen.Lineages[name]
	if !looked || !view.Live.Known() || l.Swapping != nil && l.Swapping.Step != SwapFailed {
		return false
	}
	if l.Live == "" {
		return view.Live.Value == "" && view.Installed.Known() && view.Installed.Value == "" && (x.servesNothing(name) || x.servesSiblings(name))
	}
	return view.Live.Value == l.Live
}

// begin remembers the swap and asks for it. From here on either chain may be
// presented anywhere.
func (x *pass) begin(name string, l Lineage, forced bool) {
	sw := &Swapping{From: l.Live, To: l.Successor, Began: x.now, Step: SwapIntended, Judge: x.judges(name)}
	if forced {
		sw.Forced = string(CodeDeadline)
	}
	l.Swapping = sw
	x.Lineages[name] = l
	if l.Live != "" {
		x.presentEverywhere(name, l.Live)
	}
	x.presentEverywhere(name, l.Successor)
	x.act(Swap{name, l.Live, l.Successor})
}

// judges are the addresses on this host that answered before (DESIGN 7, settle).
func (x *pass) judges(name string) []string {
	var addresses []string
	for _, owner := range x.ownersOf(name) {
		for _, a := range x.Owners[owner].Addresses {
			if a.Local && a.answered() && !slices.Contains(addresses, a.Address) {
				addresses = append(addresses, a.Address)
			}
		}
	}
	return addresses
}
