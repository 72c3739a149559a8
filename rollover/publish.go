package rollover

import (
	"fmt"
	"maps"
	"slices"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// Why an association should stand, in the order in which room is given.
type class int

const (
	forLive      class = iota // a chain that is or may be presented
	forSuccessor              // the chain to come
	forStandby                // a key or an issuer published ahead
	forQueued                 // the chain after the next
)

// want is an association that should stand at a target.
type want struct {
	tlsa.Association
	class   class
	lineage string
}

// publish asks for every association that should stand and does not.
func (x *pass) publish() {
	targets := x.targets()
	for _, target := range slices.Sorted(maps.Keys(targets)) {
		x.publishAt(target, targets[target])
	}
}

func (x *pass) publishAt(target tlsa.Owner, owners []tlsa.Owner) {
	if x.changing[target] {
		return
	}
	wants := append(x.wants(owners), x.inWindow(owners)...)
	copied, read := x.seen.Copies[target]
	if !read {
		if x.lacking(target, owners, wants) && x.mayWrite(target, owners, wants) {
			x.needCopy(target)
		}
		return
	}
	if !copied.Known() {
		x.waitAt(owners, copyUnknown(target, copied.Err))
		return
	}
	base := copied.Value
	adds := x.admissible(target, owners, base, wants)
	adds = x.fitting(target, owners, base, adds)
	if len(adds) == 0 || !x.mayWrite(target, owners, wants) {
		return
	}
	after := base.With(associations(adds)...)
	if base.Denial() {
		after.TTL = x.policy.Lineages[adds[0].lineage].TTL
	}
	x.change(target, owners, Change{Before: base, After: after}, func(c Change) Action { return Publish{c} })
}

// change plans a change of a target's RRset and remembers what may be seen from now on.
func (x *pass) change(target tlsa.Owner, owners []tlsa.Owner, c Change, action func(Change) Action) {
	l := x.Owners[owners[0]]
	c.Owner, c.Zone, c.Provider = target, l.Zone, l.Provider
	if l.Failed != "" {
		r := reason(CodeUpdateFailed, "%s: the last change did not succeed: %s", target, l.Failed)
		x.waitAt(owners, r)
		x.warnAt(owners, CodeUpdateFailed, Danger, r.Text)
	}
	for _, owner := range owners {
		x.account(owner, func(a *accounting) {
			a.written(c.After)
			a.Ours = union(a.Ours, c.Added())
		})
	}
	x.changing[target] = true
	x.act(action(c))
}

// wants are the associations that should stand at a target, most important first.
func (x *pass) wants(owners []tlsa.Owner) []want {
	var wants []want
	add := func(lineage string, c class, as ...tlsa.Association) {
		for _, a := range as {
			wants = append(wants, want{a, c, lineage})
		}
	}
	names := x.usersAt(owners)
	for _, name := range names {
		l, p := x.Lineages[name], x.policy.Lineages[name]
		add(name, forLive, x.needs(name, l.Live)...)
		add(name, forSuccessor, x.needs(name, l.Successor)...)
		if sw := l.Swapping; sw != nil {
			add(name, forLive, x.needs(name, sw.From)...)
			add(name, forLive, x.needs(name, sw.To)...)
		}
		if x.needsBridge(name, owners) {
			add(name, forLive, x.leafRecord(l.Live)...)
			add(name, forSuccessor, x.leafRecord(l.Successor)...)
		}
		if l.Standby != (tlsa.Association{}) {
			add(name, forStandby, l.Standby)
		}
		add(name, forStandby, x.issuersAhead(p, l)...)
		add(name, forQueued, x.needs(name, l.Queued)...)
	}
	for _, id := range x.unmatchedHere(owners) {
		add(names[0], forLive, x.leafRecord(id)...)
	}
	return ranked(wants)
}

// ranked orders wants by class and keeps the first of each association.
func ranked(wants []want) []want {
	slices.SortStableFunc(wants, func(a, b want) int { return int(a.class) - int(b.class) })
	seen := make([]tlsa.Association, 0, len(wants))
	return slices.DeleteFunc(wants, func(w want) bool {
		if slices.Contains(seen, w.Association) {
			return true
		}
		seen = append(seen, w.Association)
		return false
	})
}

// usersAt are the lineages with an endpoint at one of the owner names.
func (x *pass) usersAt(owners []tlsa.Owner) []string {
	var names []string
	for _, owner := range owners {
		for _, u := range x.users[owner] {
			names = append(names, u.lineage)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// leafRecord is the 3 1 1 of a chain.
func (x *pass) leafRecord(id tlsa.ChainID) []tlsa.Association {
	chain := x.chain(id)
	if chain == nil {
		return nil
	}
	a, err := chain.Association(tlsa.EE, 0)
	if err != nil {
		return nil
	}
	return []tlsa.Association{a}
}

// issuersAhead are the 2 1 1 of CAs that may issue next: harmless once one
// 2 1 1 matches the live chain (DESIGN 8, issuers).
func (x *pass) issuersAhead(p LineagePolicy, l Lineage) []tlsa.Association {
	live := x.chain(l.Live)
	if live == nil || !p.Scheme.TA || len(p.Issuers) == 0 {
		return nil
	}
	if _, err := p.anchor(live); err != nil {
		return nil
	}
	return p.Issuers
}

// inWindow are records of ours that a chain inside the retire window needs: if
// someone takes one out, it is published again (DESIGN 4.8).
func (x *pass) inWindow(owners []tlsa.Owner) []want {
	var wants []want
	for _, owner := range owners {
		l := x.Owners[owner]
		for _, p := range l.Presented {
			chain := x.chain(p.Chain)
			if chain == nil || !x.inSight(&l, p) {
				continue
			}
			for _, a := range l.Ours {
				if x.matches(a, chain, owner) {
					wants = append(wants, want{a, forLive, x.users[owner][0].lineage})
				}
			}
		}
	}
	return wants
}

// lacking reports whether something wanted is not known to stand and could be
// added, as far as that can be told without reading the provider's copy.
func (x *pass) lacking(target tlsa.Owner, owners []tlsa.Owner, wants []want) bool {
	missing := slices.DeleteFunc(slices.Clone(wants), func(w want) bool {
		return !slices.ContainsFunc(owners, func(owner tlsa.Owner) bool {
			l := x.Owners[owner]
			return !l.stands(w.Association, x.now)
		})
	})
	if len(missing) == 0 {
		return false
	}
	l := x.Owners[owners[0]]
	guess := l.latest().Without(associations(missing)...)
	return len(x.admissible(target, owners, guess, wants)) > 0
}

// mayWrite reports whether anything may be published at the target, and says
// why not.
func (x *pass) mayWrite(target tlsa.Owner, owners []tlsa.Owner, wants []want) bool {
	if len(wants) == 0 {
		return false
	}
	for _, owner := range owners {
		if r := x.unwritable(target, x.Owners[owner], wants); r != nil {
			x.waitAt(owners, *r)
			return false
		}
	}
	return true
}

func (x *pass) unwritable(target tlsa.Owner, l Ledger, wants []want) *Reason {
	var r Reason
	switch {
	case l.Provider == "":
		r = reason(CodeNoProvider, "%s lies in zone %s, which no provider of ours holds: whoever does must publish %s", target, orUnknown(l.Zone), firstOf(wants))
	case l.Security == Secure, l.Security == Insecure && x.policy.AllowInsecure[l.Zone]:
		return nil
	case l.Security == Insecure:
		r = reason(CodeZoneInsecure, "zone %s is not signed, so nothing is published in it (RFC 8314, section 4.5.4) (hint: sign it and have its DS record put into the parent zone)", orUnknown(l.Zone))
	case l.Security == Bogus:
		r = reason(CodeZoneBogus, "%s is bogus for a validating resolver: %s", target, l.Text)
	default:
		r = reason(CodeZoneIndeterminate, "whether %s is signed is not known: %s", target, l.Text)
	}
	return &r
}

func orUnknown(s string) string {
	if s == "" {
		return "(not found)"
	}
	return s
}

func firstOf(wants []want) string {
	s := wants[0].Association.String()
	if n := len(wants) - 1; n > 0 {
		s += fmt.Sprintf(" and %d more", n)
	}
	return s
}

func (x *pass) waitAt(owners []tlsa.Owner, r Reason) {
	for _, name := range x.usersAt(owners) {
		x.wait(name, r)
	}
}

func associations(wants []want) []tlsa.Association {
	as := make([]tlsa.Association, len(wants))
	for i, w := range wants {
		as[i] = w.Association
	}
	return as
}

func union(a, b []tlsa.Association) []tlsa.Association {
	return tlsa.NewRRset(0, append(slices.Clone(a), b...)...).Associations
}
