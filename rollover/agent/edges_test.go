package agent

import (
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/dnsprovider/memory"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// TestWildcardAnswersMayBeHeld: what a wildcard gave before there was a record at the
// name itself is an answer like any other, and caches may hold it.
func TestWildcardAnswersMayBeHeld(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		const star, longTTL = tlsa.Owner("*._tcp.mx1.example.org."), 8 * time.Minute
		l := w.lineage("mx1")
		l.Policy.Ignore = map[tlsa.Owner]bool{} // it covers them, too
		for _, port := range []int{110, 143, 465, 587, 993, 995, 4190} {
			l.Policy.Ignore[tlsa.Owner(fmt.Sprintf("_%d._tcp.mx1.example.org.", port))] = true
		}
		first, second := w.ca.issue(t, mx1), w.ca.issue(t, mx1)
		w.serve("mx1", first)
		w.zone.Remove(owner25(mx1))
		w.zone.Set(star, tlsa.NewRRset(longTTL, record(t, first)))
		w.zone.Transfer("ns2")
		w.withSenders(func() {
			a := w.open()
			defer w.close(a)
			w.goOn(a, time.Hour, isSteady("mx1", first))
			time.Sleep(10 * time.Minute)
			w.stage("mx1", second)
			begun := time.Now()
			w.goOn(a, time.Hour, func(r Report) bool { return r.State.Lineages["mx1"].Live == second.ID() })
			if took := time.Since(begun); took < longTTL {
				t.Errorf("swapped %s after answers of the wildcard, which live %s", took, longTTL)
			}
			w.goOn(a, time.Hour, isSteady("mx1", second))
			w.served("mx1", second)
			if got := w.stands(star); !slices.Equal(got, []tlsa.Association{record(t, first)}) {
				t.Errorf("the wildcard holds %v", got)
			}
		})
	})
}

// TestTTLIsThatOfTheProvider: a provider that raises the TTL of what it is given makes
// the wait that of what is served.
func TestTTLIsThatOfTheProvider(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		const rounded = 10 * time.Minute
		var err error
		if w.zone, err = memory.New(memory.Options{Name: "example.org", Primary: "ns1", Secondaries: []string{"ns2"}, Now: time.Now, NegativeTTL: recordTTL, MinTTL: rounded}); err != nil {
			t.Fatal(err)
		}
		w.zone.Follow("ns2", 2*time.Second)
		w.dns.zone, w.config.Providers[0].Provider = w.zone, w.zone
		w.lineage("mx1")
		first, second := w.ca.issue(t, mx1), w.ca.issue(t, mx1)
		w.serve("mx1", first)
		w.zone.Remove(owner25(mx1)) // ours is the first RRset
		w.zone.Transfer("ns2")
		w.withSenders(func() {
			a := w.open()
			defer w.close(a)
			w.goOn(a, time.Hour, func(r Report) bool { return isSteady("mx1", first)(r) && len(w.stands(owner25(mx1))) > 0 })
			if got, _ := w.zone.Answer("ns1", owner25(mx1)); got.RRset.TTL != rounded {
				t.Fatalf("the TTL is %s", got.RRset.TTL)
			}
			time.Sleep(20 * time.Minute)
			w.stage("mx1", second)
			begun := time.Now()
			w.goOn(a, time.Hour, func(r Report) bool { return r.State.Lineages["mx1"].Live == second.ID() })
			if took := time.Since(begun); took < rounded {
				t.Errorf("swapped after %s, and the TTL is %s", took, rounded)
			}
		})
	})
}

