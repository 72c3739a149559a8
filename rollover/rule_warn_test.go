package rollover

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// warned is lineage mx1's warning with the code, and whether there is one.
func (w *world) warned(code Code) (Warning, bool) {
	i := slices.IndexFunc(w.lineage().Warnings, func(v Warning) bool { return v.Code == code })
	if i < 0 {
		return Warning{}, false
	}
	return w.lineage().Warnings[i], true
}

// What is amiss while nothing waits for it is told, names what it is about, and
// is over when it is mended. Where it may be over in a moment, it is not told at
// once.
func TestWarningsAtRest(t *testing.T) {
	every := func(w *world, view func(*ServerView)) {
		for _, s := range w.servers {
			s.view = view
		}
	}
	for _, tt := range []struct {
		name  string
		code  Code
		about string
		says  string // part of the text
		quiet time.Duration
		told  time.Duration // after quiet
		amiss func(w *world)
		mend  func(w *world)
		over  time.Duration // after it was mended
	}{
		{name: "a server is silent", code: CodeServerUnknown, about: "192.0.2.54", quiet: 50 * time.Second, told: time.Minute, over: time.Minute,
			says:  "ns2.example.org. (192.0.2.54) gives no answer for _25._tcp.mx1.example.org. since 2026-01-01 00:0",
			amiss: func(w *world) { w.servers[1].hidden = true },
			mend:  func(w *world) { w.servers[1].hidden = false }},
		{name: "an address of a server cannot be asked from here", code: CodeServerUnknown, about: "192.0.2.54", told: time.Minute, over: time.Minute,
			says:  "ns2.example.org. (192.0.2.54): this host has no route to it",
			amiss: func(w *world) { w.servers[1].view = func(v *ServerView) { v.Untested = true } },
			mend:  func(w *world) { every(w, nil) }},
		{name: "a secondary is stuck", code: CodeNotEverywhere, about: "192.0.2.54", quiet: 14 * time.Minute, told: 3 * time.Minute, over: time.Minute,
			says: "ns2.example.org. (192.0.2.54) does not give what others do at _25._tcp.mx1.example.org., since 2026-01-01 00:0",
			amiss: func(w *world) {
				w.servers[1].stuck = true
				other := w.record(tlsa.EE, w.issue(nil, leaf{}))
				w.foreign[other] = true
				w.edit(owner25(w.t), func(s tlsa.RRset) tlsa.RRset { return s.With(other) })
			},
			mend: func(w *world) { w.servers[1].stuck = false }},
		{name: "a server does not sign", code: CodeUnsigned, about: "192.0.2.54", told: time.Minute, over: time.Minute,
			says:  "ns2.example.org. (192.0.2.54) gives _25._tcp.mx1.example.org. without a signature",
			amiss: func(w *world) { w.servers[1].view = func(v *ServerView) { v.Unsigned = true } },
			mend:  func(w *world) { every(w, nil) }},
		{name: "a signature ends soon", code: CodeSignatureEnds, about: "192.0.2.53", told: time.Minute, over: time.Minute,
			says: "ns1.example.org. (192.0.2.53): the signature of _25._tcp.mx1.example.org. ends at ",
			amiss: func(w *world) {
				every(w, func(v *ServerView) { v.SignedUntil = v.SignedUntil.Add(-239*time.Hour - 58*time.Minute) })
			},
			mend: func(w *world) { every(w, nil) }},
		{name: "the servers cannot be found", code: CodeServersUnknown, about: "_25._tcp.mx1.example.org.", quiet: 50 * time.Second, told: time.Minute, over: time.Minute,
			says:  "_25._tcp.mx1.example.org.: its servers are not known: parent: SERVFAIL",
			amiss: func(w *world) { w.nsErr = "parent: SERVFAIL" },
			mend:  func(w *world) { w.nsErr = "" }},
		{name: "bogus", code: CodeZoneBogus, about: "_25._tcp.mx1.example.org.", quiet: 50 * time.Second, told: time.Minute, over: time.Minute,
			says:  "_25._tcp.mx1.example.org. is bogus",
			amiss: func(w *world) { w.security = Bogus },
			mend:  func(w *world) { w.security = Secure }},
		{name: "indeterminate", code: CodeZoneIndeterminate, about: "_25._tcp.mx1.example.org.", quiet: 50 * time.Second, told: time.Minute, over: time.Minute,
			says:  "whether _25._tcp.mx1.example.org. is signed is not known",
			amiss: func(w *world) { w.security = Indeterminate },
			mend:  func(w *world) { w.security = Secure }},
		{name: "insecure, and records stand", code: CodeZoneInsecure, about: "_25._tcp.mx1.example.org.", quiet: 50 * time.Second, told: time.Minute, over: time.Minute,
			says:  "sign zone example.org.",
			amiss: func(w *world) { w.security = Insecure },
			mend:  func(w *world) { w.policy.AllowInsecure["example.org."] = true }},
		{name: "an address does not answer", code: CodeEndpointUnseen, about: "192.0.2.1:25", quiet: 50 * time.Second, told: time.Minute, over: time.Minute,
			says:  "192.0.2.1:25 (smtp://mx1.example.org) has not answered since 2026-01-01 00:0",
			amiss: func(w *world) { w.node().unseen = true },
			mend:  func(w *world) { w.node().unseen = false }},
		{name: "an address has no TLS", code: CodeNoTLS, about: "192.0.2.1:25", quiet: 50 * time.Second, told: time.Minute, over: time.Minute,
			says:  "192.0.2.1:25 (smtp://mx1.example.org) has had no working TLS since 2026-01-01 00:0",
			amiss: func(w *world) { w.node().served = "" },
			mend:  func(w *world) { w.node().served = w.live() }},
		{name: "an endpoint has no address", code: CodeEndpointUnseen, about: "_25._tcp.mx1.example.org.", told: 3 * time.Minute, over: time.Minute,
			says:  "no address is known of the endpoint at _25._tcp.mx1.example.org.",
			amiss: func(w *world) { w.node().gone = true },
			mend:  func(w *world) { w.node().gone = false }},
		{name: "frozen", code: CodeFrozen, told: time.Minute, over: time.Minute,
			says:  "(hint: tlsaroll thaw mx1)",
			amiss: func(w *world) { w.freeze(time.Time{}) },
			mend:  func(w *world) { w.thaw() }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w, _, _ := rolled(t, "ee")
			if w.warns(tt.code) {
				t.Fatalf("told before it happens\n%s", w.story())
			}
			w.careless = true
			tt.amiss(w)
			w.wait(tt.quiet, func() bool {
				if w.warns(tt.code) {
					t.Fatalf("told at once\n%s", w.story())
				}
				return false
			})
			w.until(tt.told, func() bool { return w.warns(tt.code) })
			v, _ := w.warned(tt.code)
			if v.About != tt.about || !strings.Contains(v.Text, tt.says) || v.Severity != tt.code.Severity() {
				t.Errorf("got %+v\nwant about %q, %q", v, tt.about, tt.says)
			}
			if d := w.described(); !slices.Contains(d.Warnings, v) || strings.Count(d.Explain(w.now), v.Text) != 1 {
				t.Errorf("not once in the status\n%s", d.Explain(w.now))
			}
			tt.mend(w)
			w.until(tt.over, func() bool { return !w.warns(tt.code) })
		})
	}
}

