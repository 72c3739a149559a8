package rollover_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/internal/sim"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// What is amiss while nothing waits for it is told, names what it is about, and
// is over when it is mended. Where it may be over in a moment, it is not told at
// once.
func TestWarningsAtRest(t *testing.T) {
	every := func(w *sim.World, view func(*rollover.ServerView)) {
		for _, s := range w.Servers {
			s.View = view
		}
	}
	for _, tt := range []struct {
		name  string
		code  rollover.Code
		about string
		says  string // part of the text
		quiet time.Duration
		told  time.Duration // after quiet
		amiss func(w *sim.World)
		mend  func(w *sim.World)
		over  time.Duration // after it was mended
	}{
		{name: "a server is silent", code: rollover.CodeServerUnknown, about: "192.0.2.54", quiet: 50 * time.Second, told: time.Minute, over: time.Minute,
			says:  "ns2.example.org. (192.0.2.54) gives no answer for _25._tcp.mx1.example.org. since 2026-01-01 00:0",
			amiss: func(w *sim.World) { w.Servers[1].Hidden = true },
			mend:  func(w *sim.World) { w.Servers[1].Hidden = false }},
		{name: "an address of a server cannot be asked from here", code: rollover.CodeServerUnknown, about: "192.0.2.54", told: time.Minute, over: time.Minute,
			says:  "ns2.example.org. (192.0.2.54): this host has no route to it",
			amiss: func(w *sim.World) { w.Servers[1].View = func(v *rollover.ServerView) { v.Untested = true } },
			mend:  func(w *sim.World) { every(w, nil) }},
		{name: "a secondary is stuck", code: rollover.CodeNotEverywhere, about: "192.0.2.54", quiet: 14 * time.Minute, told: 3 * time.Minute, over: time.Minute,
			says: "ns2.example.org. (192.0.2.54) does not give what others do at _25._tcp.mx1.example.org., since 2026-01-01 00:0",
			amiss: func(w *sim.World) {
				w.Servers[1].Stuck = true
				other := w.Record(tlsa.EE, w.Issue(nil, sim.Leaf{}))
				w.Foreign[other] = true
				w.Edit(sim.Owner25(w.T), func(s tlsa.RRset) tlsa.RRset { return s.With(other) })
			},
			mend: func(w *sim.World) { w.Servers[1].Stuck = false }},
		{name: "a server does not sign", code: rollover.CodeUnsigned, about: "192.0.2.54", told: time.Minute, over: time.Minute,
			says:  "ns2.example.org. (192.0.2.54) gives _25._tcp.mx1.example.org. without a signature",
			amiss: func(w *sim.World) { w.Servers[1].View = func(v *rollover.ServerView) { v.Unsigned = true } },
			mend:  func(w *sim.World) { every(w, nil) }},
		{name: "a signature ends soon", code: rollover.CodeSignatureEnds, about: "192.0.2.53", told: time.Minute, over: time.Minute,
			says: "ns1.example.org. (192.0.2.53): the signature of _25._tcp.mx1.example.org. ends at ",
			amiss: func(w *sim.World) {
				every(w, func(v *rollover.ServerView) { v.SignedUntil = v.SignedUntil.Add(-239*time.Hour - 58*time.Minute) })
			},
			mend: func(w *sim.World) { every(w, nil) }},
		{name: "the servers cannot be found", code: rollover.CodeServersUnknown, about: "_25._tcp.mx1.example.org.", quiet: 50 * time.Second, told: time.Minute, over: time.Minute,
			says:  "_25._tcp.mx1.example.org.: its servers are not known: parent: SERVFAIL",
			amiss: func(w *sim.World) { w.NSErr = "parent: SERVFAIL" },
			mend:  func(w *sim.World) { w.NSErr = "" }},
		{name: "bogus", code: rollover.CodeZoneBogus, about: "_25._tcp.mx1.example.org.", quiet: 50 * time.Second, told: time.Minute, over: time.Minute,
			says:  "_25._tcp.mx1.example.org. is bogus",
			amiss: func(w *sim.World) { w.Security = rollover.Bogus },
			mend:  func(w *sim.World) { w.Security = rollover.Secure }},
		{name: "indeterminate", code: rollover.CodeZoneIndeterminate, about: "_25._tcp.mx1.example.org.", quiet: 50 * time.Second, told: time.Minute, over: time.Minute,
			says:  "whether _25._tcp.mx1.example.org. is signed is not known",
			amiss: func(w *sim.World) { w.Security = rollover.Indeterminate },
			mend:  func(w *sim.World) { w.Security = rollover.Secure }},
		{name: "insecure, and records stand", code: rollover.CodeZoneInsecure, about: "_25._tcp.mx1.example.org.", quiet: 50 * time.Second, told: time.Minute, over: time.Minute,
			says:  "sign zone example.org.",
			amiss: func(w *sim.World) { w.Security = rollover.Insecure },
			mend:  func(w *sim.World) { w.Policy.AllowInsecure["example.org."] = true }},
		{name: "an address does not answer", code: rollover.CodeEndpointUnseen, about: "192.0.2.1:25", quiet: 50 * time.Second, told: time.Minute, over: time.Minute,
			says:  "192.0.2.1:25 (smtp://mx1.example.org) has not answered since 2026-01-01 00:0",
			amiss: func(w *sim.World) { w.Node().Unseen = true },
			mend:  func(w *sim.World) { w.Node().Unseen = false }},
		{name: "an address has no TLS", code: rollover.CodeNoTLS, about: "192.0.2.1:25", quiet: 50 * time.Second, told: time.Minute, over: time.Minute,
			says:  "192.0.2.1:25 (smtp://mx1.example.org) has had no working TLS since 2026-01-01 00:0",
			amiss: func(w *sim.World) { w.Node().Served = "" },
			mend:  func(w *sim.World) { w.Node().Served = w.Live() }},
		{name: "an endpoint has no address", code: rollover.CodeEndpointUnseen, about: "_25._tcp.mx1.example.org.", told: 3 * time.Minute, over: time.Minute,
			says:  "no address is known of the endpoint at _25._tcp.mx1.example.org.",
			amiss: func(w *sim.World) { w.Node().Gone = true },
			mend:  func(w *sim.World) { w.Node().Gone = false }},
		{name: "frozen", code: rollover.CodeFrozen, told: time.Minute, over: time.Minute,
			says:  "(hint: tlsaroll thaw mx1)",
			amiss: func(w *sim.World) { w.Freeze(time.Time{}) },
			mend:  func(w *sim.World) { w.Thaw() }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w, _, _ := sim.Rolled(t, "ee")
			if w.Warns(tt.code) {
				t.Fatalf("told before it happens\n%s", w.Story())
			}
			w.Careless = true
			tt.amiss(w)
			w.Wait(tt.quiet, func() bool {
				if w.Warns(tt.code) {
					t.Fatalf("told at once\n%s", w.Story())
				}
				return false
			})
			w.Until(tt.told, func() bool { return w.Warns(tt.code) })
			v, _ := w.Warned(tt.code)
			if v.About != tt.about || !strings.Contains(v.Text, tt.says) || v.Severity != tt.code.Severity() {
				t.Errorf("got %+v\nwant about %q, %q", v, tt.about, tt.says)
			}
			if d := w.Described(); !slices.Contains(d.Warnings, v) || strings.Count(d.Explain(w.Now), v.Text) != 1 {
				t.Errorf("not once in the status\n%s", d.Explain(w.Now))
			}
			tt.mend(w)
			w.Until(tt.over, func() bool { return !w.Warns(tt.code) })
		})
	}
}

