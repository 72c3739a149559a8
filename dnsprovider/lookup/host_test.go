package lookup_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"

	"github.com/tlsaroll/tlsaroll/dnsprovider/lookup"
)

func (w *world) host(name string) lookup.HostView {
	return w.client().NewPass(nil).Host(w.t.Context(), name)
}

func addrs(s ...string) []netip.Addr {
	var out []netip.Addr
	for _, a := range s {
		out = append(out, netip.MustParseAddr(a))
	}
	return out
}

func TestHost(t *testing.T) {
	w := newWorld(t)
	w.zones["example.org."].put("mx 60 A 192.0.2.24\n")
	v := w.host("MX.Example.ORG.")
	if v.Host != "mx.example.org" || v.Target != v.Host || v.Err != "" || len(v.Aliases) > 0 || v.Security != lookup.Secure {
		t.Errorf("%#v", v)
	}
	want := addrs("192.0.2.24", "192.0.2.25", "2001:db8::25")
	if got := v.Addresses(); !cmp.Equal(got, want, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })) {
		t.Errorf("addresses %v, want %v", got, want)
	}
	if v.IPv4.TTL != time.Hour || v.IPv6.TTL != time.Hour {
		t.Errorf("TTLs %s and %s", v.IPv4.TTL, v.IPv6.TTL)
	}
	if got := v.Candidates(); !cmp.Equal(got, []string{"mx.example.org"}) {
		t.Errorf("candidates %v", got)
	}
}

func TestHostTTLIsTheSignedOne(t *testing.T) {
	// What is left of the TTL in the resolver's cache is less than the zone's.
	w := newWorld(t)
	w.resolver.override = func(q *dns.Msg) *dns.Msg {
		if q.Question[0].Qtype != dns.TypeA {
			return nil
		}
		r := w.zones["example.org."].answer(q)
		for _, rr := range r.Answer {
			rr.Header().Ttl = 7
		}
		r.AuthenticatedData = true
		return r
	}
	if v := w.host("mx.example.org"); v.IPv4.TTL != time.Hour {
		t.Errorf("TTL %s", v.IPv4.TTL)
	}
}

func TestHostWithoutAddresses(t *testing.T) {
	w := newWorld(t)
	for _, host := range []string{"gone.example.org", "_tcp.mx.example.org"} {
		v := w.host(host)
		if v.Err != "" || len(v.Addresses()) > 0 || v.IPv4.Err != "" || v.Security != lookup.Secure || v.IPv4.TTL != 10*time.Minute {
			t.Errorf("%#v", v)
		}
	}
}

func TestHostIsAnAlias(t *testing.T) {
	tests := []struct {
		name       string
		change     func(w *world)
		security   lookup.Security
		steps      []lookup.Security
		candidates []string
	}{
		{"secure to its end", func(*world) {}, lookup.Secure, []lookup.Security{lookup.Secure, lookup.Secure}, []string{"real.other.org", "alias.example.org"}},
		{"insecure target", func(w *world) {
			w.zones["org."].drop("other.org.", dns.TypeDS)
		}, lookup.Insecure, []lookup.Security{lookup.Secure, lookup.Insecure}, []string{"alias.example.org"}},
		{"insecure from the start", func(w *world) {
			w.zones["org."].drop("example.org.", dns.TypeDS)
		}, lookup.Insecure, []lookup.Security{lookup.Insecure, lookup.Insecure}, nil},
		{"bogus target", func(w *world) {
			w.zones["other.org."].expiration = w.now.Add(-time.Hour)
		}, lookup.Bogus, []lookup.Security{lookup.Secure, lookup.Bogus}, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			w.zones["example.org."].put("alias 600 CNAME step.other.org.\n")
			w.zones["other.org."].put("step 60 CNAME real\nreal 300 A 192.0.2.77\n")
			test.change(w)
			v := w.host("alias.example.org")
			var steps []lookup.Security
			for _, a := range v.Aliases {
				steps = append(steps, a.Security)
			}
			if v.Security != test.security || v.Target != "real.other.org" || !cmp.Equal(steps, test.steps) {
				t.Errorf("security %s (%s), target %s, steps %v", v.Security, v.SecurityText, v.Target, steps)
			}
			if got := v.Candidates(); !cmp.Equal(got, test.candidates) {
				t.Errorf("candidates %v, want %v", got, test.candidates)
			}
		})
	}
}

func TestHostOneFamilyFails(t *testing.T) {
	w := newWorld(t)
	w.resolver.override = func(q *dns.Msg) *dns.Msg {
		if q.Question[0].Qtype == dns.TypeAAAA {
			return new(dns.Msg).SetRcode(q, dns.RcodeServerFailure)
		}
		return nil
	}
	v := w.host("mx.example.org")
	if v.Security != lookup.Indeterminate || v.IPv4.Security != lookup.Secure || v.IPv6.Err == "" || len(v.Addresses()) != 1 || v.Candidates() != nil {
		t.Errorf("%#v", v)
	}
}

func TestHostThatIsNone(t *testing.T) {
	w := newWorld(t)
	v := w.host("bücher.example")
	if want := `name "bücher.example": not ASCII (hint: write the A-label, as in xn--bcher-kva.example)`; v.Err != want || v.Security != lookup.Indeterminate {
		t.Errorf("error %q, want %q", v.Err, want)
	}
}

func TestHostAliasLoop(t *testing.T) {
	w := newWorld(t)
	w.resolver.override = func(q *dns.Msg) *dns.Msg {
		r := new(dns.Msg).SetReply(q)
		if q.Question[0].Name == "a.example.org." {
			r.Answer = []dns.RR{mustRR("a.example.org. 60 IN CNAME b.example.org."), mustRR("b.example.org. 60 IN CNAME a.example.org.")}
		}
		return r
	}
	if v := w.host("a.example.org"); v.Err != "alias a.example.org.: more than 8 steps, or a loop" || v.Candidates() != nil {
		t.Errorf("error %q, candidates %v", v.Err, v.Candidates())
	}
}
