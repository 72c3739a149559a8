package lookup_test

import (
	"context"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"

	"github.com/tlsaroll/tlsaroll/dnsprovider/lookup"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// A record at one port makes the names above it exist, so that a wildcard further up
// no longer answers for the other ports (RFC 4592, section 3.3.1). One beside it, at
// _tcp, still does.
func TestExactNameHidesAWildcardFromOtherPorts(t *testing.T) {
	const imaps = tlsa.Owner("_993._tcp.mx.example.org.")
	for _, nsec3 := range []bool{false, true} {
		w := newWorld(t)
		z := w.zones["example.org."]
		z.nsec3 = nsec3
		z.drop(string(mx))
		z.put("*.mx 300 TLSA " + two + "\n")
		for _, owner := range []tlsa.Owner{mx, imaps} {
			if s := at(t, w.look(owner), ns1); s.Err != "" || !s.Wildcard || records(s.RRset) != two {
				t.Errorf("nsec3=%v: before: %#v", nsec3, s)
			}
		}
		z.put(string(mx) + " 1800 TLSA " + one + "\n")
		if s := at(t, w.look(mx), ns1); s.Wildcard || records(s.RRset) != one {
			t.Errorf("nsec3=%v: at the name: %#v", nsec3, s)
		}
		if s := at(t, w.look(imaps), ns1); s.Err != "" || !s.Denied || s.Proof != lookup.Verified {
			t.Errorf("nsec3=%v: at another port: %#v", nsec3, s)
		}
		z.put("*._tcp.mx 300 TLSA " + three + "\n")
		if s := at(t, w.look(imaps), ns1); s.Err != "" || !s.Wildcard || records(s.RRset) != three {
			t.Errorf("nsec3=%v: at another port, with a nearer wildcard: %#v", nsec3, s)
		}
	}
}

// A signer whose clock is ahead makes the whole zone bogus until its time has come.
func TestZoneSignedInTheFutureIsBogus(t *testing.T) {
	w := newWorld(t)
	w.zones["example.org."].inception = w.now.Add(time.Hour)
	v := w.look(mx)
	if v.Security != lookup.Bogus || v.Resolved != nil {
		t.Errorf("security %s: %s, resolved %v", v.Security, v.SecurityText, v.Resolved)
	}
	for _, s := range v.Servers {
		if s.Fault != lookup.FaultEarly || !strings.Contains(s.Err, "signature not valid before 2026-11-22T13:00:00Z") {
			t.Errorf("%s: fault %q: %s", s.Server, s.Fault, s.Err)
		}
	}
}

// A zone whose DS records are all of algorithms that the resolver lacks is insecure
// for it and for its like (RFC 4035, section 5.2), whatever signatures it carries.
func TestAlgorithmThatTheResolverLacksIsInsecure(t *testing.T) {
	w := newWorld(t)
	z := w.zones["example.org."]
	z.newUnknownKey()
	up := w.zones["org."]
	up.drop("example.org.", dns.TypeDS)
	up.records = append(up.records, z.ds())
	w.resolver.override = func(q *dns.Msg) *dns.Msg {
		if !dns.IsSubDomain("example.org.", q.Question[0].Name) || q.Question[0].Qtype == dns.TypeDS {
			return nil
		}
		return z.answer(q) // without AD
	}
	v := w.look(mx)
	if v.Security != lookup.Insecure || !strings.Contains(v.SecurityText, "no chain of trust") {
		t.Errorf("security %s: %s", v.Security, v.SecurityText)
	}
	if s := at(t, v, ns1); s.Err != "" || s.Proof == lookup.Verified {
		t.Errorf("%#v", s)
	}
}

// No reply that is asked for needs more than one datagram of 1232 octets; where one is
// lost all the same, TCP is tried, and that is told.
func TestRepliesLostOverUDPAreBogusForNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.servers[ns1].mangle = func(network string, _, r *dns.Msg) (*dns.Msg, error) {
			if network == "udp" { // a firewall drops fragments
				return nil, errSilent
			}
			return r, nil
		}
		var asked atomic.Int32
		c := w.client(func(cfg *lookup.Config) {
			cfg.Exchange = func(ctx context.Context, m *dns.Msg, network string, server netip.AddrPort) (*dns.Msg, error) {
				asked.Add(1)
				if e := m.IsEdns0(); e == nil || e.UDPSize() != 1232 || !e.Do() {
					t.Errorf("asked over %s: %v", network, m)
				}
				return w.exchange(ctx, m, network, server)
			}
		})
		v := c.NewPass(nil).Owner(t.Context(), mx)
		if s := at(t, v, ns1); s.Err != "" || s.Proof != lookup.Verified || records(s.RRset) != one {
			t.Errorf("%#v", s)
		}
		if got := codes(v); !cmp.Equal(got, []string{lookup.FindingUDPLost}) || v.Security != lookup.Secure {
			t.Errorf("security %s, findings %v", v.Security, v.Findings)
		}
		if asked.Load() < 10 {
			t.Errorf("%d questions: nothing was tested", asked.Load())
		}
	})
}

// One of four servers has signatures that have ended; the others are as good as before.
func TestSignatureExpiredOnOneOfFourServers(t *testing.T) {
	w := newWorld(t)
	fourth := addrPort("203.0.113.54")
	w.servers[fourth] = &authServer{zones: map[string]*authZone{"example.org.": w.zones["example.org."]}}
	w.zones["org."].put("example 86400 NS ns4.example\nns4.example 86400 A 203.0.113.54\n")
	w.zones["example.org."].put("@ 7200 NS ns4\nns4 7200 A 203.0.113.54\n")
	stale := w.own(fourth, "example.org.")
	stale.inception, stale.expiration = w.now.Add(-15*24*time.Hour), w.now.Add(-time.Hour)
	v := w.look(mx)
	if len(v.Servers) != 4 || v.Security != lookup.Secure {
		t.Fatalf("servers %v, security %s", names(v), v.Security)
	}
	for _, s := range v.Servers {
		if want := s.Address == fourth; (s.Fault == lookup.FaultExpired) != want || s.Signed() == want {
			t.Errorf("%s: fault %q, proof %q", s.Server, s.Fault, s.Proof)
		}
	}
}