// What is amiss is looked at again before the next look is due, but not for ever.
func TestTroubleAtRestIsSeenSoon(t *testing.T) {
	for _, tt := range []struct {
		name  string
		code  rollover.Code
		amiss func(w *sim.World)
	}{
		{"a server is silent", rollover.CodeServerUnknown, func(w *sim.World) { w.Servers[1].Hidden = true }},
		{"the servers cannot be found", rollover.CodeServersUnknown, func(w *sim.World) { w.NSErr = "parent: SERVFAIL" }},
		{"indeterminate", rollover.CodeZoneIndeterminate, func(w *sim.World) { w.Security = rollover.Indeterminate }},
		{"an address does not answer", rollover.CodeEndpointUnseen, func(w *sim.World) { w.Node().Unseen = true }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w, _, _ := sim.Rolled(t, "ee")
			w.Policy.Timing.Look = 15 * time.Minute
			w.Run(time.Minute)
			tt.amiss(w)
			w.Until(17*time.Minute, func() bool { return w.Warns(tt.code) })
			w.Run(30 * time.Minute)
			looks, dns, served := 0, w.Ledger().Looked, w.Lineage().Looked.Served
			w.Wait(2*time.Hour, func() bool {
				if l, s := w.Ledger().Looked, w.Lineage().Looked.Served; l.After(dns) || s.After(served) {
					looks, dns, served = looks+1, l, s
				}
				return false
			})
			if looks > 20 {
				t.Errorf("%d looks in two hours\n%s", looks, w.Story())
			}
			if !w.Warns(tt.code) {
				t.Errorf("no longer told\n%s", w.Story())
			}
		})
	}
}