// TestTwoHostsWriteAtOnce: somebody else changes the RRset when we have read it and not
// yet written. One of the two loses, reads again, and both records stand.
func TestTwoHostsWriteAtOnce(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, first := adopted(w)
		defer w.close(a)
		theirs, second := record(t, w.ca.issue(t, mx1)), w.ca.issue(t, mx1)
		w.zone.Inject(memory.Meanwhile(func() {
			w.zone.Set(owner25(mx1), tlsa.NewRRset(recordTTL, record(t, first), theirs))
		}))
		w.stage("mx1", second)
		lost := 0
		w.withSenders(func() {
			w.goOn(a, time.Hour, func(r Report) bool {
				lost += len(r.Failed)
				return isSteady("mx1", second)(r)
			})
		})
		if lost != 1 {
			t.Errorf("%d changes failed, want the one that was overtaken", lost)
		}
		want := tlsa.NewRRset(0, record(t, second), theirs).Associations
		if got := w.stands(owner25(mx1)); !slices.Equal(got, want) {
			t.Errorf("the zone holds %v, want %v", got, want)
		}
	})
}

// TestSuspend: while the host sleeps, caches do not, and nobody looks. What was on every
// server before is waited for in the meantime; what was not may have been given
// until the first look afterwards.
func TestSuspend(t *testing.T) {
	for name, everywhere := range map[string]bool{"with the record on every server": true, "with an old zone on one": false} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				var asleep time.Duration
				boot := w.config.Clock.Boot
				w.config.Clock.Boot = func() time.Duration { return boot() + asleep }
				w.config.Clock.Wall = func() time.Time { return time.Now().Add(asleep) }
				a, _ := adopted(w)
				defer w.close(a)
				if !everywhere {
					w.zone.Hold("ns2")
				}
				second := w.ca.issue(t, mx1)
				if _, err := a.Offer("mx1", second); err != nil {
					t.Fatal(err)
				}
				passes := 0
				w.goOn(a, time.Hour, func(r Report) bool { passes++; return passes > 8 })
				asleep = 3 * time.Hour
				w.zone.Follow("ns2", 0)
				woken := time.Now()
				r := w.goOn(a, time.Hour, func(r Report) bool { return r.State.Lineages["mx1"].Live == second.ID() })
				if took := time.Since(woken); everywhere && took > 30*time.Second || !everywhere && took < ipub {
					t.Errorf("swapped %s after it woke up\n%s", took, w.story(r))
				}
				w.goOn(a, time.Hour, isSteady("mx1", second))
				w.served("mx1", second)
			})
		})
	}
}

// TestStateIsLostInTheMiddleOfAWait: what is live and what is published is found again by
// what is served and what stands; nobody's record is taken out meanwhile.
func TestStateIsLostInTheMiddleOfAWait(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, first := adopted(w)
		second := w.ca.issue(t, mx1)
		w.stage("mx1", second)
		w.withSenders(func() {
			w.goOn(a, time.Hour, func(r Report) bool { return r.State.Lineages["mx1"].Phase == rollover.Published })
			w.close(a)
			if err := os.RemoveAll(w.config.State); err != nil {
				t.Fatal(err)
			}
			begun := time.Now()
			a = w.open()
			defer w.close(a)
			both := tlsa.NewRRset(0, record(t, first), record(t, second)).Associations
			w.goOn(a, time.Hour, func(r Report) bool {
				if l := r.State.Lineages["mx1"]; l.Live != second.ID() && !slices.Equal(w.stands(owner25(mx1)), both) {
					t.Errorf("before the swap the zone holds %v", w.stands(owner25(mx1)))
					return true
				}
				return r.State.Lineages["mx1"].Live == second.ID()
			})
			if took := time.Since(begun); took < w.config.Timing.UnknownTTL {
				t.Errorf("swapped after %s, as if it were known what caches hold", took)
			}
			w.goOn(a, time.Hour, isSteady("mx1", second))
		})
		w.served("mx1", second)
	})
}

