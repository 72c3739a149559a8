package rfc2136_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/miekg/dns"
	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/dnsprovider/rfc2136"
)

// world is a resolver that knows some records, and the way to servers by their address.
type world struct {
	*server
	mu     sync.Mutex
	routes map[string]string // from the address in DNS to where it is
	dialed []string
}

// resolve starts a resolver.
func resolve(t *testing.T, records ...string) *world {
	t.Helper()
	w := &world{server: serve(t), routes: map[string]string{}}
	var rrs []dns.RR
	for _, text := range records {
		rr, err := dns.NewRR(text)
		if err != nil {
			t.Fatal(err)
		}
		rrs = append(rrs, rr)
	}
	w.always(func(rw dns.ResponseWriter, req *dns.Msg) bool {
		if !req.RecursionDesired || req.IsTsig() != nil {
			t.Errorf("a resolver is asked %v", req)
		}
		m := new(dns.Msg).SetReply(req)
		q := req.Question[0]
		for _, rr := range rrs {
			if rr.Header().Name == q.Name && rr.Header().Rrtype == q.Qtype {
				m.Answer = append(m.Answer, rr)
			}
		}
		if strings.HasSuffix(q.Name, "broken.example.") {
			m.Rcode = dns.RcodeServerFailure
		}
		rw.WriteMsg(m)
		return true
	})
	return w
}

func (w *world) dial(ctx context.Context, network, address string) (net.Conn, error) {
	w.mu.Lock()
	w.dialed = append(w.dialed, address)
	to, ok := w.routes[address]
	w.mu.Unlock()
	if !ok {
		to = address
	}
	return new(net.Dialer).DialContext(ctx, network, to)
}

func (w *world) config(s *server) rfc2136.Config {
	c := config(s)
	c.Server, c.Zone, c.Resolver, c.Dial = "", "", w.address, w.dial
	return c
}

var delegation = []string{
	"org. 3600 IN SOA a.nic.org. hostmaster.nic.org. 1 3600 600 86400 300",
	"example.org. 3600 IN SOA ns1.example.org. hostmaster.example.org. 1 3600 600 86400 300",
	"example.org. 3600 IN NS ns1.example.org.",
	"ns1.example.org. 3600 IN A 192.0.2.1",
}

func TestZoneAndPrimaryAreFound(t *testing.T) {
	s := serve(t)
	w := resolve(t, delegation...)
	w.routes["192.0.2.1:53"] = s.address
	p := newProvider(t, w.config(s))
	errs := p.Apply(t.Context(), "", additions(3))
	for i, err := range errs {
		if err != nil {
			t.Errorf("change %d: %v", i, err)
		}
		s.holds(t, numbered(i), rrset("1"))
	}
}

// TestHiddenPrimaryIsMentioned: a primary that is no name server of the zone gets the
// updates, and the log says so.
func TestHiddenPrimaryIsMentioned(t *testing.T) {
	s := serve(t)
	w := resolve(t,
		"example.org. 3600 IN SOA hidden.example.net. hostmaster.example.org. 1 3600 600 86400 300",
		"example.org. 3600 IN NS ns1.example.org.",
		"hidden.example.net. 3600 IN A 192.0.2.7")
	w.routes["192.0.2.7:53"] = s.address
	c := w.config(s)
	var log bytes.Buffer
	c.Log = slog.New(slog.NewTextHandler(&log, nil))
	if err := newProvider(t, c).Apply(t.Context(), "", additions(1))[0]; err != nil {
		t.Error(err)
	}
	if !strings.Contains(log.String(), "is none of the zone's name servers") || !strings.Contains(log.String(), "primary=hidden.example.net.") {
		t.Errorf("log is %q", log.String())
	}
}

// TestNextAddressOfTheServer: no answer, SERVFAIL and NOTIMP lead to the next address,
// and nothing else does (RFC 2136, section 4.6).
func TestNextAddressOfTheServer(t *testing.T) {
	answer := func(rcode int) func(*testing.T) string {
		return func(t *testing.T) string {
			s := serve(t)
			s.always(func(w dns.ResponseWriter, req *dns.Msg) bool {
				if isUpdate(req) {
					s.write(w, req, new(dns.Msg).SetRcode(req, rcode))
				}
				return isUpdate(req)
			})
			return s.address
		}
	}
	for _, test := range []struct {
		name  string
		first func(t *testing.T) string
		kind  dnsprovider.Kind // 0: the second address takes it
	}{
		{"nobody there", func(t *testing.T) string { return "127.0.0.1:1" }, 0},
		{"SERVFAIL", answer(dns.RcodeServerFailure), 0},
		{"NOTIMP", answer(dns.RcodeNotImplemented), 0},
		{"REFUSED", answer(dns.RcodeRefused), dnsprovider.Refused},
		{"NOTAUTH", answer(dns.RcodeNotAuth), dnsprovider.NoZone},
		{"zone not loaded", func(t *testing.T) string {
			s := serve(t)
			s.always(func(w dns.ResponseWriter, req *dns.Msg) bool {
				s.write(w, req, new(dns.Msg).SetRcode(req, dns.RcodeServerFailure))
				return true
			})
			return s.address
		}, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			second := serve(t)
			w := resolve(t, append(delegation, "ns1.example.org. 3600 IN AAAA 2001:db8::1")...)
			w.routes["[2001:db8::1]:53"] = test.first(t)
			w.routes["192.0.2.1:53"] = second.address
			err := newProvider(t, w.config(second)).Apply(t.Context(), "", additions(1))[0]
			if test.kind == 0 {
				if err != nil {
					t.Error(err)
				}
				second.holds(t, numbered(0), rrset("1"))
				return
			}
			if !errors.Is(err, test.kind.Err()) {
				t.Errorf("error is %v, want one of kind %v", err, test.kind)
			}
			second.holds(t, numbered(0), rrset())
		})
	}
}

