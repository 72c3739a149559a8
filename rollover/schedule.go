package rollover

import (
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// schedule says when to look again: closely while something is on its way, at
// the moment of readiness, rarely else (DESIGN 5).
func (x *pass) schedule() {
	look := x.policy.Timing.Look
	dns, served := x.now.Add(look), x.now.Add(look)
	for _, name := range x.names {
		l := x.Lineages[name]
		if dns.After(x.lookDNS(name, l)) {
			dns = x.lookDNS(name, l)
		}
		if l.Swapping != nil {
			served = earliest(served, x.now.Add(settleLook))
		}
		for _, r := range x.Waiting[name] {
			if r.Until.After(x.now) {
				dns, served = earliest(dns, r.Until), earliest(served, x.afterWindow(r))
			}
		}
	}
	if x.unseen {
		served = earliest(served, x.now.Add(min(x.patience(), look)))
	}
	if x.lookNow {
		dns = x.now
	}
	if len(x.Actions) > 0 {
		dns = earliest(dns, x.now.Add(time.Second)) // see what the actions did
		if x.swapsNow() {
			served = x.now
		}
	}
	x.LookDNS, x.LookServed = dns, served
}

// afterWindow is when endpoints are worth a look for a reason that ends.
func (x *pass) afterWindow(r Reason) time.Time {
	if r.Code == CodeRetireWindow || r.Code == CodeSettling {
		return r.Until
	}
	return time.Time{}
}

func (x *pass) swapsNow() bool {
	for _, a := range x.Actions {
		switch a.(type) {
		case Swap, Back, Adopt:
			return true
		}
	}
	return false
}

// patience is the span between looks at endpoints while evidence is wanted:
// short where they answer, longer where they do not.
func (x *pass) patience() time.Duration {
	for _, owner := range x.owners {
		for _, a := range x.Owners[owner].Addresses {
			if a.Err != "" && x.now.Sub(a.Looks[0]) > time.Minute {
				return time.Minute
			}
		}
	}
	return settleLook
}

// lookDNS is when a lineage's servers are worth a look.
func (x *pass) lookDNS(name string, l Lineage) time.Time {
	at := x.now.Add(x.policy.Timing.Look)
	next := x.chain(l.Successor)
	for _, owner := range x.ownersOf(name) {
		ledger := x.Owners[owner]
		near := closely(ledger.shortestTTL())
		if ledger.Looked.IsZero() {
			return x.now
		}
		if ledger.restless() || next != nil && !x.converged(name, owner, next) || l.Queued != "" && !x.convergedOn(owner, x.needs(name, l.Queued)) {
			at = earliest(at, x.now.Add(near))
		}
		if next != nil && !x.countedOut(name, owner, next) {
			at = earliest(at, x.now.Add(min(near, max(time.Second, spacing(ledger.shortestTTL())))))
		}
	}
	if next != nil && !l.ReadyAt.IsZero() {
		switch {
		case l.ReadyAt.After(x.now):
			at = earliest(at, l.ReadyAt)
		case len(x.Waiting[name]) > 0:
			at = earliest(at, x.now.Add(x.nearOf(name)))
		}
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

// restless reports whether a server's silence or the provider's copy leaves
// something open that the next look may settle.
func (l *Ledger) restless() bool {
	for _, s := range l.Servers {
		if !s.Missing.IsZero() && s.Unlisted.IsZero() {
			return true
		}
	}
	for _, v := range l.Versions {
		if !v.Left.IsZero() {
			return true
		}
	}
	return len(l.Retired) > 0
}

// shortestTTL of what is served now, an hour where nothing is.
func (l *Ledger) shortestTTL() time.Duration {
	ttl := time.Hour
	for _, v := range l.Versions {
		if v.current() && !v.Unknown {
			ttl = min(ttl, v.RRset.TTL)
		}
	}
	return ttl
}

func (x *pass) converged(name string, owner tlsa.Owner, next *tlsa.Chain) bool {
	return x.convergedOn(owner, x.required(name, owner, next))
}

func (x *pass) convergedOn(owner tlsa.Owner, required []tlsa.Association) bool {
	return x.countOn(owner, required) > 0
}

// countedOut reports whether every server was seen often enough with what next needs.
func (x *pass) countedOut(name string, owner tlsa.Owner, next *tlsa.Chain) bool {
	return x.countOn(owner, x.required(name, owner, next)) >= looksNeeded
}

// countOn is in how many looks the server that lags most had all of required.
func (x *pass) countOn(owner tlsa.Owner, required []tlsa.Association) int {
	n := looksNeeded
	for _, s := range x.Owners[owner].Servers {
		if s.Alias || s.Untested || !s.Unlisted.IsZero() {
			continue
		}
		for _, a := range required {
			n = min(n, s.holds(a))
		}
	}
	return n
}
