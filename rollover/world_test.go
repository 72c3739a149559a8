package rollover

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// epoch is when every story begins.
var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

const mx = "mx1.example.org"

// world is a zone with its servers, complete caches, and hosts that present
// chains; and the shell that makes one pass after the other over them. Caches
// are complete: every answer is held for its TTL and a second from every instant
// at which some server gave it.
type world struct {
	t   testing.TB
	now time.Time
	rng *rand.Rand // what chaos draws from; nil where all goes well

	policy Policy
	state  State
	plan   Plan
	passed time.Time // when the last pass was made
	passes int

	zone     map[tlsa.Owner]stored
	servers  []*server
	caches   map[cached]time.Time  // until when an answer is held that nobody gives any more
	seen     map[cached]bool       // answers that a look of ours came across
	shown    map[tlsa.ChainID]bool // chains that one did
	hosts    map[string]*host      // by lineage
	chains   map[tlsa.ChainID]*tlsa.Chain
	foreign  map[tlsa.Association]bool // put there by people
	unlisted map[tlsa.Owner]string     // what the search for unlisted owners could not tell; nil: not searched
	target   map[tlsa.Owner]tlsa.Owner // aliases
	events   []event

	security Security
	provider string // that holds the zone
	nsErr    string // why the set of servers is unknown
	copyErr  string // why the provider's copy cannot be read
	faults   map[string]string
	mtasts   map[string]Sight[bool]

	swaps     int
	violation string
	careless  bool // only what our own steps break counts; people may break anything
	weak      bool // judge by any match, as in a declared emergency
	forced    bool // a swap may break what it must
	log       []string
	keys      int
	serial    int64
}

// event is something that happens by itself.
type event struct {
	at time.Time
	do func()
}

// newWorld has one lineage mx1 with one endpoint at one address, two servers and
// a TTL of a minute; the publication interval is a minute and ten seconds.
func newWorld(t testing.TB) *world {
	w := &world{t: t, now: epoch, security: Secure, provider: "ns1",
		zone: map[tlsa.Owner]stored{}, caches: map[cached]time.Time{}, seen: map[cached]bool{}, shown: map[tlsa.ChainID]bool{}, hosts: map[string]*host{}, target: map[tlsa.Owner]tlsa.Owner{},
		chains: map[tlsa.ChainID]*tlsa.Chain{}, foreign: map[tlsa.Association]bool{}, faults: map[string]string{}}
	w.server("ns1.example.org.", 0)
	w.server("ns2.example.org.", 5*time.Second)
	w.policy = Policy{
		Timing: Timing{TTLs: 1, Floor: 10 * time.Second, UnknownTTL: time.Minute, Retire: 30 * time.Second, Settle: 10 * time.Second, Look: 20 * time.Second, Poll: 10 * time.Second},
		Lineages: map[string]LineagePolicy{"mx1": {Scheme: Scheme{EE: true}, TA: Intermediate, TTL: time.Minute, Deadline: DeadlineAuto,
			Endpoints: []Endpoint{smtp25(t)}}},
		AllowInsecure: map[string]bool{}, Margin: map[string]time.Duration{}, Excluded: map[string]bool{},
	}
	w.hosts["mx1"] = newHost("any", "192.0.2.1:25")
	return w
}

func owner25(t testing.TB) tlsa.Owner { return ownerOf(t, 25, mx) }

