package rollover_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/internal/sim"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// DESIGN 4.1: what any server may be giving is being served.

func TestServerThatLagsPutsOffTheWait(t *testing.T) {
	w, issuer, _ := sim.Rolled(t, "ee")
	w.Servers[1].Lag = 3 * time.Minute
	second := w.Renew(issuer)
	took := w.Until(10*time.Minute, w.Swapped(second))
	w.Took("the swap", took, 3*time.Minute+sim.Ipub, 3*time.Second)
}

func TestSilentServerMayGiveAnything(t *testing.T) {
	w, issuer, _ := sim.Rolled(t, "ee")
	second := w.Renew(issuer)
	w.Run(30 * time.Second) // both servers have the record
	w.Servers[1].Hidden = true
	w.Run(5 * time.Minute) // what was given before is long gone, but who knows
	if w.Live() == second || !w.Waits(rollover.CodeServerUnknown) {
		t.Fatalf("swapped while a server was silent\n%s", w.Story())
	}
	w.Servers[1].Hidden = false
	took := w.Until(5*time.Minute, w.Swapped(second))
	w.Took("the swap after the server's return", took, sim.Ipub, 3*time.Second)
}

func TestShortSilenceDoesNotCount(t *testing.T) {
	w, issuer, _ := sim.Rolled(t, "ee")
	second := w.Renew(issuer)
	w.Run(30 * time.Second)
	w.Servers[1].Hidden = true
	w.Run(40 * time.Second)
	w.Servers[1].Hidden = false
	took := 70*time.Second + w.Until(5*time.Minute, w.Swapped(second))
	w.Took("the swap", took, 5*time.Second+sim.Ipub, 4*time.Second)
}

func TestRecordTakenOutByHandStartsTheWaitAgain(t *testing.T) {
	w, issuer, first := sim.Rolled(t, "ee")
	second := w.Renew(issuer)
	w.Run(60 * time.Second)
	old := tlsa.NewRRset(time.Minute, w.Record(tlsa.EE, first))
	w.Edit(sim.Owner25(t), func(tlsa.RRset) tlsa.RRset { return old })
	took := w.Until(10*time.Minute, w.Swapped(second))
	// Seen with a look, published again, 5 s until it is everywhere.
	if took < sim.Ipub+5*time.Second {
		t.Errorf("swapped %s after an old zone was restored\n%s", took, w.Story())
	}
}

func TestOldZoneOnThePrimaryStopsTheSwap(t *testing.T) {
	w, issuer, first := sim.Rolled(t, "ee")
	second := w.Renew(issuer)
	w.Run(45 * time.Second)
	if ready := w.Lineage().ReadyAt; ready.Sub(w.Now) < 10*time.Second || ready.Sub(w.Now) > 40*time.Second {
		t.Fatalf("ready at %s\n%s", ready.Sub(sim.Epoch), w.Story())
	}
	for _, s := range w.Servers {
		s.Lag = 2 * time.Minute
	}
	w.Edit(sim.Owner25(t), func(tlsa.RRset) tlsa.RRset { return tlsa.NewRRset(time.Minute, w.Record(tlsa.EE, first)) })
	w.Run(45 * time.Second)
	if w.Live() == second {
		t.Errorf("swapped although the primary no longer had the record\n%s", w.Story())
	}
	w.Until(5*time.Minute, w.Done(second))
}

func TestLostUpdateDoesNotStandInTheWay(t *testing.T) {
	w, issuer, _ := sim.Rolled(t, "ee")
	w.Faults["lost publish"] = "timeout"
	second := w.Renew(issuer)
	took := w.Until(10*time.Minute, w.Swapped(second))
	w.Took("the swap", took, 5*time.Second+sim.Ipub, 4*time.Second)
}

// The change was made, so that nobody is told, least of all with the next one.
func TestLostReplyIsNotToldLater(t *testing.T) {
	w, issuer, _ := sim.Rolled(t, "ee")
	w.Faults["lost publish"] = "timeout"
	second := w.Renew(issuer)
	w.Until(10*time.Minute, func() bool {
		if w.Warns(rollover.CodeUpdateFailed) {
			t.Fatalf("told of a change that was made\n%s", w.Story())
		}
		return w.Done(second)()
	})
}

func TestFailingUpdateIsToldAndTriedAgain(t *testing.T) {
	w, issuer, _ := sim.Rolled(t, "ee")
	w.Faults["publish"] = "REFUSED"
	second := w.Renew(issuer)
	w.Until(time.Minute, func() bool { return w.Waits(rollover.CodeUpdateFailed) && w.Warns(rollover.CodeUpdateFailed) })
	w.Until(5*time.Minute, w.Done(second))
	if w.Warns(rollover.CodeUpdateFailed) {
		t.Error("the warning stays")
	}
}

