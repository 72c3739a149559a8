package manual_test

import (
	"net"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/dnsprovider/providertest/fakeapi"
)

const zone = "example.org."

// serve starts a DNS server over TCP.
func serve(t *testing.T, handler dns.HandlerFunc) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &dns.Server{Listener: l, Handler: handler}
	ended := make(chan error, 1)
	go func() { ended <- server.ActivateAndServe() }()
	t.Cleanup(func() {
		l.Close()
		<-ended
	})
	return l.Addr().String()
}

// primary answers for a zone as an authoritative server does.
func primary(t *testing.T, z *fakeapi.Zone) dns.HandlerFunc {
	return func(w dns.ResponseWriter, m *dns.Msg) {
		if m.RecursionDesired {
			t.Errorf("asked recursively: %v", m.Question[0])
		}
		w.WriteMsg(answer(t, z, m))
	}
}

func answer(t *testing.T, z *fakeapi.Zone, m *dns.Msg) *dns.Msg {
	reply := new(dns.Msg).SetReply(m)
	q := m.Question[0]
	name := dns.CanonicalName(q.Name)
	if !dnsprovider.InZone(name, z.Name) {
		reply.Rcode = dns.RcodeRefused
		return reply
	}
	rrs := func(at, rrtype, as string) (out []dns.RR) {
		for _, r := range z.Records(at, rrtype) {
			rr, err := dns.NewRR(r.Name + " " + dns.TypeToString[dns.StringToType[r.Type]] + " " + r.Data)
			if err != nil {
				t.Errorf("%+v: %v", r, err)
				continue
			}
			rr.Header().Name, rr.Header().Ttl = as, uint32(r.TTL)
			out = append(out, rr)
		}
		return out
	}
	for at := name; at != z.Name; _, at, _ = strings.Cut(at, ".") {
		if ns := rrs(at, "NS", at); len(ns) > 0 {
			reply.Ns = ns
			return reply
		}
	}
	reply.Authoritative = true
	soa := rrs(z.Name, "SOA", z.Name)
	source := name
	if !exists(z, name) {
		for _, encloser, _ := strings.Cut(name, "."); ; _, encloser, _ = strings.Cut(encloser, ".") {
			if dname := rrs(encloser, "DNAME", encloser); len(dname) > 0 {
				target := strings.TrimSuffix(name, encloser) + dname[0].(*dns.DNAME).Target
				reply.Answer = append(dname, &dns.CNAME{Hdr: dns.RR_Header{Name: name, Rrtype: dns.TypeCNAME, Class: dns.ClassINET}, Target: target})
				return reply
			}
			if len(z.Records("*."+encloser, "")) > 0 {
				source = "*." + encloser
				break
			}
			if exists(z, encloser) {
				reply.Rcode, reply.Ns = dns.RcodeNameError, soa
				return reply
			}
		}
	}
	if reply.Answer = rrs(source, "CNAME", name); len(reply.Answer) == 0 {
		reply.Answer = rrs(source, dns.TypeToString[q.Qtype], name)
	}
	if len(reply.Answer) == 0 {
		reply.Ns = soa
	}
	return reply
}

// exists reports whether the name owns something, or one below it does.
func exists(z *fakeapi.Zone, name string) bool {
	for _, r := range z.Records("", "") {
		if r.Name == name || strings.HasSuffix(r.Name, "."+name) {
			return true
		}
	}
	return false
}
