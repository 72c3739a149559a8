package agent

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/certwatch"
	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/dnsprovider/memory"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// Defects seen in other tools, each with what must happen instead.

// TestNothingIsLiveBeforeItsRecord: there, the certificate went live, then the RRset was
// replaced, and a provider that failed once was never asked again.
func TestNothingIsLiveBeforeItsRecord(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, first := adopted(w)
		defer w.close(a)
		for range 4 {
			w.zone.Inject(memory.Fails(dnsprovider.Temporary, errors.New("api: 503")))
		}
		second := w.ca.issue(t, mx1)
		w.stage("mx1", second)
		failed := 0
		w.withSenders(func() {
			w.goOn(a, time.Hour, func(r Report) bool {
				failed += len(r.Failed)
				if w.presents("192.0.2.25:25") == second.Chain.LeafID() && !slices.Contains(w.stands(owner25(mx1)), record(t, second)) {
					t.Error("it is served, and its record is not there")
				}
				return isSteady("mx1", second)(r)
			})
		})
		if failed != 4 {
			t.Errorf("%d failures, want 4", failed)
		}
		w.served("mx1", second)
		want := []tlsa.RRset{tlsa.NewRRset(recordTTL, record(t, first), record(t, second)), tlsa.NewRRset(recordTTL, record(t, second))}
		if got := w.writtenByUs(); !slices.EqualFunc(got, want, tlsa.RRset.Same) {
			t.Errorf("written was %v, want %v", got, want)
		}
	})
}

// TestReloadWithoutEffectKeepsBothRecords: there, what was pruned after a reload went by
// what was served, so that a reload without effect took out the new record.
func TestReloadWithoutEffectKeepsBothRecords(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, first := adopted(w)
		defer w.close(a)
		s := w.services["192.0.2.25:25"]
		s.set(func(s *service) { s.stuck = true })
		second := w.ca.issue(t, mx1)
		w.stage("mx1", second)
		var held time.Time
		w.withSenders(func() {
			w.goOn(a, 12*time.Hour, func(r Report) bool {
				if held.IsZero() && r.State.Lineages["mx1"].Held != nil {
					held = r.At
				}
				return !held.IsZero() && r.At.Sub(held) > 90*time.Minute
			})
			both := tlsa.NewRRset(0, record(t, first), record(t, second)).Associations
			if got := w.stands(owner25(mx1)); !slices.Equal(got, both) {
				t.Errorf("the zone holds %v, want %v", got, both)
			}
			if n := len(w.writtenByUs()); n != 1 {
				t.Errorf("the RRset was written %d times, want once", n)
			}
			s.set(func(s *service) { s.stuck = false })
			w.retry(a, "mx1")
			w.goOn(a, time.Hour, isSteady("mx1", second))
		})
		w.served("mx1", second)
	})
}

// TestWaitIsOfTheTTLThatCachesHave: there, it was that of an option, however long the
// RRset that stood there lived, and a TTL of one second made it two seconds.
func TestWaitIsOfTheTTLThatCachesHave(t *testing.T) {
	for name, ttl := range map[string]time.Duration{"half an hour": 30 * time.Minute, "a second": time.Second} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				w.lineage("mx1") // whose ttl is a minute
				first, second := w.ca.issue(t, mx1), w.ca.issue(t, mx1)
				w.serve("mx1", first)
				w.zone.Set(owner25(mx1), tlsa.NewRRset(ttl, record(t, first)))
				w.zone.Transfer("ns2")
				w.withSenders(func() {
					a := w.open()
					defer w.close(a)
					w.goOn(a, time.Hour, isSteady("mx1", first))
					time.Sleep(ttl + 5*time.Minute)
					if _, err := a.Offer("mx1", second); err != nil {
						t.Fatal(err)
					}
					begun := time.Now()
					w.goOn(a, ttl+3*time.Hour, func(r Report) bool { return r.State.Lineages["mx1"].Live == second.ID() })
					if took, least := time.Since(begun), ttl+w.config.Timing.Floor; took < least || took > least+10*time.Minute {
						t.Errorf("swapped after %s, want %s and little more", took, least)
					}
				})
			})
		})
	}
}