func ownerOf(t testing.TB, port uint16, host string) tlsa.Owner {
	t.Helper()
	o, err := tlsa.OwnerOf(port, host)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func smtp25(t testing.TB) Endpoint {
	return Endpoint{URL: "smtp://" + mx, Host: mx, Port: 25, SMTP: true, Owner: owner25(t)}
}

// configure changes lineage mx1's policy.
func (w *world) configure(change func(*LineagePolicy)) {
	p := w.policy.Lineages["mx1"]
	change(&p)
	w.policy.Lineages["mx1"] = p
}

// after lets something happen later.
func (w *world) after(d time.Duration, do func()) {
	w.events = append(w.events, event{w.now.Add(d), do})
}

// step goes on to the next thing that happens, but not beyond limit.
func (w *world) step(limit time.Time) {
	next := limit
	for _, e := range w.events {
		next = earliest(next, e.at)
	}
	for _, s := range w.servers {
		for _, t := range s.pending {
			next = earliest(next, t.at)
		}
	}
	if due := w.due(); due.Before(next) {
		next = due
	}
	if next.After(w.now) {
		w.now = next
	}
	w.happen()
	w.assert()
	if !w.due().After(w.now) {
		w.pass()
		w.assert()
	}
}

// due is when the next pass is made: as planned, at the latest when files are
// polled, and never twice within a quarter of a second.
func (w *world) due() time.Time {
	at := w.passed.Add(w.policy.Timing.Poll)
	for _, h := range w.hosts {
		if len(h.offers) > 0 || h.orders != (Orders{}) {
			at = w.now
		}
	}
	return latest(earliest(at, w.plan.Wake()), w.passed.Add(time.Second/4))
}

// happen carries out what is due by itself.
func (w *world) happen() {
	var due []event
	w.events = slices.DeleteFunc(w.events, func(e event) bool {
		if e.at.After(w.now) {
			return false
		}
		due = append(due, e)
		return true
	})
	for _, e := range due {
		e.do()
	}
	for _, s := range w.servers {
		w.transfers(s)
	}
}

// run lets the world go on for d and fails at the first broken invariant.
func (w *world) run(d time.Duration) {
	w.t.Helper()
	w.wait(d, func() bool { return false })
}

// until lets the world go on until what is true, for d at most, and says how
// long it took.
func (w *world) until(d time.Duration, what func() bool) time.Duration {
	w.t.Helper()
	begin := w.now
	if !w.wait(d, what) {
		w.t.Fatalf("not within %s\n%s", d, w.story())
	}
	return w.now.Sub(begin)
}

func (w *world) wait(d time.Duration, what func() bool) bool {
	w.t.Helper()
	for end := w.now.Add(d); !what(); {
		if !w.now.Before(end) {
			return false
		}
		w.step(end)
		if w.violation != "" {
			w.t.Fatalf("invariant broken at %s\n%s", w.violation, w.story())
		}
	}
	return true
}

func (w *world) broke(format string, args ...any) {
	if w.violation == "" {
		w.violation = w.clock() + ": " + fmt.Sprintf(format, args...)
	}
}

func (w *world) note(format string, args ...any) {
	w.log = append(w.log, w.clock()+" "+fmt.Sprintf(format, args...))
}

func (w *world) clock() string { return w.now.Sub(epoch).String() }

// story is what happened, and where everything stands.
func (w *world) story() string {
	var b strings.Builder
	for _, line := range w.log[max(0, len(w.log)-150):] {
		fmt.Fprintln(&b, line)
	}
	for _, d := range Describe(w.state, w.policy, w.now) {
		fmt.Fprint(&b, d.Explain(w.now))
	}
	for _, owner := range slices.Sorted(maps.Keys(w.zone)) {
		fmt.Fprintln(&b, owner, w.zone[owner].rrset)
	}
	for _, owner := range slices.Sorted(maps.Keys(w.state.Owners)) {
		l := w.state.Owners[owner]
		for _, v := range l.Versions {
			fmt.Fprintf(&b, "%s ttl %s: %d records %.20q unknown %t by %v in copy %t left %s served %s\n", owner, v.RRset.TTL, len(v.RRset.Associations), v.RRset.Key(), v.Unknown, v.By, v.InCopy, stamp(v.Left), v.Served.Sub(epoch))
		}
	}
	return b.String()
}

func (w *world) lineage() Lineage { return w.state.Lineages["mx1"] }

func (w *world) live() tlsa.ChainID { return w.lineage().Live }

func (w *world) steady() bool {
	l := w.lineage()
	return l.Live != "" && l.Successor == "" && l.Phase == Steady
}

// waits reports whether lineage mx1 waits for a reason with the code.
func (w *world) waits(code Code) bool {
	return slices.ContainsFunc(w.lineage().Waiting, func(r Reason) bool { return r.Code == code })
}

// warns reports whether lineage mx1 has a warning with the code.
func (w *world) warns(code Code) bool {
	return slices.ContainsFunc(w.lineage().Warnings, func(r Warning) bool { return r.Code == code })
}
