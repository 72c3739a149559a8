package rollover

import (
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// warn gathers what a person should know of the group. What may be over in a
// moment is told when it has lasted for a while, and each thing once.
func (x *pass) warn() {
	for _, name := range x.names {
		x.warnWaiting(name)
		x.warnPairs(name)
		x.warnOrder(name)
		x.warnIssuers(name)
		for _, owner := range x.ownersOf(name) {
			l := x.Owners[owner]
			x.warnServed(name, owner, &l)
			x.warnEndpoints(name, owner, &l)
			x.warnRecords(name, owner, &l)
			x.warnServers(name, owner, &l)
			x.warnZone(name, owner, &l)
		}
	}
}

// warnWaiting tells of reasons that somebody has to see to, and of those that keep
// a successor although it has been ready for long.
func (x *pass) warnWaiting(name string) {
	l := x.Lineages[name]
	late := l.Successor != "" && !l.ReadyAt.IsZero() && x.now.Sub(l.ReadyAt) > overdue
	for _, r := range x.Waiting[name] {
		if r.Code.NeedsPerson() || ofFiles(r) || late && ofServers(r) {
			x.tell(name, r.warning())
		}
	}
	for _, r := range x.notFrozen(name, nil) {
		x.tell(name, r.warning())
	}
	for _, f := range x.seen.Lineages[name].Findings {
		x.tell(name, f)
	}
}

// ofFiles reports whether a reason says that something of ours, on this host or at
// the provider, cannot be read or written, or not without a person.
func ofFiles(r Reason) bool {
	switch r.Code {
	case CodeLiveUnreadable, CodeStagedUnreadable, CodeCopyUnknown, CodeUpdateFailed, CodeChangeByHand:
		return true
	}
	return false
}

// warnPairs tells of what is, or is not, to become of the live pair.
func (x *pass) warnPairs(name string) {
	if x.emergency(name) {
		x.tell(name, warning(CodeEmergency, "", "an emergency was declared: any match is enough to swap, and old records leave as soon as nobody presents what needs them"))
	}
	l := x.Lineages[name]
	if sw := l.Swapping; sw != nil && sw.Forced != "" && x.chain(sw.From) != nil {
		x.tell(name, warning(CodeDeadline, sw.To.Short(), "swapped before every cache is fresh, as certificate %s ends on %s: senders that still hold an old TLSA answer cannot deliver until it expires", sw.From.Short(), Stamp(x.chain(sw.From).NotAfter())))
	}
	live := x.chain(l.Live)
	if live == nil || l.Successor != "" {
		return
	}
	leaf := live.Leaf()
	switch left := leaf.NotAfter.Sub(x.now); {
	case left <= 0:
		x.tell(name, warning(CodeExpired, l.Live.Short(), "the live certificate %s ended on %s, and no successor is there", l.Live.Short(), Stamp(leaf.NotAfter)))
	case left < min(leaf.NotAfter.Sub(leaf.NotBefore)/6, expirySoon):
		x.tell(name, warning(CodeExpiresSoon, l.Live.Short(), "the live certificate %s ends on %s, and no successor is there", l.Live.Short(), Stamp(leaf.NotAfter)))
	}
}

// warnRecords tells of records that do not match, or are too many.
func (x *pass) warnRecords(name string, owner tlsa.Owner, l *Ledger) {
	if until := x.mismatched(name, owner, l); !until.IsZero() {
		x.tell(name, warning(CodeCachedMismatch, string(owner), "%s: answers that do not match the live certificate may be held in caches until %s: senders that hold one cannot deliver until it expires", owner, Stamp(until)))
	}
	if !l.Repair.At.IsZero() {
		x.tell(name, l.Repair.warning(l.Target))
	}
	if n := len(l.latest().Associations); n >= ManyRecords {
		x.tell(name, warning(CodeRRsetLarge, string(l.Target), "%s has %d records: some senders stop at %d", l.Target, n, MaxRecords))
	}
}

// mismatched is until when answers may still be held that do not match what is
// live: after a swap that could not wait, or after someone changed the records.
// Zero where there are none, and while they are still given.
func (x *pass) mismatched(name string, owner tlsa.Owner, l *Ledger) time.Time {
	live := x.chain(x.Lineages[name].Live)
	if live == nil {
		return time.Time{}
	}
	w := x.waits(l)
	var failing []Version
	for _, v := range l.Versions {
		if !v.Unknown && w.alive(v, x.now) && x.fails(v.RRset, live, owner) {
			failing = append(failing, v)
		}
	}
	return x.ripe(l, failing)
}