// What is amiss is looked at again before the next look is due, but not for ever.
func TestTroubleAtRestIsSeenSoon(t *testing.T) {
	for _, tt := range []struct {
		name  string
		code  Code
		amiss func(w *world)
	}{
		{"a server is silent", CodeServerUnknown, func(w *world) { w.servers[1].hidden = true }},
		{"the servers cannot be found", CodeServersUnknown, func(w *world) { w.nsErr = "parent: SERVFAIL" }},
		{"indeterminate", CodeZoneIndeterminate, func(w *world) { w.security = Indeterminate }},
		{"an address does not answer", CodeEndpointUnseen, func(w *world) { w.node().unseen = true }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w, _, _ := rolled(t, "ee")
			w.policy.Timing.Look = 15 * time.Minute
			w.run(time.Minute)
			tt.amiss(w)
			w.until(17*time.Minute, func() bool { return w.warns(tt.code) })
			w.run(30 * time.Minute)
			looks, dns, served := 0, w.ledger().Looked, w.lineage().Looked.Served
			w.wait(2*time.Hour, func() bool {
				if l, s := w.ledger().Looked, w.lineage().Looked.Served; l.After(dns) || s.After(served) {
					looks, dns, served = looks+1, l, s
				}
				return false
			})
			if looks > 20 {
				t.Errorf("%d looks in two hours\n%s", looks, w.story())
			}
			if !w.warns(tt.code) {
				t.Errorf("no longer told\n%s", w.story())
			}
		})
	}
}

