package lookup_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"

	"github.com/tlsaroll/tlsaroll/dnsprovider/lookup"
)

func TestMixedTTLs(t *testing.T) {
	w := newWorld(t)
	w.own(ns2, "example.org.").put(string(mx) + " 7200 TLSA " + two + "\n")
	v := w.look(mx)
	s := at(t, v, ns2)
	if s.Err != "" || s.RRset.TTL != 2*time.Hour || records(s.RRset) != one+", "+two {
		t.Errorf("the longest TTL is reckoned with: %#v", s)
	}
	want := "_25._tcp.mx.example.org.: ns2.example.org. (198.51.100.53) gives records with TTLs from 30m0s to 2h0m0s in one RRset (RFC 2181, section 5.2); the longest is reckoned with"
	if got := text(t, v, lookup.FindingMixedTTL); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	if s := at(t, v, ns1); s.RRset.TTL != 30*time.Minute {
		t.Errorf("TTL %s at another server", s.RRset.TTL)
	}
}

func TestTTLIsTheLongestAnyoneMayKeep(t *testing.T) {
	w := newWorld(t)
	w.own(ns2, "example.org.").origTTL = 86400
	v := w.look(mx)
	if s := at(t, v, ns2); s.Err != "" || s.RRset.TTL != 24*time.Hour {
		t.Errorf("the signature's original TTL counts: %#v", s)
	}
	if !cmp.Equal(codes(v), []string{lookup.FindingSignatureTTL}) {
		t.Errorf("findings %v", v.Findings)
	}
	w.own(ns2, "example.org.")
	w.servers[ns2].mangle = func(_ string, _, r *dns.Msg) (*dns.Msg, error) {
		for _, rr := range r.Answer {
			if rr.Header().Rrtype == dns.TypeRRSIG {
				rr.Header().Ttl = 172800
			}
		}
		return r, nil
	}
	w.servers[ns2].zones["example.org."].origTTL = 0
	if s := at(t, w.look(mx), ns2); s.RRset.TTL != 48*time.Hour {
		t.Errorf("the signature's own TTL counts: %s", s.RRset.TTL)
	}
}

func TestTTLWithTheHighestBit(t *testing.T) {
	w := newWorld(t)
	z := w.zones["example.org."]
	z.key = nil
	w.zones["org."].drop("example.org.", dns.TypeDS)
	z.drop(string(mx))
	z.put(string(mx) + " 4294967295 TLSA " + one + "\n")
	if s := at(t, w.look(mx), ns1); s.RRset.TTL != 0 {
		t.Errorf("TTL %s, want 0 (RFC 2181, section 8)", s.RRset.TTL)
	}
}

func TestTTLLoweredOnOneServer(t *testing.T) {
	w := newWorld(t)
	lag := w.own(ns2, "example.org.")
	lag.drop(string(mx))
	lag.put(string(mx) + " 86400 TLSA " + one + "\n")
	v := w.look(mx)
	if a, b := at(t, v, ns1).RRset.TTL, at(t, v, ns2).RRset.TTL; a != 30*time.Minute || b != 24*time.Hour {
		t.Errorf("TTLs %s and %s", a, b)
	}
}

func TestHexCaseAndUnknownParametersAndEmptyData(t *testing.T) {
	w := newWorld(t)
	z := w.zones["example.org."]
	z.drop(string(mx))
	z.put(string(mx) + " 60 TLSA 3 1 1 ABCDEF\n" + string(mx) + " 60 TLSA 7 9 250 00\n")
	z.records = append(z.records, &dns.TLSA{Hdr: dns.RR_Header{Name: string(mx), Rrtype: dns.TypeTLSA, Class: dns.ClassINET, Ttl: 60}, Usage: 2})
	s := at(t, w.look(mx), ns1)
	if s.Err != "" || records(s.RRset) != "2 0 0 , 3 1 1 abcdef, 7 9 250 00" {
		t.Errorf("error %q, records %s", s.Err, records(s.RRset))
	}
}

func TestNamesInUpperCase(t *testing.T) {
	w := newWorld(t)
	w.servers[ns1].mangle = func(_ string, _, r *dns.Msg) (*dns.Msg, error) {
		for _, rr := range append(r.Answer, r.Ns...) {
			rr.Header().Name = strings.ToUpper(rr.Header().Name)
			if sig, ok := rr.(*dns.RRSIG); ok {
				sig.SignerName = strings.ToUpper(sig.SignerName)
			}
		}
		return r, nil
	}
	if s := at(t, w.look(mx), ns1); s.Err != "" || s.Proof != lookup.Verified {
		t.Errorf("%#v", s)
	}
}