// Two silent servers are two warnings, and a longer silence is none of its own.
func TestWarningsAreToldApart(t *testing.T) {
	w, _, _ := sim.Rolled(t, "ee")
	w.Servers[0].Hidden, w.Servers[1].Hidden = true, true
	w.Run(5 * time.Minute)
	var about []string
	for _, v := range w.Lineage().Warnings {
		if v.Code == rollover.CodeServerUnknown {
			about = append(about, v.About)
		}
	}
	if !slices.Equal(about, []string{"192.0.2.53", "192.0.2.54"}) {
		t.Errorf("told of %v\n%s", about, w.Story())
	}
	before, _ := w.Warned(rollover.CodeServerUnknown)
	w.Run(5 * time.Minute)
	if after, _ := w.Warned(rollover.CodeServerUnknown); after != before {
		t.Errorf("got %v, before it was %v", after, before)
	}
}

// What a moment cures is not told.
func TestMomentsAreNotTold(t *testing.T) {
	w, _, _ := sim.Rolled(t, "ee")
	quiet := slices.Clone(w.Lineage().Warnings)
	w.Servers[1].Hidden, w.Node().Unseen = true, true
	w.Run(40 * time.Second)
	w.Servers[1].Hidden, w.Node().Unseen = false, false
	w.Security = rollover.Indeterminate
	w.Run(40 * time.Second)
	w.Security, w.NSErr = rollover.Secure, "parent: SERVFAIL"
	w.Run(40 * time.Second)
	w.NSErr = ""
	w.Run(time.Minute)
	if got := w.Lineage().Warnings; !slices.Equal(got, quiet) {
		t.Errorf("told %v", got)
	}
}

func TestServerThatTheDelegationDroppedIsTold(t *testing.T) {
	w, _, _ := sim.Rolled(t, "ee")
	old := w.Server("ns3.example.net.", 0)
	old.NSTTL = 10 * time.Minute
	w.Run(time.Minute)
	w.Unlist(old)
	w.Run(time.Minute)
	v, told := w.Warned(rollover.CodeServerUnlisted)
	if !told || v.About != old.Address || v.Severity != rollover.Info || !strings.HasPrefix(v.Text, "ns3.example.net. (192.0.2.55) is no longer named in the NS records: what it gives counts until ") {
		t.Errorf("got %+v\n%s", v, w.Story())
	}
	w.Until(15*time.Minute, func() bool { return !w.Warns(rollover.CodeServerUnlisted) })
	_, until, _ := strings.Cut(v.Text, " until ")
	if end, err := time.Parse("2006-01-02 15:04:05Z", until); err != nil || w.Now.Before(end) || w.Now.Sub(end) > 30*time.Second || end.Before(old.Off.Add(10*time.Minute)) {
		t.Errorf("over at %s, said was %s", rollover.Stamp(w.Now), until)
	}
}

