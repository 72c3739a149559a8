package lookup_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"

	"github.com/tlsaroll/tlsaroll/dnsprovider/lookup"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// denials are names without TLSA records, of every kind of denial.
var denials = []struct {
	name  string
	put   string
	owner tlsa.Owner
	rcode int
}{
	{"name does not exist", "", "_25._tcp.gone.example.org.", dns.RcodeNameError},
	{"first in the zone's order", "zz 60 A 192.0.2.1\n", "aa.example.org.", dns.RcodeNameError},
	{"last in the zone's order", "", "zzz.example.org.", dns.RcodeNameError},
	{"port without records", "", "_465._tcp.mx.example.org.", dns.RcodeNameError},
	{"other type at the name", "_25._tcp.web 60 TXT x\n", "_25._tcp.web.example.org.", dns.RcodeSuccess},
	{"empty non-terminal", "", "_tcp.mx.example.org.", dns.RcodeSuccess},
	{"wildcard of another type", "*.wild 60 TXT x\n", "_25._tcp.wild.example.org.", dns.RcodeSuccess},
	{"wildcard of another type elsewhere", "*.star 60 TXT x\n", "_25._tcp.star.example.org.", dns.RcodeSuccess},
	{"wildcard of another type further down", "*.deep.star 60 TXT x\nzz 60 TXT x\n", "_25._tcp.deep.star.example.org.", dns.RcodeSuccess},
	{"apex", "", "example.org.", dns.RcodeSuccess},
}

func TestDenials(t *testing.T) {
	for _, nsec3 := range []bool{false, true} {
		for _, test := range denials {
			t.Run(fmt.Sprintf("%s/nsec3=%v", test.name, nsec3), func(t *testing.T) {
				w := newWorld(t)
				z := w.zones["example.org."]
				z.nsec3 = nsec3
				z.put(test.put)
				checkRcode(t, w, test.owner, test.rcode)
				v := w.look(test.owner)
				for _, s := range v.Servers {
					if s.Err != "" || !s.Denied || !s.RRset.Denial() || s.Proof != lookup.Verified || s.NegativeTTL != 10*time.Minute || s.RRset.TTL != 10*time.Minute {
						t.Errorf("%s: %#v", s.Server, s)
					}
				}
				if v.Security != lookup.Secure || v.Resolved == nil || !v.Resolved.Denial() || len(v.Findings) > 0 {
					t.Errorf("security %s, resolved %v, findings %v", v.Security, v.Resolved, v.Findings)
				}
			})
		}
	}
}

// checkRcode makes sure that the test's own server answers as the case says.
func checkRcode(t *testing.T, w *world, owner tlsa.Owner, rcode int) {
	t.Helper()
	r := w.servers[ns1].answer(new(dns.Msg).SetQuestion(string(owner), dns.TypeTLSA).SetEdns0(1232, true))
	if r.Rcode != rcode || len(r.Answer) > 0 {
		t.Fatalf("the case is not what it says:\n%v", r)
	}
}

func TestDenialsWithoutProof(t *testing.T) {
	// Each of the denials again, with one of its denial records left out.
	for _, nsec3 := range []bool{false, true} {
		for _, test := range denials {
			w := newWorld(t)
			z := w.zones["example.org."]
			z.nsec3 = nsec3
			z.put(test.put)
			r := z.answer(new(dns.Msg).SetQuestion(string(test.owner), dns.TypeTLSA).SetEdns0(1232, true))
			for _, rr := range r.Ns {
				if t := rr.Header().Rrtype; t != dns.TypeNSEC && t != dns.TypeNSEC3 && t != dns.TypeSOA {
					continue
				}
				gone := rr.Header().Name
				typ := rr.Header().Rrtype
				t.Run(fmt.Sprintf("%s/nsec3=%v/without %s", test.name, nsec3, dns.Type(typ)), func(t *testing.T) {
					c := w.own(ns2, "example.org.")
					c.omit = func(rr dns.RR) bool {
						sig, ok := rr.(*dns.RRSIG)
						return rr.Header().Name == gone && (rr.Header().Rrtype == typ || (ok && sig.TypeCovered == typ))
					}
					s := at(t, w.look(test.owner), ns2)
					if s.Fault != lookup.FaultUnproven || s.Denied {
						t.Errorf("fault %q (%s), denied %v", s.Fault, s.Err, s.Denied)
					}
				})
			}
		}
	}
}

