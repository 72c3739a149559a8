package rollover

import (
	"slices"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// schedule says when to look again: closely while something is on its way, at
// the moment of readiness, rarely else (DESIGN 5).
func (x *pass) schedule() {
	var dns, served time.Time
	for _, name := range x.names {
		l := x.Lineages[name]
		dns = earliest(dns, x.lookDNS(name, l))
		served = earliest(served, x.lookServed(name, l))
	}
	if len(x.Actions) > 0 {
		dns = earliest(dns, x.now.Add(time.Second)) // see what the actions did
		if x.swapsNow() {
			served = x.now
		}
	}
	if x.lookNow {
		dns = x.lastLook().Add(time.Second) // at once, but for a look a moment ago
	}
	if len(x.owners) == 0 {
		dns = x.now.Add(x.policy.Timing.Look) // nothing is asked for anywhere
	}
	x.LookDNS, x.LookServed = latest(dns, x.now), latest(served, x.now)
}

// lastLook is when servers were last looked at.
func (x *pass) lastLook() time.Time {
	var last time.Time
	for _, owner := range x.owners {
		last = latest(last, x.Owners[owner].Looked)
	}
	return last
}

// lookServed is when a lineage's endpoints are worth a look. Every span counts
// from the last look: a pass for another reason puts none off.
func (x *pass) lookServed(name string, l Lineage) time.Time {
	last := l.Looked.Served
	at := last.Add(x.policy.Timing.Look)
	switch {
	case last.IsZero():
		return x.now
	case l.Swapping != nil && l.Swapping.Step != SwapFailed:
		at = last.Add(settleLook)
	case x.unseen:
		at = earliest(at, last.Add(x.patience()))
	case x.missing:
		at = earliest(at, last.Add(missLook))
	}
	for _, r := range x.Waiting[name] {
		if ofEndpoints(r) && r.Until.After(x.now) {
			at = earliest(at, r.Until)
		}
	}
	return at
}

// ofEndpoints reports whether what a reason waits for is seen at endpoints.
func ofEndpoints(r Reason) bool {
	return r.Code == CodeRetireWindow || r.Code == CodeEndpointUnseen || r.Code == CodeSettling || r.Code == CodeCombinationHeld
}

// ofServers reports whether what a reason waits for is seen at servers.
func ofServers(r Reason) bool {
	switch r.Code {
	case CodeServersUnknown, CodeServerUnknown, CodeNotEverywhere, CodeFamilyUntested, CodeSignatureEnds, CodeUnsigned, CodeZoneInsecure, CodeZoneBogus,
		CodeZoneIndeterminate, CodeVersionAlive, CodeDark, CodeUnlistedOwner, CodeUnlistedUnknown, CodeNotInCopy, CodeCopyUnknown:
		return true
	}
	return false
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
	var at time.Time
	for _, owner := range x.ownersOf(name) {
		ledger := x.Owners[owner]
		if ledger.Looked.IsZero() {
			return x.now
		}
		at = earliest(at, x.lookOwner(name, owner, &ledger))
	}
	if l.Successor != "" && l.ReadyAt.After(x.now) {
		at = earliest(at, l.ReadyAt)
	}
	for _, r := range x.Waiting[name] {
		if r.Until.After(x.now) {
			at = earliest(at, r.Until)
		}
	}
	return at
}

// lookOwner is when one owner name's servers are worth a look: often between
// publish and convergence and around readiness.
func (x *pass) lookOwner(name string, owner tlsa.Owner, l *Ledger) time.Time {
	lineage := x.Lineages[name]
	next := x.chain(lineage.Successor)
	near := l.Looked.Add(closely(l.shortestTTL()))
	rarely := l.Looked.Add(x.policy.Timing.Look)
	switch {
	case l.converging() || l.restless(next != nil, x.now) || l.doubted(x.now):
		return near
	case next == nil && lineage.Standby != (tlsa.Association{}):
		return earliest(rarely, l.counts([]tlsa.Association{lineage.Standby}))
	case next == nil:
		return rarely
	case !lineage.ReadyAt.IsZero() && !lineage.ReadyAt.After(x.now) && slices.ContainsFunc(x.Waiting[name], ofServers):
		return near
	}
	required := x.required(name, owner, next)
	if x.countOn(owner, required) == 0 {
		return near
	}
	return earliest(rarely, l.counts(required))
}

// counts is when the next look counts as another one at a server that was not
// seen often enough with what is required; zero where all were.
func (l *Ledger) counts(required []tlsa.Association) time.Time {
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
	return at
}

// converging reports whether some server does not give what the provider's copy
// holds, or something left the copy that some server may give still.
func (l *Ledger) converging() bool {
	for i := range l.Versions {
		v := &l.Versions[i]
		if !v.Left.IsZero() {
			return true
		}
		if v.InCopy && slices.ContainsFunc(l.Servers, func(s Server) bool { return s.speaks() && !s.gave(v.RRset) }) {
			return true
		}
	}
	return false
}

// doubted reports whether it has turned out lately that answers do not validate or
// that the servers cannot be found: is it so, or was it so for a moment?
func (l *Ledger) doubted(now time.Time) bool {
	return l.Security != Secure && l.Security != Insecure && now.Sub(l.Judged) < silenceWatched || l.Err != "" && now.Sub(l.Lost) < silenceWatched
}

// restless reports whether a server's silence is worth another look soon: while a
// rollover waits for it, else for a while.
func (l *Ledger) restless(waiting bool, now time.Time) bool {
	return slices.ContainsFunc(l.Servers, func(s Server) bool {
		return !s.Untested && s.Unlisted.IsZero() && !s.Missing.IsZero() && (waiting || now.Sub(s.Missing) < silenceWatched)
	})
}
