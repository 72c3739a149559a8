package rollover

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// lines are events as kind and text.
func lines(events []Event) []string {
	var out []string
	for _, e := range events {
		out = append(out, string(e.Kind)+": "+e.Text)
	}
	return out
}

func TestDecidedEvents(t *testing.T) {
	early := noon.Add(-time.Hour)
	frozen := &Freeze{Since: early}
	gone, stays, comes := NewWarning(CodeFrozen, "", "it is frozen"), NewWarning(CodeServerUnknown, "192.0.2.53", "no answer"), NewWarning(CodeServerUnknown, "192.0.2.54", "no answer")
	another := stays
	another.Text = "no answer since noon"
	for _, tt := range []struct {
		name    string
		was, is Lineage
		view    LineageView
		want    []string
	}{
		{name: "nothing", was: Lineage{Live: "a", Phase: Steady, Wake: early}, is: Lineage{Live: "a", Phase: Steady, Wake: noon}},
		{name: "staged", was: Lineage{Live: "a", Phase: Steady}, is: Lineage{Live: "a", Successor: "b", Phase: Generated},
			view: LineageView{Offers: []Offer{{Chain: "b"}}}, want: []string{"admitted: b is on its way: from the staged files"}},
		{name: "staged long ago, and refused until now", was: Lineage{Live: "a", Staged: "b"}, is: Lineage{Live: "a", Staged: "b", Successor: "b", Phase: Generated},
			want: []string{"admitted: b is on its way: from the staged files"}},
		{name: "handed in, of a key that stands for long", was: Lineage{Live: "a", Phase: Steady}, is: Lineage{Live: "a", Successor: "b", Phase: Ready},
			view: LineageView{Offers: []Offer{{Chain: "b", Explicit: true}}}, want: []string{"admitted: b is on its way: handed in", "ready: no cache can be without what b needs"}},
		{name: "ordered", was: Lineage{Live: "a"}, is: Lineage{Live: "a", Successor: "b", Phase: Generated},
			view: LineageView{Issuing: Issuing{Chain: "b"}, Offers: []Offer{{Chain: "b"}}}, want: []string{"admitted: b is on its way: ordered here"}},
		{name: "wanted back", was: Lineage{Live: "b"}, is: Lineage{Live: "b", Successor: "a", Recalled: noon, Phase: Generated}, want: []string{"admitted: a is on its way: a person wants it back"}},
		{name: "overtaken", was: Lineage{Live: "a", Successor: "b", Phase: Published}, is: Lineage{Live: "a", Successor: "c", Phase: Generated},
			view: LineageView{Offers: []Offer{{Chain: "c"}}}, want: []string{"admitted: c is on its way in place of b: from the staged files"}},
		{name: "queued", was: Lineage{Live: "a", Successor: "b", Phase: Published}, is: Lineage{Live: "a", Successor: "b", Queued: "c", Phase: Published}, want: []string{"queued: c waits behind b"}},
		{name: "cancelled", was: Lineage{Live: "a", Successor: "b", Phase: Published}, is: Lineage{Live: "a", Phase: Retiring}, want: []string{"dropped: b is not on its way any more"}},
		{name: "on every server", was: Lineage{Successor: "b", Phase: Generated}, is: Lineage{Successor: "b", Phase: Published}, want: []string{"converged: every name server gives what b needs"}},
		{name: "ready", was: Lineage{Successor: "b", Phase: Published}, is: Lineage{Successor: "b", Phase: Ready}, want: []string{"ready: no cache can be without what b needs"}},
		{name: "ready again after a way back", was: Lineage{Live: "a", Successor: "b", Held: &Held{Chain: "b"}}, is: Lineage{Live: "a", Successor: "b", Held: &Held{Chain: "b"}, Phase: Ready}},
		{name: "not ready any more", was: Lineage{Successor: "b", Phase: Ready}, is: Lineage{Successor: "b", Phase: Generated}},
		{name: "verified", was: Lineage{Live: "b", Verified: early}, is: Lineage{Live: "b", Verified: noon}, want: []string{"verified: b is served here"}},
		{name: "over", was: Lineage{Live: "b", Phase: Retiring}, is: Lineage{Live: "b", Phase: Steady, Rollovers: []Period{{Began: early, Ended: noon}}}, want: []string{"over: b is live, and nothing of another one is left; it took 1h0m0s"}},
		{name: "somebody else's", was: Lineage{Live: "a", Successor: "b", Phase: Published}, is: Lineage{Live: "b", Phase: Retiring}, want: []string{"replaced: a -> b: somebody else put it in place"}},
		{name: "found", was: Lineage{}, is: Lineage{Live: "a"}, want: []string{"adopted: a is live: it was found in place"}},
		{name: "frozen", was: Lineage{}, is: Lineage{Frozen: frozen}, want: []string{"frozen: nothing is swapped or retired until it is thawed"}},
		{name: "frozen for longer", was: Lineage{Frozen: frozen}, is: Lineage{Frozen: &Freeze{early, noon}}, want: []string{"frozen: nothing is swapped or retired until 2026-03-01 12:00:00Z"}},
		{name: "frozen once more", was: Lineage{Frozen: frozen}, is: Lineage{Frozen: &Freeze{Since: noon}}},
		{name: "thawed", was: Lineage{Frozen: frozen}, is: Lineage{}, want: []string{"thawed: swaps and retirements go on"}},
		{name: "compromised", was: Lineage{Live: "a"}, is: Lineage{Live: "a", Emergency: noon}, want: []string{"emergency: the key of a was declared compromised"}},
		{name: "and over", was: Lineage{Live: "a", Emergency: early}, is: Lineage{Live: "a"}, want: []string{"emergency-over: the emergency is over that was declared at 2026-03-01 11:00:00Z"}},
		{name: "withdrawn", was: Lineage{}, is: Lineage{Withdrawn: noon}, want: []string{"withdrawn: its records are to leave, and DANE with them"}},
		{name: "wanted again", was: Lineage{Withdrawn: early}, is: Lineage{}, want: []string{"returned: its records are wanted again"}},
		{name: "warnings", was: Lineage{Warnings: []Warning{gone, stays}}, is: Lineage{Warnings: []Warning{another, comes}}, want: []string{"warning: server-unknown: no answer", "cleared: frozen: it is frozen"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			state := func(l Lineage) State { return State{Lineages: map[string]Lineage{"mx1": l, "mx2": {Live: "z"}}} }
			got := Decided(state(tt.was), state(tt.is), Observation{Lineages: map[string]LineageView{"mx1": tt.view}}, noon)
			if diff := cmp.Diff(tt.want, lines(got)); diff != "" {
				t.Error(diff)
			}
			for _, e := range got {
				if e.Lineage != "mx1" || !e.At.Equal(noon) || (e.Kind == Warned || e.Kind == Cleared) != (e.Code != "" && e.Severity != "") {
					t.Errorf("%+v", e)
				}
			}
		})
	}
}