func TestDenialOfAnExistingRRset(t *testing.T) {
	// A server that lost the record still has proofs from the zone: they must not
	// pass for a proof of this denial.
	for _, nsec3 := range []bool{false, true} {
		w := newWorld(t)
		z := w.zones["example.org."]
		z.nsec3 = nsec3
		z.put("_443._tcp.mx 60 TXT x\n")
		for name, other := range map[string]tlsa.Owner{"NODATA of another name": "_443._tcp.mx.example.org.", "NXDOMAIN of another name": "zzz.example.org."} {
			t.Run(fmt.Sprintf("%s/nsec3=%v", name, nsec3), func(t *testing.T) {
				w.servers[ns2].mangle = func(_ string, q, r *dns.Msg) (*dns.Msg, error) {
					if q.Question[0].Name != string(mx) || q.Question[0].Qtype != dns.TypeTLSA {
						return r, nil
					}
					fake := q.Copy()
					fake.Question[0].Name = string(other)
					out := z.answer(fake)
					out.Question[0].Name = string(mx)
					return out, nil
				}
				if s := at(t, w.look(mx), ns2); s.Fault != lookup.FaultUnproven {
					t.Errorf("fault %q: %s", s.Fault, s.Err)
				}
			})
		}
		t.Run(fmt.Sprintf("the name's own proof/nsec3=%v", nsec3), func(t *testing.T) {
			w.servers[ns2].mangle = func(_ string, q, r *dns.Msg) (*dns.Msg, error) {
				if q.Question[0].Name != string(mx) || q.Question[0].Qtype != dns.TypeTLSA {
					return r, nil
				}
				out := new(dns.Msg).SetReply(q)
				out.Authoritative = true
				z.deny(out, string(mx))
				return out, nil
			}
			want := "the denial's own proof at _25._tcp.mx.example.org. says that there is a TLSA record"
			if s := at(t, w.look(mx), ns2); s.Fault != lookup.FaultUnproven || s.Err != want {
				t.Errorf("fault %q: %s\nwant %s", s.Fault, s.Err, want)
			}
		})
	}
}

func TestDenialWithAnExpiredProof(t *testing.T) {
	w := newWorld(t)
	w.zones["example.org."].drop(string(mx))
	w.own(ns2, "example.org.").spoil = spoil(dns.TypeNSEC, func(s *dns.RRSIG) { s.Expiration = uint32(w.now.Add(-time.Hour).Unix()) })
	if s := at(t, w.look(mx), ns2); s.Fault != lookup.FaultExpired || !strings.Contains(s.Err, "NSEC: signature expired") {
		t.Errorf("fault %q: %s", s.Fault, s.Err)
	}
	// Not the proof is broken, but the SOA, as when it is changed after signing.
	w.own(ns2, "example.org.").spoil = spoil(dns.TypeSOA, func(s *dns.RRSIG) { s.Signature = other(s.Signature) })
	if s := at(t, w.look(mx), ns2); s.Fault != lookup.FaultBadSignature || !strings.Contains(s.Err, "example.org. SOA") {
		t.Errorf("fault %q: %s", s.Fault, s.Err)
	}
}

// deniedBy makes ns2 answer the TLSA question at name with a denial of its own.
func (w *world) deniedBy(name tlsa.Owner, rcode int, proof ...dns.RR) {
	z := w.zones["example.org."]
	w.servers[ns2].mangle = func(_ string, q, r *dns.Msg) (*dns.Msg, error) {
		if q.Question[0].Name != string(name) || q.Question[0].Qtype != dns.TypeTLSA {
			return r, nil
		}
		r = new(dns.Msg).SetRcode(q, rcode)
		r.Authoritative = true
		r.Ns = slices.Concat(z.signed(z.rrset(z.name, dns.TypeSOA), z.name), proof)
		return r, nil
	}
}

