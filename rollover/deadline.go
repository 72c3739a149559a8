package rollover

import (
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// deadlineForces reports whether the end of the live certificate is so near that
// the successor goes live although late guards do not hold. The conflict is told,
// with what it costs, as soon as it can be computed (DESIGN 4.11).
func (x *pass) deadlineForces(name string, l Lineage, late []Reason) bool {
	live, next := x.chain(l.Live), x.chain(l.Successor)
	if live == nil || len(late) == 0 {
		return false
	}
	end := live.NotAfter()
	forcing := x.forcing(name)
	deadline := end
	if forcing {
		deadline = end.Add(-expiryMargin)
	}
	ready := x.expected(name, next)
	if ended := next.NotAfter(); !forcing && ready.After(ended) {
		x.tell(name, warning(CodeExpiresInWait, next.ID().Short(), "the successor %s ends on %s, and not before %s has every cache its records: it cannot go live, nor can a later one of a new key that lasts no longer (hint: tlsaroll rollover %s --ttl 1h, and let the key stay for that time)", next.ID().Short(), Stamp(ended), Stamp(ready), name))
	}
	if ready.After(deadline) {
		x.tell(name, warning(CodeExpiresInWait, live.ID().Short(), "the live certificate %s ends on %s, before every cache has the successor's records: %s (deadline: %s)", live.ID().Short(), Stamp(end), consequence(forcing), x.policy.Lineages[name].Deadline))
	}
	return forcing && !x.now.Before(deadline)
}

// expected is when the successor is ready if all servers have its records from
// now on.
func (x *pass) expected(name string, next *tlsa.Chain) time.Time {
	if ready := x.readyAt(name, next); !ready.IsZero() {
		return ready
	}
	at := x.now
	for _, owner := range x.ownersOf(name) {
		l := x.Owners[owner]
		w := x.waits(&l)
		for _, v := range x.blocking(name, owner, next) {
			if v.current() { // else nobody gives it from now on, nor did a moment ago
				v.By, v.InCopy, v.Left, v.Served = nil, false, time.Time{}, latest(v.Served, x.now)
			}
			at = latest(at, w.dead(v))
		}
	}
	return at
}

func consequence(forcing bool) string {
	if forcing {
		return "it will be swapped an hour before all the same, and senders that still hold an old TLSA answer cannot deliver until it expires"
	}
	return "it stays live past its end, which DANE-EE forgives and other clients do not"
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
	case DeadlineAuto: // it depends on who the clients are
	}
	if x.Lineages[name].Enforced {
		return true
	}
	for _, e := range p.Endpoints {
		if !e.SMTP || e.Port != 25 {
			return true
		}
		for _, owner := range e.Owners() {
			l := x.Owners[owner]
			for _, c := range l.latest().Combinations(e.reference(owner, x.now)) {
				if c.Usage != tlsa.DANEEE {
					return true
				}
			}
		}
	}
	return false
}
