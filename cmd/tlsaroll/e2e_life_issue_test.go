package main

import (
	"strings"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/lab"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// TestLifeSelfSigned: keys and certificates are made and rolled by schedule, again and
// again, and every sender delivers.
func TestLifeSelfSigned(t *testing.T) {
	t.Parallel()
	const renewals = 3
	l := newLife(t, lab.Options{}, setting{staged: "issue: self-signed\n    lifetime: 30s"})
	seen := map[string]bool{l.state().Live.SPKI: true}
	l.must(exitWaiting, "rollover", "mx1") // what is served is a CA's, and not due for months
	for n := range renewals {
		l.eventually(50*time.Second, "another one", func(s rollover.LineageStatus) bool {
			return s.Live != nil && !seen[s.Live.SPKI] && s.Swapping == nil
		})
		s := l.state()
		seen[s.Live.SPKI] = true
		if left := time.Until(s.Live.NotAfter); left < 0 || left > 30*time.Second {
			t.Errorf("certificate %d ends in %s", n+1, left)
		}
		if s.Renewal == nil || s.Renewal.At == nil || s.Renewal.Tries > 0 {
			t.Errorf("status says of the next order: %+v", s.Renewal)
		}
	}
	l.unharmed(l.hammer, 40)
}

// TestLifeEmergency: a key has leaked, and there is no standby key. What that costs is
// said, and nothing is done before a person accepts it; then it is over in less than a
// wait, and the key is never taken again.
func TestLifeEmergency(t *testing.T) {
	t.Parallel()
	l := newLife(t, lab.Options{}, setting{staged: "issue: self-signed", retire: "1h"})
	leaked := l.Live
	l.eventually(20*time.Second, "steady", live(leaked))
	_, errs := l.must(exitPerson, "rollover", "mx1", "--emergency", "--wait")
	for _, want := range []string{"senders that enforce DANE and hold one defer mail until about ", "can be replayed", "nothing was done: a person has to agree (hint: --yes agrees"} {
		if !strings.Contains(errs.String(), want) {
			t.Errorf("it says nothing of %q:\n%s", want, errs)
		}
	}
	l.asRecipe("nothing was done", errs.String())
	l.only(lab.Owner(25), leaked.TLSA(t, tlsa.EE), someoneElses)

	begun := time.Now()
	out, errs := l.must(exitDone, "rollover", "mx1", "--emergency", "--yes", "--wait")
	took := time.Since(begun)
	t.Logf("over after %s\n%s%s", took, out, errs)
	s := l.state()
	if "3 1 1 "+s.Live.SPKI == leaked.TLSA(t, tlsa.EE) || s.Phase != rollover.Steady {
		t.Errorf("it ends with %s", s.Explain(time.Now()))
	}
	if records := l.records(lab.Owner(25)); len(records) != 2 || strings.Contains(strings.Join(records, "\n"), leaked.TLSA(t, tlsa.EE)) {
		t.Errorf("the zone has %v", records)
	}
	_, errs = l.must(exitPerson, "rollover", "mx1", "--cert", leaked.Fullchain(), "--key", leaked.Privkey())
	if !strings.Contains(errs.String(), string(rollover.CodeKeyCompromised)) {
		t.Errorf("the leaked key is handed in again, and it says\n%s", errs)
	}
	counts := l.hammer.Stop()
	t.Log(counts)
	if late := counts.LastFailure.Sub(begun.Add(took)); late > lifeIpub {
		t.Errorf("the last sender failed %s after it was over", late)
	}
}

// TestLifeEmergencyWithStandby: a key has leaked, and its follower's record has long stood:
// nothing is asked, nobody defers, and it is over in seconds.
func TestLifeEmergencyWithStandby(t *testing.T) {
	t.Parallel()
	l := newLife(t, lab.Options{}, setting{staged: "issue: self-signed", scheme: "ee+standby", retire: "1h"})
	leaked := l.Live
	ready := l.eventually(40*time.Second, "the standby key to be ready", func(s rollover.LineageStatus) bool {
		return live(leaked)(s) && s.Standby != nil && s.Standby.Phase == rollover.Ready
	})
	_, errs := l.must(exitWaiting, "rollover", "mx1", "--emergency")
	begun := time.Now()
	if strings.Contains(errs.String(), "defer mail") || !strings.Contains(errs.String(), "can be replayed") {
		t.Errorf("it says\n%s", errs)
	}
	s := l.eventually(10*time.Second, "over", func(s rollover.LineageStatus) bool {
		return s.Live != nil && s.Live.SPKI == ready.Standby.SPKI && !strings.Contains(strings.Join(s.Endpoints[0].Records, "\n"), leaked.TLSA(t, tlsa.EE))
	})
	t.Logf("over after %s; the next standby key is %v", time.Since(begun), s.Standby)
	out, _ := l.must(exitDone, "history", "mx1")
	if want := "the key of " + ready.Live.ID.Short() + " was declared compromised"; !strings.Contains(out.String(), want) {
		t.Errorf("history does not say that %s:\n%s", want, out)
	}
	l.must(exitPerson, "rollover", "mx1", "--cert", leaked.Fullchain(), "--key", leaked.Privkey())
	l.must(exitPerson, "rollover", "mx1", "--emergency", "--cert", leaked.Fullchain(), "--key", leaked.Privkey())
	l.unharmed(l.hammer, 40)
}

// TestOnceOrders: without a daemon a timer's once places an order that is due, plan says so
// before, and nobody orders twice.
func TestOnceOrders(t *testing.T) {
	t.Parallel()
	h := newHost(t, lab.Options{TTL: lifeTTL, Resolvers: 1, SecondaryLag: time.Second, Records: foreignRecord}, setting{staged: "issue: self-signed\n    lifetime: 30s", knownTTL: "5s"})
	h.must(exitDone, "once") // adopts
	h.must(exitWaiting, "rollover", "mx1")
	first := h.state().Successor
	h.must(exitWaiting, "rollover", "mx1") // goes on with that
	if s := h.state(); first == nil || s.Successor == nil || s.Successor.ID != first.ID {
		t.Fatalf("ordered twice:\n%s", s.Explain(time.Now()))
	}
	passes := func(what string, want func(rollover.LineageStatus) bool) rollover.LineageStatus {
		t.Helper()
		for end := time.Now().Add(2 * time.Minute); ; time.Sleep(time.Second) {
			if s := h.state(); want(s) {
				return s
			}
			if time.Now().After(end) {
				t.Fatalf("not %s:\n%s", what, h.state().Explain(time.Now()))
			}
			h.must(exitDone, "once")
		}
	}
	s := passes("live", func(s rollover.LineageStatus) bool {
		return s.Live.ID == first.ID && s.Phase == rollover.Steady
	})
	out, _ := h.must(exitDone, "plan", "mx1")
	if s.Renewal == nil || s.Renewal.At == nil || s.Renewal.At.After(time.Now()) && strings.Contains(out.String(), "would order") {
		t.Errorf("before it is due: %+v\n%s", s.Renewal, out)
	}
	time.Sleep(time.Until(*s.Renewal.At))
	if out, _ := h.must(exitDone, "plan", "mx1"); !strings.Contains(out.String(), "would order a certificate for mx1.example.org") {
		t.Errorf("when it is due plan says\n%s", out)
	}
	passes("renewed", func(s rollover.LineageStatus) bool { return s.Live.ID != first.ID && s.Swapping == nil })
}