func TestSpanWithoutLooksCountsAsServed(t *testing.T) {
	w, issuer, _ := sim.Rolled(t, "ee")
	w.Servers[1].Lag = 2 * time.Minute
	second := w.Renew(issuer)
	w.Run(30 * time.Second)
	w.Plan, w.Policy.Timing.Poll = rollover.Plan{LookDNS: w.Now.Add(10 * time.Minute), LookServed: w.Now.Add(10 * time.Minute)}, 10*time.Minute
	took := w.Until(20*time.Minute, w.Swapped(second)) // nobody looks for 10 minutes
	w.Took("the swap", took, 9*time.Minute+sim.Ipub, time.Minute+3*time.Second)
}

func TestDenialVouchesForAnything(t *testing.T) {
	w, issuer, _ := sim.Rolled(t, "ee")
	w.Careless = true
	w.Edit(sim.Owner25(t), func(s tlsa.RRset) tlsa.RRset { return tlsa.RRset{} })
	w.Everywhere()
	w.Run(time.Minute) // until it was seen
	second := w.Issue(issuer, sim.Leaf{})
	l := w.State.Owners[sim.Owner25(t)]
	if !slices.ContainsFunc(l.Versions, func(v rollover.Version) bool { return v.RRset.Denial() && !v.Unknown }) {
		t.Errorf("there is no denial in the ledger\n%s", w.Story())
	}
	for _, v := range l.Versions {
		if got, want := rollover.Accepts(w.State, rollover.Observation{Chains: w.Chains}, w.Policy, w.Now, "mx1", v, w.Chains[second], sim.Owner25(t)), v.RRset.Denial() && !v.Unknown; got != want {
			t.Errorf("version %v accepts a new pair: %t, want %t", v.RRset, got, want)
		}
	}
}

// DESIGN 4.2: when a version is dead.

