package lookup_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"

	"github.com/tlsaroll/tlsaroll/dnsprovider/lookup"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

func TestSecurityOfTheTLSALookup(t *testing.T) {
	rcode := func(rcode int) func(*dns.Msg) *dns.Msg {
		return func(q *dns.Msg) *dns.Msg { return new(dns.Msg).SetRcode(q, rcode) }
	}
	ede := func(m *dns.Msg, code uint16, text string) *dns.Msg {
		m.SetEdns0(1232, true)
		m.IsEdns0().Option = append(m.IsEdns0().Option, &dns.EDNS0_EDE{InfoCode: code, ExtraText: text})
		return m
	}
	tests := []struct {
		name     string
		answer   func(q *dns.Msg) *dns.Msg // to the TLSA question; nil: honest
		security lookup.Security
		text     string
		resolved bool
	}{
		{"AD", nil, lookup.Secure, "validated by resolver 127.0.0.1:53", true},
		{"no AD", func(q *dns.Msg) *dns.Msg { return new(dns.Msg).SetReply(q) }, lookup.Insecure,
			"resolver 127.0.0.1:53 has no chain of trust to it, so it is not signed for anyone (hint: is the zone signed, and its DS record at the parent?)", true},
		{"NXDOMAIN without AD", rcode(dns.RcodeNameError), lookup.Insecure,
			"resolver 127.0.0.1:53 has no chain of trust to it, so it is not signed for anyone (hint: is the zone signed, and its DS record at the parent?)", true},
		{"SERVFAIL, an answer with CD", func(q *dns.Msg) *dns.Msg {
			if q.CheckingDisabled {
				return new(dns.Msg).SetReply(q)
			}
			return ede(new(dns.Msg).SetRcode(q, dns.RcodeServerFailure), dns.ExtendedErrorCodeDNSBogus, "signature\x1b[2J\u009b2J\u202e crypto failed")
		}, lookup.Bogus, "resolver 127.0.0.1:53 refuses the answer and gives it without validation: signatures or the chain of trust are broken [DNSSEC Bogus: signature?[2J?2J? crypto failed]", false},
		{"SERVFAIL with CD too", rcode(dns.RcodeServerFailure), lookup.Indeterminate,
			"resolver 127.0.0.1:53: _25._tcp.mx.example.org. TLSA: SERVFAIL, and SERVFAIL without validation (hint: the resolver or all servers of the zone are in trouble)", false},
		{"REFUSED", rcode(dns.RcodeRefused), lookup.Indeterminate, "resolver 127.0.0.1:53: _25._tcp.mx.example.org. TLSA: REFUSED", false},
		{"answers bogus data in a permissive mode", func(q *dns.Msg) *dns.Msg {
			return ede(new(dns.Msg).SetReply(q), dns.ExtendedErrorCodeSignatureExpired, "")
		}, lookup.Bogus, "resolver 127.0.0.1:53 answers, but says that validation failed [Signature Expired] (hint: it seems to run in a permissive mode)", true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			w.resolver.override = func(q *dns.Msg) *dns.Msg {
				if q.Question[0].Qtype != dns.TypeTLSA || test.answer == nil {
					return nil
				}
				return test.answer(q)
			}
			v := w.look(mx)
			if v.Security != test.security || v.SecurityText != test.text {
				t.Errorf("%s: %s\nwant %s: %s", v.Security, v.SecurityText, test.security, test.text)
			}
			if got := v.Resolved != nil; got != (test.resolved && test.security != lookup.Bogus) {
				t.Errorf("resolved %v", v.Resolved)
			}
			if s := at(t, v, ns1); s.Err != "" {
				t.Errorf("the servers are asked all the same: %s", s.Err)
			}
		})
	}
}