// TestOldCopyOfTheState: a state directory that comes from a backup, or from the machine
// that this one was cloned from, knows an older pair as live. What is served counts.
func TestOldCopyOfTheState(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, _ := adopted(w)
		w.close(a)
		backup := filepath.Join(w.dir, "backup")
		duplicate := func(from, to string) {
			if out, err := exec.Command("cp", "-a", from, to).CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
		}
		duplicate(w.config.State, backup)
		a = w.open()
		second := w.ca.issue(t, mx1)
		w.stage("mx1", second)
		w.withSenders(func() {
			w.goOn(a, time.Hour, isSteady("mx1", second))
			w.close(a)
			time.Sleep(time.Hour)
			if err := os.RemoveAll(w.config.State); err != nil {
				t.Fatal(err)
			}
			duplicate(backup, w.config.State)
			w.config.Clock.BootID = "another machine's"
			a = w.open()
			defer w.close(a)
			w.goOn(a, 6*time.Hour, func(r Report) bool {
				if !slices.Contains(w.stands(owner25(mx1)), record(t, second)) {
					t.Errorf("the record of what is served was taken out\n%s", w.story(r))
					return true
				}
				return isSteady("mx1", second)(r)
			})
			third := w.ca.issue(t, mx1)
			w.stage("mx1", third)
			w.goOn(a, 6*time.Hour, func(r Report) bool { return r.State.Lineages["mx1"].Live == third.ID() })
		})
	})
}

// TestHostIsAnAliasWithRecordsAtBothNames: a sender asks at the name that the host is an
// alias of first, and at its own name if there is nothing. Both must match, though
// they hold different records, and the swap waits for both.
func TestHostIsAnAliasWithRecordsAtBothNames(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		const real = "real.example.org"
		w.dns.secure = true
		w.lineage("mx1")
		w.dns.hosts[real+"."] = w.dns.hosts[mx1+"."]
		delete(w.dns.hosts, mx1+".")
		w.dns.aliases[mx1+"."] = real + "."
		first := w.ca.issue(t, mx1, real)
		w.serve("mx1", first)
		theirs := record(t, w.ca.issue(t, real))
		w.zone.Set(owner25(real), tlsa.NewRRset(5*time.Minute, record(t, first), theirs))
		w.zone.Transfer("ns2")
		w.withSenders(func() {
			a := w.open()
			defer w.close(a)
			w.goOn(a, time.Hour, isSteady("mx1", first))
			time.Sleep(30 * time.Minute)
			second := w.ca.issue(t, mx1, real)
			w.stage("mx1", second)
			begun := time.Now()
			w.goOn(a, time.Hour, func(r Report) bool { return r.State.Lineages["mx1"].Live == second.ID() })
			if took := time.Since(begun); took < 5*time.Minute {
				t.Errorf("swapped after %s, and answers at %s live 5m", took, real)
			}
			w.goOn(a, time.Hour, isSteady("mx1", second))
			if got, want := w.stands(owner25(real)), tlsa.NewRRset(0, record(t, second), theirs).Associations; !slices.Equal(got, want) {
				t.Errorf("at %s stand %v, want %v", real, got, want)
			}
			if got, want := w.stands(owner25(mx1)), []tlsa.Association{record(t, second)}; !slices.Equal(got, want) {
				t.Errorf("at %s stand %v, want %v", mx1, got, want)
			}
		})
	})
}

// TestSecondAlgorithmThatNoRecordMatches: a server that also has an RSA certificate shows
// it to clients that take no other. Each algorithm is offered, so it is found.
func TestSecondAlgorithmThatNoRecordMatches(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.lineage("mx1")
		first, rsa := w.ca.issue(t, mx1), w.ca.issueRSA(t, mx1)
		more := filepath.Join(w.dir, "rsa.pem")
		w.write(more, slices.Concat(rsa.Key.PEM(), rsa.ChainPEM()))
		w.services["192.0.2.25:25"].more = more
		w.serve("mx1", first)
		a := w.open()
		defer w.close(a)
		w.goOn(a, time.Hour, func(r Report) bool {
			return slices.ContainsFunc(r.State.Lineages["mx1"].Warnings, func(v rollover.Warning) bool {
				return v.Code == rollover.CodeServedUnmatched && strings.Contains(v.Text, " presents "+rsa.ID().Short()+", which no published record")
			})
		})
		w.publish(owner25(mx1), record(t, rsa))
		w.goOn(a, time.Hour, func(r Report) bool {
			return !slices.ContainsFunc(r.State.Lineages["mx1"].Warnings, func(v rollover.Warning) bool { return v.Code == rollover.CodeServedUnmatched })
		})
	})
}