func TestReplayedProofs(t *testing.T) {
	const victim = tlsa.Owner("_25._tcp.wild.example.org.")
	w := newWorld(t)
	z := w.zones["example.org."]
	z.put(string(victim) + " 60 TLSA " + one + "\n*.wild 60 TXT x\n")

	// The NSEC record of a wildcard, as if it were expanded to the name.
	star := z.denialRecord("*.wild.example.org.")
	w.deniedBy(victim, dns.RcodeSuccess, z.signed(star[:1], string(victim))...)
	if s := at(t, w.look(victim), ns2); s.Fault != lookup.FaultBadSignature || !strings.Contains(s.Err, "NSEC: expanded from a wildcard, which proves nothing") {
		t.Errorf("fault %q: %s", s.Fault, s.Err)
	}
	// The name's own NSEC record under NXDOMAIN.
	z.put("_443._tcp.mx 60 TXT x\n")
	w.deniedBy("_443._tcp.mx.example.org.", dns.RcodeNameError, slices.Concat(z.denialRecord("_443._tcp.mx.example.org."), z.denialRecord("*._tcp.mx.example.org."))...)
	if s := at(t, w.look("_443._tcp.mx.example.org."), ns2); s.Fault != lookup.FaultUnproven {
		t.Errorf("fault %q: %s", s.Fault, s.Err)
	}
	// NXDOMAIN for an empty non-terminal.
	w.deniedBy("_tcp.mx.example.org.", dns.RcodeNameError, slices.Concat(z.denialRecord("_tcp.mx.example.org."), z.denialRecord("*.mx.example.org."))...)
	if s := at(t, w.look("_tcp.mx.example.org."), ns2); s.Fault != lookup.FaultUnproven || !strings.Contains(s.Err, "has names below it") {
		t.Errorf("fault %q: %s", s.Fault, s.Err)
	}
}

// TestNSEC3OfANameDoesNotCoverIt: it shows that there is such a name, or such a wildcard (RFC 5155,
// sections 8.4 and 8.8).
func TestNSEC3OfANameDoesNotCoverIt(t *testing.T) {
	w := newWorld(t)
	z := w.zones["example.org."]
	z.nsec3 = true
	for i := range 4 { // whatever their places in the chain
		host := fmt.Sprintf("wild%d.example.org.", i)
		victim := tlsa.Owner("_25._tcp." + host)
		z.put("*." + host + " 1800 TLSA " + one + "\n")
		w.deniedBy(victim, dns.RcodeNameError, slices.Concat(z.denialRecord(host), z.denialRecord("_tcp."+host), z.denialRecord("*."+host))...)
		if s := at(t, w.look(victim), ns2); s.Fault != lookup.FaultUnproven || !strings.HasSuffix(s.Err, "no NSEC3 record is over the wildcard *."+host) {
			t.Errorf("NXDOMAIN under a wildcard: denied %v, fault %q: %s", s.Denied, s.Fault, s.Err)
		}

		z.put(fmt.Sprintf("*.a%d 1800 TLSA %s\n_25._tcp.mx.a%d 1800 TLSA %s\n", i, two, i, one))
		victim = owner("_25._tcp.mx.a%d.example.org.", i)
		w.servers[ns2].mangle = func(_ string, q, r *dns.Msg) (*dns.Msg, error) {
			if q.Question[0].Name != string(victim) || q.Question[0].Qtype != dns.TypeTLSA {
				return r, nil
			}
			r = new(dns.Msg).SetReply(q)
			r.Authoritative = true
			r.Answer = z.signed(z.rrset(fmt.Sprintf("*.a%d.example.org.", i), dns.TypeTLSA), string(victim))
			r.Ns = z.denialRecord(fmt.Sprintf("mx.a%d.example.org.", i))
			return r, nil
		}
		if s := at(t, w.look(victim), ns2); s.Fault != lookup.FaultUnproven || !strings.HasSuffix(s.Err, fmt.Sprintf("no NSEC3 record over mx.a%d.example.org.", i)) {
			t.Errorf("expanded over a name that exists: %s, fault %q: %s", records(s.RRset), s.Fault, s.Err)
		}
	}
}