func TestResolverThatIsNotBelieved(t *testing.T) {
	remote := addrPort("192.0.2.1")
	tests := []struct {
		name   string
		change func(w *world, cfg *lookup.Config)
		want   lookup.Security
		text   string
	}{
		{"remote", func(w *world, cfg *lookup.Config) { w.moveResolver(cfg, remote) }, lookup.Indeterminate,
			"resolver 192.0.2.1:53: not on loopback, so its AD bit may be anyone's (hint: run a validating resolver on this host, or set trust-resolver if the path to it is safe)"},
		{"remote and trusted", func(w *world, cfg *lookup.Config) {
			w.moveResolver(cfg, remote)
			cfg.TrustResolver = true
		}, lookup.Secure, "validated by resolver 192.0.2.1:53"},
		{"on loopback of IPv6", func(w *world, cfg *lookup.Config) { w.moveResolver(cfg, addrPort("::1")) }, lookup.Secure, "validated by resolver [::1]:53"},
		{"does not validate", func(w *world, cfg *lookup.Config) { w.resolver.validates = false }, lookup.Indeterminate,
			"resolver 127.0.0.1:53: self-test: . SOA comes without AD: it does not validate (hint: systemd-resolved needs DNSSEC=yes; better run unbound or another validating resolver)"},
		{"sets AD, but not for the self-test", func(w *world, cfg *lookup.Config) {
			w.resolver.override = func(q *dns.Msg) *dns.Msg {
				if q.Question[0].Qtype == dns.TypeSOA && q.Question[0].Name == "." {
					return new(dns.Msg).SetReply(q)
				}
				return nil
			}
		}, lookup.Indeterminate, "resolver 127.0.0.1:53: self-test: . SOA comes without AD: it does not validate (hint: systemd-resolved needs DNSSEC=yes; better run unbound or another validating resolver)"},
		{"fails the self-test", func(w *world, cfg *lookup.Config) {
			cfg.SelfTestName = "Test.Example"
			w.resolver.override = func(q *dns.Msg) *dns.Msg {
				if q.Question[0].Name == "test.example." {
					return new(dns.Msg).SetRcode(q, dns.RcodeServerFailure)
				}
				return nil
			}
		}, lookup.Indeterminate, "resolver 127.0.0.1:53: self-test: test.example. SOA: SERVFAIL (hint: has the resolver a trust anchor and the right time?)"},
		{"has another name to test with", func(w *world, cfg *lookup.Config) { cfg.SelfTestName = "other.org" }, lookup.Secure, "validated by resolver 127.0.0.1:53"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			v := w.client(func(cfg *lookup.Config) { test.change(w, cfg) }).NewPass(nil).Owner(t.Context(), mx)
			if v.Security != test.want || v.SecurityText != test.text {
				t.Errorf("%s: %s\nwant %s: %s", v.Security, v.SecurityText, test.want, test.text)
			}
			if v.Resolved == nil || records(*v.Resolved) != one {
				t.Errorf("it did answer: %v", v.Resolved)
			}
			// What is verified here needs no AD; without it the keys only vouch for themselves.
			if s := at(t, v, ns1); s.Err != "" || s.Proof != lookup.Verified {
				t.Errorf("%#v", s)
			}
		})
	}
}

// moveResolver lets the world's resolver answer at another address.
func (w *world) moveResolver(cfg *lookup.Config, to netip.AddrPort) {
	cfg.Resolver = to
	w.resolverAddr = to
}

func TestSelfTestIsRepeatedEveryHour(t *testing.T) {
	w := newWorld(t)
	c := w.client()
	security := func() lookup.Security { return c.NewPass(nil).Owner(t.Context(), mx).Security }
	if got := security(); got != lookup.Secure {
		t.Fatalf("security %s", got)
	}
	w.resolver.validates = false // but it passed within the hour
	w.now = w.now.Add(59 * time.Minute)
	if got := security(); got != lookup.Insecure {
		t.Errorf("after 59m: security %s", got)
	}
	w.now = w.now.Add(time.Minute)
	if got := security(); got != lookup.Indeterminate {
		t.Errorf("after 1h: security %s", got)
	}
	w.resolver.validates = true // a failure is tried again in the next pass
	if got := security(); got != lookup.Secure {
		t.Errorf("after it is mended: security %s", got)
	}
	w.resolver.validates = false
	w.now = w.now.Add(-time.Minute) // a clock that goes back does not make it younger
	if got := security(); got != lookup.Indeterminate {
		t.Errorf("after the clock went back: security %s", got)
	}
}

func TestSilentResolver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.resolver.silent = func(*dns.Msg) bool { return true }
		p := w.client().NewPass(nil)
		began := time.Now()
		for i := range 20 {
			v := p.Owner(t.Context(), owner("_%d._tcp.mx.example.org.", i))
			want := fmt.Sprintf("resolver 127.0.0.1:53: _%d._tcp.mx.example.org. TLSA: no answer: 3 tries over UDP (timeout), then TCP (timeout) (hint: does a validating resolver run on this host?)", i)
			if v.Security != lookup.Indeterminate || v.SecurityText != want || v.Err == "" || v.Resolved != nil {
				t.Fatalf("%s: %s, error %q", v.Security, v.SecurityText, v.Err)
			}
		}
		if took := time.Since(began); took > time.Minute {
			t.Errorf("took %s", took)
		}
	})
}

func TestResolverThatHangsOnOneName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.zones["example.org."].put("_25._tcp.dead 60 TLSA " + one + "\n")
		w.resolver.silent = func(q *dns.Msg) bool { return q.Question[0].Name == "_25._tcp.dead.example.org." }
		p := w.client().NewPass(nil)
		if v := p.Owner(t.Context(), "_25._tcp.dead.example.org."); v.Security != lookup.Indeterminate {
			t.Errorf("security %s", v.Security)
		}
		if v := p.Owner(t.Context(), mx); v.Security != lookup.Secure || v.Err != "" {
			t.Errorf("a dead zone takes others with it: %s: %s", v.Security, v.SecurityText)
		}
	})
}