// TestConfiguredAddressIsLookedAtInstead: where the way to the public address is barred,
// as port 25 often is, the service is looked at on an address of this host. Without
// that it stays unknown, and the old record stays.
func TestConfiguredAddressIsLookedAtInstead(t *testing.T) {
	for _, configured := range []bool{true, false} {
		inWorld(t, func(t *testing.T, w *world) {
			l := w.lineage("mx1")
			public, loopback := w.services["192.0.2.25:25"], &service{path: w.paths["mx1"]}
			w.services["127.0.0.1:25"] = loopback
			if configured {
				l.Addresses = map[string][]netip.AddrPort{"smtp://" + mx1: {netip.MustParseAddrPort("127.0.0.1:25")}}
			}
			first, second := w.ca.issue(t, mx1), w.ca.issue(t, mx1)
			w.serve("mx1", first)
			a := w.open()
			defer w.close(a)
			w.goOn(a, time.Hour, isSteady("mx1", first))
			before := public.connections()
			public.set(func(s *service) { s.down = true })
			time.Sleep(10 * time.Minute)
			w.stage("mx1", second)
			if configured {
				w.goOn(a, time.Hour, isSteady("mx1", second))
				if before+public.connections() > 0 {
					t.Errorf("%d connections to the public address", before+public.connections())
				}
				return
			}
			begun := time.Now()
			r := w.goOn(a, 3*time.Hour, func(r Report) bool { return r.At.Sub(begun) > time.Hour })
			if isSteady("mx1", second)(r) || !slices.Contains(w.stands(owner25(mx1)), record(t, first)) {
				t.Errorf("what nobody saw counts as served\n%s", w.story(r))
			}
		})
	}
}

// TestNodeThatDNSDoesNotShow: a node in maintenance is in no answer, and comes back with
// the pair it had. Named in the configuration, it keeps its record until it was seen.
func TestNodeThatDNSDoesNotShow(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		l := w.lineage("mx1")
		l.Nodes = []netip.Addr{netip.MustParseAddr("203.0.113.25")}
		away := &service{path: w.paths["mx1"]}
		w.services["203.0.113.25:25"] = away
		first, second := w.ca.issue(t, mx1), w.ca.issue(t, mx1)
		w.serve("mx1", first)
		away.set(func(s *service) { s.stuck, s.down = true, true })
		w.withSenders(func() {
			a := w.open()
			defer w.close(a)
			w.goOn(a, time.Hour, isSteady("mx1", first))
			time.Sleep(5 * time.Minute)
			w.stage("mx1", second)
			w.goOn(a, time.Hour, func(r Report) bool { return r.State.Lineages["mx1"].Live == second.ID() })
			swapped := time.Now()
			w.goOn(a, time.Hour, func(Report) bool { return time.Since(swapped) > 5*time.Minute })
			away.set(func(s *service) { s.down = false }) // with the old pair
			w.goOn(a, time.Hour, func(Report) bool { return time.Since(swapped) > 10*time.Minute })
			if !slices.Contains(w.stands(owner25(mx1)), record(t, first)) {
				t.Error("its record is gone")
			}
			away.set(func(s *service) { s.stuck = false })
			if err := away.reload(); err != nil {
				t.Fatal(err)
			}
			w.goOn(a, time.Hour, isSteady("mx1", second))
			w.served("mx1", second)
		})
	})
}