func TestNSEC3OptOut(t *testing.T) {
	w := newWorld(t)
	z := w.zones["example.org."]
	z.nsec3, z.optOut = true, true
	z.put("sub 60 NS ns.other.org.\n")
	v := w.look("_25._tcp.gone.example.org.")
	for _, s := range v.Servers {
		if s.Err != "" || !s.Denied || s.Proof != lookup.Unproved || s.Signed() {
			t.Errorf("%#v", s)
		}
	}
	if v.Security != lookup.Insecure || !cmp.Equal(codes(v), []string{lookup.FindingOptOut}) {
		t.Errorf("security %s, findings %v", v.Security, v.Findings)
	}
	// A record in that zone is as secure as ever.
	if s := at(t, w.look(mx), ns1); s.Proof != lookup.Verified {
		t.Errorf("%#v", s)
	}
}

func TestInsecureDelegationBelowASignedParent(t *testing.T) {
	w := newWorld(t)
	w.zones["org."].nsec3, w.zones["org."].optOut = true, true
	w.zones["org."].drop("example.org.", dns.TypeDS)
	w.zones["example.org."].key = nil
	v := w.look(mx)
	if v.Security != lookup.Insecure {
		t.Errorf("security %s", v.Security)
	}
	if s := at(t, v, ns1); s.Err != "" || s.Proof != lookup.Unproved {
		t.Errorf("%#v", s)
	}
}

func TestNSEC3Iterations(t *testing.T) {
	w := newWorld(t)
	z := w.zones["example.org."]
	z.nsec3, z.iterations = true, 151
	v := w.look("_25._tcp.gone.example.org.")
	if s := at(t, v, ns1); s.Err != "" || !s.Denied || s.Proof != lookup.Unproved {
		t.Errorf("%#v", s)
	}
	if got := text(t, v, lookup.FindingIterations); !strings.HasPrefix(got, "zone example.org.: 151 NSEC3 iterations, resolvers follow at most 150") {
		t.Error(got)
	}
}

func TestNegativeTTLOfAnOldSigner(t *testing.T) {
	w := newWorld(t)
	z := w.zones["example.org."]
	z.drop("example.org.", dns.TypeSOA)
	z.put("@ 900 SOA ns1 hostmaster 1 1800 900 604800 86400\n")
	v := w.look("_25._tcp.gone.example.org.")
	s := at(t, v, ns1)
	if s.NegativeTTL != 24*time.Hour || s.RRset.TTL != 24*time.Hour {
		t.Errorf("negative TTL %s, TTL %s", s.NegativeTTL, s.RRset.TTL)
	}
	want := "zone example.org.: its NSEC records live 24h0m0s, longer than a denial by its SOA, 15m0s: resolvers may deny that long (RFC 9077, section 3)"
	if got := text(t, v, lookup.FindingNegativeTTL); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	z.nsecTTL = 900
	v = w.look("_25._tcp.gone.example.org.")
	if s := at(t, v, ns1); s.NegativeTTL != 15*time.Minute || len(v.Findings) > 0 {
		t.Errorf("negative TTL %s of a signer that follows RFC 9077, findings %v", s.NegativeTTL, v.Findings)
	}
}

func TestDenialWithoutSOA(t *testing.T) {
	w := newWorld(t)
	w.zones["example.org."].key = nil
	w.zones["org."].drop("example.org.", dns.TypeDS)
	w.zones["example.org."].drop(string(mx))
	w.own(ns1, "example.org.").omit = func(rr dns.RR) bool { return rr.Header().Rrtype == dns.TypeSOA }
	w.servers[ns2].mangle = func(_ string, q, r *dns.Msg) (*dns.Msg, error) {
		for _, rr := range r.Ns {
			rr.Header().Name = "org."
		}
		return r, nil
	}
	v := w.look(mx)
	if s := at(t, v, ns1); s.Fault != lookup.FaultUnproven || s.Err != "denied without the SOA record of example.org. (RFC 2308, section 2)" {
		t.Errorf("fault %q: %s", s.Fault, s.Err)
	}
	if s := at(t, v, ns2); s.Fault != lookup.FaultLame || s.Err != "it answers for org.: it does not serve example.org." {
		t.Errorf("fault %q: %s", s.Fault, s.Err)
	}
	if s := at(t, v, ns2v6); s.Err != "" || !s.Denied {
		t.Errorf("%#v", s)
	}
}

