package main

import (
	"slices"
	"time"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/lab"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// everywhere is when every server was first seen to give a pair's record.
func (l *life) everywhere(p *lab.Pair) time.Time {
	l.t.Helper()
	return l.given(func(rdata []string) bool { return slices.Contains(rdata, p.TLSA(l.t, tlsa.EE)) })
}

// nowhere is when every server was first seen to give no records.
func (l *life) nowhere() time.Time {
	l.t.Helper()
	return l.given(func(rdata []string) bool { return len(rdata) == 0 })
}

// given is when every server was first seen to give what is wanted.
func (l *life) given(want func(rdata []string) bool) time.Time {
	l.t.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		first, err1 := l.Query(l.t.Context(), l.Primary, lab.Question{Name: lab.Owner(25), Type: "TLSA"})
		second, err2 := l.Query(l.t.Context(), l.Secondary, lab.Question{Name: lab.Owner(25), Type: "TLSA"})
		if err1 == nil && err2 == nil && want(first.RDATA) && want(second.RDATA) {
			return time.Now()
		}
		if time.Now().After(end) {
			l.t.Fatalf("the primary gives %v, %v, and the secondary %v, %v", first, err1, second, err2)
		}
	}
}

// repaired waits until it says that a pair's record was put back.
func (l *life) repaired(p *lab.Pair) {
	l.t.Helper()
	l.eventually(5*time.Second, "repaired", func(s rollover.LineageStatus) bool {
		return says(rollover.CodeRepair, lab.Owner(25), p.TLSA(l.t, tlsa.EE)[:len("3 1 1 0123456789ab")])(s)
	})
}

// mended wants the live pair's record, which somebody has taken out, back at once,
// and a word on who cannot deliver until when. It returns when the last cache has it.
func (l *life) mended(p *lab.Pair) time.Time {
	l.t.Helper()
	begun := time.Now()
	shown := l.everywhere(p)
	l.t.Logf("back on every server after %s", shown.Sub(begun).Round(time.Millisecond))
	if took := shown.Sub(begun); took > 5*time.Second+l.Late(shown) {
		l.t.Errorf("the record is back on every server after %s", took)
	}
	l.repaired(p)
	l.eventually(lifeIpub, "told of what caches hold", func(s rollover.LineageStatus) bool {
		return says(rollover.CodeCachedMismatch, lab.Owner(25))(s)
	})
	return shown.Add(lifeTTL + time.Second)
}

// harmed wants failures from a person's act to a moment at the most, and counts them.
func (l *life) harmed(begun, over time.Time) int {
	l.t.Helper()
	if err := l.hammer.Until(l.t.Context(), func(c lab.Counts) bool { return c.Since(over).Total >= 20 }); err != nil {
		l.t.Error(err)
	}
	counts := l.hammer.Stop()
	meanwhile := counts.Between(begun, over)
	l.t.Logf("%d of %d handshakes failed by the person's act, from %s to %s", meanwhile.Failed, meanwhile.Total, clock(begun), clock(over))
	for _, span := range []struct {
		name string
		lab.Counts
	}{{"before it", counts.Before(begun)}, {"when it was mended", counts.Since(over)}} {
		if span.Failed > 0 || span.Total < 20 {
			l.t.Errorf("%s, %d of %d handshakes failed, want 0 of at least 50\n%s", span.name, span.Failed, span.Total, span.Counts)
		}
	}
	for outcome, n := range counts.ByOutcome {
		if outcome != lab.Verified && outcome != lab.Unverified {
			l.t.Errorf("%d handshakes came to %q", n, outcome)
		}
	}
	return meanwhile.Failed
}
