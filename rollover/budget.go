package rollover

import (
	"slices"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// The limits of an RRset.
const (
	ManyRecords = 10   // warn from here
	MaxRecords  = 12   // Microsoft's senders stop here
	MaxReply    = 1232 // octets: what passes without fragments
)

// ReplySize estimates the octets of a signed reply: header, question and an
// ECDSA or RSA-2048 signature, the larger, beside the records.
func ReplySize(owner tlsa.Owner, s tlsa.RRset) int {
	const fixed, signature, record = 12 + 4 + 11, 12 + 18 + 64 + 256, 12 + 3
	size := fixed + signature + 2*len(owner)
	for _, a := range s.Associations {
		size += record + len(a.Data)/2
	}
	return size
}

func fits(owner tlsa.Owner, s tlsa.RRset) bool {
	return len(s.Associations) <= MaxRecords && (ReplySize(owner, s) <= MaxReply || len(s.Associations) <= 2)
}

// fitting keeps of adds what there is room for (DESIGN 4.15): retired records and
// issuers published ahead leave early, queued pairs wait, then standby keys make way
// and one successor at a time is served, and only then is publishing refused.
func (x *pass) fitting(s *site, base tlsa.RRset, adds []want) []want {
	if fits(s.target, base.With(associations(adds)...)) {
		return adds
	}
	first := x.oldestSuccessor(s)
	slices.SortStableFunc(adds, func(a, b want) int { return x.rank(a, first) - x.rank(b, first) })
	var kept []want
	for _, w := range adds {
		if !fits(s.target, base.With(append(associations(kept), w.Association)...)) {
			x.leftOut(s, w, first)
			if w.class < forAhead { // for those nothing else leaves
				x.pressed[s.target]++
			}
			if w.class < forStandby {
				x.urgent[s.target]++
			}
			continue
		}
		kept = append(kept, w)
	}
	return unbroken(base, adds, kept)
}

// unbroken leaves out of what is kept the combinations that would come into the
// RRset without all that chains need in them.
func unbroken(base tlsa.RRset, adds, kept []want) []want {
	return slices.DeleteFunc(slices.Clone(kept), func(k want) bool {
		return !stands(base, k.Params) && slices.ContainsFunc(adds, func(w want) bool {
			return w.Params == k.Params && w.class <= forSuccessor && !slices.ContainsFunc(kept, func(v want) bool { return v.Association == w.Association })
		})
	})
}

// rank puts the oldest successor before its siblings'.
func (x *pass) rank(w want, first string) int {
	r := int(w.class) * 2
	if w.class == forSuccessor && w.lineage != first {
		r++
	}
	return r
}

// oldestSuccessor is the lineage whose successor has waited longest.
func (x *pass) oldestSuccessor(s *site) string {
	first := ""
	for _, name := range s.lineages {
		l := x.Lineages[name]
		if l.Successor != "" && (first == "" || l.Since.Before(x.Lineages[first].Since)) {
			first = name
		}
	}
	return first
}

func (x *pass) leftOut(s *site, w want, first string) {
	switch {
	case w.class == forQueued:
		x.wait(w.lineage, reason(CodeQueued, "%s is full: the queued pair's record waits until another leaves", s.target))
	case w.class == forStandby, w.class == forAhead, w.class == forSuccessor && w.lineage != first:
		x.wait(w.lineage, reason(CodeSiblingFirst, "%s is full: %s waits until another leaves", s.target, w.Association))
	default:
		x.waitAt(s, reason(CodeRRsetFull, "%s: no room for %s: %d records or %d octets are the limit of senders (hint: take out records that nobody needs)", s.target, w.Association, MaxRecords, MaxReply).of(string(s.target)))
	}
}
