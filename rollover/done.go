package rollover

import (
	"slices"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// Result is how an action ended.
type Result struct {
	Err string // "" where it succeeded
	// Switched is set where a swap failed after something was switched, so that
	// services may have the new pair.
	Switched bool
	// Never is set where a provider has no means to do it, so that to try again is in vain.
	Never bool
	// ByHand is set where a person has to make the change and has not yet done so.
	ByHand bool
}

// Done enters how an action ended. Like Next it is pure; the shell makes the
// state that it returns durable.
func Done(s State, action Action, r Result, p Policy, now time.Time) State {
	x := begin(s, Observation{}, p, now)
	switch a := action.(type) {
	case Publish:
		x.changed(a.Change, r)
	case Retire:
		x.changed(a.Change, r)
	case Retime:
		x.changed(a.Change, r)
		x.retimed(a.Change, r)
	case Swap:
		x.swapped(a, r)
	case Back:
		x.undone(a, r)
	case Adopt:
		if r.Err == "" {
			x.adopted(a)
		}
	case Discard:
	}
	return x.State
}

// changed enters the end of a DNS change. A provider reports success only after
// it has read the result back; after an error either content may stand.
func (x *pass) changed(c Change, r Result) {
	for owner, l := range x.Owners {
		if l.Target != c.Owner {
			continue
		}
		l.Writing = time.Time{}
		if l.Failed, l.ByHand = r.Err, r.ByHand; r.Err != "" {
			x.Owners[owner] = l
			x.account(owner, func(a *accounting) {
				if r.ByHand {
					a.copied(c.Before) // the provider did not touch it
				}
				a.CopyRead = time.Time{} // what it holds now is to be read
			})
			continue
		}
		x.Owners[owner] = l
		x.account(owner, func(a *accounting) { a.copied(c.After) })
		l = x.Owners[owner]
		l.disown(c.Removed()...)
		x.Owners[owner] = l
	}
}

// retimed ends a change of TTL. What the provider made of it is seen soon enough:
// it is not asked for twice. Nor is one that has no means to do it.
func (x *pass) retimed(c Change, r Result) {
	for owner, l := range x.Owners {
		if l.Target == c.Owner && (r.Err == "" || r.Never) {
			l.Retime = 0
			x.Owners[owner] = l
		}
	}
}

// swapped enters the end of a swap: live, or not switched at all, or switched
// and not taken up.
func (x *pass) swapped(a Swap, r Result) {
	l := x.Lineages[a.Lineage]
	if l.Swapping == nil || l.Swapping.To != a.To {
		return
	}
	sw := *l.Swapping
	sw.Why = r.Err
	switch {
	case r.Err == "":
		sw.Step, sw.Began = SwapInstalled, x.now
		l.Swapping = &sw
		l = x.live(l, sw)
	case r.Switched:
		sw.Step = SwapFailed
		l.Swapping = &sw
		l = x.live(l, sw)
	case l.Live == a.To: // a repeated try of a swap that cannot be undone
		sw.Step = SwapFailed
		l.Swapping = &sw
	default:
		l.Swapping = nil
		l.Held = failedTry(l.Held, sw, x.policy.Lineages[a.Lineage].Revision, x.now)
	}
	x.Lineages[a.Lineage] = l
	x.presentEverywhere(a.Lineage, a.To)
	if a.From != "" {
		x.presentEverywhere(a.Lineage, a.From)
	}
}

// live makes the chain swapped in the live one.
func (x *pass) live(l Lineage, sw Swapping) Lineage {
	if l.Live != sw.To {
		l.Previous, l.Live, l.Swapped, l.Returned = l.Live, sw.To, x.now, time.Time{}
		if !l.Recalled.IsZero() && l.Successor == sw.To {
			l.Returned = x.now
		}
	}
	if l.Successor == sw.To {
		l = x.promote(l)
	}
	return l
}

// undone enters the end of the way back. The pair that failed is the successor
// again, and held.
func (x *pass) undone(a Back, r Result) {
	l := x.Lineages[a.Lineage]
	if l.Swapping == nil || l.Swapping.To != a.From {
		return
	}
	sw := *l.Swapping
	x.presentEverywhere(a.Lineage, a.From)
	x.presentEverywhere(a.Lineage, a.To)
	if r.Err != "" && !r.Switched {
		return // nothing was put back: it is tried again in the next pass
	}
	switch r.Err {
	case "":
	case sw.Why:
		sw.Why += ", and so on the way back"
	default:
		sw.Why += "; on the way back: " + r.Err
	}
	l.Live, l.Previous, l.Returned = a.To, "", time.Time{}
	if l.Successor != "" && l.Successor != a.From && l.Queued == "" {
		l.Queued = l.Successor
	}
	l.Successor, l.Phase = a.From, ""
	l.Swapping = nil
	l.Held = failedTry(l.Held, sw, x.policy.Lineages[a.Lineage].Revision, x.now)
	x.Lineages[a.Lineage] = l
}

// adopted makes the pair that is served the live one, and records that match a
// lineage's live chain ours (DESIGN 9, adopt).
func (x *pass) adopted(a Adopt) {
	l := x.Lineages[a.Lineage]
	l.Live, l.Adopting = a.Chain, ""
	if l.Successor == a.Chain {
		l = x.promote(l)
	}
	x.Lineages[a.Lineage] = l
	x.presentEverywhere(a.Lineage, a.Chain)
	for _, s := range x.sites() {
		for _, owner := range s.owners {
			x.takeOver(s, owner)
		}
	}
	x.places = nil // what is wanted there changes when pairs are admitted
}

// inherit takes over records at owner names where nothing is remembered of ours: the
// journal was lost, or the endpoint is new. The live pair came from us or by adopt, so
// that its records are no strangers'; as such they would stay for good. A pair that was
// on its way is handed in again a while later: its records are taken over as long as
// what stood before the first look counts.
func (x *pass) inherit() {
	for _, s := range x.sites() {
		x.agree(s)
		for _, owner := range s.owners {
			switch l := x.Owners[owner]; {
			case len(l.Ours)+len(l.Retired) == 0 && l.matters():
				x.takeOver(s, owner)
			case l.cold():
				x.own(owner, x.wantedAt(s))
			}
		}
	}
}

// takeOver makes records ours that match a live chain of the group or that a
// lineage wants.
func (x *pass) takeOver(s *site, owner tlsa.Owner) {
	wanted := x.wantedAt(s)
	x.own(owner, func(a tlsa.Association) bool { return wanted(a) || x.matchesLive(a, owner) })
}

// wantedAt reports whether a lineage wants a record at a site.
func (x *pass) wantedAt(s *site) func(tlsa.Association) bool {
	wants := associations(x.wants(s))
	return func(a tlsa.Association) bool { return slices.Contains(wants, a) }
}

// own makes those records ours that stand and are ours by some rule.
func (x *pass) own(owner tlsa.Owner, ours func(tlsa.Association) bool) {
	l := x.Owners[owner]
	for _, v := range l.Versions {
		if !v.current() {
			continue
		}
		for _, a := range v.RRset.Associations {
			if ours(a) {
				l.Ours = union(l.Ours, []tlsa.Association{a})
			}
		}
	}
	x.Owners[owner] = l
}

func (x *pass) matchesLive(a tlsa.Association, owner tlsa.Owner) bool {
	return slices.ContainsFunc(x.users[owner], func(u use) bool {
		live := x.chain(x.Lineages[u.lineage].Live)
		return live != nil && x.matches(a, live, owner)
	})
}
