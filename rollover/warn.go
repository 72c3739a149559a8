package rollover

import (
	"fmt"
	"slices"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// warn gathers what a person should know of the group beyond why it waits.
func (x *pass) warn() {
	for _, name := range x.names {
		if x.emergency(name) {
			x.tell(name, CodeEmergency, Warn, "an emergency was declared: any match is enough to swap, and old records leave as soon as nobody presents what needs them")
		}
		for _, owner := range x.ownersOf(name) {
			l := x.Owners[owner]
			for _, w := range l.Findings {
				x.tell(name, w.Code, w.Severity, w.Text)
			}
			x.warnServed(name, owner, &l)
			x.warnCached(name, owner, &l)
			x.warnServers(name, &l)
			if n := len(l.latest().Associations); n >= manyRecords {
				x.tell(name, CodeRRsetLarge, Warn, fmt.Sprintf("%s has %d records: some senders stop at %d", l.Target, n, maxRecords))
			}
		}
	}
}

// warnServed tells of endpoints that no published record vouches for, and of
// servers that read the ACME client's files instead of ours.
func (x *pass) warnServed(name string, owner tlsa.Owner, l *Ledger) {
	given := l.given()
	for _, a := range l.Addresses {
		for _, c := range a.Cells {
			chain := x.chain(c.Chain)
			if c.Outcome != Served || chain == nil {
				continue
			}
			if slices.ContainsFunc(given, func(s tlsa.RRset) bool { return x.fails(s, chain, owner) }) {
				x.tell(name, CodeServedUnmatched, Danger, fmt.Sprintf("%s presents %s, which no published record of %s matches: senders that enforce DANE cannot deliver", a.Address, chain.ID().Short(), owner))
			}
			if next := x.readsStaged(name, chain); next != "" {
				x.tell(name, CodeServerReadsStaged, Danger, fmt.Sprintf("%s presents %s before its swap: the server reads the ACME client's files (hint: let it read the live or install path of lineage %s)", a.Address, next.Short(), name))
			}
		}
	}
}

// readsStaged names the pair on its way whose leaf the chain shows, "" if it
// shows none or one that was live before.
func (x *pass) readsStaged(name string, chain *tlsa.Chain) tlsa.ChainID {
	l := x.Lineages[name]
	for _, id := range []tlsa.ChainID{l.Live, l.Previous} {
		if c := x.chain(id); c == nil && id == l.Live || c != nil && c.LeafID() == chain.LeafID() {
			return ""
		}
	}
	if l.Swapping != nil || l.Held != nil && l.Held.Chain == l.Successor {
		return ""
	}
	for _, id := range []tlsa.ChainID{l.Successor, l.Queued} {
		if c := x.chain(id); c != nil && c.LeafID() == chain.LeafID() {
			return id
		}
	}
	return ""
}

// warnCached tells of answers that may still be held and do not match what is
// live: after a swap that could not wait, or after someone changed the records.
func (x *pass) warnCached(name string, owner tlsa.Owner, l *Ledger) {
	live := x.chain(x.Lineages[name].Live)
	if live == nil {
		return
	}
	w := x.waits(l)
	var failing []Version
	for _, v := range l.Versions {
		if !v.Unknown && w.alive(v, x.now) && x.fails(v.RRset, live, owner) {
			failing = append(failing, v)
		}
	}
	if until := x.ripe(l, failing); !until.IsZero() {
		x.tell(name, CodeCachedMismatch, Danger, fmt.Sprintf("%s: answers that do not match the live certificate may be held in caches until %s: senders that hold one cannot deliver until it expires", owner, stamp(until)))
	}
}

func (x *pass) warnServers(name string, l *Ledger) {
	ttl := l.longestTTL(func(v Version) bool { return v.current() && !v.Unknown })
	for _, s := range l.Servers {
		if !s.SignedUntil.IsZero() && s.Unlisted.IsZero() && x.now.Add(signatureTTLs*ttl).After(s.SignedUntil) {
			x.tell(name, CodeSignatureEnds, Warn, fmt.Sprintf("%s (%s): the signature ends at %s, within %d TTLs", s.Name, s.Address, stamp(s.SignedUntil), signatureTTLs))
		}
		if s.Untested {
			x.tell(name, CodeFamilyUntested, Info, fmt.Sprintf("%s (%s): this host has no route to it; judged by its other addresses", s.Name, s.Address))
		}
	}
}
