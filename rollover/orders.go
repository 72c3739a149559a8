package rollover

import (
	"fmt"
	"slices"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// Orders are a person's words for one pass. What lasts longer is remembered: say
// it once.
type Orders struct {
	Retry     bool          // try a held successor now; end a withdrawal
	Emergency bool          // the live key is compromised: any match is enough, retire at once
	AtOnce    bool          // in an emergency: swap before caches are fresh
	Leaked    string        // in an emergency: SHA-256 of the SubjectPublicKeyInfo that was live when it was declared; "": the one that is
	TTL       time.Duration // wanted TTL of the RRsets; 0: as it is
	Rollback  bool          // bring the previous pair back
	Cancel    bool          // drop the successor and what is queued behind it
	Withdraw  bool          // take our records out
	Freeze    *Freeze       // nil: as it is
	Thaw      bool
}

// A Freeze keeps a lineage from being swapped and its records from being retired;
// publishing and repair go on.
type Freeze struct {
	Since time.Time `json:"since"`
	Until time.Time `json:"until,omitzero"` // zero: until thawed
}

// And joins orders with later ones, which win where they differ.
func (o Orders) And(later Orders) Orders {
	if later.Thaw || later.Freeze != nil {
		o.Thaw, o.Freeze = later.Thaw, later.Freeze
	}
	if later.TTL > 0 {
		o.TTL = later.TTL
	}
	o.Withdraw = later.Withdraw || o.Withdraw && !later.Retry
	o.Retry = later.Retry || o.Retry && !later.Withdraw
	o.Emergency = o.Emergency || later.Emergency
	o.AtOnce = o.AtOnce || later.AtOnce
	if later.Leaked != "" {
		o.Leaked = later.Leaked
	}
	o.Rollback = o.Rollback || later.Rollback
	o.Cancel = o.Cancel || later.Cancel
	return o
}

// Objections say why a lineage cannot do what a person wants now; none means that
// it can. Next passes over an order to which there is one.
func (s State) Objections(lineage string, o Orders, now time.Time) []string {
	l := s.Lineages[lineage]
	var all []string
	if o.Rollback {
		all = append(all, s.againstRollback(lineage, now))
	}
	if o.Cancel {
		all = append(all, s.againstCancel(l))
	}
	if o.Withdraw && l.frozen(now) {
		all = append(all, isFrozen(lineage))
	}
	return slices.DeleteFunc(all, func(why string) bool { return why == "" })
}

func (s State) againstRollback(lineage string, now time.Time) string {
	l := s.Lineages[lineage]
	previous := s.Chains[l.Previous]
	switch {
	case l.swapping():
		return "a swap is under way (hint: it goes back by itself if the service does not take the new pair)"
	case l.Live == "":
		return "no pair is live yet"
	case l.Previous == "" || previous == nil:
		return "no previous pair is known (hint: tlsaroll rollover with --cert and --key brings any pair into service)"
	case l.compromised(previous) != nil:
		return fmt.Sprintf("the key of the previous pair %s was declared compromised at %s", l.Previous.Short(), Stamp(l.compromised(previous).Since))
	case !now.Before(previous.Leaf().NotAfter):
		return fmt.Sprintf("the previous pair %s ended on %s", l.Previous.Short(), Stamp(previous.Leaf().NotAfter))
	case l.frozen(now):
		return isFrozen(lineage)
	}
	return ""
}

func isFrozen(lineage string) string {
	return "the lineage is frozen (hint: tlsaroll thaw " + lineage + " first)"
}

func (s State) againstCancel(l Lineage) string {
	switch {
	case l.swapping():
		return "a swap is under way (hint: tlsaroll rollback brings the previous pair back when it is over)"
	case l.Successor == "" && l.Queued == "":
		return "nothing is on its way"
	}
	return ""
}

// swapping reports whether a swap is between its beginning and its end.
func (l Lineage) swapping() bool { return l.Swapping != nil && l.Swapping.Step != SwapFailed }

// frozen reports whether a freeze is in force.
func (l Lineage) frozen(now time.Time) bool {
	return l.Frozen != nil && (l.Frozen.Until.IsZero() || now.Before(l.Frozen.Until))
}

// obey notes what a person wants.
func (x *pass) obey(name string, l Lineage, o Orders) Lineage {
	possible := func(one Orders) bool { return len(x.Objections(name, one, x.now)) == 0 }
	switch {
	case o.Freeze != nil: // whatever became of one before
		l.Frozen = &Freeze{x.now, o.Freeze.Until}
	case o.Thaw, l.Frozen != nil && !l.frozen(x.now):
		l.Frozen = nil
	}
	if o.Emergency && l.Emergency.IsZero() {
		l.Emergency = x.now
	}
	switch {
	case o.Withdraw && l.Withdrawn.IsZero() && possible(Orders{Withdraw: true}):
		l.Withdrawn = x.now
	case o.Retry:
		l.Withdrawn = time.Time{}
	}
	switch {
	case o.Rollback && possible(Orders{Rollback: true}):
		l.Queued = l.Previous
		l = x.promote(l)
		l.Recalled = x.now
	case o.Cancel && possible(Orders{Cancel: true}):
		l.Queued = ""
		l = x.promote(l)
	}
	if o.TTL > 0 {
		x.wantTTL(name, o.TTL)
	}
	return l
}

// wantTTL notes another TTL for the RRsets of a lineage, at all owner names that lead there.
func (x *pass) wantTTL(name string, ttl time.Duration) {
	owners := x.ownersOf(name)
	for _, s := range x.sites() {
		if slices.Contains(s.lineages, name) {
			owners = slices.Concat(owners, s.owners)
		}
	}
	for _, owner := range owners {
		if ledger, ok := x.Owners[owner]; ok {
			ledger.Retime = ttl
			x.Owners[owner] = ledger
		}
	}
}

// copiesRead reports whether the provider's own copy was read in this pass at every
// owner name: what was put there a moment ago counts, too.
func (x *pass) copiesRead(name string) bool {
	if !x.upToDate(name) {
		return false
	}
	read := true
	for _, owner := range x.ownersOf(name) {
		l := x.Owners[owner]
		if copied := x.seen.Copies[l.Target]; l.Provider != "" && !copied.Known() {
			x.wait(name, copyUnknown(l.Target, copied.Err))
			read = false
		}
	}
	return read
}

// mayReturn reports whether the successor is the previous pair, which a person
// wants back, and every answer not dead that matches a chain that may be presented
// now matches it too (DESIGN 1, back), at names that nobody listed as well (4.6). One of
// unknown content may be any.
func (x *pass) mayReturn(name string, l Lineage) bool {
	live, previous := x.chain(l.Live), x.chain(l.Previous)
	if l.Recalled.IsZero() || l.Successor != l.Previous || previous == nil {
		return false
	}
	if slices.ContainsFunc(x.unlisted(name, live, previous), func(owner tlsa.Owner) bool {
		return live != nil && x.vouchesForLiveOnly(owner, live, previous)
	}) {
		return false
	}
	return !slices.ContainsFunc(x.ownersOf(name), func(owner tlsa.Owner) bool {
		l := x.Owners[owner]
		w := x.waits(&l)
		unknown := slices.ContainsFunc(l.Versions, func(v Version) bool { return v.Unknown && w.alive(v, x.now) })
		return slices.ContainsFunc(x.chainsAt(owner), func(id tlsa.ChainID) bool {
			chain := x.chain(id)
			return unknown || chain == nil || x.strands(owner, chain, previous)
		})
	})
}
