package lab

import (
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestCountsBySpan(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	at := func(ms int) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }
	a, b := netip.MustParseAddr("127.77.0.25"), netip.MustParseAddr("127.77.0.26")
	all := newCounts()
	for _, h := range []Handshake{
		{Resolver: 0, Address: a, Begun: at(0), Took: 50 * time.Millisecond, Outcome: Verified, MatchedBy: "3 1 1 aa"},
		{Resolver: 1, Address: b, Begun: at(80), Took: 50 * time.Millisecond, Outcome: Unverified}, // across 100
		{Resolver: 0, Address: a, Begun: at(100), Took: 50 * time.Millisecond, Outcome: Unverified, Output: "no"},
		{Resolver: 1, Address: b, Begun: at(160), Took: 30 * time.Millisecond, Outcome: NoTLS, Output: "nothing"},
		{Resolver: 0, Address: b, Begun: at(200), Took: 40 * time.Millisecond, Outcome: Verified, MatchedBy: "3 1 1 bb"},
	} {
		all.add(h)
	}
	for name, tc := range map[string]struct {
		got  Counts
		want Counts
	}{
		"all": {all, Counts{
			Total: 5, Verified: 2, Failed: 3, ByOutcome: map[Outcome]int{Verified: 2, Unverified: 2, NoTLS: 1},
			MatchedBy: map[string]int{"3 1 1 aa": 1, "3 1 1 bb": 1}, PerResolver: map[int]int{0: 3, 1: 2}, PerAddress: map[netip.Addr]int{a: 2, b: 3},
			FirstFailure: at(80), LastFailure: at(160),
		}},
		"before": {all.Before(at(100)), Counts{
			Total: 1, Verified: 1, ByOutcome: map[Outcome]int{Verified: 1}, MatchedBy: map[string]int{"3 1 1 aa": 1},
			PerResolver: map[int]int{0: 1}, PerAddress: map[netip.Addr]int{a: 1}, Elapsed: 50 * time.Millisecond,
		}},
		"between": {all.Between(at(100), at(200)), Counts{
			Total: 2, Failed: 2, ByOutcome: map[Outcome]int{Unverified: 1, NoTLS: 1}, MatchedBy: map[string]int{},
			PerResolver: map[int]int{0: 1, 1: 1}, PerAddress: map[netip.Addr]int{a: 1, b: 1},
			FirstFailure: at(100), LastFailure: at(160), Elapsed: 90 * time.Millisecond,
		}},
		"since": {all.Since(at(200)), Counts{
			Total: 1, Verified: 1, ByOutcome: map[Outcome]int{Verified: 1}, MatchedBy: map[string]int{"3 1 1 bb": 1},
			PerResolver: map[int]int{0: 1}, PerAddress: map[netip.Addr]int{b: 1}, Elapsed: 40 * time.Millisecond,
		}},
		"of none": {all.Since(at(300)), newCounts()},
	} {
		if diff := cmp.Diff(tc.want, tc.got, cmpopts.IgnoreUnexported(Counts{}), cmpopts.IgnoreFields(Counts{}, "Failures"), cmp.Comparer(func(x, y netip.Addr) bool { return x == y })); diff != "" {
			t.Errorf("%s: -want +got:\n%s", name, diff)
		}
		if len(tc.got.Failures) != tc.got.Failed {
			t.Errorf("%s: %d failures are shown of %d", name, len(tc.got.Failures), tc.got.Failed)
		}
	}
}
