package rollover

import (
	"slices"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// blocking are the versions of an owner's RRset that are not dead and do not
// vouch for next: for each combination, with and without digest agility. In a
// declared emergency any match is enough.
func (x *pass) blocking(name string, owner tlsa.Owner, next *tlsa.Chain) []Version {
	l := x.Owners[owner]
	w := x.waits(&l)
	var vs []Version
	for _, v := range l.Versions {
		if w.alive(v, x.now) && !x.accepts(name, v, next, owner) {
			vs = append(vs, v)
		}
	}
	return vs
}

// accepts reports whether a version vouches for next, as far as the lineage needs.
func (x *pass) accepts(name string, v Version, next *tlsa.Chain, owner tlsa.Owner) bool {
	switch {
	case v.Unknown:
		return false
	case x.emergency(name):
		return !x.fails(v.RRset, next, owner)
	}
	return !x.refuses(v.RRset, next, owner)
}

// ripe is when the last of the versions is dead, zero while it cannot be told.
func (x *pass) ripe(l *Ledger, versions []Version) time.Time {
	w := x.waits(l)
	var t time.Time
	for _, v := range versions {
		dead := w.dead(v)
		if dead.IsZero() {
			return time.Time{}
		}
		t = latest(t, dead)
	}
	return t
}

// readyAt is Trdy of RFC 7583: when every version that fails next is dead at
// every owner name. Zero while it cannot be told, the past once it is over.
func (x *pass) readyAt(name string, next *tlsa.Chain) time.Time {
	t := x.Lineages[name].Since
	for _, owner := range x.ownersOf(name) {
		l := x.Owners[owner]
		if l.Since.IsZero() {
			return time.Time{}
		}
		if blocking := x.blocking(name, owner, next); len(blocking) > 0 {
			ripe := x.ripe(&l, blocking)
			if ripe.IsZero() {
				return ripe
			}
			t = latest(t, ripe)
		}
		t = latest(t, x.stale(name, &l, next))
	}
	return t
}

// readySince keeps the moment at which the wait was over: what it was computed
// from is forgotten in time.
func (x *pass) readySince(l Lineage, at time.Time) time.Time {
	if was := l.ReadyAt; !was.IsZero() && !was.After(x.now) && !at.IsZero() && !at.After(x.now) {
		return was
	}
	return at
}

// stale is until when resolvers that serve stale answers may hold on to some of
// the time when no server could be seen. Answers with what the live pair needs
// are good enough for a successor that needs the same.
func (x *pass) stale(name string, l *Ledger, next *tlsa.Chain) time.Time {
	lineage := x.Lineages[name]
	if !l.matters() || x.wantsRecords(name) && x.sameNeeds(name, lineage.Live, next.ID()) {
		return time.Time{}
	}
	return l.lit()
}

// required are the associations of next that stand, or can come to stand, at an
// owner name before the swap: those of combinations that are in the RRset
// (DESIGN 4.7 holds the others back).
func (x *pass) required(name string, owner tlsa.Owner, next *tlsa.Chain) []tlsa.Association {
	l := x.Owners[owner]
	standing := l.latest()
	needs := x.needs(name, next.ID())
	if x.needsBridge(name, []tlsa.Owner{owner}) {
		needs = union(needs, x.leafRecord(next.ID()))
	}
	return slices.DeleteFunc(slices.Clone(needs), func(a tlsa.Association) bool { return !stands(standing, a.Params) })
}

// phase of a successor, in RFC 7583's words.
func (x *pass) phase(name string, next *tlsa.Chain, ready time.Time) Phase {
	for _, owner := range x.ownersOf(name) {
		if !x.published(name, owner, next) {
			return Generated
		}
	}
	if ready.IsZero() || x.now.Before(ready) {
		return Published
	}
	return Ready
}

// published reports whether every server that speaks for the owner name gives
// what next needs there.
func (x *pass) published(name string, owner tlsa.Owner, next *tlsa.Chain) bool {
	l := x.Owners[owner]
	required := x.required(name, owner, next)
	if len(required) == 0 && x.publishable(name, owner, next) {
		return false
	}
	return slices.ContainsFunc(l.Servers, func(s Server) bool { return s.speaks() }) && x.countOn(owner, required) > 0
}

// publishable reports whether records of next are still to come at an owner
// name that stands empty.
func (x *pass) publishable(name string, owner tlsa.Owner, next *tlsa.Chain) bool {
	l := x.Owners[owner]
	return l.Provider != "" && l.Security == Secure && len(x.needs(name, next.ID())) > 0
}

// countOn is in how many looks the server that lags most had all of required.
func (x *pass) countOn(owner tlsa.Owner, required []tlsa.Association) int {
	n := looksNeeded
	l := x.Owners[owner]
	for i := range l.Servers {
		s := &l.Servers[i]
		if s.Alias || s.Untested || !s.Unlisted.IsZero() {
			continue
		}
		for _, a := range required {
			n = min(n, s.holds(a))
		}
	}
	return n
}
