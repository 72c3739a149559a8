package rfc2136_test

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

func numbered(i int) tlsa.Owner {
	return tlsa.Owner(fmt.Sprintf("_25._tcp.mx%d.example.org.", i))
}

func additions(n int) []dnsprovider.Change {
	changes := make([]dnsprovider.Change, n)
	for i := range changes {
		changes[i] = dnsprovider.Change{Owner: numbered(i), After: rrset("1")}
	}
	return changes
}

func TestOwnersGoTogether(t *testing.T) {
	for _, test := range []struct{ owners, maxBatch, updates, largest int }{
		{49, 0, 1, 49},
		{250, 0, 2, 250}, // an update and the question whether it is made
		{251, 0, 4, 250},
		{10, 4, 3, 4},
		{3, 1, 3, 1},
	} {
		t.Run(fmt.Sprint(test.owners, "by", test.maxBatch), func(t *testing.T) {
			s := serve(t)
			c := config(s)
			c.MaxBatch = test.maxBatch
			for i, err := range newProvider(t, c).Apply(t.Context(), zone, additions(test.owners)) {
				if err != nil {
					t.Fatalf("change %d: %v", i, err)
				}
			}
			if n := s.heard(); n != test.updates || s.largest != test.largest {
				t.Errorf("%d updates with %d owners at most, want %d with %d", n, s.largest, test.updates, test.largest)
			}
		})
	}
}

// TestMessageIsNotTooLarge: whole certificates fill a message before there are 250.
func TestMessageIsNotTooLarge(t *testing.T) {
	s := serve(t)
	whole := tlsa.Association{Params: tlsa.Params{Usage: tlsa.DANEEE}, Data: strings.Repeat("30", 4000)}
	changes := additions(40)
	for i := range changes {
		changes[i].After = changes[i].After.With(whole)
	}
	for i, err := range newProvider(t, config(s)).Apply(t.Context(), zone, changes) {
		if err != nil {
			t.Errorf("change %d: %v", i, err)
		}
	}
	if n := s.heard(); n < 2 {
		t.Errorf("%d updates", n)
	}
	huge := tlsa.NewRRset(0)
	for i := range 10 {
		huge = huge.With(tlsa.Association{Params: whole.Params, Data: strings.Repeat(fmt.Sprintf("3%x", i), 8000)})
	}
	if err := apply(t, newProvider(t, config(s)), huge, rrset("1")); !errors.Is(err, dnsprovider.ErrMalformed) {
		t.Errorf("a change of 80,000 octets: %v", err)
	}
}

// TestConflictSendsEachOwnerAlone: so that only the one with the conflict fails. The
// server has another RRset by the time of the update.
func TestConflictSendsEachOwnerAlone(t *testing.T) {
	s := serve(t)
	s.once(func(w dns.ResponseWriter, req *dns.Msg) bool {
		if isUpdate(req) {
			s.set(numbered(3), "3600 IN TLSA "+record("f").String())
			s.behave(w, req)
		}
		return isUpdate(req)
	})
	for i, err := range newProvider(t, config(s)).Apply(t.Context(), zone, additions(6)) {
		switch {
		case i == 3:
			if !errors.Is(err, dnsprovider.ErrConflict) {
				t.Errorf("change %d: %v", i, err)
			}
			s.holds(t, numbered(i), rrset("f"))
		case err != nil:
			t.Errorf("change %d: %v", i, err)
		default:
			s.holds(t, numbered(i), rrset("1"))
		}
	}
	if n := s.heard(); n != 7 {
		t.Errorf("%d updates, want 1 with all and 6 with one", n)
	}
}

// TestRefusalOfOneOwner: rights are given by name, and one name without spoils the message.
func TestRefusalOfOneOwner(t *testing.T) {
	for _, rcode := range []int{dns.RcodeRefused, dns.RcodeNotZone, dns.RcodeFormatError} {
		s := serve(t)
		s.always(func(w dns.ResponseWriter, req *dns.Msg) bool {
			for _, rr := range req.Ns {
				if rr.Header().Name == string(numbered(1)) {
					s.write(w, req, new(dns.Msg).SetRcode(req, rcode))
					return true
				}
			}
			return false
		})
		for i, err := range newProvider(t, config(s)).Apply(t.Context(), zone, additions(3)) {
			if (err != nil) != (i == 1) {
				t.Errorf("%s: change %d: %v", dns.RcodeToString[rcode], i, err)
			}
		}
	}
}

// TestSilenceEndsTheSendingOneByOne: a server that is gone is not waited for once an owner.
func TestSilenceEndsTheSendingOneByOne(t *testing.T) {
	s := serve(t)
	var alone atomic.Int32
	s.always(func(w dns.ResponseWriter, req *dns.Msg) bool {
		if !isUpdate(req) {
			return false
		}
		if len(req.Ns) > 1 {
			s.write(w, req, new(dns.Msg).SetRcode(req, dns.RcodeRefused))
		} else {
			alone.Add(1)
		}
		return true
	})
	c := config(s)
	c.Timeout = 50 * time.Millisecond
	for i, err := range newProvider(t, c).Apply(t.Context(), zone, additions(50)) {
		if !errors.Is(err, dnsprovider.ErrTemporary) {
			t.Errorf("change %d: %v", i, err)
		}
		if i > 0 && !strings.Contains(err.Error(), "not sent, as the server has fallen silent: no reply within 50ms") {
			t.Errorf("change %d: %v", i, err)
		}
	}
	if n := alone.Load(); n != 2 {
		t.Errorf("%d messages with one owner, want one and its retry", n)
	}
}

