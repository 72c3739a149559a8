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
	emergency := x.seen.Lineages[name].Orders.Emergency
	var vs []Version
	for _, v := range l.Versions {
		if !l.alive(v, x.policy.Timing, x.now) {
			continue
		}
		switch {
		case v.Unknown, !emergency && x.refuses(v.RRset, next, owner), emergency && x.fails(v.RRset, next, owner):
			vs = append(vs, v)
		}
	}
	return vs
}

// ripe is when the last of the versions is dead, zero while it cannot be told.
func (x *pass) ripe(l *Ledger, versions []Version) time.Time {
	var t time.Time
	for _, v := range versions {
		dead := l.dead(v, x.policy.Timing)
		if dead.IsZero() {
			return time.Time{}
		}
		t = latest(t, dead)
	}
	if !t.IsZero() {
		t = t.Add(x.policy.Margin[l.Provider])
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
		if l.matters() {
			t = latest(t, l.lit(x.policy.Timing))
		}
	}
	return t
}

// lit is when what stale-serving resolvers may have held on to while no server
// could be seen is gone: one more TTL after the servers came back.
func (l *Ledger) lit(t Timing) time.Time {
	if l.Dark.IsZero() {
		return time.Time{}
	}
	var ttl time.Duration
	for _, v := range l.Versions {
		ttl = max(ttl, v.RRset.TTL)
	}
	return l.Dark.Add(ttl)
}

// matters reports whether the ledger knows of any records at all.
func (l *Ledger) matters() bool {
	return slices.ContainsFunc(l.Versions, func(v Version) bool { return v.Unknown || !v.RRset.Denial() })
}

// phase of a successor, in RFC 7583's words.
func (x *pass) phase(name string, next *tlsa.Chain, ready time.Time) Phase {
	for _, owner := range x.ownersOf(name) {
		l := x.Owners[owner]
		required := x.required(name, owner, next)
		if len(l.Servers) == 0 {
			return Generated
		}
		for _, s := range l.Servers {
			if s.Alias || s.Untested || !s.Unlisted.IsZero() {
				continue
			}
			for _, a := range required {
				if s.holds(a) == 0 {
					return Generated
				}
			}
		}
		if len(required) == 0 && x.publishable(name, owner, next) {
			return Generated
		}
	}
	if ready.IsZero() || x.now.Before(ready) {
		return Published
	}
	return Ready
}

// publishable reports whether records of next are still to come at an owner
// name that stands empty.
func (x *pass) publishable(name string, owner tlsa.Owner, next *tlsa.Chain) bool {
	l := x.Owners[owner]
	return l.Provider != "" && l.Security == Secure && len(x.needs(name, next.ID())) > 0
}

// unlistedOwnersAgree blocks while some other name of the certificates has an
// RRset that vouches for the live chain and not for the next (DESIGN 4.6).
func (x *pass) unlistedOwnersAgree(name string, next *tlsa.Chain) []Reason {
	live := x.chain(x.Lineages[name].Live)
	ignore := x.policy.Lineages[name].Ignore
	var rs []Reason
	for owner, why := range x.seen.Unlisted {
		if !ignore[owner] {
			rs = append(rs, reason(CodeUnlistedOwner, "whether %s has TLSA records is not known: %s (hint: list it as an endpoint, or name it under ignore)", owner, why))
		}
	}
	for owner, l := range x.Owners {
		if _, ours := x.users[owner]; ours || ignore[owner] || live == nil {
			continue
		}
		for _, v := range l.Versions {
			if v.Unknown || v.RRset.Denial() || !l.alive(v, x.policy.Timing, x.now) || !concerns(owner, live, next) {
				continue
			}
			ref := unlistedReference(owner, x.now)
			if v.RRset.Authenticates(live, ref) == nil && v.RRset.Authenticates(next, ref) != nil {
				rs = append(rs, reason(CodeUnlistedOwner, "%s vouches for the live certificate and not for %s (hint: list it as an endpoint, or name it under ignore)", owner, next.ID().Short()))
				break
			}
		}
	}
	slices.SortFunc(rs, func(a, b Reason) int { return compareText(a.Text, b.Text) })
	return rs
}

// concerns reports whether the owner's base domain is a name of either chain.
func concerns(owner tlsa.Owner, live, next *tlsa.Chain) bool {
	base := owner.Base()
	return base != "" && (live.IsFor(base) || next.IsFor(base))
}

func unlistedReference(owner tlsa.Owner, now time.Time) tlsa.Reference {
	return tlsa.Reference{Names: []string{owner.Base()}, Time: now, SMTP: owner.Port() == 25}
}

func compareText(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// deadlineForces reports whether the end of the live certificate is so near that
// the successor goes live although late guards do not hold, and says what it
// costs (DESIGN 4.11).
func (x *pass) deadlineForces(name string, l Lineage, late []Reason) bool {
	live := x.chain(l.Live)
	if live == nil || len(late) == 0 {
		return false
	}
	end := live.Leaf().NotAfter
	forcing := x.forcing(name)
	ready := x.readyAt(name, x.chain(l.Successor))
	if ready.After(end) || ready.IsZero() && x.now.Add(x.policy.Timing.PublicationInterval(time.Hour)).After(end) {
		x.tell(name, CodeExpiresInWait, Danger, "the live certificate ends on "+stamp(end)+", before the successor is ready: "+consequence(forcing))
	}
	if !forcing || x.now.Before(end.Add(-expiryMargin)) {
		return false
	}
	x.tell(name, CodeDeadline, Danger, "swapped before every cache is fresh, as the live certificate ends on "+stamp(end)+": senders that still hold an old TLSA answer cannot deliver until it expires")
	return true
}

func consequence(forcing bool) string {
	if forcing {
		return "it will be swapped an hour before all the same, and senders that still hold an old TLSA answer cannot deliver until it expires (deadline: swap)"
	}
	return "it stays live past its end, which DANE-EE forgives and other clients do not (deadline: wait)"
}

// forcing reports whether the lineage's clients mind an expired certificate
// more than a TLSA mismatch. DANE-EE ignores dates (RFC 7672, section 3.1.1).
func (x *pass) forcing(name string) bool {
	p := x.policy.Lineages[name]
	switch p.Deadline {
	case DeadlineWait:
		return false
	case DeadlineSwap:
		return true
	}
	if sts, looked := x.seen.MTASTS[name]; looked && sts.Known() && sts.Value {
		return true
	}
	for _, e := range p.Endpoints {
		if !e.SMTP || e.Port != 25 {
			return true
		}
		for _, owner := range e.Owners() {
			l := x.Owners[owner]
			for _, c := range l.latest().Combinations(e.reference(x.now)) {
				if c.Usage != tlsa.DANEEE {
					return true
				}
			}
		}
	}
	return false
}