// A live certificate without a successor is told of before it ends, and when it has.
func TestLiveCertificateEndsWithoutSuccessor(t *testing.T) {
	w, issuer, _ := sim.Rolled(t, "ee")
	short := w.Issue(issuer, sim.Leaf{Begins: w.Now, Ends: w.Now.Add(60 * time.Minute)})
	w.Offer(short)
	w.Until(10*time.Minute, w.Done(short))
	w.Until(time.Hour, func() bool { return w.Warns(rollover.CodeExpiresSoon) })
	end := w.Chains[short].NotAfter()
	if left := end.Sub(w.Now); left > 10*time.Minute || left < 9*time.Minute {
		t.Errorf("told %s before the end\n%s", left, w.Story())
	}
	if v, _ := w.Warned(rollover.CodeExpiresSoon); v.About != short.Short() || !strings.Contains(v.Text, rollover.Stamp(end)) || v.Severity != rollover.Warn {
		t.Errorf("got %+v", v)
	}
	w.Run(10 * time.Minute)
	if v, told := w.Warned(rollover.CodeExpired); !told || v.About != short.Short() || v.Severity != rollover.Danger || w.Warns(rollover.CodeExpiresSoon) {
		t.Errorf("got %+v\n%s", v, w.Story())
	}
	w.Renew(issuer)
	w.Run(30 * time.Second)
	if w.Warns(rollover.CodeExpired) || w.Warns(rollover.CodeExpiresSoon) {
		t.Errorf("still told, and a successor is there\n%s", w.Story())
	}
}

// A record that somebody takes out is put back, and told of until no cache lacks it.
func TestRepairNamesWhatWasPutBack(t *testing.T) {
	w, issuer, first := sim.Rolled(t, "ee")
	w.Careless = true
	record := w.Record(tlsa.EE, first)
	theirs := w.Record(tlsa.EE, w.Issue(issuer, sim.Leaf{}))
	w.Foreign[theirs] = true
	w.Edit(sim.Owner25(t), func(tlsa.RRset) tlsa.RRset { return tlsa.NewRRset(time.Minute, theirs) })
	w.Until(2*time.Minute, func() bool { return w.Zone[sim.Owner25(t)].RRset.Has(record) })
	w.Run(5 * time.Second)
	v, told := w.Warned(rollover.CodeRepair)
	if !told || v.About != string(sim.Owner25(t)) || !strings.Contains(v.Text, rollover.Short(record)) {
		t.Fatalf("got %+v\n%s", v, w.Story())
	}
	took := w.Until(5*time.Minute, func() bool { return !w.Warns(rollover.CodeRepair) })
	if took < sim.Ipub-10*time.Second {
		t.Errorf("over after %s, while caches lack it\n%s", took, w.Story())
	}
	if w.Warns(rollover.CodeCachedMismatch) {
		t.Errorf("the one is over, the other is not\n%s", w.Story())
	}
}

// Whole RRsets that are gone are put back, too.
func TestRepairOfAnEmptiedRRset(t *testing.T) {
	w, _, first := sim.Rolled(t, "ee")
	w.Careless = true
	w.Edit(sim.Owner25(t), func(tlsa.RRset) tlsa.RRset { return tlsa.RRset{} })
	w.Until(5*time.Minute, func() bool { return w.Zone[sim.Owner25(t)].RRset.Has(w.Record(tlsa.EE, first)) })
	w.Run(5 * time.Second)
	if v, told := w.Warned(rollover.CodeRepair); !told || !strings.Contains(v.Text, "somebody took out "+rollover.Short(w.Record(tlsa.EE, first))) {
		t.Errorf("got %+v\n%s", v, w.Story())
	}
	w.Until(5*time.Minute, func() bool { return !w.Warns(rollover.CodeRepair) })
}

// A change that failed is no repair when it is tried again.
func TestChangeThatFailedIsNoRepair(t *testing.T) {
	w, issuer, _ := sim.Rolled(t, "ee")
	w.Faults["publish"] = "REFUSED"
	second := w.Renew(issuer)
	w.Wait(time.Hour, func() bool {
		if w.Warns(rollover.CodeRepair) {
			t.Fatalf("told of a repair\n%s", w.Story())
		}
		return w.Done(second)()
	})
}

// Nor is one before which the process died.
func TestChangeThatWasInterruptedIsNoRepair(t *testing.T) {
	w, issuer, _ := sim.Rolled(t, "ee")
	second := w.Renew(issuer)
	publishes := func(a rollover.Action) bool { _, is := a.(rollover.Publish); return is }
	if !w.UntilKilled(time.Minute, sim.BeforeActing, publishes, func() {}) {
		t.Fatal("nothing was published")
	}
	w.Until(time.Hour, func() bool {
		if w.Warns(rollover.CodeRepair) || w.Warns(rollover.CodeUpdateFailed) {
			t.Fatalf("told of %v\n%s", w.Lineage().Warnings, w.Story())
		}
		return w.Done(second)()
	})
	w.Edit(sim.Owner25(t), func(tlsa.RRset) tlsa.RRset { return tlsa.RRset{} })
	w.Until(5*time.Minute, func() bool { return w.Warns(rollover.CodeRepair) })
}

