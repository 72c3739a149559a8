package rollover

import (
	"maps"
	"slices"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// record enters what was looked at in this pass into the ledgers.
func (x *pass) record() {
	for owner, view := range x.seen.Owners {
		x.account(owner, func(a *accounting) { a.enter(view, x.policy.Excluded) })
	}
	x.recordUnlisted()
	for target, copied := range x.seen.Copies {
		for owner, l := range x.Owners {
			if l.Target == target && copied.Known() {
				x.account(owner, func(a *accounting) { a.copied(copied.Value) })
			}
		}
	}
	for _, owner := range x.owners {
		for _, u := range x.users[owner] {
			x.recordServed(owner, u)
		}
		x.forgetEvidence(owner)
	}
	for _, name := range x.names {
		x.Lineages[name] = x.recordLineage(name, x.Lineages[name])
	}
}

func (x *pass) recordLineage(name string, l Lineage) Lineage {
	if len(x.seen.Lineages[name].Addresses) > 0 {
		l.Looked.Served = x.now
	}
	if x.lookedNow(name) {
		l.Looked.DNS = x.now
	}
	if sts, looked := x.seen.MTASTS[name]; looked && sts.Known() {
		l.Enforced = sts.Value
	}
	return l
}

func (x *pass) account(owner tlsa.Owner, enter func(*accounting)) {
	l := x.Owners[owner]
	enter(&accounting{Ledger: &l, waits: x.waits(&l), assumed: x.assumedTTL(owner), now: x.now})
	x.Owners[owner] = l
}

func (x *pass) waits(l *Ledger) waits {
	return waits{x.policy.Timing, x.policy.Margin[l.Provider]}
}

// assumedTTL is what an RRset may have been served with before the first look (DESIGN 4.4).
func (x *pass) assumedTTL(owner tlsa.Owner) time.Duration {
	var known time.Duration
	for _, u := range x.users[owner] {
		ttl := x.policy.Lineages[u.lineage].KnownTTL
		if ttl == 0 {
			return x.policy.Timing.UnknownTTL
		}
		known = max(known, ttl)
	}
	if known == 0 {
		return x.policy.Timing.UnknownTTL
	}
	return known
}

// recordUnlisted remembers of which unlisted owners it is not known whether they
// have records (DESIGN 4.6): between searches, that stays unknown.
func (x *pass) recordUnlisted() {
	if x.seen.Unlisted == nil {
		return
	}
	for owner, l := range x.Owners {
		if _, ours := x.users[owner]; !ours && l.Since.IsZero() {
			delete(x.Owners, owner) // nothing but an open question, and it was asked again
		}
	}
	for owner, why := range x.seen.Unlisted {
		if _, ours := x.users[owner]; !ours {
			l := x.Owners[owner]
			l.Err = why
			x.Owners[owner] = l
		}
	}
}

// recordServed enters one endpoint's handshakes. Addresses that could not be
// found leave those known before in place, unanswered.
func (x *pass) recordServed(owner tlsa.Owner, u use) {
	view := x.seen.Lineages[u.lineage]
	at, looked := view.Addresses[u.endpoint.URL]
	if !looked {
		return
	}
	l := x.Owners[owner]
	at.Value = slices.Clone(at.Value)
	if !at.Known() {
		for _, a := range l.Addresses {
			if a.URL == u.endpoint.URL {
				at.Value = append(at.Value, Address{a.Address, a.TTL, a.Local})
			}
		}
	}
	for _, node := range x.policy.Lineages[u.lineage].Nodes {
		if !slices.ContainsFunc(at.Value, func(a Address) bool { return a.Address == node }) {
			at.Value = append(at.Value, Address{Address: node})
		}
	}
	l.looked(u.endpoint.URL, at, view.Served, x.now)
	x.Owners[owner] = l
}

// forgetEvidence drops addresses and chains that no decision can reach back to.
func (x *pass) forgetEvidence(owner tlsa.Owner) {
	l := x.Owners[owner]
	l.forgetAddresses(func(url string) bool {
		ours, looked := false, false
		for _, u := range x.users[owner] {
			if u.endpoint.URL == url {
				_, now := x.seen.Lineages[u.lineage].Addresses[url]
				ours, looked = true, looked || now
			}
		}
		return looked || !ours
	}, x.now)
	if x.healed(&l) {
		l.Repair = Repair{}
	}
	l.forgetPresented(x.policy.Timing.Retire, func(id tlsa.ChainID) bool { return x.named[id] }, x.now)
	x.Owners[owner] = l
}

// consult asks for the provider's own copy where it is in doubt: a change whose
// end nobody saw, or servers that all give something else than it held.
func (x *pass) consult() {
	for _, s := range x.sites() {
		if _, read := x.seen.Copies[s.target]; !read && slices.ContainsFunc(s.owners, x.doubtful) {
			x.needCopy(s.target)
		}
	}
}

func (x *pass) doubtful(owner tlsa.Owner) bool {
	l := x.Owners[owner]
	if l.Provider == "" {
		return false
	}
	copies, given := 0, false
	for i := range l.Versions {
		if v := &l.Versions[i]; v.InCopy {
			copies++
			given = given || len(v.By) > 0
		}
	}
	switch {
	case copies > 1:
		return true
	case copies == 1 && !given:
		return x.now.Sub(l.CopyRead) > copyAge
	}
	return false
}

// forgetOwners drops ledgers of names that no endpoint and no certificate has any more.
func (x *pass) forgetOwners() {
	for owner, l := range x.Owners {
		if _, ours := x.users[owner]; !ours && !l.Looked.IsZero() && !x.concernsUs(owner) && x.now.Sub(l.Since) > forgetLooks && !l.matters() {
			delete(x.Owners, owner)
		}
	}
}

// concernsUs reports whether the owner's base domain is a name of a certificate
// that is live or on its way.
func (x *pass) concernsUs(owner tlsa.Owner) bool {
	base := owner.Base()
	if base == "" {
		return false
	}
	for _, l := range x.Lineages {
		for _, id := range []tlsa.ChainID{l.Live, l.Successor, l.Queued} {
			if chain := x.chain(id); chain != nil && chain.IsFor(base) {
				return true
			}
		}
	}
	return false
}

// forgetChains drops chains that nothing names any more and gives back their
// IDs. What an answer that is not dead may vouch for stays: its pair may be
// wanted again while that answer is held (DESIGN 7, stash).
func (x *pass) forgetChains() []tlsa.ChainID {
	keep := x.namedChains()
	for id, chain := range x.Chains {
		if !keep[id] && x.stillVouchedFor(chain) {
			keep[id] = true
		}
	}
	var gone []tlsa.ChainID
	for _, id := range slices.Sorted(maps.Keys(x.Chains)) {
		if !keep[id] {
			gone = append(gone, id)
			delete(x.Chains, id)
		}
	}
	return gone
}

func (x *pass) namedChains() map[tlsa.ChainID]bool {
	keep := map[tlsa.ChainID]bool{}
	for name, l := range x.Lineages {
		view := x.seen.Lineages[name]
		for _, id := range append(l.chains(), view.Live.Value, view.Installed.Value) {
			keep[id] = true
		}
	}
	for _, l := range x.Owners {
		for _, p := range l.Presented {
			keep[p.Chain] = true
		}
		for _, a := range l.Addresses {
			for _, c := range a.Cells {
				keep[c.Chain] = true
			}
		}
	}
	return keep
}

// stillVouchedFor reports whether a record of the chain's own key, and of no pair
// that is named, stands in a version that is not dead.
func (x *pass) stillVouchedFor(chain *tlsa.Chain) bool {
	a, err := chain.Association(tlsa.EE, 0)
	if err != nil || x.keyNamed(chain.SPKI()) {
		return false
	}
	for owner := range x.users {
		l := x.Owners[owner]
		w := x.waits(&l)
		if slices.ContainsFunc(l.Versions, func(v Version) bool { return w.alive(v, x.now) && v.RRset.Has(a) }) {
			return true
		}
	}
	return false
}

func (x *pass) keyNamed(spki string) bool {
	for _, l := range x.Lineages {
		for _, id := range []tlsa.ChainID{l.Live, l.Successor, l.Queued} {
			if c := x.chain(id); c != nil && c.SPKI() == spki {
				return true
			}
		}
	}
	return false
}