func TestActedEvents(t *testing.T) {
	record := func(digit string) tlsa.Association {
		return tlsa.Association{Params: tlsa.EE, Data: strings.Repeat(digit, 64)}
	}
	one, both := tlsa.NewRRset(time.Hour, record("a")), tlsa.NewRRset(time.Hour, record("a"), record("b"))
	owner := tlsa.Owner("_25._tcp.mx1.example.org.")
	swapping := Lineage{Live: "a", Successor: "b", Queued: "c", Swapping: &Swapping{From: "a", To: "b"}}
	forced := swapping
	forced.Swapping = &Swapping{From: "a", To: "b", Forced: string(CodeDeadline)}
	failed := Result{Err: "reload: exit status 1"}
	for _, tt := range []struct {
		name    string
		was, is Lineage
		action  Action
		r       Result
		want    []string // of both lineages, where records change
	}{
		{name: "published", action: Publish{Change{Owner: owner, Before: one, After: both}}, want: []string{"published: _25._tcp.mx1.example.org.: +(3 1 1 bbbbbbbbbbbb…)", "published: _25._tcp.mx1.example.org.: +(3 1 1 bbbbbbbbbbbb…)"}},
		{name: "published for one", was: Lineage{Standby: record("b")}, action: Publish{Change{Owner: owner, Before: one, After: both}}, want: []string{"published: _25._tcp.mx1.example.org.: +(3 1 1 bbbbbbbbbbbb…)"}},
		{name: "not published", action: Publish{Change{Owner: owner, Before: one, After: both}}, r: Result{Err: "refused"}},
		{name: "retired", was: Lineage{Standby: record("b")}, action: Retire{Change{Owner: owner, Before: both, After: one}}, want: []string{"retired: _25._tcp.mx1.example.org.: -(3 1 1 bbbbbbbbbbbb…)"}},
		{name: "another TTL", was: Lineage{Standby: record("b")}, action: Retime{Change{Owner: owner, Before: one, After: tlsa.NewRRset(time.Minute, record("a"))}}, want: []string{"retimed: _25._tcp.mx1.example.org.: ttl 1h0m0s -> 1m0s", "retimed: _25._tcp.mx1.example.org.: ttl 1h0m0s -> 1m0s"}},
		{name: "swapped, and another one follows", was: swapping, is: Lineage{Live: "b", Successor: "c"}, action: Swap{"mx1", "a", "b"}, want: []string{"swapped: a -> b", "admitted: c is on its way: it waited behind the one before"}},
		{name: "swapped before its time", was: forced, is: Lineage{Live: "b"}, action: Swap{"mx1", "a", "b"}, want: []string{"swapped: a -> b, before every cache has what it needs: deadline"}},
		{name: "the first one", was: Lineage{Successor: "b", Swapping: &Swapping{To: "b"}}, is: Lineage{Live: "b"}, action: Swap{"mx1", "", "b"}, want: []string{"swapped: nothing -> b"}},
		{name: "not swapped", was: swapping, is: swapping, action: Swap{"mx1", "a", "b"}, r: failed, want: []string{"swap-failed: a -> b: nothing was changed: reload: exit status 1"}},
		{name: "swapped in part", was: swapping, is: Lineage{Live: "b", Swapping: &Swapping{From: "a", To: "b", Step: SwapFailed}}, action: Swap{"mx1", "a", "b"}, r: Result{Err: failed.Err, Switched: true}, want: []string{"swap-failed: a -> b: installed, and then: reload: exit status 1"}},
		{name: "back", was: swapping, is: Lineage{Live: "a", Successor: "b", Held: &Held{Chain: "b", Text: "192.0.2.1:25 has no working TLS"}}, action: Back{"mx1", "b", "a"}, want: []string{"rolled-back: b -> a: 192.0.2.1:25 has no working TLS"}},
		{name: "not back", was: swapping, is: swapping, action: Back{"mx1", "b", "a"}, r: failed},
		{name: "adopted", is: Lineage{Live: "a"}, action: Adopt{"mx1", "a"}, want: []string{"adopted: a is live: it was installed and served"}},
		{name: "not adopted", action: Adopt{"mx1", "a"}, r: failed},
		{name: "discarded", action: Discard{[]tlsa.ChainID{"a"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			state := func(l Lineage) State { return State{Lineages: map[string]Lineage{"mx1": l, "mx2": {}}} }
			got := Acted(state(tt.was), state(tt.is), tt.action, tt.r, noon)
			if diff := cmp.Diff(tt.want, lines(got)); diff != "" {
				t.Error(diff)
			}
			if len(tt.want) == 1 && got[0].Lineage != "mx1" {
				t.Errorf("told of %s", got[0].Lineage)
			}
		})
	}
}
