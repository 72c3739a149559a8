package rollover

import (
	"slices"
	"strings"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// A site is a name at which records of the group stand, with the owner names
// that lead there and the lineages whose clients ask for them. Without aliases
// that is one owner name.
type site struct {
	target   tlsa.Owner
	owners   []tlsa.Owner // sorted
	lineages []string     // sorted
	wanted   []want       // see wants
}

// somebody is one of its lineages, for a command that may name any of them.
func (s *site) somebody() string {
	if len(s.lineages) == 0 { // a place that the configuration has left
		return "LINEAGE"
	}
	return s.lineages[0]
}

// sites are those of the group, sorted by target. They are known once the looks
// of the pass are recorded.
func (x *pass) sites() []*site {
	if x.places != nil {
		return x.places
	}
	x.places = []*site{}
	for _, owner := range x.owners {
		if l, ok := x.Owners[owner]; ok && l.Target != "" {
			s := x.siteOf(l.Target)
			s.owners = append(s.owners, owner)
			for _, u := range x.users[owner] {
				s.lineages = append(s.lineages, u.lineage)
			}
		}
	}
	for _, s := range x.places {
		slices.Sort(s.lineages)
		s.lineages = slices.Compact(s.lineages)
	}
	slices.SortFunc(x.places, func(a, b *site) int { return strings.Compare(string(a.target), string(b.target)) })
	return x.places
}

func (x *pass) siteOf(target tlsa.Owner) *site {
	i := slices.IndexFunc(x.places, func(s *site) bool { return s.target == target })
	if i < 0 {
		x.places = append(x.places, &site{target: target})
		i = len(x.places) - 1
	}
	return x.places[i]
}

// ledger is that of the first owner name: what stands at the target is the same
// for all of them.
func (x *pass) ledger(s *site) Ledger { return x.Owners[s.owners[0]] }

// update changes the ledgers of all owner names that lead to a site.
func (x *pass) update(s *site, how func(*Ledger)) {
	for _, owner := range s.owners {
		l := x.Owners[owner]
		how(&l)
		x.Owners[owner] = l
	}
}

// agree has all owner names that lead to a site know which of the records there are ours:
// a name that came later was not there when they were published.
func (x *pass) agree(s *site) {
	if len(s.owners) < 2 {
		return
	}
	var ours []tlsa.Association
	for _, owner := range s.owners {
		ours = union(ours, x.Owners[owner].Ours)
	}
	x.update(s, func(l *Ledger) { l.Ours = ours })
}

func (x *pass) waitAt(s *site, r Reason) {
	for _, name := range s.lineages {
		x.wait(name, r)
	}
}

// swappingAt reports whether a swap is under way at one of the owner names.
func (x *pass) swappingAt(s *site) bool {
	return slices.ContainsFunc(s.lineages, func(name string) bool { return x.Lineages[name].Swapping != nil })
}

// frozenAt reports whether a lineage that has an endpoint there is frozen, and
// says so.
func (x *pass) frozenAt(s *site) bool {
	for _, name := range s.lineages {
		if rs := x.notFrozen(name, nil); len(rs) > 0 {
			x.wait(name, rs...)
			return true
		}
	}
	return false
}

// change plans a change of a site's RRset and remembers what may be seen from now on.
func (x *pass) change(s *site, c Change, action func(Change) Action) {
	l := x.ledger(s)
	c.Owner, c.Zone, c.Provider = s.target, l.Zone, l.Provider
	if l.Failed != "" {
		x.waitAt(s, l.unchanged(c).of(string(s.target)))
	}
	for _, owner := range s.owners {
		x.account(owner, func(a *accounting) {
			a.written(c.After)
			a.Writing = x.now
			a.Ours = union(a.Ours, c.Added())
		})
	}
	x.changing[s.target] = true
	x.act(action(c))
}

// unchanged is why the change, planned before, was not made yet.
func (l *Ledger) unchanged(c Change) Reason {
	switch {
	case l.ByHand && len(c.Added()) > 0:
		return reason(CodeAddByHand, "%s", l.Failed)
	case l.ByHand:
		return reason(CodeChangeByHand, "%s", l.Failed)
	}
	return reason(CodeUpdateFailed, "%s: the last change did not succeed: %s", c.Owner, l.Failed)
}

// succeeded forgets that a change failed, or was interrupted, where the copy, read
// since, holds all that is ours and nothing is to be changed: the reply was lost, or
// nobody wants the change any more.
func (x *pass) succeeded() {
	for _, s := range x.sites() {
		l := x.ledger(s)
		if copied, read := x.seen.Copies[s.target]; read && copied.Known() && !x.changing[s.target] && len(copied.Value.Missing(l.Ours...)) == 0 {
			x.update(s, func(l *Ledger) { l.Failed, l.ByHand, l.Writing = "", false, time.Time{} })
		}
	}
}

// mayWrite reports whether records may be written at the site, and says why not.
func (x *pass) mayWrite(s *site, records []tlsa.Association) bool {
	if len(records) == 0 {
		return false
	}
	for _, owner := range s.owners {
		if r := x.unwritable(s.target, x.Owners[owner], records); r != nil {
			x.waitAt(s, *r)
			return false
		}
	}
	return true
}

func (x *pass) unwritable(target tlsa.Owner, l Ledger, records []tlsa.Association) *Reason {
	var r Reason
	switch {
	case l.Provider == "":
		r = reason(CodeNoProvider, "%s lies in zone %s, which no provider of ours holds: whoever does must see to %s", target, orUnknown(l.Zone), listed(records))
	case l.Security == Secure, l.Security == Insecure && x.policy.AllowInsecure[l.Zone]:
		return nil
	case l.Security == Insecure:
		r = reason(CodeZoneInsecure, "zone %s is not signed, so nothing is published in it (RFC 8314, section 4.5.4) (hint: sign it and have its DS record put into the parent zone)", orUnknown(l.Zone))
	case l.Security == Bogus:
		r = reason(CodeZoneBogus, "%s is bogus for a validating resolver%s", target, because(l.Text))
	default:
		r = reason(CodeZoneIndeterminate, "whether %s is signed is not known%s", target, because(l.Text))
	}
	r = r.of(string(target))
	return &r
}

func orUnknown(s string) string {
	if s == "" {
		return "(not found)"
	}
	return s
}

func listed(as []tlsa.Association) string {
	lines := make([]string, len(as))
	for i, a := range as {
		lines[i] = a.String()
	}
	return strings.Join(lines, ", ")
}