// Two silent servers are two warnings, and a longer silence is none of its own.
func TestWarningsAreToldApart(t *testing.T) {
	w, _, _ := rolled(t, "ee")
	w.servers[0].hidden, w.servers[1].hidden = true, true
	w.run(5 * time.Minute)
	var about []string
	for _, v := range w.lineage().Warnings {
		if v.Code == CodeServerUnknown {
			about = append(about, v.About)
		}
	}
	if !slices.Equal(about, []string{"192.0.2.53", "192.0.2.54"}) {
		t.Errorf("told of %v\n%s", about, w.story())
	}
	before, _ := w.warned(CodeServerUnknown)
	w.run(5 * time.Minute)
	if after, _ := w.warned(CodeServerUnknown); after != before {
		t.Errorf("got %v, before it was %v", after, before)
	}
}

// What a moment cures is not told.
func TestMomentsAreNotTold(t *testing.T) {
	w, _, _ := rolled(t, "ee")
	quiet := slices.Clone(w.lineage().Warnings)
	w.servers[1].hidden, w.node().unseen = true, true
	w.run(40 * time.Second)
	w.servers[1].hidden, w.node().unseen = false, false
	w.security = Indeterminate
	w.run(40 * time.Second)
	w.security, w.nsErr = Secure, "parent: SERVFAIL"
	w.run(40 * time.Second)
	w.nsErr = ""
	w.run(time.Minute)
	if got := w.lineage().Warnings; !slices.Equal(got, quiet) {
		t.Errorf("told %v", got)
	}
}

func TestServerThatTheDelegationDroppedIsTold(t *testing.T) {
	w, _, _ := rolled(t, "ee")
	old := w.server("ns3.example.net.", 0)
	old.nsTTL = 10 * time.Minute
	w.run(time.Minute)
	w.unlist(old)
	w.run(time.Minute)
	v, told := w.warned(CodeServerUnlisted)
	if !told || v.About != old.address || v.Severity != Info || !strings.HasPrefix(v.Text, "ns3.example.net. (192.0.2.55) is no longer named in the NS records: what it gives counts until ") {
		t.Errorf("got %+v\n%s", v, w.story())
	}
	w.until(15*time.Minute, func() bool { return !w.warns(CodeServerUnlisted) })
	_, until, _ := strings.Cut(v.Text, " until ")
	if end, err := time.Parse("2006-01-02 15:04:05Z", until); err != nil || w.now.Before(end) || w.now.Sub(end) > 30*time.Second || end.Before(old.off.Add(10*time.Minute)) {
		t.Errorf("over at %s, said was %s", stamp(w.now), until)
	}
}

// A live certificate without a successor is told of before it ends, and when it has.
func TestLiveCertificateEndsWithoutSuccessor(t *testing.T) {
	w, issuer, _ := rolled(t, "ee")
	short := w.issue(issuer, leaf{begins: w.now, ends: w.now.Add(60 * time.Minute)})
	w.offer(short)
	w.until(10*time.Minute, w.done(short))
	w.until(time.Hour, func() bool { return w.warns(CodeExpiresSoon) })
	end := w.chains[short].NotAfter()
	if left := end.Sub(w.now); left > 10*time.Minute || left < 9*time.Minute {
		t.Errorf("told %s before the end\n%s", left, w.story())
	}
	if v, _ := w.warned(CodeExpiresSoon); v.About != short.Short() || !strings.Contains(v.Text, stamp(end)) || v.Severity != Warn {
		t.Errorf("got %+v", v)
	}
	w.run(10 * time.Minute)
	if v, told := w.warned(CodeExpired); !told || v.About != short.Short() || v.Severity != Danger || w.warns(CodeExpiresSoon) {
		t.Errorf("got %+v\n%s", v, w.story())
	}
	w.renew(issuer)
	w.run(30 * time.Second)
	if w.warns(CodeExpired) || w.warns(CodeExpiresSoon) {
		t.Errorf("still told, and a successor is there\n%s", w.story())
	}
}

// A record that somebody takes out is put back, and told of until no cache lacks it.
func TestRepairNamesWhatWasPutBack(t *testing.T) {
	w, issuer, first := rolled(t, "ee")
	w.careless = true
	record := w.record(tlsa.EE, first)
	theirs := w.record(tlsa.EE, w.issue(issuer, leaf{}))
	w.foreign[theirs] = true
	w.edit(owner25(t), func(tlsa.RRset) tlsa.RRset { return tlsa.NewRRset(time.Minute, theirs) })
	w.until(2*time.Minute, func() bool { return w.zone[owner25(t)].rrset.Has(record) })
	w.run(5 * time.Second)
	v, told := w.warned(CodeRepair)
	if !told || v.About != string(owner25(t)) || !strings.Contains(v.Text, short(record)) {
		t.Fatalf("got %+v\n%s", v, w.story())
	}
	took := w.until(5*time.Minute, func() bool { return !w.warns(CodeRepair) })
	if took < ipub-10*time.Second {
		t.Errorf("over after %s, while caches lack it\n%s", took, w.story())
	}
	if w.warns(CodeCachedMismatch) {
		t.Errorf("the one is over, the other is not\n%s", w.story())
	}
}