// TestRenewalDuringTheWaitWedgesNothing: there, it did for good.
func TestRenewalDuringTheWaitWedgesNothing(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, _ := adopted(w)
		defer w.close(a)
		second, third := w.ca.issue(t, mx1), w.ca.issue(t, mx1)
		w.withSenders(func() {
			w.stage("mx1", second)
			w.goOn(a, time.Hour, func(r Report) bool { return r.State.Lineages["mx1"].Phase == rollover.Published })
			w.stage("mx1", third)
			wasLive := false
			w.goOn(a, time.Hour, func(r Report) bool {
				wasLive = wasLive || r.State.Lineages["mx1"].Live == second.ID()
				return isSteady("mx1", third)(r)
			})
			if !wasLive {
				t.Error("the pair that waited lost its place")
			}
		})
		w.served("mx1", third)
	})
}

// TestWipedRRsetIsStillWaitedFor: there, an RRset that was gone or not there yet was given
// a minute. What stood there before is held all the same.
func TestWipedRRsetIsStillWaitedFor(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		const ttl = 10 * time.Minute
		w.lineage("mx1")
		first, second := w.ca.issue(t, mx1), w.ca.issue(t, mx1)
		w.serve("mx1", first)
		w.zone.Set(owner25(mx1), tlsa.NewRRset(ttl, record(t, first)))
		w.zone.Transfer("ns2")
		w.withSenders(func() {
			a := w.open()
			defer w.close(a)
			w.goOn(a, time.Hour, isSteady("mx1", first))
			time.Sleep(30 * time.Minute)
			mustPass(t, a, "mx1")
			w.zone.Remove(owner25(mx1))
			w.zone.Transfer("ns2")
			wiped := time.Now()
			if _, err := a.Offer("mx1", second); err != nil {
				t.Fatal(err)
			}
			w.goOn(a, time.Hour, func(r Report) bool { return r.State.Lineages["mx1"].Live == second.ID() })
			if took := time.Since(wiped); took < ttl {
				t.Errorf("swapped %s after the RRset was wiped", took)
			}
		})
	})
}

// TestRecordsOfOthersOutliveARenewal: there, an RRset was replaced whole, and a 2 1 1 that
// the operator had put beside it went with it; or all was deleted first where there
// were not just as many records as expected. It is never empty either.
func TestRecordsOfOthersOutliveARenewal(t *testing.T) {
	for n := range 4 {
		inWorld(t, func(t *testing.T, w *world) {
			a, first := adopted(w)
			defer w.close(a)
			anchor, err := first.Chain.Association(tlsa.TA, 1)
			if err != nil {
				t.Fatal(err)
			}
			theirs := []tlsa.Association{anchor, record(t, w.ca.issue(t, mx1)), record(t, w.ca.issue(t, mx1))}[:n]
			w.publish(owner25(mx1), theirs...)
			time.Sleep(10 * time.Minute)
			second := w.ca.issue(t, mx1)
			w.stage("mx1", second)
			w.withSenders(func() { w.goOn(a, time.Hour, isSteady("mx1", second)) })
			want := tlsa.NewRRset(0, append(slices.Clone(theirs), record(t, second))...)
			if got := w.stands(owner25(mx1)); !slices.Equal(got, want.Associations) {
				t.Errorf("%d of others: the zone holds %v, want %v", n, got, want.Associations)
			}
			for _, s := range w.writtenByUs() {
				if s.Denial() || slices.ContainsFunc(theirs, func(a tlsa.Association) bool { return !s.Has(a) }) {
					t.Errorf("%d of others: on the way it held %v", n, s.Associations)
				}
			}
		})
	}
}

// TestAgeOfACertificateShortensNoWait: there, the wait was counted from notBefore, which CAs
// date back, and by the part of the age within a day.
func TestAgeOfACertificateShortensNoWait(t *testing.T) {
	for _, age := range []time.Duration{0, time.Hour, 48*time.Hour + 20*time.Minute} {
		inWorld(t, func(t *testing.T, w *world) {
			w.ca.ahead = -age
			a, _ := adopted(w)
			defer w.close(a)
			second := w.ca.issue(t, mx1)
			if begins := second.Chain.Leaf().NotBefore; time.Since(begins) < age {
				t.Fatalf("it begins at %s", begins)
			}
			begun := time.Now()
			w.stage("mx1", second)
			w.withSenders(func() {
				w.goOn(a, time.Hour, func(r Report) bool { return r.State.Lineages["mx1"].Live == second.ID() })
			})
			if took := time.Since(begun); took < ipub {
				t.Errorf("a pair of the age of %s was swapped in after %s, want %s", age, took, ipub)
			}
		})
	}
}

