package demo

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"

	"github.com/tlsaroll/tlsaroll/dnsprovider/memory"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// A still is the world's DNS without sockets, at a time that a test sets.
type still struct {
	t     *testing.T
	now   time.Time
	zone  *memory.Zone
	tree  tree
	asked []string                            // questions about TLSA records, by server
	spoil func(at netip.AddrPort, r *dns.Msg) // nil: nothing
	fails map[netip.AddrPort]error
}

func newStill(t *testing.T) *still {
	t.Helper()
	s := &still{t: t, now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC), fails: map[netip.AddrPort]error{}}
	clock := func() time.Time { return s.now }
	var err error
	s.zone, err = memory.New(memory.Options{Name: domain, Primary: primary, Secondaries: []string{secondary}, Now: clock,
		Content: map[tlsa.Owner]tlsa.RRset{owner: tlsa.NewRRset(recordTTL, foreign)}})
	if err != nil {
		t.Fatal(err)
	}
	s.zone.Follow(secondary, lag)
	if s.tree, err = newTree(s.zone, clock); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *still) exchange(_ context.Context, m *dns.Msg, _ string, at netip.AddrPort) (*dns.Msg, error) {
	if questionOf(m).rtype == dns.TypeTLSA {
		s.asked = append(s.asked, at.Addr().String())
	}
	if err := s.fails[at]; err != nil {
		return nil, err
	}
	answer := map[netip.AddrPort]*zone{rootAt: s.tree.rootZone(), ns1At: s.tree.childZone(primary), ns2At: s.tree.childZone(secondary)}[at].answer
	r := reply(m, false, answer)
	if s.spoil != nil {
		s.spoil(at, r)
	}
	return r, nil
}

// resolver is one with an empty cache that asks ns1 first about what it does not know.
func (s *still) resolver() *resolver {
	r := newResolver(s.tree.hint(), network{}, func() time.Time { return s.now }, 0)
	r.exchange = s.exchange
	return r
}

// ask puts a question to a resolver, and returns the reply in short.
func (s *still) ask(r *resolver, name string, rtype uint16) string {
	s.t.Helper()
	m := new(dns.Msg).SetQuestion(name, rtype).SetEdns0(udpSize, true)
	out := reply(m, false, r.answer)
	if out.Rcode == dns.RcodeServerFailure && out.AuthenticatedData {
		s.t.Errorf("%s: a failure with AD", name)
	}
	return fmt.Sprintf("%s, AD %t, %d answers, TTL %s", dns.RcodeToString[out.Rcode], out.AuthenticatedData, len(withoutDNSSEC(out.Answer, rtype)), lowest(out.Answer))
}

const (
	found   = "NOERROR, AD true, 1 answers, TTL "
	refused = "SERVFAIL, AD false, 0 answers, TTL 0s"
)