// Whole RRsets that are gone are put back, too.
func TestRepairOfAnEmptiedRRset(t *testing.T) {
	w, _, first := rolled(t, "ee")
	w.careless = true
	w.edit(owner25(t), func(tlsa.RRset) tlsa.RRset { return tlsa.RRset{} })
	w.until(5*time.Minute, func() bool { return w.zone[owner25(t)].rrset.Has(w.record(tlsa.EE, first)) })
	w.run(5 * time.Second)
	if v, told := w.warned(CodeRepair); !told || !strings.Contains(v.Text, "somebody took out "+short(w.record(tlsa.EE, first))) {
		t.Errorf("got %+v\n%s", v, w.story())
	}
	w.until(5*time.Minute, func() bool { return !w.warns(CodeRepair) })
}

// A change that failed is no repair when it is tried again.
func TestChangeThatFailedIsNoRepair(t *testing.T) {
	w, issuer, _ := rolled(t, "ee")
	w.faults["publish"] = "REFUSED"
	second := w.renew(issuer)
	w.wait(time.Hour, func() bool {
		if w.warns(CodeRepair) {
			t.Fatalf("told of a repair\n%s", w.story())
		}
		return w.done(second)()
	})
}

// The provider's own copy is told of while it cannot be read.
func TestCopyThatCannotBeReadIsTold(t *testing.T) {
	w, issuer, _ := rolled(t, "ee")
	w.run(2 * time.Minute)
	w.copyErr = "api: 503"
	second := w.renew(issuer)
	w.run(30 * time.Second)
	if v, told := w.warned(CodeCopyUnknown); !told || v.About != string(owner25(t)) || !strings.Contains(v.Text, "api: 503") {
		t.Errorf("got %+v\n%s", v, w.story())
	}
	w.copyErr = ""
	w.run(30 * time.Second)
	if w.warns(CodeCopyUnknown) {
		t.Errorf("still told\n%s", w.story())
	}
	w.until(5*time.Minute, w.done(second))
}

// A reason that needs a person is a warning as long as it lasts; one that does not
// is none, unless it keeps a successor for long.
func TestReasonsThatAreTold(t *testing.T) {
	w, issuer, _ := rolled(t, "ee")
	w.unlisted = map[tlsa.Owner]string{ownerOf(t, 465, mx): "resolver: timeout"}
	second := w.renew(issuer)
	w.run(10 * time.Minute)
	if !w.waits(CodeUnlistedUnknown) || w.warns(CodeUnlistedUnknown) {
		t.Errorf("not waited for, or told too soon\n%s", w.story())
	}
	w.run(10 * time.Minute)
	if v, told := w.warned(CodeUnlistedUnknown); !told || v.About != "_465._tcp.mx1.example.org." {
		t.Errorf("nobody is told\n%s", w.story())
	}
	w.unlisted = map[tlsa.Owner]string{}
	w.hosts["mx1"].stash[second] = "key and leaf do not fit"
	w.run(time.Minute)
	if v, told := w.warned(CodeStashUnreadable); !told || v.About != second.Short() {
		t.Errorf("nobody is told\n%s", w.story())
	}
	text := w.described().Explain(w.now)
	if strings.Count(text, "key and leaf do not fit") != 1 {
		t.Errorf("not said once\n%s", text)
	}
	w.hosts["mx1"].stash[second] = ""
	w.until(5*time.Minute, w.done(second))
	if w.warns(CodeStashUnreadable) || w.warns(CodeUnlistedUnknown) {
		t.Errorf("still told\n%s", w.story())
	}
}

// The sentence of the wait names the TTL that makes it as long as it is.
func TestWaitNamesTheTTLThatSomebodyRaised(t *testing.T) {
	w, issuer, _ := rolled(t, "ee")
	w.edit(owner25(t), func(s tlsa.RRset) tlsa.RRset { s.TTL = 4 * time.Hour; return s })
	w.run(30 * time.Second)
	second := w.renew(issuer)
	w.run(3 * time.Minute)
	i := slices.IndexFunc(w.lineage().Waiting, func(r Reason) bool { return r.Code == CodeVersionAlive })
	if i < 0 || !strings.Contains(w.lineage().Waiting[i].Text, "(ttl 4h0m0s)") || !w.lineage().Waiting[i].Until.After(w.now.Add(3*time.Hour)) {
		t.Errorf("waits for %v", w.lineage().Waiting)
	}
	w.until(6*time.Hour, w.done(second))
}
