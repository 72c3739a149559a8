package rollover

import (
	"fmt"
	"time"
)

// warn gathers what a person should know of the group beyond why it waits.
func (x *pass) warn() {
	for _, name := range x.names {
		x.warnServed(name)
		for _, owner := range x.ownersOf(name) {
			for _, w := range x.seen.Owners[owner].Findings {
				x.tell(name, w.Code, w.Severity, w.Text)
			}
			x.warnServers(name, x.Owners[owner])
		}
	}
}

// warnServed tells of endpoints that no published record vouches for, and of
// servers that read the ACME client's files instead of ours.
func (x *pass) warnServed(name string) {
	l := x.Lineages[name]
	for _, owner := range x.ownersOf(name) {
		ledger := x.Owners[owner]
		standing := ledger.latest()
		for _, a := range ledger.Addresses {
			for _, c := range a.Cells {
				chain := x.chain(c.Chain)
				if c.Outcome != Served || chain == nil {
					continue
				}
				if !standing.Denial() && x.fails(standing, chain, owner) {
					x.tell(name, CodeServedUnmatched, Danger, fmt.Sprintf("%s presents %s, which no published record of %s matches: senders that enforce DANE cannot deliver", a.Address, chain.ID().Short(), owner))
				}
				if next := x.chain(l.Successor); next != nil && l.Swapping == nil && next.LeafID() == chain.LeafID() && l.Live != "" {
					x.tell(name, CodeServerReadsStaged, Danger, fmt.Sprintf("%s presents the successor %s before its swap: the server reads the ACME client's files (hint: let it read the live or install path of lineage %s)", a.Address, next.ID().Short(), name))
				}
			}
		}
	}
}

func (x *pass) warnServers(name string, l Ledger) {
	for _, s := range l.Servers {
		var ttl time.Duration
		for _, v := range l.Versions {
			if v.current() && !v.Unknown {
				ttl = max(ttl, v.RRset.TTL)
			}
		}
		if !s.SignedUntil.IsZero() && s.Unlisted.IsZero() && x.now.Add(3*ttl).After(s.SignedUntil) {
			x.tell(name, CodeSignatureEnds, Warn, fmt.Sprintf("%s (%s): the signature ends at %s, within three TTLs", s.Name, s.Address, stamp(s.SignedUntil)))
		}
		if s.Untested {
			x.tell(name, CodeFamilyUntested, Info, fmt.Sprintf("%s (%s): this host has no route to it; judged by its other addresses", s.Name, s.Address))
		}
	}
}