// The provider's own copy is told of while it cannot be read.
func TestCopyThatCannotBeReadIsTold(t *testing.T) {
	w, issuer, _ := sim.Rolled(t, "ee")
	w.Run(2 * time.Minute)
	w.CopyErr = "api: 503"
	second := w.Renew(issuer)
	w.Run(30 * time.Second)
	if v, told := w.Warned(rollover.CodeCopyUnknown); !told || v.About != string(sim.Owner25(t)) || !strings.Contains(v.Text, "api: 503") {
		t.Errorf("got %+v\n%s", v, w.Story())
	}
	w.CopyErr = ""
	w.Run(30 * time.Second)
	if w.Warns(rollover.CodeCopyUnknown) {
		t.Errorf("still told\n%s", w.Story())
	}
	w.Until(5*time.Minute, w.Done(second))
}

// A reason that needs a person is a warning as long as it lasts; one that does not
// is none, unless it keeps a successor for long.
func TestReasonsThatAreTold(t *testing.T) {
	w, issuer, _ := sim.Rolled(t, "ee")
	w.Unlisted = map[tlsa.Owner]string{sim.OwnerOf(t, 465, sim.MX): "resolver: timeout"}
	second := w.Renew(issuer)
	w.Run(10 * time.Minute)
	if !w.Waits(rollover.CodeUnlistedUnknown) || w.Warns(rollover.CodeUnlistedUnknown) {
		t.Errorf("not waited for, or told too soon\n%s", w.Story())
	}
	w.Run(10 * time.Minute)
	if v, told := w.Warned(rollover.CodeUnlistedUnknown); !told || v.About != "_465._tcp.mx1.example.org." {
		t.Errorf("nobody is told\n%s", w.Story())
	}
	w.Unlisted = map[tlsa.Owner]string{}
	w.Hosts["mx1"].Stash[second] = "key and leaf do not fit"
	w.Run(time.Minute)
	if v, told := w.Warned(rollover.CodeStashUnreadable); !told || v.About != second.Short() {
		t.Errorf("nobody is told\n%s", w.Story())
	}
	text := w.Described().Explain(w.Now)
	if strings.Count(text, "key and leaf do not fit") != 1 {
		t.Errorf("not said once\n%s", text)
	}
	w.Hosts["mx1"].Stash[second] = ""
	w.Until(5*time.Minute, w.Done(second))
	if w.Warns(rollover.CodeStashUnreadable) || w.Warns(rollover.CodeUnlistedUnknown) {
		t.Errorf("still told\n%s", w.Story())
	}
}

// The sentence of the wait names the TTL that makes it as long as it is.
func TestWaitNamesTheTTLThatSomebodyRaised(t *testing.T) {
	w, issuer, _ := sim.Rolled(t, "ee")
	w.Edit(sim.Owner25(t), func(s tlsa.RRset) tlsa.RRset { s.TTL = 4 * time.Hour; return s })
	w.Run(30 * time.Second)
	second := w.Renew(issuer)
	w.Run(3 * time.Minute)
	i := slices.IndexFunc(w.Lineage().Waiting, func(r rollover.Reason) bool { return r.Code == rollover.CodeVersionAlive })
	if i < 0 || !strings.Contains(w.Lineage().Waiting[i].Text, "(ttl 4h0m0s)") || !w.Lineage().Waiting[i].Until.After(w.Now.Add(3*time.Hour)) {
		t.Errorf("waits for %v", w.Lineage().Waiting)
	}
	w.Until(6*time.Hour, w.Done(second))
}