func TestZoneNotFound(t *testing.T) {
	s := serve(t)
	for _, test := range []struct {
		name, zone string
		records    []string
		kind       dnsprovider.Kind
		want       string
	}{
		{"no such domain", "", delegation[:1], dnsprovider.NoZone,
			"rfc2136: no zone found that the name lies in (hint: does the domain exist, and does the server, or the resolver, know it; else configure the zone)"},
		{"no such zone", "example.org", delegation[:1], dnsprovider.NoZone,
			"rfc2136: the resolver finds no SOA at example.org., so the zone does not exist (hint: is that the name of the zone; if it is hidden, configure the server)"},
		{"primary without address", "", delegation[:3], dnsprovider.Temporary,
			"rfc2136: the server ns1.example.org. has no address (hint: is that its name)"},
		{"resolver in trouble", "broken.example", nil, dnsprovider.Temporary,
			"resolver: SERVFAIL for broken.example. (hint: is the zone signed and served as it should; does this resolver serve this host)"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := resolve(t, test.records...)
			owner := owner
			if test.zone == "broken.example" {
				owner = "_25._tcp.mx.broken.example."
			}
			_, err := newProvider(t, w.config(s)).RRset(t.Context(), test.zone, owner)
			if !errors.Is(err, test.kind.Err()) || !strings.HasSuffix(err.Error(), test.want) {
				t.Errorf("error is\n%v, want\n%s", err, test.want)
			}
		})
	}
}

// TestZoneFoundAtTheServer: a server that is configured is asked itself, as nobody else
// may know the zone. The names of several zones and hosts come in one call.
func TestZoneFoundAtTheServer(t *testing.T) {
	s := serve(t, "mx3 3600 IN A 192.0.2.3")
	c := config(s)
	c.Zone = ""
	p := newProvider(t, c)
	for i, err := range p.Apply(t.Context(), "", additions(4)) {
		if err != nil {
			t.Errorf("change %d: %v", i, err)
		}
	}
	_, err := p.RRset(t.Context(), "", "_25._tcp.mx.example.net.")
	if !errors.Is(err, dnsprovider.ErrNoZone) || !strings.Contains(err.Error(), "no zone found that the name lies in: REFUSED: ") {
		t.Errorf("a name of somebody else's: %v", err)
	}
}

// TestZoneCutIsFoundAtTheServer: what is delegated further is not the server's.
func TestZoneCutIsFoundAtTheServer(t *testing.T) {
	s := serve(t, "_tcp.mx 3600 IN NS ns1.example.net.")
	c := config(s)
	c.Zone = ""
	_, err := newProvider(t, c).RRset(t.Context(), "", owner)
	if !errors.Is(err, dnsprovider.ErrOutsideZone) || !strings.Contains(err.Error(), "_tcp.mx.example.org.") {
		t.Errorf("error is %v", err)
	}
}

// TestAnotherZoneThanConfigured: the key is for one zone.
func TestAnotherZoneThanConfigured(t *testing.T) {
	s := serve(t)
	_, err := newProvider(t, config(s)).RRset(t.Context(), "example.net", "_25._tcp.mx.example.net.")
	want := "read _25._tcp.mx.example.net.: rfc2136: the zone example.net. is asked for, and the provider is for example.org. alone"
	if !errors.Is(err, dnsprovider.ErrNoZone) || err.Error() != want {
		t.Errorf("error is\n%v, want\n%s", err, want)
	}
}

// TestServerNameIsLookedUp: by the resolver that is configured.
func TestServerNameIsLookedUp(t *testing.T) {
	s := serve(t, line(owner, "1"))
	w := resolve(t, "primary.example.net. 3600 IN A 192.0.2.9")
	w.routes["192.0.2.9:5353"] = s.address
	c := w.config(s)
	c.Server, c.Zone = "primary.example.net:5353", zone
	if read, err := newProvider(t, c).RRset(t.Context(), "", owner); err != nil || !read.Same(rrset("1")) {
		t.Errorf("read %v, %v", read, err)
	}
}

// TestUnsigned: only where it is asked for, and then nothing is signed.
func TestUnsigned(t *testing.T) {
	s := serve(t, line(owner, "1"))
	s.always(func(w dns.ResponseWriter, req *dns.Msg) bool {
		if req.IsTsig() != nil {
			t.Error("a request is signed")
		}
		w.WriteMsg(s.reply(req))
		return true
	})
	c := config(s)
	c.KeyName, c.Secret, c.Unsigned = "", rfc2136.Secret{}, true
	if err := apply(t, newProvider(t, c), rrset("1"), rrset("1", "2")); err != nil {
		t.Error(err)
	}
	s.holds(t, owner, rrset("1", "2"))
	s.always(func(w dns.ResponseWriter, req *dns.Msg) bool {
		m := s.reply(req)
		if isUpdate(req) {
			m.Rcode = dns.RcodeRefused
		}
		w.WriteMsg(m)
		return true
	})
	err := apply(t, newProvider(t, c), rrset("1", "2"), rrset("1", "3"))
	if err == nil || !strings.HasSuffix(err.Error(), "(hint: does the server let this address change the zone without a key)") {
		t.Errorf("error is %v", err)
	}
}
