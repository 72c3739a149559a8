package rollover

import (
	"slices"
	"testing"
	"time"
)

func TestPeriods(t *testing.T) {
	at := func(minute int) time.Time { return time.Date(2026, 3, 1, 12, minute, 0, 0, time.UTC) }
	done := Period{Began: at(1), Swapped: at(2), Ended: at(3)}
	for _, test := range []struct {
		name string
		l    Lineage
		want []Period // at minute 9
	}{
		{"nothing on its way", Lineage{Phase: Steady, Swapped: at(0)}, nil},
		{"a pair was admitted", Lineage{Phase: Generated, Successor: "b", Since: at(8), Swapped: at(2), Rollovers: []Period{done}}, []Period{done, {Began: at(8)}}},
		{"no pair, and records are out of place", Lineage{Phase: Retiring, Since: at(4)}, []Period{{Began: at(9)}}},
		{"it goes on", Lineage{Phase: Ready, Successor: "b", Since: at(8), Rollovers: []Period{{Began: at(8)}}}, []Period{{Began: at(8)}}},
		{"swapped", Lineage{Phase: Retiring, Since: at(9), Swapped: at(9), Rollovers: []Period{{Began: at(8)}}}, []Period{{Began: at(8), Swapped: at(9)}}},
		{"the queued pair follows", Lineage{Phase: Generated, Successor: "c", Since: at(9), Swapped: at(9), Rollovers: []Period{{Began: at(8)}}}, []Period{{Began: at(8), Swapped: at(9)}}},
		{"over", Lineage{Phase: Steady, Since: at(8), Swapped: at(8), Rollovers: []Period{{Began: at(7), Swapped: at(8)}}}, []Period{{Began: at(7), Swapped: at(8), Ended: at(9)}}},
		{"cancelled", Lineage{Phase: Steady, Swapped: at(2), Rollovers: []Period{done, {Began: at(8)}}}, []Period{done, {Began: at(8), Ended: at(9)}}},
	} {
		before := slices.Clone(test.l.Rollovers)
		if got := test.l.periods(at(9)); !slices.Equal(got, test.want) {
			t.Errorf("%s: got %v\nwant %v", test.name, got, test.want)
		}
		if !slices.Equal(test.l.Rollovers, before) {
			t.Errorf("%s: what others may hold was written to", test.name)
		}
	}
	var l Lineage
	for minute := range 2 * periodsKept {
		for _, l.Phase = range []Phase{Retiring, Steady} {
			l.Rollovers = l.periods(at(minute))
		}
	}
	if n := len(l.Rollovers); n != periodsKept || l.Rollovers[n-1].Began != at(2*periodsKept-1) || l.Rollovers[0].Began != at(periodsKept) {
		t.Errorf("%d are kept: %v", n, l.Rollovers)
	}
}
