package rfc2136

import (
	"fmt"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// item is one change on its way.
type item struct {
	change dnsprovider.Change
	zone   string
	seen   sight    // what stood there before
	found  sight    // what stands there afterwards
	blind  *trouble // why it cannot be said what stands there afterwards
	err    *trouble // the result
}

// unchanged reports whether the change has left no trace: what stands there now stood
// there before.
func (it *item) unchanged() bool {
	if it.change.TTLOnly() {
		return it.found.rrset.Same(it.seen.rrset) && it.found.rrset.TTL == it.seen.rrset.TTL
	}
	return it.found.rrset.Same(it.seen.rrset)
}

// done reports whether what stands there now is what was wanted. If the server made
// something else of a TTL, that is its business.
func (it *item) done() bool { return it.found.rrset.Same(it.change.After) && !it.unchanged() }

// conflict is the trouble of an item at whose owner stands neither Before nor After.
func (it *item) conflict(found sight) *trouble {
	return &trouble{kind: dnsprovider.Conflict, err: it.change.Mismatch(found.rrset), hint: "look again and plan again"}
}

// overtaken is the trouble of an item that the server confirmed, and that somebody else
// has changed again since.
func (it *item) overtaken() *trouble {
	t := it.conflict(it.found)
	t.err = fmt.Errorf("the change was made, and something else stands there now: %w", it.change.Mismatch(it.found.rrset))
	return t
}

// ignored is the trouble of an item that the server confirmed and did not carry out.
func (it *item) ignored() *trouble {
	return &trouble{
		kind: dnsprovider.Ignored,
		err:  fmt.Errorf("NOERROR, and yet nothing has changed: the server ignores the update"),
		hint: "its log may say why; does its policy drop what it does not allow for " + string(it.change.Owner) +
			", is it a secondary that passes updates on (then configure the primary), or does another copy of the zone answer queries",
	}
}

// size is the most that the item can take in a message: each association as a
// prerequisite, and as an addition or a removal. Beyond the reach of pointers (RFC 1035,
// section 4.1.4) the owner name stands there whole every time.
func (it *item) size() int {
	const header, params = 10, 3
	name := len(it.change.Owner) + 1
	n := 2 * (name + header) // no CNAME, no TLSA
	for _, s := range [...]tlsa.RRset{it.change.Before, it.change.After} {
		for _, a := range s.Associations {
			n += 2 * (name + header + params + len(a.Data)/2)
		}
	}
	return n
}

// alive returns the items that are in no trouble.
func alive(items []*item) []*item {
	return having(items, func(it *item) bool { return it.err == nil })
}

func having(items []*item, is func(*item) bool) []*item {
	var out []*item
	for _, it := range items {
		if is(it) {
			out = append(out, it)
		}
	}
	return out
}

func blame(items []*item, t *trouble) {
	for _, it := range items {
		it.err = t
	}
}

// byZone groups items, in the order in which their zones first occur.
func byZone(items []*item) [][]*item {
	var groups [][]*item
	index := map[string]int{}
	for _, it := range items {
		n, ok := index[it.zone]
		if !ok {
			n = len(groups)
			index[it.zone] = n
			groups = append(groups, nil)
		}
		groups[n] = append(groups[n], it)
	}
	return groups
}

func owners(items []*item) []tlsa.Owner {
	out := make([]tlsa.Owner, len(items))
	for i, it := range items {
		out[i] = it.change.Owner
	}
	return out
}
