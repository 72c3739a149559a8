package manual_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/dnsprovider/manual"
	"github.com/tlsaroll/tlsaroll/dnsprovider/providertest/fakeapi"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

func wants(t *testing.T, err error, kind dnsprovider.Kind, want string) {
	t.Helper()
	if err == nil || !errors.Is(err, kind.Err()) || !strings.Contains(err.Error(), want) {
		t.Errorf("error is\n%v, want one of kind %v\n%s", err, kind, want)
	}
}

func TestConfigRefused(t *testing.T) {
	for want, c := range map[string]manual.Config{
		"manual: no clock":                                               {},
		`dns: server "ns1:x": "x" is not a port`:                         {Name: "dns", Server: "ns1:x", Now: time.Now},
		`manual: server "n s": name "n s": ' ' is not allowed in a name`: {Server: "n s", Now: time.Now},
		"manual: a timeout of -1s: below zero":                           {Timeout: -time.Second, Now: time.Now},
		`manual: resolver "[::1]:0": "0" is not a port`:                  {Resolver: "[::1]:0", Now: time.Now},
		`manual: zone: name "a..b": an empty label`:                      {Zone: "a..b", Now: time.Now},
	} {
		if _, err := manual.New(c); err == nil || err.Error() != want {
			t.Errorf("error is\n%v, want\n%s", err, want)
		}
	}
	for _, server := range []string{"", "ns1.example.org", "192.0.2.1", "2001:db8::1", "[2001:db8::1]:53", "[fe80::1%eth0]:53"} {
		if _, err := manual.New(manual.Config{Server: server, Now: time.Now}); err != nil {
			t.Error(err)
		}
	}
}

// TestServersThatAnswerOtherwise: each is one sentence.
func TestServersThatAnswerOtherwise(t *testing.T) {
	reply := func(change func(m *dns.Msg)) dns.HandlerFunc {
		return func(w dns.ResponseWriter, m *dns.Msg) {
			r := new(dns.Msg).SetReply(m)
			r.Authoritative = true
			change(r)
			w.WriteMsg(r)
		}
	}
	soa := func(zone string) dns.RR {
		rr, err := dns.NewRR(zone + " SOA ns1 hostmaster 1 1 1 1 1")
		if err != nil {
			t.Fatal(err)
		}
		return rr
	}
	for name, test := range map[string]struct {
		handler dns.HandlerFunc
		kind    dnsprovider.Kind
		want    string
	}{
		"refuses":      {reply(func(m *dns.Msg) { m.Rcode = dns.RcodeRefused }), dnsprovider.NoZone, "REFUSED for _25._tcp.mx.example.org. (hint: is it a server of the zone, and does it answer this host; else configure another one)"},
		"in trouble":   {reply(func(m *dns.Msg) { m.Rcode = dns.RcodeServerFailure }), dnsprovider.Temporary, "SERVFAIL for _25._tcp.mx.example.org. (hint: the server's log may say why)"},
		"odd":          {reply(func(m *dns.Msg) { m.Rcode = 15 }), dnsprovider.Temporary, "RCODE 15 for "},
		"no question":  {reply(func(m *dns.Msg) { m.Rcode, m.Question = dns.RcodeRefused, nil }), dnsprovider.NoZone, "REFUSED for _25._tcp.mx.example.org."},
		"no authority": {reply(func(m *dns.Msg) { m.Authoritative = false }), dnsprovider.NoZone, "the server does not answer with authority for the zone example.org. (hint: is it the primary, and not a resolver; is the zone loaded there)"},
		"truncated":    {reply(func(m *dns.Msg) { m.Truncated = true }), dnsprovider.Malformed, "not a valid reply: it is truncated, over TCP"},
		"another ID":   {reply(func(m *dns.Msg) { m.Id++ }), dnsprovider.Malformed, "its ID is another"},
		"a request":    {reply(func(m *dns.Msg) { m.Response = false }), dnsprovider.Malformed, "it is a request"},
		"an update":    {reply(func(m *dns.Msg) { m.Opcode = dns.OpcodeUpdate }), dnsprovider.Malformed, "its opcode is 5"},
		"astray":       {reply(func(m *dns.Msg) { m.Question[0].Qtype = dns.TypeA }), dnsprovider.Malformed, "it is about another question"},
		"silent":       {func(w dns.ResponseWriter, m *dns.Msg) { w.Hijack() }, dnsprovider.Temporary, "no reply within 200ms (hint: is the server up, and does it take TCP from here; if it is hidden, configure another server of the zone)"},
		"hangs up":     {func(w dns.ResponseWriter, m *dns.Msg) { w.Close() }, dnsprovider.Temporary, "(hint: is the server up"},
		"nonsense":     {func(w dns.ResponseWriter, m *dns.Msg) { w.Write([]byte{0, 0, 0x84, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xc0}) }, dnsprovider.Malformed, "a reply that cannot be read: "},
		"parent":       {reply(func(m *dns.Msg) { m.Ns = []dns.RR{soa("org.")} }), dnsprovider.NoZone, "the server has no zone example.org., the name lies in its zone org."},
		"child":        {reply(func(m *dns.Msg) { m.Ns = []dns.RR{soa("mx.example.org.")} }), dnsprovider.OutsideZone, "the name lies below the zone cut at mx.example.org. and so not in the zone example.org."},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := manual.New(manual.Config{Server: serve(t, test.handler), Timeout: 200 * time.Millisecond, Now: time.Now})
			if err != nil {
				t.Fatal(err)
			}
			_, err = p.RRset(t.Context(), zone, owner)
			wants(t, err, test.kind, test.want)
			change := dnsprovider.Change{Owner: owner, After: rrset("1")}
			wants(t, p.Apply(t.Context(), zone, []dnsprovider.Change{change})[0], test.kind, test.want)
		})
	}
	p, err := manual.New(manual.Config{Server: "127.0.0.1:1", Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	_, err = p.RRset(t.Context(), zone, owner)
	wants(t, err, dnsprovider.Temporary, "manual 127.0.0.1:1: dial tcp 127.0.0.1:1: connect: connection refused")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err = p.RRset(ctx, zone, owner); !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v", err)
	}
	_, err = p.RRset(t.Context(), zone, "_25._TCP.mx.example.org.")
	wants(t, err, dnsprovider.Malformed, "not canonical")
}

