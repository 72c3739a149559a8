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
	x.consult()   // where the provider's own copy is in doubt, it is read
	x.recognize() // what is live is live, whoever put it there
	x.admit()     // a pair handed in becomes the successor, or queues behind it
	x.settle()    // a swap under way is verified, or undone
	x.inherit()   // records of what is live are ours where nobody remembers whose they are
	x.retime()    // another TTL, where a person asked for one
	x.publish()   // what must stand is asked for
	x.clear()     // a combination that the successor cannot match is taken out whole
	x.swap()      // a ready successor is made live
	x.retire()    // what no chain needs any more is taken out
	x.succeeded() // a change that failed and was made all the same is no trouble any more
	x.withdraw()  // how far a withdrawal is
	x.queue()     // what waits behind a successor
	x.standby()   // since when a standby key's record stands, and when no cache can lack it
	x.replays()   // until when the answers of compromised keys are good
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

	names    []string                // lineages, sorted
	owners   []tlsa.Owner            // owner names of our endpoints, sorted
	users    map[tlsa.Owner][]use    // whose endpoints ask there
	ownersBy map[string][]tlsa.Owner // by lineage, sorted
	places   []*site                 // see sites
	named    map[tlsa.ChainID]bool   // chains that were live or on their way when the pass began
	changing map[tlsa.Owner]bool     // targets with a change in this plan
	pressed  map[tlsa.Owner]int      // targets whose RRset is full, and how many records lack room: what is retired leaves early
	urgent   map[tlsa.Owner]int      // how many of these are for chains that are live or come next
	read     map[tlsa.Owner]bool
	warnings map[string][]Warning
	unseen   bool // some decision waits for looks at endpoints
	missing  bool // some address has not answered of late
	lookNow  bool // some decision waits only for a look at the servers in this pass
}

// use is one endpoint of one lineage at an owner name.
type use struct {
	lineage  string
	endpoint Endpoint
}

func begin(s State, o Observation, p Policy, now time.Time) *pass {
	x := &pass{State: s.clone(), seen: o, policy: p, now: now,
		users: map[tlsa.Owner][]use{}, named: map[tlsa.ChainID]bool{}, ownersBy: map[string][]tlsa.Owner{}, changing: map[tlsa.Owner]bool{},
		pressed: map[tlsa.Owner]int{}, urgent: map[tlsa.Owner]int{}, read: map[tlsa.Owner]bool{}, warnings: map[string][]Warning{}}
	x.Waiting = map[string][]Reason{}
	x.names = slices.Sorted(maps.Keys(p.Lineages))
	for _, name := range x.names {
		var owners []tlsa.Owner
		for _, e := range p.Lineages[name].Endpoints {
			for _, owner := range e.Owners() {
				x.users[owner] = append(x.users[owner], use{name, e})
				owners = append(owners, owner)
			}
		}
		slices.Sort(owners)
		x.ownersBy[name] = slices.Compact(owners)
	}
	x.owners = slices.Sorted(maps.Keys(x.users))
	for _, l := range x.Lineages {
		x.named[l.Live], x.named[l.Successor], x.named[l.Queued] = true, true, true
	}
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
			l.Phase, l.Emergency, l.AtOnce = Steady, time.Time{}, ""
		}
		l.Rollovers = l.periods(x.now)
		x.Lineages[name] = l
	}
	x.forgetOwners()
	if gone := x.forgetChains(); len(gone) > 0 {
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

// tell warns of something, once: the first sentence about it stays.
func (x *pass) tell(lineage string, w Warning) {
	if !slices.ContainsFunc(x.warnings[lineage], w.same) {
		x.warnings[lineage] = append(x.warnings[lineage], w)
	}
}

// needCopy asks the shell to read the provider's copy of a target, unless it
// was read in this pass.
func (x *pass) needCopy(target tlsa.Owner) { x.read[target] = true }

// ownersOf are the owner names of a lineage's endpoints, sorted and distinct.
func (x *pass) ownersOf(lineage string) []tlsa.Owner { return x.ownersBy[lineage] }

func (x *pass) chain(id tlsa.ChainID) *tlsa.Chain { return x.Chains[id] }