// TestRefusalHintNamesTheOwner: each error shows the grant for its own name.
func TestRefusalHintNamesTheOwner(t *testing.T) {
	s := serve(t)
	s.always(func(w dns.ResponseWriter, req *dns.Msg) bool {
		if isUpdate(req) {
			s.write(w, req, new(dns.Msg).SetRcode(req, dns.RcodeRefused))
		}
		return isUpdate(req)
	})
	for i, err := range newProvider(t, config(s)).Apply(t.Context(), zone, additions(3)) {
		if want := "grant tlsaroll.example.org. name " + string(numbered(i)) + " TLSA"; err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("change %d: error is %v, want %q in it", i, err, want)
		}
	}
}

// TestPrerequisites: what goes over the wire (RFC 2136, sections 2.4 and 2.5).
func TestPrerequisites(t *testing.T) {
	s := serve(t, line(owner, "1"), line(owner, "f"))
	var got []string
	s.always(func(_ dns.ResponseWriter, req *dns.Msg) bool {
		if isUpdate(req) {
			for _, rr := range append(req.Answer, req.Ns...) {
				got = append(got, strings.Join(strings.Fields(rr.String()), " "))
			}
		}
		return false
	})
	before := rrset("1", "f")
	if err := apply(t, newProvider(t, config(s)), before, before.With(record("2")).Without(record("1"))); err != nil {
		t.Fatal(err)
	}
	tlsaOf := func(class, ttl, digit string) string {
		return "_25._tcp.mx.example.org. " + ttl + " " + class + " TLSA " + record(digit).String()
	}
	want := []string{
		"_25._tcp.mx.example.org. 0 NONE CNAME",
		tlsaOf("IN", "0", "1"), tlsaOf("IN", "0", "f"),
		tlsaOf("IN", "3600", "2"),
		tlsaOf("NONE", "0", "1"),
	}
	s.heard()
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("sent\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if before.Associations[0] != record("1") {
		t.Error("the caller's RRset was written into")
	}
}

// TestManyOwners: whatever is odd about one of very many has its own result, and the
// others are done.
func TestManyOwners(t *testing.T) {
	for name, start := range map[string]func(testing.TB) *named{
		"BIND": func(t testing.TB) *named {
			return startNamed(t, `allow-update { key "tlsaroll.example.org."; }; dnssec-policy default; inline-signing yes;`)
		},
		"Knot":     func(t testing.TB) *named { return startKnot(t, "dnssec-signing: on") },
		"PowerDNS": func(t testing.TB) *named { return startPowerDNS(t, "", pdnsAllow, "secure-zone "+zone).named },
	} {
		t.Run(name, func(t *testing.T) {
			n := start(t)
			changes := additions(320)
			for i := range 200 { // those exist already
				n.add(t, changes[i].Owner, "3600 IN TLSA "+rrset("1").Associations[0].String())
				changes[i].Before, changes[i].After = changes[i].After, rrset("2")
			}
			alias, clash, below, done := 210, 120, 310, 130
			n.put(t, changes[alias].Owner, "3600 IN CNAME elsewhere.example.")
			n.put(t, changes[clash].Owner, "3600 IN TLSA "+rrset("f").Associations[0].String())
			n.put(t, changes[done].Owner, "3600 IN TLSA "+rrset("2").Associations[0].String())
			n.put(t, "mx310.example.org.", "3600 IN NS ns.elsewhere.example.")
			changes = append(changes, dnsprovider.Change{Owner: changes[3].Owner, Before: rrset("2"), After: rrset("3")})
			n.settle(t, changes[done].Owner, dns.TypeTLSA, 1)

			kinds := map[int]dnsprovider.Kind{alias: dnsprovider.Alias, clash: dnsprovider.Conflict, below: dnsprovider.OutsideZone}
			c := bindConfig(n)
			c.ReadBack = 10 * time.Second
			for i, err := range newProvider(t, c).Apply(t.Context(), zone, changes) {
				if got := dnsprovider.KindOf(err); got != kinds[i] {
					t.Errorf("change %d: %v, want %v", i, err, kinds[i])
				}
			}
			for i, want := range map[int]string{0: "2", 3: "3", 119: "2", 121: "2", 199: "2", 200: "1", 319: "1", clash: "f", done: "2"} {
				n.settle(t, changes[i].Owner, dns.TypeTLSA, 1)
				if got := n.stands(t, changes[i].Owner); !got.Same(rrset(want)) || got.TTL != time.Hour {
					t.Errorf("owner %d has %v", i, got)
				}
			}
		})
	}
}

// TestManyOwnersAreSeen at once, when there is no error: where BIND signs at a side it
// compares the copy that is not signed yet.
func TestManyOwnersAreSeen(t *testing.T) {
	n := startNamed(t, `allow-update { key "tlsaroll.example.org."; }; dnssec-policy default; inline-signing yes;`)
	c := bindConfig(n)
	c.ReadBack = 10 * time.Second
	p := newProvider(t, c)
	changes := additions(500)
	for range 4 {
		for i, err := range p.Apply(t.Context(), zone, changes) {
			if err != nil {
				t.Fatalf("change %d: %v", i, err)
			}
		}
		for _, i := range []int{0, 248, 249, 250, 499} {
			if got := n.stands(t, changes[i].Owner); !got.Same(changes[i].After) {
				t.Errorf("owner %d has %v, want %v", i, got, changes[i].After)
			}
		}
		for i := range changes {
			changes[i].Before, changes[i].After = changes[i].After, changes[i].Before
		}
	}
}
