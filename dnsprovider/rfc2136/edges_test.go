package rfc2136_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"
	"github.com/tlsaroll/tlsaroll/dnsprovider"
)

// TestAliasIsDetectedHoweverTheServerAnswers: beside a CNAME some servers ignore an
// addition and say NOERROR, others say REFUSED. Neither passes for a success, and where
// the alias can be read nothing is sent at all.
func TestAliasIsDetectedHoweverTheServerAnswers(t *testing.T) {
	for name, says := range map[string]struct {
		rcode int
		kind  dnsprovider.Kind // where the alias came after the reading
	}{
		"NOERROR": {dns.RcodeSuccess, dnsprovider.Alias},
		"REFUSED": {dns.RcodeRefused, dnsprovider.Refused},
	} {
		t.Run(name, func(t *testing.T) {
			for _, meanwhile := range []bool{false, true} {
				s := serve(t)
				alias := func() { s.set(owner, "3600 IN CNAME _dane.example.org.") }
				if !meanwhile {
					alias()
				}
				sent := 0
				s.always(func(w dns.ResponseWriter, req *dns.Msg) bool {
					if !isUpdate(req) {
						return false
					}
					sent++
					alias()
					s.write(w, req, new(dns.Msg).SetRcode(req, says.rcode))
					return true
				})
				err := apply(t, newProvider(t, config(s)), rrset(), rrset("1"))
				want := dnsprovider.Alias
				if meanwhile {
					want = says.kind
				}
				if !errors.Is(err, want.Err()) {
					t.Errorf("alias came meanwhile %t: error is %v, want one of kind %v", meanwhile, err, want)
				}
				if s.heard(); (sent > 0) != meanwhile {
					t.Errorf("alias came meanwhile %t: %d updates were sent", meanwhile, sent)
				}
				s.holds(t, owner, rrset())
			}
		})
	}
}

// TestZoneBelowTheHostIsFound: where _tcp.mx is a zone of its own, the update goes to
// that zone's primary and not to the one of the zone around it.
func TestZoneBelowTheHostIsFound(t *testing.T) {
	outer, inner := serve(t), serve(t)
	w := resolve(t, append(delegation,
		"_tcp.mx.example.org. 3600 IN SOA ns.example.net. hostmaster.example.net. 1 3600 600 86400 300",
		"_tcp.mx.example.org. 3600 IN NS ns.example.net.",
		"ns.example.net. 3600 IN A 192.0.2.9")...)
	w.routes["192.0.2.1:53"], w.routes["192.0.2.9:53"] = outer.address, inner.address
	var zones []string
	inner.always(func(dw dns.ResponseWriter, req *dns.Msg) bool {
		// Our server knows the outer zone's name alone: it is told that name and gives the other.
		m, asked := new(dns.Msg).SetReply(req), req.Copy()
		if isUpdate(req) {
			zones = append(zones, req.Question[0].Name)
			asked.Question[0].Name = zone
		}
		inner.answer(asked, m)
		for _, rr := range m.Ns {
			rr.Header().Name = "_tcp.mx.example.org."
		}
		inner.write(dw, req, m)
		return true
	})
	if err := newProvider(t, w.config(inner)).Apply(t.Context(), "", []dnsprovider.Change{{Owner: owner, After: rrset("1")}})[0]; err != nil {
		t.Error(err)
	}
	if outer.heard() > 0 || !slices.Equal(zones, []string{"_tcp.mx.example.org."}) {
		t.Errorf("%d updates to the outer zone's primary, and to the inner one's of %v", outer.heard(), zones)
	}
	inner.holds(t, owner, rrset("1"))
}

