package sim

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/dnsprovider/memory"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// Epoch is when every story begins.
var Epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

const MX = "mx1.example.org"

// World is a zone with its servers, complete caches, and hosts that present
// chains; and the shell that makes one pass after the other over them. Caches
// are complete: every answer is held for its TTL and a second from every instant
// at which some server gave it.
type World struct {
	T    testing.TB
	name string // keys follow from it
	Now  time.Time
	rng  *rand.Rand // what chaos draws from; nil where all goes well
	seed uint64

	Policy rollover.Policy
	State  rollover.State
	Plan   rollover.Plan
	mind   mind
	Passed time.Time // when the last pass was made
	passes int

	Zone      map[tlsa.Owner]Stored // the primary's copy; a change makes a new map
	primaries map[string]*memory.Zone
	Servers   []*Server
	answers   map[answerKey]*answer
	caches    map[tlsa.Owner][]*answer // that may be held though nobody gives them any more
	stretch   time.Duration            // caches hold shorter TTLs for so long, as far as the floor allows
	sighted   []*answer                // for the first time in this pass
	aside     bool                     // it is not the rules that look
	shown     map[tlsa.ChainID]bool    // chains that a look of ours came across
	noticed   []tlsa.ChainID           // for the first time in this pass
	scratch   []*answer
	names     []string         // of lineages, see there
	Hosts     map[string]*Host // by lineage
	Chains    map[tlsa.ChainID]*tlsa.Chain
	papers    map[tlsa.ChainID]*papers
	Foreign   map[tlsa.Association]bool // put there by people
	Unlisted  map[tlsa.Owner]string     // what the search for unlisted owners could not tell; nil: not searched
	Target    map[tlsa.Owner]tlsa.Owner // aliases
	events    []event

	Security rollover.Security
	Provider string // that holds the zone
	NSErr    string // why the set of servers is unknown
	limited  bool   // the provider lets nobody change anything for a while
	CopyErr  string // why the provider's copy cannot be read
	Faults   map[string]string
	MTASTS   map[string]rollover.Sight[bool]

	Swaps      int // carried out
	switches   int // swaps and ways back that were tried
	crashes    int
	senders    time.Duration // between handshakes of one sender; 0: they come when something happens
	Handshakes int           // one answer that may be held judged against one chain that may be presented
	violation  string
	Careless   bool // only what our own steps break counts; people may break anything
	attributes bool // and whose doing everything is, is kept in mind
	excused    map[pair]bool
	Weak       bool // judge by any match, as in a declared emergency
	Forced     bool // a swap may break what it must
	log        []string
	keys       int
	serial     int64
}

// A mind makes passes over a world: it looks, decides, remembers and acts.
type mind interface {
	pass()
	wake() time.Time // when it wants to make the next one; zero: at once
}

// event is something that happens by itself.
type event struct {
	at time.Time
	do func()
}

// NewWorld has one lineage mx1 with one endpoint at one address, two servers and
// a TTL of a minute; the publication interval is a minute and ten seconds.
func NewWorld(t testing.TB) *World {
	w := &World{T: t, name: t.Name(), Now: Epoch, Security: rollover.Secure, Provider: "ns1",
		Zone: map[tlsa.Owner]Stored{}, answers: map[answerKey]*answer{}, caches: map[tlsa.Owner][]*answer{}, shown: map[tlsa.ChainID]bool{}, Hosts: map[string]*Host{}, Target: map[tlsa.Owner]tlsa.Owner{},
		Chains: map[tlsa.ChainID]*tlsa.Chain{}, papers: map[tlsa.ChainID]*papers{}, Foreign: map[tlsa.Association]bool{}, Faults: map[string]string{}, excused: map[pair]bool{}, primaries: map[string]*memory.Zone{}}
	w.mind = &rules{w}
	w.Server("ns1.example.org.", 0)
	w.Server("ns2.example.org.", 5*time.Second)
	w.Policy = rollover.Policy{
		Timing: rollover.Timing{TTLs: 1, Floor: 10 * time.Second, UnknownTTL: time.Minute, Retire: 30 * time.Second, Settle: 10 * time.Second, Look: 20 * time.Second, Poll: 10 * time.Second},
		Lineages: map[string]rollover.LineagePolicy{"mx1": {Scheme: rollover.Scheme{EE: true}, TA: rollover.Intermediate, TTL: time.Minute, Deadline: rollover.DeadlineAuto,
			Endpoints: []rollover.Endpoint{smtp25(t)}}},
		AllowInsecure: map[string]bool{}, Margin: map[string]time.Duration{}, Excluded: map[string]bool{},
	}
	w.Hosts["mx1"] = NewHost("any", "192.0.2.1:25")
	return w
}

// Owner25 is the owner name of lineage mx1's first endpoint.
func Owner25(t testing.TB) tlsa.Owner { return OwnerOf(t, 25, MX) }

