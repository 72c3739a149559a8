package rollover

import (
	"slices"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// withdrawAt takes all of our records out at once. That is safe for whoever asks
// later, since without an RRset nobody is refused; where records of others stay,
// every chain that may be presented must do as well by those alone.
func (x *pass) withdrawAt(s *site) {
	l := x.ledger(s)
	standing := l.latest()
	var gone []tlsa.Association
	for _, a := range l.Ours {
		if standing.Has(a) {
			gone = append(gone, a)
		} else {
			x.lost(s, a)
		}
	}
	left := standing.Without(gone...)
	if !left.Denial() {
		for _, owner := range s.owners {
			for _, id := range x.chainsAt(owner) {
				if chain := x.chain(id); chain == nil || x.suffers(meeting{standing, chain}, meeting{left, chain}, owner) {
					x.waitAt(s, reason(CodeForeignCombo, "%s: %s is not ours and would stay alone, and chain %s does not match it (hint: take it out, or make it ours: tlsaroll adopt %s --dry-run shows it whole, with the option that does)", s.target, short(left.Associations[0]), id.Short(), s.somebody()).of(string(s.target)))
					return
				}
			}
		}
	}
	if len(gone) > 0 && !x.frozenAt(s) {
		x.takeOut(s, standing, gone)
	}
}

// withdrawn reports whether nobody wants records at the site any more.
func (x *pass) withdrawn(s *site) bool {
	return !slices.ContainsFunc(s.lineages, func(name string) bool { return x.wantsRecords(name) })
}

// wantsRecords reports whether records of the lineage are to stand: always, but
// where it is withdrawn and so is every other with which it shares an RRset, as
// what is left of that would refuse its chain.
func (x *pass) wantsRecords(name string) bool {
	return x.Lineages[name].Withdrawn.IsZero() || x.keptBy(name) != ""
}

// keptBy is a lineage that is not withdrawn and shares an RRset with one that is, or with
// one that it keeps; "" if there is none.
func (x *pass) keptBy(name string) string {
	kept := []string{name}
	for i := 0; i < len(kept); i++ {
		for _, s := range x.sites() {
			if !slices.Contains(s.lineages, kept[i]) {
				continue
			}
			for _, other := range s.lineages {
				if x.Lineages[other].Withdrawn.IsZero() {
					return other
				}
				if !slices.Contains(kept, other) {
					kept = append(kept, other)
				}
			}
		}
	}
	return ""
}

// withdraw says of lineages whose records are withdrawn how far that is: the
// certificate may change when no cache can hold any of them.
func (x *pass) withdraw() {
	for _, name := range x.names {
		l := x.Lineages[name]
		if l.Withdrawn.IsZero() {
			continue
		}
		if other := x.keptBy(name); other != "" {
			x.wait(name, reason(CodeWithdrawing, "its records stay as long as those of %s do, which stand beside them (hint: tlsaroll withdraw %s)", other, other))
			continue
		}
		over := true
		for _, owner := range x.ownersOf(name) {
			over = x.withdrawing(name, owner) && over
		}
		if over {
			x.tell(name, warning(CodeWithdrawn, "", "its TLSA records are withdrawn, and no cache can hold one: DANE is off, and the server may have any certificate (hint: tlsaroll rollover %s publishes again)", name))
		}
	}
}

// withdrawing says what one owner name still waits for; over means nothing. Records of
// others count as well: who holds an answer with one looks at the certificate.
func (x *pass) withdrawing(name string, owner tlsa.Owner) (over bool) {
	l := x.Owners[owner]
	w := x.waits(&l)
	var alive []Version
	for _, v := range l.Versions {
		if w.alive(v, x.now) && (v.Unknown || !v.RRset.Denial()) {
			alive = append(alive, v)
		}
	}
	standing := l.latest().Associations
	theirs := slices.IndexFunc(standing, func(a tlsa.Association) bool { return !l.everOurs(a) })
	switch until := x.ripe(&l, alive); {
	case l.Since.IsZero():
		x.wait(name, reason(CodeWithdrawing, "%s has not been looked up yet; the server must keep its certificate", owner))
	case len(alive) == 0:
		return true
	case slices.ContainsFunc(l.Ours, l.somewhere):
		x.wait(name, reason(CodeWithdrawing, "%s: its records are being taken out; the server must keep its certificate", owner))
	case theirs >= 0:
		x.wait(name, reason(CodeForeignCombo, "%s: %s is not ours and stays, so that DANE is not off: the server must keep its certificate (hint: take it out, or make it ours: tlsaroll adopt %s --dry-run shows it whole, with the option that does)", owner, short(standing[theirs]), name).of(string(owner)))
	case until.IsZero():
		x.wait(name, reason(CodeWithdrawing, "%s: some server may give its records still, so the wait has not begun; the server must keep its certificate", owner))
	default:
		r := reason(CodeWithdrawing, "%s: its records are out, and caches may hold them until %s: until then the server must keep its certificate", owner, Stamp(until))
		r.Until = until
		x.wait(name, r)
	}
	return false
}

// everOurs reports whether a record is or was ours.
func (l *Ledger) everOurs(a tlsa.Association) bool {
	return slices.Contains(l.Ours, a) || slices.Contains(l.Retired, a)
}