func TestPublicationInterval(t *testing.T) {
	for _, tt := range []struct {
		timing rollover.Timing
		ttl    time.Duration
		want   time.Duration
	}{
		{rollover.DefaultTiming(), time.Hour, 2 * time.Hour},
		{rollover.DefaultTiming(), 30 * time.Minute, 90 * time.Minute},
		{rollover.DefaultTiming(), 5 * time.Minute, 65 * time.Minute},
		{rollover.DefaultTiming(), 24 * time.Hour, 48 * time.Hour},
		{rollover.Timing{TTLs: 1, Floor: time.Minute}, time.Hour, 61 * time.Minute},
		{rollover.Timing{TTLs: 1}, time.Hour, time.Hour + 2*time.Second}, // a floor under 2 s is raised
		{rollover.Timing{TTLs: 0, Floor: time.Second}, 0, 2 * time.Second},
	} {
		t.Run(fmt.Sprintf("%d×%s+%s", tt.timing.TTLs, tt.ttl, tt.timing.Floor), func(t *testing.T) {
			if got := tt.timing.PublicationInterval(tt.ttl); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestWaitIsOfTheTTLThatWasServed(t *testing.T) {
	w, issuer, _ := sim.Rolled(t, "ee")
	w.Edit(sim.Owner25(t), func(s tlsa.RRset) tlsa.RRset { s.TTL = 5 * time.Minute; return s })
	w.Run(15 * time.Minute)
	second := w.Renew(issuer)
	took := w.Until(20*time.Minute, w.Swapped(second))
	w.Took("the swap", took, 5*time.Second+5*time.Minute+10*time.Second, 7*time.Second)
}

func TestAnycastMargin(t *testing.T) {
	w, issuer, _ := sim.Rolled(t, "ee")
	w.Policy.Margin["ns1"] = 15 * time.Minute
	second := w.Renew(issuer)
	took := w.Until(30*time.Minute, w.Swapped(second))
	w.Took("the swap", took, 5*time.Second+sim.Ipub+15*time.Minute, 3*time.Second)
}

// DESIGN 4.3: readiness follows from the versions alone.

func TestSameKeySwapsAtOnce(t *testing.T) {
	w, issuer, _ := sim.Rolled(t, "ee")
	key := w.NewKey()
	second := w.Issue(issuer, sim.Leaf{Key: key})
	w.Offer(second)
	w.Until(10*time.Minute, w.Done(second))
	third := w.Issue(issuer, sim.Leaf{Key: key})
	w.Offer(third)
	w.Took("a renewal with the same key", w.Until(time.Minute, w.Swapped(third)), 0, time.Second)
}

func TestUnchangedIssuerSwapsAtOnce(t *testing.T) {
	w, issuer, _ := sim.Rolled(t, "ta")
	second := w.Renew(issuer)
	w.Took("a renewal by the same issuer", w.Until(time.Minute, w.Swapped(second)), 0, time.Second)
}

func TestStandbyKeySwapsAtOnce(t *testing.T) {
	w, issuer, _ := sim.Rolled(t, "ee+standby")
	key := w.NewKey()
	w.Hosts["mx1"].Standby = w.KeyRecord(key)
	w.Run(5 * time.Minute)
	second := w.Issue(issuer, sim.Leaf{Key: key})
	w.Hosts["mx1"].Standby = w.KeyRecord(w.NewKey())
	w.Offer(second)
	w.Took("a renewal with the standby key", w.Until(time.Minute, w.Swapped(second)), 0, time.Second)
	w.Until(5*time.Minute, w.Steady)
	w.Stands(w.Record(tlsa.EE, second), w.Hosts["mx1"].Standby)
}

func TestRecordPublishedByHandCounts(t *testing.T) {
	w, issuer, _ := sim.Rolled(t, "ee")
	second := w.Issue(issuer, sim.Leaf{})
	w.Edit(sim.Owner25(t), func(s tlsa.RRset) tlsa.RRset { return s.With(w.Record(tlsa.EE, second)) })
	w.Run(5 * time.Minute)
	w.Offer(second)
	w.Took("a renewal whose record stands", w.Until(time.Minute, w.Swapped(second)), 0, time.Second)
}

func TestLoweredTTLShortensTheNextWait(t *testing.T) {
	w, issuer, _ := sim.Rolled(t, "ee")
	w.Hosts["mx1"].Orders = rollover.Orders{TTL: 20 * time.Second}
	w.Until(time.Minute, func() bool { return w.Zone[sim.Owner25(t)].RRset.TTL == 20*time.Second })
	second := w.Renew(issuer)
	took := w.Until(5*time.Minute, w.Swapped(second))
	w.Took("the first swap", took, 5*time.Second+sim.Ipub, 3*time.Second) // shortens no wait that has begun
	w.Until(5*time.Minute, w.Steady)
	w.Run(2 * time.Minute)
	third := w.Renew(issuer)
	took = w.Until(5*time.Minute, w.Swapped(third))
	w.Took("the next one", took, 35*time.Second, 3*time.Second)
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
			w := sim.NewWorld(t)
			w.Policy.Timing.UnknownTTL = tt.unknown
			w.Configure(func(p *rollover.LineagePolicy) { p.KnownTTL = tt.known })
			key, issuer := w.NewKey(), w.CA("Issuer A", nil)
			w.Serving("mx1", w.Issue(issuer, sim.Leaf{Key: key}))
			second := w.Issue(issuer, sim.Leaf{Key: key}) // but for the unknown it is ready
			w.Offer(second)
			w.Took("the swap", w.Until(20*time.Minute, w.Swapped(second)), tt.want+10*time.Second, time.Second)
		})
	}
}

func TestNewEndpointStartsCold(t *testing.T) {
	w, issuer, first := sim.Rolled(t, "ee")
	imaps := rollover.Endpoint{URL: "imaps://" + sim.MX, Host: sim.MX, Port: 993, Owner: sim.OwnerOf(t, 993, sim.MX)}
	w.Policy.Timing.UnknownTTL = 10 * time.Minute
	w.Configure(func(p *rollover.LineagePolicy) { p.Endpoints = append(p.Endpoints, imaps) })
	w.Run(time.Minute)
	if !w.Zone[imaps.Owner].RRset.Has(w.Record(tlsa.EE, first)) {
		t.Fatalf("nothing was published at the new endpoint\n%s", w.Story())
	}
	second := w.Renew(issuer)
	took := w.Until(20*time.Minute, w.Swapped(second))
	w.Took("the swap", took, 9*time.Minute+10*time.Second, time.Second)
}

func TestWordOfTheOperatorCountsLater(t *testing.T) {
	w, issuer, _ := sim.Rolled(t, "ee")
	imaps := rollover.Endpoint{URL: "imaps://" + sim.MX, Host: sim.MX, Port: 993, Owner: sim.OwnerOf(t, 993, sim.MX)}
	w.Policy.Timing.UnknownTTL = time.Hour
	w.Configure(func(p *rollover.LineagePolicy) { p.Endpoints = append(p.Endpoints, imaps) })
	second := w.Renew(issuer)
	w.Run(5 * time.Minute)
	w.Configure(func(p *rollover.LineagePolicy) { p.KnownTTL = time.Minute })
	w.Took("the swap", w.Until(time.Minute, w.Swapped(second)), 0, 21*time.Second)
}

func TestServersNobodyAnsweredForAreNoHistory(t *testing.T) {
	w := sim.NewWorld(t)
	issuer := w.CA("Issuer A", nil)
	key := w.NewKey()
	w.Serving("mx1", w.Issue(issuer, sim.Leaf{Key: key}))
	second := w.Issue(issuer, sim.Leaf{Key: key})
	w.NSErr = "parent: SERVFAIL"
	w.Offer(second)
	w.Run(10 * time.Minute)
	w.NSErr = ""
	took := w.Until(20*time.Minute, w.Swapped(second))
	if took < sim.Ipub {
		t.Errorf("swapped %s after the first look that saw a server\n%s", took, w.Story())
	}
}