// TestKeyWithoutItsCertificateIsNeverLive: there, the next key was put in the place of the
// live one before its certificate was ordered. An order that failed left a key that
// did not fit, and the one after it a key that had no record.
func TestKeyWithoutItsCertificateIsNeverLive(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, first := adopted(w)
		defer w.close(a)
		w.stage("mx1", first)
		failed, second := w.ca.issue(t, mx1), w.ca.issue(t, mx1)
		key := w.config.Lineages[0].Staged.Key
		w.withSenders(func() {
			for _, p := range []certwatch.Pair{failed, second} {
				w.write(key, p.Key.PEM())
				begun := time.Now()
				w.goOn(a, time.Hour, func(r Report) bool { return r.At.Sub(begun) > 10*time.Minute })
				w.served("mx1", first)
				if got := w.writtenByUs(); len(got) > 0 {
					t.Errorf("published was %v", got)
				}
			}
			w.stage("mx1", second)
			w.goOn(a, time.Hour, isSteady("mx1", second))
		})
		w.served("mx1", second)
	})
}

// TestFailureLeavesTheRecordsAlone: there, all records were deleted and then made one by
// one, and an error of the API in between left the host without.
func TestFailureLeavesTheRecordsAlone(t *testing.T) {
	for name, fault := range map[string]memory.Fault{
		"before the change": memory.Fails(dnsprovider.Temporary, errors.New("api: 500")),
		"after the change":  memory.LostReply(),
		"never ending":      memory.Slow(time.Hour),
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				a, first := adopted(w)
				defer w.close(a)
				second := w.ca.issue(t, mx1)
				w.zone.Inject(fault)
				w.stage("mx1", second)
				w.withSenders(func() {
					w.goOn(a, time.Hour, func(r Report) bool { return r.State.Lineages["mx1"].Live == second.ID() })
					w.zone.Inject(fault)
					w.goOn(a, time.Hour, isSteady("mx1", second))
				})
				want := []tlsa.RRset{tlsa.NewRRset(recordTTL, record(t, first), record(t, second)), tlsa.NewRRset(recordTTL, record(t, second))}
				if got := w.writtenByUs(); !slices.EqualFunc(got, want, tlsa.RRset.Same) {
					t.Errorf("written was %v, want %v", got, want)
				}
			})
		})
	}
}

// TestSlowNodeKeepsItsRecord: there, the old record left some minutes after the new pair
// was handed out, whenever a node took it.
func TestSlowNodeKeepsItsRecord(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.lineage("mx1", "192.0.2.25", "203.0.113.25")
		first := w.ca.issue(t, mx1)
		w.serve("mx1", first)
		slow := w.services["203.0.113.25:25"]
		slow.set(func(s *service) { s.stuck = true })
		w.withSenders(func() {
			a := w.open()
			defer w.close(a)
			w.goOn(a, time.Hour, isSteady("mx1", first))
			time.Sleep(5 * time.Minute)
			second := w.ca.issue(t, mx1)
			w.stage("mx1", second)
			w.goOn(a, time.Hour, func(r Report) bool { return r.State.Lineages["mx1"].Live == second.ID() })
			swapped := time.Now()
			w.goOn(a, time.Hour, func(r Report) bool {
				return !slices.Contains(w.stands(owner25(mx1)), record(t, first)) || time.Since(swapped) > 20*time.Minute
			})
			if got, want := w.stands(owner25(mx1)), tlsa.NewRRset(0, record(t, first), record(t, second)).Associations; !slices.Equal(got, want) {
				t.Errorf("after 20 minutes the zone holds %v, want %v", got, want)
			}
			slow.set(func(s *service) { s.stuck = false })
			if err := slow.reload(); err != nil {
				t.Fatal(err)
			}
			w.goOn(a, time.Hour, isSteady("mx1", second))
			w.served("mx1", second)
		})
	})
}

// TestFirstStartUsesNoKeyAtOnce: there, a start without the file that remembers the last
// record put a new key in service at once. What caches hold is not known then.
func TestFirstStartUsesNoKeyAtOnce(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.lineage("mx1")
		first, second := w.ca.issue(t, mx1), w.ca.issue(t, mx1)
		w.serve("mx1", first)
		w.stage("mx1", second)
		begun := time.Now()
		w.withSenders(func() {
			a := w.open()
			defer w.close(a)
			w.goOn(a, time.Hour, func(r Report) bool { return r.State.Lineages["mx1"].Live == second.ID() })
			if took, least := time.Since(begun), w.config.Timing.UnknownTTL+w.config.Timing.Floor; took < least {
				t.Errorf("swapped after %s, want %s at least", took, least)
			}
			w.goOn(a, time.Hour, isSteady("mx1", second)) // and nobody has to take the old record out
		})
		w.served("mx1", second)
	})
}