func TestResolverKeepsAnAnswerForItsTTL(t *testing.T) {
	s := newStill(t)
	r := s.resolver()
	begun := s.now
	var got []string
	for _, passed := range []time.Duration{0, time.Second, 2500 * time.Millisecond, recordTTL - 1, recordTTL, 2 * recordTTL} {
		s.now = begun.Add(passed)
		got = append(got, fmt.Sprintf("%s: %s, asked %d", passed, s.ask(r, string(owner), dns.TypeTLSA), len(s.asked)))
	}
	want := []string{
		"0s: " + found + "4s, asked 2", // the root, which delegates, and the zone
		"1s: " + found + "3s, asked 2",
		"2.5s: " + found + "2s, asked 2",
		"3.999999999s: " + found + "1s, asked 2",
		"4s: " + found + "4s, asked 3",
		"8s: " + found + "4s, asked 4",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
}

// TestResolverAsksInTurn: what a cache holds depends on whom its resolver asked.
func TestResolverAsksInTurn(t *testing.T) {
	s := newStill(t)
	r := s.resolver()
	for range 4 {
		s.ask(r, string(owner), dns.TypeTLSA)
		s.now = s.now.Add(recordTTL)
	}
	first, second := s.asked[1], s.asked[2]
	if want := []string{rootAt.Addr().String(), first, second, first, second}; first == second || !cmp.Equal(s.asked, want) {
		t.Errorf("asked %v", s.asked)
	}
}

func TestResolverAsksAnotherServer(t *testing.T) {
	for _, down := range []netip.AddrPort{ns1At, ns2At} {
		s := newStill(t)
		s.fails[down] = errors.New("silent")
		if got := s.ask(s.resolver(), string(owner), dns.TypeTLSA); got != found+"4s" {
			t.Errorf("without %s: %s", down, got)
		}
	}
	s := newStill(t)
	s.fails[ns1At], s.fails[ns2At] = errors.New("silent"), errors.New("silent")
	if got := s.ask(s.resolver(), string(owner), dns.TypeTLSA); got != refused {
		t.Errorf("without servers: %s", got)
	}
}

func TestResolverProvesDenials(t *testing.T) {
	s := newStill(t)
	r := s.resolver()
	for name, want := range map[string]string{
		"mx1.example.org.": "NOERROR, AD true, 0 answers, TTL 0s", "_tcp.mx1.example.org.": "NOERROR, AD true, 0 answers, TTL 0s", "org.": "NOERROR, AD true, 0 answers, TTL 0s",
		"zz.example.org.": "NXDOMAIN, AD true, 0 answers, TTL 0s", "_1._tcp.mx1.example.org.": "NXDOMAIN, AD true, 0 answers, TTL 0s", "test.": "NXDOMAIN, AD true, 0 answers, TTL 0s",
	} {
		if got := s.ask(r, name, dns.TypeTLSA); got != want {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// anotherDigest is one that differs, whatever it was.
func anotherDigest(digest string) string {
	if digest[:2] == "00" {
		return "ff" + digest[2:]
	}
	return "00" + digest[2:]
}

// TestResolverEarnsAD: whatever is changed on the way is refused.
func TestResolverEarnsAD(t *testing.T) {
	drop := func(rtype uint16) func(netip.AddrPort, *dns.Msg) {
		return func(_ netip.AddrPort, r *dns.Msg) {
			for _, section := range []*[]dns.RR{&r.Answer, &r.Ns} {
				var kept []dns.RR
				for _, rr := range *section {
					if rr.Header().Rrtype != rtype {
						kept = append(kept, rr)
					}
				}
				*section = kept
			}
		}
	}
	each := func(change func(dns.RR)) func(netip.AddrPort, *dns.Msg) {
		return func(_ netip.AddrPort, r *dns.Msg) {
			for _, rr := range append(r.Answer, r.Ns...) {
				change(rr)
			}
		}
	}
	for what, spoil := range map[string]func(netip.AddrPort, *dns.Msg){
		"another record": each(func(rr dns.RR) {
			if t, ok := rr.(*dns.TLSA); ok {
				t.Certificate = anotherDigest(t.Certificate)
			}
		}),
		"another DS": each(func(rr dns.RR) {
			if d, ok := rr.(*dns.DS); ok {
				d.Digest = anotherDigest(d.Digest)
			}
		}),
		"another key": each(func(rr dns.RR) {
			if k, ok := rr.(*dns.DNSKEY); ok {
				k.Flags = dns.ZONE
			}
		}),
		"out of date": each(func(rr dns.RR) {
			if sig, ok := rr.(*dns.RRSIG); ok {
				sig.Expiration = sig.Inception
			}
		}),
		"no signatures": drop(dns.TypeRRSIG),
		"no DS":         drop(dns.TypeDS),
		"no keys":       drop(dns.TypeDNSKEY),
		"denied without proof": func(_ netip.AddrPort, r *dns.Msg) {
			r.Answer = nil
		},
		"a lame server": func(at netip.AddrPort, r *dns.Msg) {
			r.Authoritative, r.Answer = false, nil
		},
	} {
		s := newStill(t)
		s.spoil = spoil
		if got := s.ask(s.resolver(), string(owner), dns.TypeTLSA); got != refused {
			t.Errorf("%s: %s", what, got)
		}
	}
	for _, name := range []string{"zz.example.org.", "mx1.example.org."} {
		s := newStill(t)
		s.spoil = drop(dns.TypeNSEC)
		if got := s.ask(s.resolver(), name, dns.TypeTLSA); got != refused {
			t.Errorf("%s denied without NSEC: %s", name, got)
		}
	}
}

// TestDenial: each proof is of one name, and says no more than it says.
func TestDenial(t *testing.T) {
	nsec := func(owner, next string, types ...uint16) *dns.NSEC {
		return &dns.NSEC{Hdr: header(owner, dns.TypeNSEC, recordTTL), NextDomain: next, TypeBitMap: types}
	}
	apex, b, d := nsec("example.", "b.example.", dns.TypeSOA), nsec("b.example.", "x.d.example.", dns.TypeA), nsec("x.d.example.", "example.", dns.TypeA)
	for _, test := range []struct {
		name  string
		nsec  []*dns.NSEC
		error bool // NXDOMAIN, else no TLSA
		want  string
	}{
		{"b.example.", []*dns.NSEC{b}, false, ""},
		{"d.example.", []*dns.NSEC{b}, false, ""}, // an empty non-terminal
		{"c.example.", []*dns.NSEC{b, apex}, true, ""},
		{"z.example.", []*dns.NSEC{d, apex}, true, ""},
		{"a.b.example.", []*dns.NSEC{b}, true, ""}, // the wildcard lies in the same span
		{"b.example.", []*dns.NSEC{apex}, false, "b.example. TLSA is denied without proof"},
		{"c.example.", []*dns.NSEC{b}, true, "c.example. is denied without proof about the wildcard at example."},
		{"c.example.", []*dns.NSEC{apex}, true, "c.example. is denied without proof"},
		{"d.example.", []*dns.NSEC{b, apex}, true, "d.example. is denied without proof"},
		{"b.example.", []*dns.NSEC{nsec("b.example.", "c.example.", dns.TypeTLSA)}, false, "b.example. TLSA is denied, and its NSEC says that it is there"},
	} {
		p := denial{"example.", test.nsec}
		err := p.noData(test.name, dns.TypeTLSA)
		if test.error {
			err = p.nameError(test.name)
		}
		if got := fmt.Sprint(err); got != test.want && (err != nil || test.want != "") {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
}