func TestLongNames(t *testing.T) {
	w := newWorld(t)
	host := strings.Repeat(strings.Repeat("a", 57)+".", 3) + strings.Repeat("b", 50) + ".example.org."
	name := "_25._tcp." + host
	if len(name)+1 != 247+0 && len(name) > 253 {
		t.Fatalf("%d octets", len(name)+1)
	}
	w.zones["example.org."].put(name + " 60 TLSA " + one + "\n")
	v := w.look(owner("%s", name))
	if s := at(t, v, ns1); v.Err != "" || s.Err != "" || records(s.RRset) != one {
		t.Errorf("%q, %#v", v.Err, s)
	}
}

func TestNoDomainName(t *testing.T) {
	w := newWorld(t)
	v := w.look("a..b.")
	if want := `zone of "a..b.": no domain name`; v.Err != want || v.Security != lookup.Indeterminate {
		t.Errorf("error %q, want %q; security %s", v.Err, want, v.Security)
	}
}

func TestWildcardRecords(t *testing.T) {
	for _, nsec3 := range []bool{false, true} {
		for _, star := range []string{"*._tcp.mx", "*.mx", "*"} {
			t.Run(fmt.Sprintf("%s/nsec3=%v", star, nsec3), func(t *testing.T) {
				w := newWorld(t)
				z := w.zones["example.org."]
				z.nsec3 = nsec3
				z.drop(string(mx))
				if star == "*" {
					z.drop("mx.example.org.")
				}
				z.put(star + " 300 TLSA " + two + "\n")
				v := w.look(mx)
				for _, s := range v.Servers {
					if s.Err != "" || !s.Wildcard || records(s.RRset) != two || s.Proof != lookup.Verified {
						t.Errorf("%#v", s)
					}
				}
				if !cmp.Equal(codes(v), []string{lookup.FindingWildcard}) || v.Security != lookup.Secure {
					t.Errorf("security %s, findings %v", v.Security, v.Findings)
				}
				// Without the proof that there is no closer match, it is a forgery.
				w.own(ns2, "example.org.").omit = func(rr dns.RR) bool {
					return rr.Header().Rrtype == dns.TypeNSEC || rr.Header().Rrtype == dns.TypeNSEC3
				}
				if s := at(t, w.look(mx), ns2); s.Fault != lookup.FaultUnproven || !strings.Contains(s.Err, "expanded from a wildcard") {
					t.Errorf("fault %q: %s", s.Fault, s.Err)
				}
			})
		}
	}
}

func TestWildcardReplacedByAnExactNameOnOneServer(t *testing.T) {
	w := newWorld(t)
	z := w.zones["example.org."]
	exact := w.own(ns1, "example.org.")
	z.drop(string(mx))
	z.put("*._tcp.mx 300 TLSA " + two + "\n")
	exact.put("*._tcp.mx 300 TLSA " + two + "\n")
	v := w.look(mx)
	if a, b := at(t, v, ns1), at(t, v, ns2); a.Wildcard || records(a.RRset) != one || !b.Wildcard || records(b.RRset) != two {
		t.Errorf("%#v\n%#v", a, b)
	}
	// The expanded answer, replayed by a server that has the exact name, is refused.
	w.servers[ns1].mangle = func(_ string, q, r *dns.Msg) (*dns.Msg, error) {
		if q.Question[0].Qtype == dns.TypeTLSA {
			r.Answer = z.signed(z.rrset("*._tcp.mx.example.org.", dns.TypeTLSA), string(mx))
			r.Ns = exact.denialRecord("_1._tcp.mx.example.org.")
		}
		return r, nil
	}
	if s := at(t, w.look(mx), ns1); s.Fault != lookup.FaultUnproven {
		t.Errorf("fault %q: %s", s.Fault, s.Err)
	}
}

