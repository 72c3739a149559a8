package rfc2136

import (
	"testing"

	"github.com/miekg/dns"
)

func TestSOAOf(t *testing.T) {
	const name = "_25._tcp.mx.sub.example.org."
	rr := func(text string) dns.RR {
		rr, err := dns.NewRR(text)
		if err != nil {
			t.Fatal(err)
		}
		return rr
	}
	soa := func(zone string) dns.RR { return rr(zone + " 3600 IN SOA ns1 hostmaster 1 3600 600 86400 300") }
	alias := rr(name + " 3600 IN CNAME _dane.example.org.")
	for _, test := range []struct {
		what       string
		answer, ns []dns.RR
		want       string
	}{
		{"the apex itself", []dns.RR{soa(name)}, nil, name},
		{"a denial", nil, []dns.RR{soa("sub.example.org.")}, "sub.example.org."},
		{"a denial in upper case", nil, []dns.RR{soa("SUB.Example.ORG.")}, "sub.example.org."},
		{"nothing", nil, nil, ""},
		{"another name's", nil, []dns.RR{soa("example.net.")}, ""},
		{"letters, not labels", nil, []dns.RR{soa("b.example.org.")}, ""},
		{"an alias to the parent zone", []dns.RR{alias}, []dns.RR{soa("example.org.")}, ""},
		{"an alias to an apex", []dns.RR{alias, soa("_dane.example.org.")}, nil, ""},
		{"a referral", nil, []dns.RR{rr("sub.example.org. 3600 IN NS ns1.example.net.")}, ""},
	} {
		if got := soaOf(name, &dns.Msg{Answer: test.answer, Ns: test.ns}); got != test.want {
			t.Errorf("%s: %q, want %q", test.what, got, test.want)
		}
	}
}
