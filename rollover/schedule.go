package rollover

import (
	"slices"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// schedule says when to look again: closely while something is on its way, at
// the moment of readiness, rarely else (DESIGN 5).
func (x *pass) schedule() {
	look := x.now.Add(x.policy.Timing.Look)
	dns, served := look, look
	for _, name := range x.names {
		l := x.Lineages[name]
		dns = earliest(dns, x.lookDNS(name, l))
		if l.Swapping != nil && l.Swapping.Step != SwapFailed {
			served = earliest(served, x.now.Add(settleLook))
		}
		for _, r := range x.Waiting[name] {
			if !r.Until.After(x.now) {
				continue
			}
			dns = earliest(dns, r.Until)
			if ofEndpoints(r) {
				served = earliest(served, r.Until)
			}
		}
	}
	if x.unseen {
		served = earliest(served, x.now.Add(x.patience()))
	}
	if len(x.Actions) > 0 {
		dns = earliest(dns, x.now.Add(time.Second)) // see what the actions did
		if x.swapsNow() {
			served = x.now
		}
	}
	if x.lookNow {
		dns = x.now
	}
	x.LookDNS, x.LookServed = dns, served
}

// ofEndpoints reports whether what a reason waits for is seen at endpoints.
func ofEndpoints(r Reason) bool {
	return r.Code == CodeRetireWindow || r.Code == CodeSettling || r.Code == CodeCombinationHeld
}

func (x *pass) swapsNow() bool {
	return slices.ContainsFunc(x.Actions, func(a Action) bool {
		switch a.(type) {
		case Swap, Back, Adopt:
			return true
		}
		return false
	})
}

// patience is the span between looks at endpoints while evidence is wanted:
// short where all answer, longer and longer where one does not, since others than
// us watch the doors, too.
func (x *pass) patience() time.Duration {
	wait := settleLook
	for _, owner := range x.owners {
		for _, a := range x.Owners[owner].Addresses {
			if a.Err != "" {
				wait = max(wait, min(x.now.Sub(latest(a.Looks[0], a.Since))/4, x.policy.Timing.Look))
			}
		}
	}
	return wait
}

// lookDNS is when a lineage's servers are worth a look.
func (x *pass) lookDNS(name string, l Lineage) time.Time {
	at := x.now.Add(x.policy.Timing.Look)
	for _, owner := range x.ownersOf(name) {
		ledger := x.Owners[owner]
		if ledger.Looked.IsZero() {
			return x.now
		}
		at = earliest(at, x.lookOwner(name, owner, &ledger))
	}
	switch {
	case l.Successor == "" || l.ReadyAt.IsZero():
	case l.ReadyAt.After(x.now):
		at = earliest(at, l.ReadyAt)
	case len(x.Waiting[name]) > 0:
		at = earliest(at, x.now.Add(x.nearOf(name)))
	}
	return at
}

func (x *pass) nearOf(name string) time.Duration {
	near := time.Minute
	for _, owner := range x.ownersOf(name) {
		l := x.Owners[owner]
		near = min(near, closely(l.shortestTTL()))
	}
	return near
}

// lookOwner is when one owner name's servers are worth a look.
func (x *pass) lookOwner(name string, owner tlsa.Owner, l *Ledger) time.Time {
	next := x.chain(x.Lineages[name].Successor)
	near := x.now.Add(closely(l.shortestTTL()))
	if l.converging() || l.restless(next != nil, x.now) {
		return near
	}
	if next == nil {
		return time.Time{}
	}
	required := x.required(name, owner, next)
	if x.countOn(owner, required) == 0 {
		return near
	}
	return l.counts(required, x.now)
}

// counts is when the next look counts as another one at a server that was not
// seen often enough with what is required; zero where all were.
func (l *Ledger) counts(required []tlsa.Association, now time.Time) time.Time {
	var at time.Time
	for i := range l.Servers {
		s := &l.Servers[i]
		if !s.speaks() {
			continue
		}
		for _, h := range s.Holds {
			if h.Count < looksNeeded && slices.Contains(required, h.Association) {
				at = latest(at, h.Last.Add(spacing(l.shortestTTL())))
			}
		}
	}
	if at.IsZero() || at.After(now) {
		return at
	}
	return now.Add(time.Second)
}

// converging reports whether some server does not give what the provider's copy
// holds, or something left the copy that some server may give still.
func (l *Ledger) converging() bool {
	for i := range l.Versions {
		v := &l.Versions[i]
		if !v.Left.IsZero() {
			return true
		}
		if v.InCopy && slices.ContainsFunc(l.Servers, func(s Server) bool { return s.speaks() && !s.content().Same(v.RRset) }) {
			return true
		}
	}
	return false
}

// restless reports whether a server's silence is worth another look soon: while a
// rollover waits for it, else for a while.
func (l *Ledger) restless(waiting bool, now time.Time) bool {
	return slices.ContainsFunc(l.Servers, func(s Server) bool {
		return !s.Untested && s.Unlisted.IsZero() && !s.Missing.IsZero() && (waiting || now.Sub(s.Missing) < silenceWatched)
	})
}