func TestCompactDenial(t *testing.T) {
	// RFC 9824: NODATA for names that do not exist, with an NSEC made up on the spot.
	w := newWorld(t)
	z := w.zones["example.org."]
	z.drop(string(mx))
	for _, a := range w.servers {
		a.mangle = func(_ string, q, r *dns.Msg) (*dns.Msg, error) {
			if r.Rcode != dns.RcodeNameError {
				return r, nil
			}
			r.Rcode, r.Ns = dns.RcodeSuccess, nil
			r.Ns = append(r.Ns, z.signed(z.rrset(z.name, dns.TypeSOA), z.name)...)
			n := q.Question[0].Name
			r.Ns = append(r.Ns, z.signed([]dns.RR{&dns.NSEC{Hdr: dns.RR_Header{Name: n, Rrtype: dns.TypeNSEC, Class: dns.ClassINET, Ttl: 300},
				NextDomain: `\000.` + n, TypeBitMap: []uint16{dns.TypeRRSIG, dns.TypeNSEC, 128}}}, n)...)
			return r, nil
		}
	}
	if s := at(t, w.look(mx), ns1); s.Err != "" || !s.Denied || s.Proof != lookup.Verified {
		t.Errorf("%#v", s)
	}
}

func TestMinimallyCoveringNSEC(t *testing.T) {
	// RFC 4470: epsilon names around the one asked for, with octets that need escapes.
	w := newWorld(t)
	z := w.zones["example.org."]
	z.drop(string(mx))
	nsec := func(from, to string) []dns.RR {
		return z.signed([]dns.RR{&dns.NSEC{Hdr: dns.RR_Header{Name: from, Rrtype: dns.TypeNSEC, Class: dns.ClassINET, Ttl: 300},
			NextDomain: to, TypeBitMap: []uint16{dns.TypeRRSIG, dns.TypeNSEC}}}, from)
	}
	for _, a := range w.servers {
		a.mangle = func(_ string, q, r *dns.Msg) (*dns.Msg, error) {
			if q.Question[0].Qtype != dns.TypeTLSA {
				return r, nil
			}
			r = new(dns.Msg).SetReply(q)
			r.Authoritative, r.Rcode = true, dns.RcodeNameError
			r.Ns = slices.Concat(z.signed(z.rrset(z.name, dns.TypeSOA), z.name),
				nsec(`_tco\255.mx.example.org.`, `_tcp\000.mx.example.org.`), nsec(`\041.mx.example.org.`, `\043.mx.example.org.`))
			return r, nil
		}
	}
	if s := at(t, w.look(mx), ns1); s.Err != "" || !s.Denied || s.Proof != lookup.Verified {
		t.Errorf("%#v", s)
	}
}

func TestProofFromTheParentSideOfACut(t *testing.T) {
	// The parent's NSEC at a cut lacks TLSA as a matter of course: it proves
	// nothing of the child (RFC 6840, section 4.1).
	for _, nsec3 := range []bool{false, true} {
		for _, name := range []tlsa.Owner{"sub.example.org.", "_25._tcp.sub.example.org."} {
			t.Run(fmt.Sprintf("%s/nsec3=%v", name, nsec3), func(t *testing.T) {
				w := newWorld(t)
				z := w.zones["example.org."]
				z.nsec3 = nsec3
				z.put("sub 60 NS ns.other.org.\n")
				w.resolver.override = func(q *dns.Msg) *dns.Msg { // knows no cut
					if !strings.HasSuffix(q.Question[0].Name, "sub.example.org.") {
						return nil
					}
					r := new(dns.Msg).SetReply(q)
					z.deny(r, "sub.example.org.")
					return r
				}
				proof := new(dns.Msg)
				z.prove(proof, "sub.example.org.", "_tcp.sub.example.org.", "*.sub.example.org.", "*.example.org.")
				rcode := dns.RcodeSuccess
				if name != "sub.example.org." {
					rcode = dns.RcodeNameError
				}
				w.deniedBy(name, rcode, proof.Ns...)
				if s := at(t, w.look(name), ns2); s.Fault != lookup.FaultUnproven {
					t.Errorf("fault %q: %s", s.Fault, s.Err)
				}
			})
		}
	}
}