func TestWildcardThatDoesNotReachTheName(t *testing.T) {
	// *.example.org. is no match below mx.example.org., which exists.
	for _, nsec3 := range []bool{false, true} {
		w := newWorld(t)
		z := w.zones["example.org."]
		z.nsec3 = nsec3
		z.drop(string(mx))
		z.put("* 300 TLSA " + two + "\n")
		w.servers[ns2].mangle = func(_ string, q, r *dns.Msg) (*dns.Msg, error) {
			if q.Question[0].Qtype == dns.TypeTLSA {
				r = new(dns.Msg).SetReply(q)
				r.Authoritative = true
				r.Answer = z.signed(z.rrset("*.example.org.", dns.TypeTLSA), string(mx))
				z.prove(r, "mx.example.org.", string(mx), "_tcp.mx.example.org.")
			}
			return r, nil
		}
		if s := at(t, w.look(mx), ns2); s.Fault != lookup.FaultUnproven {
			t.Errorf("nsec3=%v: fault %q: %s", nsec3, s.Fault, s.Err)
		}
	}
}

func TestWildcardAlias(t *testing.T) {
	w := newWorld(t)
	z := w.zones["example.org."]
	z.drop(string(mx))
	z.put("*._tcp.mx 300 CNAME _dane\n_dane 60 TLSA " + one + "\n")
	v := w.look(mx)
	if v.Err != "" || v.Target != dane || v.Security != lookup.Secure {
		t.Errorf("target %s, security %s, error %q", v.Target, v.Security, v.Err)
	}
	for _, s := range v.Servers {
		if s.Err != "" || records(s.RRset) != one {
			t.Errorf("%#v", s)
		}
	}
}

func TestForeignRecordsAreSeen(t *testing.T) {
	w := newWorld(t)
	w.zones["example.org."].put(string(mx) + " 1800 TLSA " + two + "\n" + string(mx) + " 1800 TLSA " + three + "\n")
	if s := at(t, w.look(mx), ns1); records(s.RRset) != three+", "+one+", "+two {
		t.Errorf("records %s", records(s.RRset))
	}
}

func TestLargeRRsetComesOverTCP(t *testing.T) {
	w := newWorld(t)
	for i := range 40 {
		w.zones["example.org."].put(fmt.Sprintf("%s 1800 TLSA 3 1 1 %064d\n", mx, i))
	}
	s := at(t, w.look(mx), ns1)
	if s.Err != "" || len(s.RRset.Associations) != 41 {
		t.Errorf("%d records, error %q", len(s.RRset.Associations), s.Err)
	}
}

func TestEmptyNonTerminalThatTheSignerDenies(t *testing.T) {
	w := newWorld(t)
	deny := func(_ string, q, r *dns.Msg) (*dns.Msg, error) {
		if q.Question[0].Name == "_tcp.mx.example.org." {
			r.Rcode = dns.RcodeNameError
		}
		return r, nil
	}
	for _, a := range w.servers {
		a.mangle = deny
	}
	want := "_tcp.mx.example.org.: ns1.example.org. (192.0.2.53) says NXDOMAIN although _25._tcp.mx.example.org. exists; resolvers that minimise their questions will not find it (hint: the signer is faulty)"
	if got := text(t, w.look(mx), lookup.FindingEmptyNonTerminal); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}

func TestEmptyNonTerminalThatOneServerDenies(t *testing.T) {
	w := newWorld(t)
	w.servers[ns2].mangle = func(_ string, q, r *dns.Msg) (*dns.Msg, error) {
		if q.Question[0].Name == "_tcp.mx.example.org." {
			r.Rcode = dns.RcodeNameError
		}
		return r, nil
	}
	if got := text(t, w.look(mx), lookup.FindingEmptyNonTerminal); !strings.HasPrefix(got, "_tcp.mx.example.org.: ns2.example.org. (198.51.100.53) says NXDOMAIN") {
		t.Errorf("%q", got)
	}
}

func TestOtherTypesAtTheOwnerAreBogus(t *testing.T) {
	w := newWorld(t)
	w.resolver.override = func(q *dns.Msg) *dns.Msg {
		if q.Question[0].Qtype == dns.TypeA && q.Question[0].Name == string(mx) && !q.CheckingDisabled {
			return new(dns.Msg).SetRcode(q, dns.RcodeServerFailure)
		}
		return nil
	}
	v := w.look(mx)
	if v.Security != lookup.Secure || !strings.HasPrefix(text(t, v, lookup.FindingDenialBogus), string(mx)+": another question than TLSA is bogus there") {
		t.Errorf("security %s, findings %v", v.Security, v.Findings)
	}
}
