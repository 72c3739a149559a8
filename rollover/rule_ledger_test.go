package rollover

import (
	"fmt"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// DESIGN 4.1: what any server may be giving is being served.

func TestServerThatLagsPutsOffTheWait(t *testing.T) {
	w, issuer, _ := rolled(t, "ee")
	w.servers[1].lag = 3 * time.Minute
	second := w.renew(issuer)
	took := w.until(10*time.Minute, w.swapped(second))
	w.took("the swap", took, 3*time.Minute+ipub, 3*time.Second)
}

func TestSilentServerMayGiveAnything(t *testing.T) {
	w, issuer, _ := rolled(t, "ee")
	second := w.renew(issuer)
	w.run(30 * time.Second) // both servers have the record
	w.servers[1].hidden = true
	w.run(5 * time.Minute) // what was given before is long gone, but who knows
	if w.live() == second || !w.waits(CodeServerUnknown) {
		t.Fatalf("swapped while a server was silent\n%s", w.story())
	}
	w.servers[1].hidden = false
	took := w.until(5*time.Minute, w.swapped(second))
	w.took("the swap after the server's return", took, ipub, 3*time.Second)
}

func TestShortSilenceDoesNotCount(t *testing.T) {
	w, issuer, _ := rolled(t, "ee")
	second := w.renew(issuer)
	w.run(30 * time.Second)
	w.servers[1].hidden = true
	w.run(40 * time.Second)
	w.servers[1].hidden = false
	took := 70*time.Second + w.until(5*time.Minute, w.swapped(second))
	w.took("the swap", took, 5*time.Second+ipub, 4*time.Second)
}

func TestRecordTakenOutByHandStartsTheWaitAgain(t *testing.T) {
	w, issuer, first := rolled(t, "ee")
	second := w.renew(issuer)
	w.run(60 * time.Second)
	old := tlsa.NewRRset(time.Minute, w.record(tlsa.EE, first))
	w.edit(owner25(t), func(tlsa.RRset) tlsa.RRset { return old })
	took := w.until(10*time.Minute, w.swapped(second))
	// Seen with a look, published again, 5 s until it is everywhere.
	if took < ipub+5*time.Second {
		t.Errorf("swapped %s after an old zone was restored\n%s", took, w.story())
	}
}

func TestOldZoneOnThePrimaryStopsTheSwap(t *testing.T) {
	w, issuer, first := rolled(t, "ee")
	second := w.renew(issuer)
	w.run(45 * time.Second)
	if ready := w.lineage().ReadyAt; ready.Sub(w.now) < 10*time.Second || ready.Sub(w.now) > 40*time.Second {
		t.Fatalf("ready at %s\n%s", ready.Sub(epoch), w.story())
	}
	for _, s := range w.servers {
		s.lag = 2 * time.Minute
	}
	w.edit(owner25(t), func(tlsa.RRset) tlsa.RRset { return tlsa.NewRRset(time.Minute, w.record(tlsa.EE, first)) })
	w.run(45 * time.Second)
	if w.live() == second {
		t.Errorf("swapped although the primary no longer had the record\n%s", w.story())
	}
	w.until(5*time.Minute, w.done(second))
}

func TestLostUpdateDoesNotStandInTheWay(t *testing.T) {
	w, issuer, _ := rolled(t, "ee")
	w.faults["lost publish"] = "timeout"
	second := w.renew(issuer)
	took := w.until(10*time.Minute, w.swapped(second))
	w.took("the swap", took, 5*time.Second+ipub, 4*time.Second)
}

func TestFailingUpdateIsToldAndTriedAgain(t *testing.T) {
	w, issuer, _ := rolled(t, "ee")
	w.faults["publish"] = "REFUSED"
	second := w.renew(issuer)
	w.until(time.Minute, func() bool { return w.waits(CodeUpdateFailed) && w.warns(CodeUpdateFailed) })
	w.until(5*time.Minute, w.done(second))
	if w.warns(CodeUpdateFailed) {
		t.Error("the warning stays")
	}
}

func TestSpanWithoutLooksCountsAsServed(t *testing.T) {
	w, issuer, _ := rolled(t, "ee")
	w.servers[1].lag = 2 * time.Minute
	second := w.renew(issuer)
	w.run(30 * time.Second)
	w.plan, w.policy.Timing.Poll = Plan{LookDNS: w.now.Add(10 * time.Minute), LookServed: w.now.Add(10 * time.Minute)}, 10*time.Minute
	took := w.until(20*time.Minute, w.swapped(second)) // nobody looks for 10 minutes
	w.took("the swap", took, 9*time.Minute+ipub, time.Minute+3*time.Second)
}

func TestDenialVouchesForAnything(t *testing.T) {
	w, issuer, _ := rolled(t, "ee")
	w.careless = true
	w.edit(owner25(t), func(s tlsa.RRset) tlsa.RRset { return tlsa.RRset{} })
	w.everywhere()
	w.run(10 * time.Second)
	second := w.issue(issuer, leaf{})
	l := w.state.Owners[owner25(t)]
	x := begin(w.state, Observation{Chains: w.chains}, w.policy, w.now)
	for _, v := range l.Versions {
		if got, want := x.accepts("mx1", v, w.chains[second], owner25(t)), v.RRset.Denial() && !v.Unknown; got != want {
			t.Errorf("version %v accepts a new pair: %t, want %t", v.RRset, got, want)
		}
	}
}

// DESIGN 4.2: when a version is dead.

func TestPublicationInterval(t *testing.T) {
	for _, tt := range []struct {
		timing Timing
		ttl    time.Duration
		want   time.Duration
	}{
		{DefaultTiming(), time.Hour, 2 * time.Hour},
		{DefaultTiming(), 30 * time.Minute, 90 * time.Minute},
		{DefaultTiming(), 5 * time.Minute, 65 * time.Minute},
		{DefaultTiming(), 24 * time.Hour, 48 * time.Hour},
		{Timing{TTLs: 1, Floor: time.Minute}, time.Hour, 61 * time.Minute},
		{Timing{TTLs: 1}, time.Hour, time.Hour + 2*time.Second}, // a floor under 2 s is raised
		{Timing{TTLs: 0, Floor: time.Second}, 0, 2 * time.Second},
	} {
		t.Run(fmt.Sprintf("%d×%s+%s", tt.timing.TTLs, tt.ttl, tt.timing.Floor), func(t *testing.T) {
			if got := tt.timing.PublicationInterval(tt.ttl); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestWaitIsOfTheTTLThatWasServed(t *testing.T) {
	w, issuer, _ := rolled(t, "ee")
	w.edit(owner25(t), func(s tlsa.RRset) tlsa.RRset { s.TTL = 5 * time.Minute; return s })
	w.run(15 * time.Minute)
	second := w.renew(issuer)
	took := w.until(20*time.Minute, w.swapped(second))
	w.took("the swap", took, 5*time.Second+5*time.Minute+10*time.Second, 7*time.Second)
}

func TestAnycastMargin(t *testing.T) {
	w, issuer, _ := rolled(t, "ee")
	w.policy.Margin["ns1"] = 15 * time.Minute
	second := w.renew(issuer)
	took := w.until(30*time.Minute, w.swapped(second))
	w.took("the swap", took, 5*time.Second+ipub+15*time.Minute, 3*time.Second)
}

// DESIGN 4.3: readiness follows from the versions alone.

func TestSameKeySwapsAtOnce(t *testing.T) {
	w, issuer, _ := rolled(t, "ee")
	key := w.newKey()
	second := w.issue(issuer, leaf{key: key})
	w.offer(second)
	w.until(10*time.Minute, w.done(second))
	third := w.issue(issuer, leaf{key: key})
	w.offer(third)
	w.took("a renewal with the same key", w.until(time.Minute, w.swapped(third)), 0, time.Second)
}

func TestUnchangedIssuerSwapsAtOnce(t *testing.T) {
	w, issuer, _ := rolled(t, "ta")
	second := w.renew(issuer)
	w.took("a renewal by the same issuer", w.until(time.Minute, w.swapped(second)), 0, time.Second)
}

func TestStandbyKeySwapsAtOnce(t *testing.T) {
	w, issuer, _ := rolled(t, "ee+standby")
	key := w.newKey()
	w.hosts["mx1"].standby = w.keyRecord(key)
	w.run(5 * time.Minute)
	second := w.issue(issuer, leaf{key: key})
	w.hosts["mx1"].standby = w.keyRecord(w.newKey())
	w.offer(second)
	w.took("a renewal with the standby key", w.until(time.Minute, w.swapped(second)), 0, time.Second)
	w.until(5*time.Minute, w.steady)
	w.stands(w.record(tlsa.EE, second), w.hosts["mx1"].standby)
}

func TestRecordPublishedByHandCounts(t *testing.T) {
	w, issuer, _ := rolled(t, "ee")
	second := w.issue(issuer, leaf{})
	w.edit(owner25(t), func(s tlsa.RRset) tlsa.RRset { return s.With(w.record(tlsa.EE, second)) })
	w.run(5 * time.Minute)
	w.offer(second)
	w.took("a renewal whose record stands", w.until(time.Minute, w.swapped(second)), 0, time.Second)
}

func TestLoweredTTLShortensTheNextWait(t *testing.T) {
	w, issuer, _ := rolled(t, "ee")
	w.hosts["mx1"].orders = Orders{TTL: 20 * time.Second}
	w.until(time.Minute, func() bool { return w.zone[owner25(t)].rrset.TTL == 20*time.Second })
	second := w.renew(issuer)
	took := w.until(5*time.Minute, w.swapped(second))
	w.took("the first swap", took, 5*time.Second+ipub, 3*time.Second) // shortens no wait that has begun
	w.until(5*time.Minute, w.steady)
	w.run(2 * time.Minute)
	third := w.renew(issuer)
	took = w.until(5*time.Minute, w.swapped(third))
	w.took("the next one", took, 35*time.Second, 3*time.Second)
}

// DESIGN 4.4: a name without history.

func TestColdStart(t *testing.T) {
	for _, tt := range []struct {
		name    string
		unknown time.Duration
		known   time.Duration
		want    time.Duration
	}{
		{"unknown-ttl", 10 * time.Minute, 0, 10 * time.Minute},
		{"known-ttl", 10 * time.Minute, 3 * time.Minute, 3 * time.Minute},
		{"never less than what is seen", 10 * time.Second, 0, time.Minute},
		{"known-ttl, and less than what is seen", 10 * time.Minute, 10 * time.Second, time.Minute},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			w.policy.Timing.UnknownTTL = tt.unknown
			w.configure(func(p *LineagePolicy) { p.KnownTTL = tt.known })
			key, issuer := w.newKey(), w.ca("Issuer A", nil)
			w.serving("mx1", w.issue(issuer, leaf{key: key}))
			second := w.issue(issuer, leaf{key: key}) // but for the unknown it is ready
			w.offer(second)
			w.took("the swap", w.until(20*time.Minute, w.swapped(second)), tt.want+10*time.Second, time.Second)
		})
	}
}

func TestNewEndpointStartsCold(t *testing.T) {
	w, issuer, first := rolled(t, "ee")
	imaps := Endpoint{URL: "imaps://" + mx, Host: mx, Port: 993, Owner: ownerOf(t, 993, mx)}
	w.policy.Timing.UnknownTTL = 10 * time.Minute
	w.configure(func(p *LineagePolicy) { p.Endpoints = append(p.Endpoints, imaps) })
	w.run(time.Minute)
	if !w.zone[imaps.Owner].rrset.Has(w.record(tlsa.EE, first)) {
		t.Fatalf("nothing was published at the new endpoint\n%s", w.story())
	}
	second := w.renew(issuer)
	took := w.until(20*time.Minute, w.swapped(second))
	w.took("the swap", took, 9*time.Minute+10*time.Second, time.Second)
}

func TestWordOfTheOperatorCountsLater(t *testing.T) {
	w, issuer, _ := rolled(t, "ee")
	imaps := Endpoint{URL: "imaps://" + mx, Host: mx, Port: 993, Owner: ownerOf(t, 993, mx)}
	w.policy.Timing.UnknownTTL = time.Hour
	w.configure(func(p *LineagePolicy) { p.Endpoints = append(p.Endpoints, imaps) })
	second := w.renew(issuer)
	w.run(5 * time.Minute)
	w.configure(func(p *LineagePolicy) { p.KnownTTL = time.Minute })
	w.took("the swap", w.until(time.Minute, w.swapped(second)), 0, 21*time.Second)
}

func TestServersNobodyAnsweredForAreNoHistory(t *testing.T) {
	w := newWorld(t)
	issuer := w.ca("Issuer A", nil)
	key := w.newKey()
	w.serving("mx1", w.issue(issuer, leaf{key: key}))
	second := w.issue(issuer, leaf{key: key})
	w.nsErr = "parent: SERVFAIL"
	w.offer(second)
	w.run(10 * time.Minute)
	w.nsErr = ""
	took := w.until(20*time.Minute, w.swapped(second))
	if took < ipub {
		t.Errorf("swapped %s after the first look that saw a server\n%s", took, w.story())
	}
}
