package rollover

import (
	"maps"
	"slices"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// Next decides one pass over one owner group: all lineages that share an owner
// name, together, because the RRset is shared. It performs no I/O and reads no
// clock. Nothing in the state moves because an action was planned, only because
// of what o shows or because [Done] says how an action ended.
//
// The state that Next returns must be durable before an action is carried out:
// it remembers what may be visible from then on.
func Next(s State, o Observation, p Policy, now time.Time) (State, Plan) {
	x := begin(s, o, p, now)
	x.record()    // what was seen goes into the ledgers
	x.recognize() // what is live is live, whoever put it there
	x.admit()     // a pair handed in becomes the successor, or queues behind it
	x.settle()    // a swap under way is verified, or undone
	x.retime()    // another TTL, where a person asked for one
	x.publish()   // what must stand is asked for
	x.clear()     // a combination that the successor cannot match is taken out whole
	x.swap()      // a ready successor is made live
	x.retire()    // what no chain needs any more is taken out
	x.warn()      // what a person should know
	x.schedule()  // when to look again
	return x.finish()
}

// pass is the working copy of one call of Next.
type pass struct {
	State
	Plan
	seen   Observation
	policy Policy
	now    time.Time

	names    []string             // lineages, sorted
	owners   []tlsa.Owner         // owner names of our endpoints, sorted
	users    map[tlsa.Owner][]use // whose endpoints ask there
	changing map[tlsa.Owner]bool  // targets with a change in this plan
	withheld map[tlsa.Owner]map[tlsa.Params]Reason
	pressed  map[tlsa.Owner]bool // targets whose RRset is full: what is retired leaves early
	read     map[tlsa.Owner]bool
	warnings map[string][]Warning
	unseen   bool // some decision waits for looks at endpoints
	lookNow  bool // some decision waits only for a look at the servers in this pass
}

// use is one endpoint of one lineage at an owner name.
type use struct {
	lineage  string
	endpoint Endpoint
}

func begin(s State, o Observation, p Policy, now time.Time) *pass {
	x := &pass{State: s.clone(), seen: o, policy: p, now: now,
		users: map[tlsa.Owner][]use{}, changing: map[tlsa.Owner]bool{}, withheld: map[tlsa.Owner]map[tlsa.Params]Reason{},
		pressed: map[tlsa.Owner]bool{}, read: map[tlsa.Owner]bool{}, warnings: map[string][]Warning{}}
	x.Waiting = map[string][]Reason{}
	x.names = slices.Sorted(maps.Keys(p.Lineages))
	for _, name := range x.names {
		for _, e := range p.Lineages[name].Endpoints {
			for _, owner := range e.Owners() {
				x.users[owner] = append(x.users[owner], use{name, e})
			}
		}
	}
	x.owners = slices.Sorted(maps.Keys(x.users))
	maps.Copy(x.Chains, o.Chains)
	return x
}

func (x *pass) finish() (State, Plan) {
	for _, name := range x.names {
		l := x.Lineages[name]
		l.Waiting, l.Warnings, l.Wake = x.Waiting[name], x.warnings[name], x.Plan.Wake()
		switch {
		case l.Successor != "":
			if l.Phase != Published && l.Phase != Ready {
				l.Phase = Generated
			}
		case l.Swapping != nil, x.retiring(name):
			l.Phase = Retiring
		default:
			l.Phase = Steady
		}
		x.Lineages[name] = l
	}
	if gone := x.State.forget(); len(gone) > 0 {
		x.act(Discard{gone})
	}
	x.Plan.Read = slices.Sorted(maps.Keys(x.read))
	return x.State, x.Plan
}

func (x *pass) act(a Action) { x.Actions = append(x.Actions, a) }

func (x *pass) wait(lineage string, rs ...Reason) {
	for _, r := range rs {
		if !slices.Contains(x.Waiting[lineage], r) {
			x.Waiting[lineage] = append(x.Waiting[lineage], r)
		}
	}
}

func (x *pass) tell(lineage string, code Code, severity Severity, text string) {
	w := Warning{code, severity, text}
	if !slices.Contains(x.warnings[lineage], w) {
		x.warnings[lineage] = append(x.warnings[lineage], w)
	}
}

// needCopy asks the shell to read the provider's copy of a target, unless it
// was read in this pass.
func (x *pass) needCopy(target tlsa.Owner) { x.read[target] = true }

// ownersOf are the owner names of a lineage's endpoints, sorted and distinct.
func (x *pass) ownersOf(lineage string) []tlsa.Owner {
	var owners []tlsa.Owner
	for _, e := range x.policy.Lineages[lineage].Endpoints {
		owners = append(owners, e.Owners()...)
	}
	slices.Sort(owners)
	return slices.Compact(owners)
}

// targets are the names at which the group's records stand, with the owner
// names that lead to each.
func (x *pass) targets() map[tlsa.Owner][]tlsa.Owner {
	ts := map[tlsa.Owner][]tlsa.Owner{}
	for _, owner := range x.owners {
		if l, ok := x.Owners[owner]; ok && l.Target != "" {
			ts[l.Target] = append(ts[l.Target], owner)
		}
	}
	return ts
}

func (x *pass) chain(id tlsa.ChainID) *tlsa.Chain { return x.Chains[id] }

// record enters what was looked at in this pass into the ledgers.
func (x *pass) record() {
	for owner, view := range x.seen.Owners {
		x.account(owner, func(a *accounting) { a.enter(view, x.policy.Excluded) })
	}
	for target, copied := range x.seen.Copies {
		if copied.Known() {
			for owner, l := range x.Owners {
				if l.Target == target {
					x.account(owner, func(a *accounting) { a.copied(copied.Value); a.CopyRead = x.now })
				}
			}
		}
	}
	for _, owner := range x.owners {
		for _, u := range x.users[owner] {
			x.recordServed(owner, u)
		}
	}
	for _, name := range x.names {
		l := x.Lineages[name]
		if len(x.seen.Lineages[name].Addresses) > 0 {
			l.Looked.Served = x.now
		}
		for _, owner := range x.ownersOf(name) {
			if _, ok := x.seen.Owners[owner]; ok {
				l.Looked.DNS = x.now
			}
		}
		x.Lineages[name] = l
	}
}

func (x *pass) account(owner tlsa.Owner, enter func(*accounting)) {
	l := x.Owners[owner]
	a := &accounting{Ledger: &l, timing: x.policy.Timing, known: x.assumedTTL(owner), now: x.now}
	enter(a)
	x.Owners[owner] = l
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

// recordServed enters one endpoint's handshakes. Addresses that could not be
// found leave those known before in place, unanswered.
func (x *pass) recordServed(owner tlsa.Owner, u use) {
	view := x.seen.Lineages[u.lineage]
	at, looked := view.Addresses[u.endpoint.URL]
	if !looked {
		return
	}
	l := x.Owners[owner]
	addresses := at.Value
	if !at.Known() {
		for _, a := range l.Addresses {
			if a.URL == u.endpoint.URL {
				addresses = append(addresses, Address{a.Address, a.TTL, a.Local})
			}
		}
	}
	for _, node := range x.policy.Lineages[u.lineage].Nodes {
		if !slices.ContainsFunc(addresses, func(a Address) bool { return a.Address == node }) {
			addresses = append(slices.Clip(addresses), Address{Address: node})
		}
	}
	l.looked(u.endpoint, addresses, view.Served, x.now)
	l.forgetPresented(x.policy.Timing.Retire, x.named, x.now)
	x.Owners[owner] = l
}

// named reports whether a chain is live or on its way in some lineage.
func (x *pass) named(id tlsa.ChainID) bool {
	for _, l := range x.Lineages {
		if id == l.Live || id == l.Successor || id == l.Queued {
			return true
		}
	}
	return false
}