// OwnerOf is the owner name of a port of a host.
func OwnerOf(t testing.TB, port uint16, host string) tlsa.Owner {
	t.Helper()
	o, err := tlsa.OwnerOf(port, host)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func smtp25(t testing.TB) rollover.Endpoint {
	return rollover.Endpoint{URL: "smtp://" + MX, Host: MX, Port: 25, SMTP: true, Owner: Owner25(t)}
}

// Configure changes lineage mx1's policy.
func (w *World) Configure(change func(*rollover.LineagePolicy)) {
	p := w.Policy.Lineages["mx1"]
	change(&p)
	w.Policy.Lineages["mx1"] = p
}

// After lets something happen later.
func (w *World) After(d time.Duration, do func()) {
	w.events = append(w.events, event{w.Now.Add(d), do})
}

// step goes on to the next thing that happens, but not beyond limit.
func (w *World) step(limit time.Time) {
	next := limit
	for _, e := range w.events {
		next = earliest(next, e.at)
	}
	for _, s := range w.Servers {
		for _, t := range s.pending {
			next = earliest(next, t.at)
		}
	}
	if due := w.due(); due.Before(next) {
		next = due
	}
	w.deliver(next)
	if next.After(w.Now) {
		w.Now = next
	}
	w.happen()
	w.shakeHands()
	if !w.due().After(w.Now) {
		w.Passed = w.Now
		w.passes++
		w.sighted, w.noticed = w.sighted[:0], w.noticed[:0]
		w.mind.pass()
		w.shakeHands()
	}
}

// due is when the next pass is made: as planned, at the latest when files are
// polled, and never twice within a quarter of a second.
func (w *World) due() time.Time {
	at := w.Passed.Add(w.Policy.Timing.Poll)
	for _, h := range w.Hosts {
		if len(h.offers) > 0 || h.Orders != (rollover.Orders{}) {
			at = w.Now
		}
	}
	return latest(earliest(at, w.mind.wake()), w.Passed.Add(time.Second/4))
}

// happen carries out what is due by itself.
func (w *World) happen() {
	var due []event
	w.events = slices.DeleteFunc(w.events, func(e event) bool {
		if e.at.After(w.Now) {
			return false
		}
		due = append(due, e)
		return true
	})
	for _, e := range due {
		e.do()
	}
	for _, s := range w.Servers {
		w.transfers(s)
	}
}

// Run lets the world go on for d and fails at the first broken invariant.
func (w *World) Run(d time.Duration) {
	w.T.Helper()
	w.Wait(d, func() bool { return false })
}

// Until lets the world go on until what is true, for d at most, and says how
// long it took.
func (w *World) Until(d time.Duration, what func() bool) time.Duration {
	w.T.Helper()
	begin := w.Now
	if !w.Wait(d, what) {
		w.T.Fatalf("not within %s\n%s", d, w.Story())
	}
	return w.Now.Sub(begin)
}

// Wait lets the world go on until what is true, for d at most, and reports whether it is.
func (w *World) Wait(d time.Duration, what func() bool) bool {
	w.T.Helper()
	for end := w.Now.Add(d); !what(); {
		if !w.Now.Before(end) {
			return false
		}
		w.step(end)
		if w.violation != "" {
			w.T.Fatalf("invariant broken at %s\n%s", w.violation, w.Story())
		}
	}
	return true
}

func (w *World) broke(format string, args ...any) {
	if w.violation == "" {
		w.violation = w.Clock() + ": " + fmt.Sprintf(format, args...)
	}
}

func (w *World) note(format string, args ...any) {
	w.log = append(w.log, w.Clock()+" "+fmt.Sprintf(format, args...))
}

// Clock is how long the world has been going on.
func (w *World) Clock() string { return w.Now.Sub(Epoch).String() }

// Story is what happened, and where everything stands.
func (w *World) Story() string {
	var b strings.Builder
	for _, line := range w.log[max(0, len(w.log)-150):] {
		fmt.Fprintln(&b, line)
	}
	for _, d := range rollover.Describe(w.State, w.Policy, w.Now) {
		fmt.Fprint(&b, d.Explain(w.Now))
	}
	for _, owner := range slices.Sorted(maps.Keys(w.Zone)) {
		fmt.Fprintln(&b, owner, w.Zone[owner].RRset)
	}
	for _, owner := range slices.Sorted(maps.Keys(w.State.Owners)) {
		l := w.State.Owners[owner]
		for _, v := range l.Versions {
			fmt.Fprintf(&b, "%s ttl %s: %d records %.20q unknown %t by %v in copy %t left %s served %s\n", owner, v.RRset.TTL, len(v.RRset.Associations), v.RRset.Key(), v.Unknown, v.By, v.InCopy, v.Left.Sub(Epoch), v.Served.Sub(Epoch))
		}
	}
	return b.String()
}

// Lineage is what is remembered of lineage mx1.
func (w *World) Lineage() rollover.Lineage { return w.State.Lineages["mx1"] }

// Live is lineage mx1's pair in use.
func (w *World) Live() tlsa.ChainID { return w.Lineage().Live }

// Steady reports whether lineage mx1 is at rest.
func (w *World) Steady() bool {
	l := w.Lineage()
	return l.Live != "" && l.Successor == "" && l.Phase == rollover.Steady
}

// Waits reports whether lineage mx1 waits for a reason with the code.
func (w *World) Waits(code rollover.Code) bool {
	return slices.ContainsFunc(w.Lineage().Waiting, func(r rollover.Reason) bool { return r.Code == code })
}

// Warns reports whether lineage mx1 has a warning with the code.
func (w *World) Warns(code rollover.Code) bool {
	return slices.ContainsFunc(w.Lineage().Warnings, func(r rollover.Warning) bool { return r.Code == code })
}

// lineages are the names, sorted.
func (w *World) lineages() []string {
	if len(w.names) != len(w.Policy.Lineages) {
		w.names = slices.Sorted(maps.Keys(w.Policy.Lineages))
	}
	return w.names
}

// Log is what happened, a line each.
func (w *World) Log() []string { return w.log }
