package demo

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// A page is a stage that keeps what is shown.
type page struct {
	lines   []string
	picture []string
	onSay   func()
}

func (p *page) Say(lines ...Line) {
	for _, l := range lines {
		p.lines = append(p.lines, l.Text)
	}
	if p.onSay != nil {
		p.onSay()
	}
}

func (p *page) Event(l Line) { p.Say(l) }

func (p *page) Show(picture []Line) {
	p.picture = nil
	for _, l := range picture {
		p.picture = append(p.picture, l.Text)
	}
}

// copies writes out copies of the RRset, as in "2", "2+3".
func copies(where string, certs ...string) []held {
	var out []held
	for i, c := range certs {
		h := held{where: where + string(rune('1'+i))}
		for n := range strings.SplitSeq(c, "+") {
			if n != "" {
				h.certs = append(h.certs, int(n[0]-'0'))
			}
		}
		out = append(out, h)
	}
	return out
}

func second(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

func TestSwapFirstIsTold(t *testing.T) {
	var p page
	n := narrator{stage: &p}
	n.begin("1.")
	for _, s := range []sight{
		{since: second(0), serves: 1, servers: copies("ns", "1", "1"), caches: copies("r", "", "")},
		{since: second(3), serves: 2, servers: copies("ns", "2", "1"), caches: copies("r", "1", "1")},
		{since: second(3.1), serves: 2, servers: copies("ns", "2", "1"), caches: copies("r", "1", "2"), counts: Counts{40, 3, ""}},
		{since: second(3.2), serves: 2, servers: copies("ns", "2", "1"), caches: copies("r", "1", "2"), counts: Counts{44, 5, ""}},
		{since: second(6), serves: 2, servers: copies("ns", "2", "2"), caches: copies("r", "2", "2"), counts: Counts{400, 120, ""}},
	} {
		s.steps = swapFirstSteps(s, 1, 2)
		n.see(s)
		if done(s) {
			n.end(s)
		}
	}
	want := []string{
		"", "1.",
		"  3.0s  swapped    certificate 2 is in service",
		"  3.0s  changed    its record is on 1 of 2 servers",
		"  3.1s  cached     and in 1 of 2 caches",
		"  3.1s  failing    its record is in 1 of 2 caches, and senders refuse it",
		"  6.0s  changed    its record is on 2 of 2 servers",
		"  6.0s  cached     and in 2 of 2 caches",
		"  6.0s  over       400 handshakes, 120 failed",
	}
	if diff := cmp.Diff(want, p.lines); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
	drawn := []string{
		"  swapped    [################]     certificate 2 is in service",
		"  changed    [################]     its record is on 2 of 2 servers",
		"  cached     [################]     and in 2 of 2 caches",
		"  zone       ns1: 2        ns2: 2",
		"  caches     r1: 2         r2: 2",
		"    6.0s     400 handshakes, 120 failed",
	}
	if diff := cmp.Diff(drawn, p.picture); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
}

// TestRolloverIsTold walks the phases by what the agent reports.
func TestRolloverIsTold(t *testing.T) {
	ca, err := newIssuer(time.Now)
	if err != nil {
		t.Fatal(err)
	}
	old, err := ca.issue(2)
	if err != nil {
		t.Fatal(err)
	}
	next, err := ca.issue(3)
	if err != nil {
		t.Fatal(err)
	}
	begun := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	at := func(s float64) time.Time { return begun.Add(second(s)) }
	pair := func(c certificate) *rollover.PairStatus { return &rollover.PairStatus{ID: c.ID()} }
	on := func(known ...rollover.Known) []rollover.EndpointStatus {
		var e rollover.EndpointStatus
		for _, k := range known {
			e.Servers = append(e.Servers, rollover.ServerStatus{Converged: k})
		}
		return []rollover.EndpointStatus{e}
	}
	both := on(rollover.Yes, rollover.Yes)
	ready := at(13)
	coming := func(readyAt *time.Time) *rollover.SuccessorStatus {
		return &rollover.SuccessorStatus{PairStatus: *pair(next), ReadyAt: readyAt}
	}
	window := []rollover.Reason{{Code: rollover.CodeRetireWindow, Until: at(18)}}
	var p page
	n := narrator{stage: &p}
	n.begin("2.")
	picture := map[time.Duration][]string{}
	for _, look := range []struct {
		since           float64
		status          *rollover.LineageStatus
		servers, caches []held
	}{
		{0.1, nil, copies("ns", "2", "2"), copies("r", "2", "2")},
		{0.2, &rollover.LineageStatus{Successor: coming(nil), Endpoints: on()}, copies("ns", "2", "2"), copies("r", "2", "2")},
		{1, &rollover.LineageStatus{Live: pair(old), Successor: coming(nil), Endpoints: on(rollover.No, rollover.No)}, copies("ns", "2+3", "2"), copies("r", "2", "2")},
		{2, &rollover.LineageStatus{Live: pair(old), Successor: coming(nil), Endpoints: on(rollover.Yes, rollover.Unknown)}, copies("ns", "2+3", "2"), copies("r", "2+3", "2")},
		{7, &rollover.LineageStatus{Live: pair(old), Successor: coming(&ready), Endpoints: both}, copies("ns", "2+3", "2+3"), copies("r", "2+3", "2")},
		{10, &rollover.LineageStatus{Live: pair(old), Successor: coming(&ready), Endpoints: both}, copies("ns", "2+3", "2+3"), copies("r", "2+3", "2+3")},
		{13, &rollover.LineageStatus{Live: pair(next), Swapping: &rollover.Swapping{}, Endpoints: both}, copies("ns", "2+3", "2+3"), copies("r", "2+3", "2+3")},
		{14, &rollover.LineageStatus{Live: pair(next), Waiting: window, Endpoints: both}, copies("ns", "2+3", "2+3"), copies("r", "2+3", "2+3")},
		{19, &rollover.LineageStatus{Live: pair(next), Endpoints: both}, copies("ns", "3", "2+3"), copies("r", "2+3", "2+3")},
		{22, &rollover.LineageStatus{Live: pair(next), Phase: rollover.Steady, Endpoints: both}, copies("ns", "3", "3"), copies("r", "3", "2+3")},
		{26, &rollover.LineageStatus{Live: pair(next), Phase: rollover.Steady, Endpoints: both}, copies("ns", "3", "3"), copies("r", "3", "3")},
	} {
		w := way{look.status, old, next, at(look.since)}
		s := sight{since: second(look.since), serves: 3, servers: look.servers, caches: look.caches}
		s.steps = w.steps(s)
		n.see(s)
		picture[s.since] = p.picture
		if over := done(s) && w.steady(); over != (look.since == 26) {
			t.Errorf("at %s: over %t", s.since, over)
		}
	}
	want := []string{
		"", "2.",
		"  1.0s  generated  certificate 3 is handed in, 2 is in service",
		"  2.0s  published  its record is on 1 of 2 servers",
		"  7.0s  published  its record is on 2 of 2 servers",
		"  7.0s  ready      in 6s: until then a cache may lack it",
		" 13.0s  ready      no cache can lack it",
		" 13.0s  swapped    certificate 3 is in service",
		" 14.0s  verified   the mail server presents it",
		" 14.0s  retired    in 5s: until then the way back is free",
		" 19.0s  retired    the old record is off 1 of 2 servers",
		" 22.0s  retired    the old record is off 2 of 2 servers",
		" 22.0s  gone       and out of 1 of 2 caches",
		" 26.0s  gone       and out of 2 of 2 caches",
	}
	if diff := cmp.Diff(want, p.lines); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
	drawn := []string{
		"  generated  [################]     certificate 3 is handed in, 2 is in service",
		"  published  [################]     its record is on 2 of 2 servers",
		"  ready      [########--------]  3s in 6s: until then a cache may lack it",
		"  swapped    [----------------]     ",
		"  verified   [----------------]     ",
		"  retired    [----------------]     ",
		"  gone       [----------------]     ",
		"  zone       ns1: 2+3      ns2: 2+3",
		"  caches     r1: 2+3       r2: 2+3",
		"   10.0s     0 handshakes, 0 failed",
	}
	if diff := cmp.Diff(drawn, picture[second(10)]); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
	for since, lines := range picture {
		for _, l := range lines {
			if len(l) > 79 {
				t.Errorf("at %s, wider than 80 columns: %s", since, l)
			}
		}
	}
}

func TestWhatCachesHold(t *testing.T) {
	w := start(t)
	if got := row(w.look().caches); got != "r1:           r2:           r3:           r4:" {
		t.Errorf("before the first question: %q", got)
	}
	if err := w.senders[1].handshake(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := row(w.look().caches); got != "r1:           r2: 1 (4s)    r3:           r4:" {
		t.Errorf("after one: %q", got)
	}
}

func TestVerdict(t *testing.T) {
	wanted := tlsa.NewRRset(recordTTL, foreign)
	good := Result{SwapFirst: Counts{10, 1, ""}, Tlsaroll: Counts{10, 0, ""}, Left: []tlsa.RRset{wanted, wanted}, Wanted: wanted}
	if err := good.verdict(); err != nil {
		t.Error(err)
	}
	for want, change := range map[string]func(*Result){
		"no handshake failed although": func(r *Result) { r.SwapFirst.Failed = 0 },
		"with tlsaroll there were 10 handshakes, 2 failed, the last with: no match (hint": func(r *Result) { r.Tlsaroll = Counts{10, 2, "no match"} },
		"the zone ends with [{4s [3 1 1 f0e1":                                             func(r *Result) { r.Left = []tlsa.RRset{wanted, wanted.Without(foreign)} },
		"the zone ends with []":                                                           func(r *Result) { r.Left = nil },
		"the zone ends with [{3s":                                                         func(r *Result) { r.Left = []tlsa.RRset{tlsa.NewRRset(lag, foreign)} },
	} {
		r := good
		change(&r)
		if err := r.verdict(); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// TestStops: whoever stops the demo waits for nothing, and nothing is left behind.
func TestStops(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	for _, at := range []int{1, 2, 3} { // before the first act, as it begins, and at the swap
		ctx, cancel := context.WithCancel(t.Context())
		said := 0
		stopped := time.Now()
		p := &page{onSay: func() {
			if said++; said == at {
				stopped = time.Now()
				cancel()
			}
		}}
		_, err := Run(ctx, Options{Stage: p, Clock: hostClock()})
		if took := time.Since(stopped); !errors.Is(err, context.Canceled) || took > 5*time.Second {
			t.Errorf("%v, %s after it was stopped", err, took)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("left behind: %v %v", left, err)
		}
	}
}
