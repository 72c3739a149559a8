package certwatch

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"testing"
	"time"
)

func TestInDate(t *testing.T) {
	h := issue(t)
	p := pairFor(t, h.leaf, h.intermediate)
	tests := []struct {
		now  time.Time
		kind error
		want string
	}{
		{notBefore, nil, ""},
		{notAfter, nil, ""},
		{notBefore.Add(-time.Second), ErrNotYetValid, `certificate of "mx1.example.org": not valid before 2026-01-01T00:00:00Z (hint: is the clock right?)`},
		{notAfter.Add(time.Second), ErrExpired, `certificate of "mx1.example.org": expired 2026-04-01T00:00:00Z (hint: renew it)`},
	}
	for _, tt := range tests {
		err := p.InDate(tt.now)
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != tt.want || !errors.Is(err, tt.kind) {
			t.Errorf("at %v: got\n %s\nwant\n %s", tt.now, got, tt.want)
		}
	}
}

func TestCovers(t *testing.T) {
	cn := func(names ...string) x509.Certificate {
		return x509.Certificate{Subject: pkix.Name{CommonName: "cn.example.org"}, DNSNames: names}
	}
	tests := []struct {
		template x509.Certificate
		host     string
		want     string
	}{
		{cn("mx1.example.org", "mx2.example.org"), "mx2.example.org", ""},
		{cn("mx1.example.org"), "MX1.Example.Org.", ""},
		{cn("*.example.org"), "mx1.example.org", ""},
		{cn("*.example.org"), "a.mx1.example.org", `certificate of "*.example.org": not for "a.mx1.example.org" (hint: add the name to the next order)`},
		{cn("*.example.org"), "example.org", `certificate of "*.example.org": not for "example.org" (hint: add the name to the next order)`},
		{cn("*.org"), "example.org", `certificate of "*.org": not for "example.org" (hint: add the name to the next order)`},
		{cn("mx*.example.org"), "mx1.example.org", `certificate of "mx*.example.org": not for "mx1.example.org" (hint: add the name to the next order)`},
		{cn(), "cn.example.org", ""},
		{cn("mx1.example.org"), "cn.example.org", `certificate of "mx1.example.org": not for "cn.example.org" (hint: add the name to the next order)`},
		{x509.Certificate{DNSNames: []string{"mx1.example.org"}}, "mx1.example.org", ""}, // no subject at all
		{x509.Certificate{DNSNames: []string{"mx1.example.org"}}, "mx2.example.org", `certificate of "mx1.example.org": not for "mx2.example.org" (hint: add the name to the next order)`},
		{cn("mx1.example.org"), "", `name "": empty (hint: write it whole, as in mx1.example.org)`},
	}
	for _, tt := range tests {
		p := pairFor(t, certify(t, tt.template, ecKey(t), nil))
		err := p.Covers(tt.host)
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%v for %q: got\n %s\nwant\n %s", tt.template.DNSNames, tt.host, got, tt.want)
		}
		if tt.want != "" && tt.host != "" && !errors.Is(err, ErrName) {
			t.Errorf("%v is no ErrName", err)
		}
	}
}

func TestHowFarTheChainReaches(t *testing.T) {
	h := issue(t)
	self := leaf(t, "mx1.example.org", nil)
	tests := []struct {
		name                     string
		parties                  []party
		selfSigned, issuer, root bool
	}{
		{"self-signed", []party{self}, true, false, false},
		{"leaf alone", []party{h.leaf}, false, false, false},
		{"full chain", []party{h.leaf, h.intermediate}, false, true, false},
		{"with the root", []party{h.leaf, h.intermediate, h.root}, false, true, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := pairFor(t, tt.parties...)
			if p.SelfSigned() != tt.selfSigned || p.HasIssuer() != tt.issuer || p.HasRoot() != tt.root {
				t.Errorf("self-signed %t, issuer %t, root %t", p.SelfSigned(), p.HasIssuer(), p.HasRoot())
			}
		})
	}
}