// It does not come and go with passes in which nobody asks the provider.
func TestCopyThatCannotBeReadIsToldAllTheTime(t *testing.T) {
	w, issuer, _ := sim.Rolled(t, "ee")
	w.Policy.Timing.Look, w.Policy.Timing.Poll = 15*time.Minute, time.Minute
	w.Edit(sim.Owner25(t), func(s tlsa.RRset) tlsa.RRset { s.TTL = time.Hour; return s })
	w.Run(3 * time.Hour)
	w.Renew(issuer)
	w.Run(30 * time.Minute)
	w.CopyErr = "api: 503"
	w.Until(2*time.Hour, func() bool { return w.Warns(rollover.CodeCopyUnknown) })
	w.Wait(2*time.Hour, func() bool {
		if !w.Warns(rollover.CodeCopyUnknown) {
			t.Fatalf("not told any more, and nobody could read it\n%s", w.Story())
		}
		return false
	})
	w.CopyErr = ""
	w.Until(2*time.Minute, func() bool { return !w.Warns(rollover.CodeCopyUnknown) })
}

// A record that matches and is passed over for a stronger digest is not called none.
func TestServedUnmatchedNamesTheStrongerDigest(t *testing.T) {
	w, _, first := sim.Rolled(t, "ee")
	w.Careless = true
	theirs := w.KeyRecord(w.NewKey())
	theirs.Matching, theirs.Data = tlsa.SHA512, theirs.Data+theirs.Data
	w.Foreign[theirs] = true
	w.Edit(sim.Owner25(t), func(s tlsa.RRset) tlsa.RRset { return s.With(theirs) })
	w.Until(2*time.Minute, func() bool { return w.Warns(rollover.CodeServedUnmatched) })
	want := " matches but for " + rollover.Short(w.Record(tlsa.EE, first)) + ", which clients pass over for " + rollover.Short(theirs) + " (RFC 7671, section 9): senders"
	if v, _ := w.Warned(rollover.CodeServedUnmatched); !strings.Contains(v.Text, want) {
		t.Errorf("got %q, want %q in it", v.Text, want)
	}
}

// The day of which a known set of issuers is, is told while the set is in use; after
// a year it is a warning, and nothing else changes. That it lacks the issuer in use
// is said: the set is to spare the wait for the next one.
func TestKnownSetsOfIssuersAge(t *testing.T) {
	w, issuer, first := sim.Rolled(t, "ee+ta")
	day := w.Now.Truncate(24*time.Hour).AddDate(0, 0, -364) // a year old at midnight
	list := func(as ...tlsa.Association) func(*rollover.LineagePolicy) {
		return func(p *rollover.LineagePolicy) {
			p.Issuers, p.IssuerLists = as, []rollover.IssuerList{{Name: "letsencrypt", AsOf: day}}
		}
	}
	told := func(code rollover.Code) (texts []string) {
		for _, v := range w.Lineage().Warnings {
			if v.Code == code && v.About == "letsencrypt" {
				texts = append(texts, v.Text)
			}
		}
		return texts
	}
	whole := "the known set of issuers letsencrypt is as of " + day.Format(time.DateOnly)
	lacks := whole + "; the live certificate's issuer is not among those published ahead"
	w.Configure(list(w.IssuerRecord(issuer)))
	w.Run(time.Minute)
	if got := told(rollover.CodeIssuerList); !slices.Equal(got, []string{whole}) {
		t.Errorf("told %q, want %q", got, whole)
	}
	w.Configure(list(w.IssuerRecord(w.CA("Issuer B", nil))))
	w.Run(time.Minute)
	if got := told(rollover.CodeIssuerList); !slices.Equal(got, []string{lacks}) {
		t.Errorf("told %q, want %q", got, lacks)
	}
	if got := told(rollover.CodeIssuerListOld); len(got) > 0 {
		t.Errorf("it is old before a year is over: %q", got)
	}
	w.Now = w.Now.Add(25 * time.Hour) // without a daemon
	w.Run(time.Minute)
	if got, info := told(rollover.CodeIssuerListOld), told(rollover.CodeIssuerList); len(got) != 1 || len(info) > 0 || rollover.CodeIssuerListOld.Severity() != rollover.Warn {
		t.Errorf("after a year: %q, %q", got, info)
	}
	if w.Live() != first || !w.Steady() {
		t.Errorf("an old list is more than a warning\n%s", w.Story())
	}
	w.Scheme("ee")
	w.Run(10 * time.Minute)
	if got := told(rollover.CodeIssuerListOld); len(got) > 0 {
		t.Errorf("told of a scheme that needs none: %q", got)
	}
}
