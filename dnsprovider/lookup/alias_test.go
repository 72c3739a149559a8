package lookup_test

import (
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"

	"github.com/tlsaroll/tlsaroll/dnsprovider/lookup"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

const dane = tlsa.Owner("_dane.example.org.")

// alias replaces the records at mx by an alias.
func (w *world) alias(target string, ttl int) {
	z := w.zones["example.org."]
	z.drop(string(mx))
	z.put(fmt.Sprintf("%s %d CNAME %s\n", mx, ttl, target))
}

func TestAliasIntoOurZone(t *testing.T) {
	w := newWorld(t)
	w.alias("_dane", 600)
	w.zones["example.org."].put("_dane 1800 TLSA " + one + "\n")
	v := w.look(mx)
	if v.Err != "" || v.Target != dane || v.Zone != "example.org." || v.AliasTTL != 10*time.Minute {
		t.Errorf("target %s, zone %s, alias TTL %s, error %q", v.Target, v.Zone, v.AliasTTL, v.Err)
	}
	want := []lookup.Alias{{Owner: string(mx), Target: string(dane), Zone: "example.org.", TTL: 10 * time.Minute}}
	if !cmp.Equal(v.Aliases, want) {
		t.Errorf("aliases %v, want %v", v.Aliases, want)
	}
	if len(v.Servers) != 3 {
		t.Fatalf("servers %v", names(v))
	}
	for _, s := range v.Servers { // one entry an address, with the records and not as a server of the alias
		if s.Err != "" || s.Asked != dane || s.Alias || s.RRset.TTL != 40*time.Minute || records(s.RRset) != one {
			t.Errorf("%s: %#v", s.Server, s)
		}
	}
	if v.Security != lookup.Secure || v.Resolved == nil || records(*v.Resolved) != one {
		t.Errorf("security %s, resolved %v", v.Security, v.Resolved)
	}
}

func TestAliasIntoAnotherZone(t *testing.T) {
	w := newWorld(t)
	w.alias("tlsa.other.org.", 600)
	w.zones["other.org."].put("tlsa 300 TLSA " + two + "\n")
	v := w.look(mx)
	if v.Err != "" || v.Target != "tlsa.other.org." || v.Zone != "other.org." {
		t.Errorf("target %s, zone %s, error %q", v.Target, v.Zone, v.Err)
	}
	for _, a := range []lookup.ServerView{at(t, v, ns1), at(t, v, ns2), at(t, v, ns2v6)} {
		if a.Err != "" || !a.Alias || a.Leads != "tlsa.other.org." || !a.RRset.Denial() || a.RRset.TTL != 0 || !a.Signed() {
			t.Errorf("%s: %#v", a.Server, a)
		}
	}
	o := at(t, v, otherAddr)
	if o.Err != "" || o.Alias || records(o.RRset) != two || o.RRset.TTL != 15*time.Minute {
		t.Errorf("%s: %#v", o.Server, o)
	}
}

func TestAddressOfBothZonesOnTheWay(t *testing.T) {
	w := newWorld(t)
	w.alias("tlsa.other.org.", 600)
	w.zones["other.org."].put("tlsa 300 TLSA " + two + "\n@ 3600 NS ns1.example.org.\n")
	w.zones["org."].put("other 259200 NS ns1.example\n")
	w.servers[ns1].zones["other.org."] = w.zones["other.org."]
	s := at(t, w.look(mx), ns1)
	if s.Err != "" || s.Alias || records(s.RRset) != two || s.Asked != "tlsa.other.org." || s.NSTTL != 72*time.Hour {
		t.Errorf("%#v", s)
	}
	w.zones["example.org."].put("@ 345600 NS ns3.other.org.\n")
	if s := at(t, w.look(mx), ns1); s.NSTTL != 96*time.Hour {
		t.Errorf("NS TTL %s, want the larger of both zones'", s.NSTTL)
	}
	// It does not answer for the alias: it is unknown, whatever it says of the target.
	w.servers[ns1].mangle = func(_ string, q, r *dns.Msg) (*dns.Msg, error) {
		if q.Question[0].Name == string(mx) {
			return new(dns.Msg).SetRcode(q, dns.RcodeServerFailure), nil
		}
		return r, nil
	}
	v := w.look(mx)
	if s := at(t, v, ns1); s.Fault != lookup.FaultServerFailure || s.NSTTL != 96*time.Hour {
		t.Errorf("%#v", s)
	}
	if got := strings.Count(strings.Join(names(v), " "), "(192.0.2.53)"); got != 1 {
		t.Errorf("%d entries of one address: %v", got, names(v))
	}
}

func TestAliasToNowhereIsADenial(t *testing.T) {
	w := newWorld(t)
	w.alias("gone.other.org.", 600)
	v := w.look(mx)
	o := at(t, v, otherAddr)
	if v.Err != "" || !o.Denied || o.NegativeTTL != 10*time.Minute || o.RRset.TTL != 20*time.Minute {
		t.Errorf("error %q, %#v", v.Err, o)
	}
	if a := at(t, v, ns1); a.Err != "" || !a.Alias {
		t.Errorf("NXDOMAIN speaks of the target, not of the alias: %#v", a)
	}
	if v.Resolved == nil || !v.Resolved.Denial() {
		t.Errorf("resolved %v", v.Resolved)
	}
}

func TestAliasChainOfThreeWithAnInsecureMiddle(t *testing.T) {
	w := newWorld(t)
	w.zone("plain.org.", "@ 60 SOA ns hostmaster 1 1 1 1 60\n@ 60 NS ns.other.org.\nstep 120 CNAME last.other.org.\n", otherAddr)
	w.zones["org."].put("plain 86400 NS ns.other\n")
	w.zones["other.org."].put("last 300 TLSA " + one + "\nfirst 60 CNAME step.plain.org.\n")
	w.alias("first.other.org.", 600)
	v := w.look(mx)
	if v.Err != "" || v.Target != "last.other.org." || len(v.Aliases) != 3 {
		t.Errorf("target %s, aliases %v, error %q", v.Target, v.Aliases, v.Err)
	}
	if v.Security != lookup.Insecure {
		t.Errorf("security %s: everything after an insecure step is insecure", v.Security)
	}
	if o := at(t, v, otherAddr); o.Err != "" || o.RRset.TTL != (600+60+120+300)*time.Second {
		t.Errorf("%#v", o)
	}
}

func TestAliasLoop(t *testing.T) {
	w := newWorld(t)
	w.alias("a.other.org.", 600)
	w.zones["other.org."].put("a 60 CNAME b.example.org.\n")
	w.zones["example.org."].put("b 60 CNAME a.other.org.\n")
	v := w.look(mx)
	want := "_25._tcp.mx.example.org.: the aliases lead in a circle: a.other.org. -> b.example.org. -> a.other.org."
	if v.Err != want {
		t.Errorf("error %q, want %q", v.Err, want)
	}
}

func TestAliasToItself(t *testing.T) {
	w := newWorld(t)
	w.alias(string(mx), 600)
	if v := w.look(mx); !strings.Contains(v.Err, "in a circle") {
		t.Errorf("error %q", v.Err)
	}
}

func TestAliasChainBeyondTheLimit(t *testing.T) {
	for _, steps := range []int{8, 9} {
		w := newWorld(t)
		z := w.zones["example.org."]
		w.alias("s1", 60)
		for i := 1; i < steps; i++ {
			z.put(fmt.Sprintf("s%d 60 CNAME s%d\n", i, i+1))
		}
		z.put(fmt.Sprintf("s%d 60 TLSA %s\n", steps, one))
		v := w.look(mx)
		if steps == 8 && (v.Err != "" || v.Target != "s8.example.org." || v.AliasTTL != 8*time.Minute) {
			t.Errorf("8 steps: target %s, alias TTL %s, error %q", v.Target, v.AliasTTL, v.Err)
		}
		if want := "_25._tcp.mx.example.org.: more than 8 aliases"; steps == 9 && v.Err != want {
			t.Errorf("9 steps: error %q, want %q", v.Err, want)
		}
	}
}

func TestDNAMEAboveTheOwner(t *testing.T) {
	w := newWorld(t)
	z := w.zones["example.org."]
	z.drop(string(mx))
	z.put("_tcp.mx 900 DNAME tcp.other.org.\n")
	w.zones["other.org."].put("_25.tcp 300 TLSA " + one + "\n")
	v := w.look(mx)
	if v.Err != "" || v.Target != "_25.tcp.other.org." || v.Security != lookup.Secure {
		t.Errorf("target %s, security %s, error %q", v.Target, v.Security, v.Err)
	}
	if a := at(t, v, ns1); a.Err != "" || !a.Alias || !a.Signed() {
		t.Errorf("a synthesised CNAME is as good as its DNAME: %#v", a)
	}
	if o := at(t, v, otherAddr); o.RRset.TTL != 20*time.Minute {
		t.Errorf("TTL %s, want DNAME's and RRset's together", o.RRset.TTL)
	}
}

func TestDNAMEWithAForgedCNAME(t *testing.T) {
	w := newWorld(t)
	z := w.zones["example.org."]
	z.drop(string(mx))
	z.put("_tcp.mx 900 DNAME tcp.other.org.\n")
	w.servers[ns1].mangle = func(_ string, q, r *dns.Msg) (*dns.Msg, error) {
		for _, rr := range r.Answer {
			if c, ok := rr.(*dns.CNAME); ok {
				c.Target = "evil.example."
			}
		}
		return r, nil
	}
	v := w.look(mx)
	if a := at(t, v, ns1); a.Leads != "_25.tcp.other.org." {
		t.Errorf("leads to %q: only the DNAME is signed, so only it counts", a.Leads)
	}
}

func TestServersDisagreeOnTheAlias(t *testing.T) {
	w := newWorld(t)
	w.alias("tlsa.other.org.", 600)
	w.zones["other.org."].put("tlsa 300 TLSA " + two + "\n")
	lag := w.own(ns2, "example.org.")
	lag.drop(string(mx))
	lag.put(string(mx) + " 3600 CNAME _dane\n_dane 1800 TLSA " + one + "\n")
	w.zones["example.org."].put("_dane 1800 TLSA " + one + "\n")
	v := w.look(mx)
	if v.Err != "" || v.Target != "tlsa.other.org." {
		t.Errorf("target %s (the resolver's way decides), error %q", v.Target, v.Err)
	}
	if len(v.Aliases) != 2 || !cmp.Equal(codes(v), []string{lookup.FindingAliasDisagree}) {
		t.Errorf("aliases %v, findings %v", v.Aliases, v.Findings)
	}
	// Every version that a cache may take is there, with the alias that leads to it.
	if o := at(t, v, otherAddr); records(o.RRset) != two || o.RRset.TTL != 15*time.Minute {
		t.Errorf("%#v", o)
	}
	if s := at(t, v, ns2); records(s.RRset) != one || s.RRset.TTL != 90*time.Minute {
		t.Errorf("%#v", s)
	}
}

func TestTheLongestWayIsReckonedWith(t *testing.T) {
	w := newWorld(t)
	w.zones["example.org."].put("_dane 1800 TLSA " + one + "\nstep 60 CNAME _dane\n")
	direct := w.own(ns2, "example.org.")
	direct.drop(string(mx))
	direct.put(string(mx) + " 7200 CNAME _dane\n")
	w.alias("step", 600)
	v := w.look(mx)
	if v.Err != "" || v.Target != dane || v.AliasTTL != 2*time.Hour {
		t.Errorf("target %s, alias TTL %s, error %q", v.Target, v.AliasTTL, v.Err)
	}
	if s := at(t, v, ns1); s.RRset.TTL != 150*time.Minute {
		t.Errorf("TTL %s", s.RRset.TTL)
	}
	direct.drop(string(mx))
	direct.put(string(mx) + " 300 CNAME _dane\n")
	if v := w.look(mx); v.AliasTTL != 11*time.Minute {
		t.Errorf("alias TTL %s", v.AliasTTL)
	}
}

func TestAliasReplacedByRecordsOnOneServer(t *testing.T) {
	w := newWorld(t)
	lag := w.own(ns2, "example.org.")
	lag.drop(string(mx))
	lag.put(string(mx) + " 3600 CNAME tlsa.other.org.\n")
	w.zones["other.org."].put("tlsa 300 TLSA " + two + "\n")
	v := w.look(mx)
	if v.Err != "" || v.Target != mx || !cmp.Equal(codes(v), []string{lookup.FindingAliasDisagree}) {
		t.Errorf("target %s, findings %v, error %q", v.Target, v.Findings, v.Err)
	}
	if s := at(t, v, ns2); !s.Alias || s.Leads != "tlsa.other.org." {
		t.Errorf("%#v", s)
	}
	if o := at(t, v, otherAddr); records(o.RRset) != two {
		t.Errorf("what only a lagging server leads to may be cached too: %#v", o)
	}
}

func TestTLSABesideACNAME(t *testing.T) {
	w := newWorld(t)
	w.servers[ns1].mangle = func(_ string, q, r *dns.Msg) (*dns.Msg, error) {
		if q.Question[0].Qtype == dns.TypeTLSA {
			r.Answer = append(r.Answer, &dns.CNAME{Hdr: dns.RR_Header{Name: string(mx), Rrtype: dns.TypeCNAME, Class: dns.ClassINET, Ttl: 60}, Target: "x.example.org."})
		}
		return r, nil
	}
	if s := at(t, w.look(mx), ns1); s.Fault != lookup.FaultMalformed || s.Err != "TLSA records beside an alias of the same name" {
		t.Errorf("fault %s: %s", s.Fault, s.Err)
	}
}

func TestAnotherZoneOfAnAliasIsUnknown(t *testing.T) {
	w := newWorld(t)
	w.alias("x.nowhere.org.", 600)
	w.resolver.override = func(q *dns.Msg) *dns.Msg {
		if strings.HasSuffix(q.Question[0].Name, "nowhere.org.") {
			return new(dns.Msg).SetRcode(q, dns.RcodeServerFailure)
		}
		return nil
	}
	v := w.look(mx)
	want := "zone of x.nowhere.org.: resolver 127.0.0.1:53: x.nowhere.org. SOA: SERVFAIL, and SERVFAIL without validation (hint: the resolver or all servers of the zone are in trouble)"
	if v.Err != want {
		t.Errorf("error %q, want %q", v.Err, want)
	}
	if len(v.Servers) != 3 || v.Target != "x.nowhere.org." || v.Zone != "" {
		t.Errorf("what was seen before is lost: servers %v, target %s, zone %q", names(v), v.Target, v.Zone)
	}
}

func TestServersThatLeadEverywhere(t *testing.T) {
	w := newWorld(t)
	w.alias("_dane", 60)
	n := 0
	var mu sync.Mutex
	for _, a := range []netip.AddrPort{ns1, ns2, ns2v6} {
		w.servers[a].mangle = func(_ string, q, r *dns.Msg) (*dns.Msg, error) {
			if q.Question[0].Qtype != dns.TypeTLSA {
				return r, nil
			}
			mu.Lock()
			defer mu.Unlock()
			n++
			name := q.Question[0].Name
			r = new(dns.Msg).SetReply(q)
			r.Authoritative = true
			r.Answer = w.zones["example.org."].signed([]dns.RR{mustRR(fmt.Sprintf("%s 60 IN CNAME x%d.example.org.", name, n))}, name)
			return r, nil
		}
	}
	v := w.look(mx)
	if want := "_25._tcp.mx.example.org.: the servers lead to more than 32 different names"; v.Err != want {
		t.Errorf("error %q, want %q", v.Err, want)
	}
	if n > 3*32 {
		t.Errorf("%d questions", n)
	}
}

func TestDNAMEThatMakesTooLongAName(t *testing.T) {
	w := newWorld(t)
	z := w.zones["example.org."]
	z.drop(string(mx))
	long := strings.Repeat(strings.Repeat("a", 60)+".", 4)
	z.put("_tcp.mx 900 DNAME " + long + "\n")
	for _, a := range w.servers {
		a.mangle = func(_ string, q, r *dns.Msg) (*dns.Msg, error) {
			if q.Question[0].Qtype == dns.TypeTLSA {
				r = new(dns.Msg).SetRcode(q, dns.RcodeYXDomain)
				r.Authoritative = true
				r.Answer = z.signed(z.rrset("_tcp.mx.example.org.", dns.TypeDNAME), "_tcp.mx.example.org.")
			}
			return r, nil
		}
	}
	if s := at(t, w.look("_25._tcp.mx.example.org."), ns1); s.Fault != lookup.FaultServerFailure || s.Err != "YXDOMAIN" {
		t.Errorf("fault %q: %s", s.Fault, s.Err)
	}
}