func TestResolverHoldsAnOlderDenial(t *testing.T) {
	// Aggressive use of NSEC (RFC 8198): the resolver denies after we published.
	w := newWorld(t)
	before := *w.zones["example.org."]
	before.drop(string(mx))
	w.resolver.override = func(q *dns.Msg) *dns.Msg {
		if q.Question[0].Qtype != dns.TypeTLSA {
			return nil
		}
		r := before.answer(q)
		r.AuthenticatedData = true
		return r
	}
	v := w.look(mx)
	if v.Security != lookup.Secure || v.Resolved == nil || !v.Resolved.Denial() || v.Resolved.TTL != 10*time.Minute {
		t.Errorf("security %s, resolved %v", v.Security, v.Resolved)
	}
	want := "_25._tcp.mx.example.org.: the resolver gives an answer that no server gives now, for 10m0s more: an older one, or another view of the zone"
	if got := text(t, v, lookup.FindingResolverDiffers); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}

func TestZoneOf(t *testing.T) {
	w := newWorld(t)
	w.zones["example.org."].put("alias 60 CNAME other.org.\nd 60 DNAME other.org.\n*.star 60 CNAME x.other.org.\n")
	tests := map[string]string{
		"_25._tcp.mx.example.org.":     "example.org.",
		"MX.Example.Org":               "example.org.",
		"example.org.":                 "example.org.",
		"gone.deep.example.org.":       "example.org.",
		"alias.example.org.":           "example.org.", // an alias to another zone's apex
		"x.d.example.org.":             "example.org.",
		"_25._tcp.x.star.example.org.": "example.org.",
		"odd.example.org.":             "example.org.",
		"org.":                         "org.",
		"nowhere.test.":                ".",
		".":                            ".",
	}
	w.resolver.override = func(q *dns.Msg) *dns.Msg {
		if q.Question[0].Name != "odd.example.org." {
			return nil
		}
		r := new(dns.Msg).SetReply(q) // a zone that the name is not in
		r.Ns = []dns.RR{mustRR("other.org. 60 IN SOA a. b. 1 1 1 1 1")}
		return r
	}
	p := w.client().NewPass(nil)
	for name, want := range tests {
		if got, err := p.ZoneOf(t.Context(), name); got != want || err != nil {
			t.Errorf("zone of %s: %s, %v; want %s", name, got, err, want)
		}
	}
	if _, err := p.ZoneOf(t.Context(), ""); err == nil || err.Error() != `zone of "": no domain name` {
		t.Errorf("error %v", err)
	}
}

func TestAsk(t *testing.T) {
	w := newWorld(t)
	w.zones["example.org."].put("@ 60 MX 10 MX\n")
	a := w.client().NewPass(nil).Ask(t.Context(), "example.org", dns.TypeMX)
	if a.Err != "" || a.Security != lookup.Secure || a.Rcode != dns.RcodeSuccess || len(a.Records) != 2 {
		t.Errorf("%#v", a)
	}
	a = w.client().NewPass(nil).Ask(t.Context(), "a..b", dns.TypeMX)
	if a.Err != `"a..b" is not a domain name` || a.Security != lookup.Indeterminate {
		t.Errorf("%#v", a)
	}
}

func TestQuestionsOfManyOwnersInOneZone(t *testing.T) {
	w := newWorld(t)
	const owners = 60
	for i := range owners {
		w.zones["example.org."].put(owner("_25._tcp.mx%d", i).String() + " 1800 TLSA " + one + "\n")
	}
	p := w.client().NewPass(nil)
	work := make(chan tlsa.Owner)
	done := make(chan lookup.View)
	for range 8 {
		go func() {
			for o := range work {
				done <- p.Owner(t.Context(), o)
			}
		}()
	}
	go func() {
		for i := range owners {
			work <- owner("_25._tcp.mx%d.example.org.", i)
		}
		close(work)
	}()
	for range owners {
		if v := <-done; v.Err != "" || len(v.Servers) != 3 || v.Security != lookup.Secure || v.Servers[0].Err != "" {
			t.Fatalf("%s: %q %s %#v", v.Owner, v.Err, v.Security, v.Servers)
		}
	}
	for _, a := range []netip.AddrPort{ns1, ns2, ns2v6} {
		for what, most := range map[string]int{"example.org. NS": 1, "example.org. DNSKEY": 1, "TLSA": 2 * owners} {
			if n := w.count(a.Addr().String() + " " + what); strings.HasPrefix(what, "example") && n != most {
				t.Errorf("%s: %s asked %d times", a, what, n)
			}
		}
		if n := w.count(a.Addr().String() + " "); n > 2*owners+2 {
			t.Errorf("%s: %d questions for %d owners", a, n, owners)
		}
	}
	for _, what := range []string{"127.0.0.1 example.org. NS", "127.0.0.1 example.org. DNSKEY", "127.0.0.1 ns1.example.org. A", "199.19.56.1 example.org. NS", "127.0.0.1 . SOA", "127.0.0.1 org. SOA"} {
		if n := w.count(what); n == 0 || n > 2 { // "ns1 A" is contained in "ns1 AAAA"
			t.Errorf("%s: asked %d times", what, n)
		}
	}
}