// TestDNAMEAbove the name leads it elsewhere.
func TestDNAMEAbove(t *testing.T) {
	z := fakeapi.NewZone(zone)
	z.Add("mx.example.org.", "DNAME", 3600, "mx.example.net.")
	p, err := manual.New(manual.Config{Server: serve(t, primary(t, z)), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	_, err = p.RRset(t.Context(), zone, owner)
	wants(t, err, dnsprovider.Alias, "a DNAME at mx.example.org. leads to mx.example.net.")
}

// TestPrimaryFound: the zone and its primary are the resolver's to say, and the primary's
// second address answers where the first does not.
func TestPrimaryFound(t *testing.T) {
	z := fakeapi.NewZone(zone)
	z.Replace(string(owner), "TLSA", 3600, record("1").String())
	server := serve(t, primary(t, z))
	asked := map[string]int{}
	resolver := serve(t, func(w dns.ResponseWriter, m *dns.Msg) {
		q := m.Question[0]
		asked[q.Name+" "+dns.TypeToString[q.Qtype]]++
		reply := new(dns.Msg).SetReply(m)
		for _, line := range []string{
			"example.org. 60 SOA ns1.host.example. hostmaster.host.example. 1 1 1 1 1",
			"ns1.host.example. 60 A 192.0.2.1", "ns1.host.example. 60 A 192.0.2.2",
		} {
			if rr, _ := dns.NewRR(line); rr.Header().Name == q.Name && rr.Header().Rrtype == q.Qtype {
				reply.Answer = append(reply.Answer, rr)
			}
		}
		if strings.HasPrefix(q.Name, "_25._tcp.broken.") || q.Name == "example.net." {
			reply.Rcode = dns.RcodeServerFailure
		}
		w.WriteMsg(reply)
	})
	p, err := manual.New(manual.Config{Resolver: resolver, Now: time.Now, Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
		switch address {
		case "192.0.2.1:53":
			return nil, errors.New("connection refused")
		case "192.0.2.2:53":
			address = server
		}
		return new(net.Dialer).DialContext(ctx, network, address)
	}})
	if err != nil {
		t.Fatal(err)
	}
	ctx := dnsprovider.OnePass(t.Context())
	for _, zone := range []string{"", zone} {
		if got, err := p.RRset(ctx, zone, owner); err != nil || !got.Same(rrset("1")) {
			t.Errorf("zone %q: read %v, %v", zone, got, err)
		}
	}
	for _, question := range []string{"ns1.host.example. A", "ns1.host.example. AAAA"} {
		if asked[question] != 1 {
			t.Errorf("asked %v", asked)
		}
	}
	for name, test := range map[tlsa.Owner]struct {
		zone string
		kind dnsprovider.Kind
		want string
	}{
		"_25._tcp.mx.nowhere.example.": {"", dnsprovider.NoZone, "no zone found that the name lies in (hint: does the domain exist"},
		"_25._tcp.mx.example.com.":     {"example.com", dnsprovider.NoZone, "the resolver finds no SOA at example.com., so the zone does not exist"},
		"_25._tcp.mx.example.net.":     {"example.net", dnsprovider.Temporary, "resolver: SERVFAIL for example.net."},
		"_25._tcp.broken.example.org.": {"", dnsprovider.Temporary, "resolver: SERVFAIL for _25._tcp.broken.example.org."},
		"_25._tcp.mx.example.edu.":     {"example.org", dnsprovider.OutsideZone, "the zone is example.org. and the name lies outside of it"},
	} {
		_, err := p.RRset(t.Context(), test.zone, name)
		wants(t, err, test.kind, test.want)
	}
	p, err = manual.New(manual.Config{Resolver: resolver, Server: "hidden.host.example", Zone: "example.org", Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	_, err = p.RRset(t.Context(), "", owner)
	wants(t, err, dnsprovider.Temporary, "the primary hidden.host.example has no address (hint: if the zone's SOA names no server that can be asked, configure server with one of its name servers)")
	_, err = p.RRset(t.Context(), "example.net", owner)
	wants(t, err, dnsprovider.NoZone, "the zone example.net. is asked for, and the provider is for example.org. alone")
}