// TestConfiguredServerStandsForTheMNAME: a primary that the SOA record names and nobody
// can reach does not matter where another is configured; without that it is said.
func TestConfiguredServerStandsForTheMNAME(t *testing.T) {
	s := serve(t)
	w := resolve(t,
		"example.org. 3600 IN SOA hidden.example.net. hostmaster.example.org. 1 3600 600 86400 300",
		"example.org. 3600 IN NS ns1.example.org.",
		"hidden.example.net. 3600 IN A 192.0.2.7",
		"ns1.example.org. 3600 IN A 192.0.2.1")
	w.routes["192.0.2.7:53"] = "127.0.0.1:1" // nobody there
	w.routes["192.0.2.1:53"] = s.address
	c := w.config(s)
	if err := newProvider(t, c).Apply(t.Context(), "", additions(1))[0]; !errors.Is(err, dnsprovider.ErrTemporary) || !strings.Contains(err.Error(), "192.0.2.7:53") {
		t.Errorf("nothing is configured: error is %v", err)
	}
	s.holds(t, numbered(0), rrset())
	w.dialed = nil
	c.Server = "ns1.example.org"
	if err := newProvider(t, c).Apply(t.Context(), "", additions(1))[0]; err != nil {
		t.Error(err)
	}
	if slices.Contains(w.dialed, "192.0.2.7:53") {
		t.Errorf("asked %v", w.dialed)
	}
	s.holds(t, numbered(0), rrset("1"))
}

// TestRRsetIsNeverEmptiedOnTheWay: whatever is there before and after, it is one message,
// which the server carries out wholly or not at all; it takes out what was read, and
// never a whole RRset.
func TestRRsetIsNeverEmptiedOnTheWay(t *testing.T) {
	for _, digits := range [][2][]string{
		{{}, {"1"}}, {{"1"}, {"1", "2"}}, {{"1", "2"}, {"2"}}, {{"1", "2"}, {"3", "4"}}, {{"1", "2", "e", "f"}, {"e", "f", "3"}},
	} {
		before, after := rrset(digits[0]...), rrset(digits[1]...)
		s := serve(t)
		for _, a := range before.Associations {
			s.add(string(owner) + " 3600 IN TLSA " + a.String())
		}
		s.always(func(_ dns.ResponseWriter, req *dns.Msg) bool {
			for _, rr := range req.Ns {
				if isUpdate(req) && rr.Header().Class == dns.ClassANY {
					t.Errorf("%v to %v: deletes an RRset: %v", digits[0], digits[1], rr)
				}
			}
			return false
		})
		if err := apply(t, newProvider(t, config(s)), before, after); err != nil {
			t.Error(err)
		}
		if n := s.heard(); n != 1 {
			t.Errorf("%v to %v: %d messages", digits[0], digits[1], n)
		}
		s.holds(t, owner, after)
	}
}

// TestRecordThatStaysIsPutInAnew: where records only go, one that stays is taken out and put
// in again before them, for PowerDNS, and the RRset is not empty in between.
func TestRecordThatStaysIsPutInAnew(t *testing.T) {
	for _, tc := range []struct {
		before, after []string
		want          string // classes
	}{
		{[]string{"1", "2"}, []string{"2"}, "NONE IN NONE"},
		{[]string{"1", "2", "3", "e"}, []string{"2", "e"}, "NONE IN NONE NONE"},
		{[]string{"1", "2"}, []string{"2", "3"}, "IN NONE"},
		{[]string{"1", "2"}, nil, "NONE NONE"},
	} {
		before, after := rrset(tc.before...), rrset(tc.after...)
		s := serve(t)
		for _, a := range before.Associations {
			s.add(string(owner) + " 3600 IN TLSA " + a.String())
		}
		var got []string
		s.always(func(_ dns.ResponseWriter, req *dns.Msg) bool {
			if !isUpdate(req) {
				return false
			}
			standing := len(tc.before)
			for i, rr := range req.Ns {
				got = append(got, dns.ClassToString[rr.Header().Class])
				if rr.Header().Class == dns.ClassNONE {
					standing--
				} else {
					standing++
				}
				if standing == 0 && i < len(req.Ns)-1 {
					t.Errorf("%v to %v: empty after %v", tc.before, tc.after, req.Ns[:i+1])
				}
			}
			return false
		})
		if err := apply(t, newProvider(t, config(s)), before, after); err != nil {
			t.Error(err)
		}
		if classes := strings.Join(got, " "); classes != tc.want {
			t.Errorf("%v to %v: %s, want %s", tc.before, tc.after, classes, tc.want)
		}
		s.holds(t, owner, after)
	}
}
