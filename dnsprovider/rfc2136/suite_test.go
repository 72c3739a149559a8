package rfc2136_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/tlsaroll/tlsaroll/dnsprovider/providertest"
	"github.com/tlsaroll/tlsaroll/dnsprovider/rfc2136"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

func TestProviderAgainstKnot(t *testing.T) {
	for name, clauses := range map[string]string{
		"unsigned zone": "",
		"signed zone":   "dnssec-signing: on",
	} {
		t.Run(name, func(t *testing.T) { runSuite(t, startKnot(t, clauses)) })
	}
}

func TestProviderAgainstBIND(t *testing.T) {
	for name, clauses := range map[string]string{
		"unsigned zone":    `allow-update { key "tlsaroll.example.org."; };`,
		"signed zone":      `allow-update { key "tlsaroll.example.org."; }; dnssec-policy default;`,
		"signed at a side": `allow-update { key "tlsaroll.example.org."; }; dnssec-policy default; inline-signing yes;`,
	} {
		t.Run(name, func(t *testing.T) { runSuite(t, startNamed(t, clauses)) })
	}
}

// runSuite holds the provider to the common suite, with a real server and a proxy before
// it that loses replies.
func runSuite(t *testing.T, n *named, settings ...func(*rfc2136.Config)) {
	t.Helper()
	providertest.Run(t, func(t *testing.T) providertest.Fixture {
		return fixture(t, n, newProxy(t, n.address), settings...)
	})
}

// fixture is a provider that works at a server through a proxy.
func fixture(t *testing.T, n *named, proxy *proxy, settings ...func(*rfc2136.Config)) providertest.Fixture {
	t.Helper()
	c := config(&server{address: proxy.address})
	c.Timeout, c.ReadBack = 10*time.Second, 10*time.Second
	for _, set := range settings {
		set(&c)
	}
	return providertest.Fixture{
		Provider: newProvider(t, c),
		Zone:     zone,
		Seed: func(t *testing.T, owner tlsa.Owner, ttl time.Duration, rdata ...string) {
			records := make([]string, len(rdata))
			for i, r := range rdata {
				records[i] = fmt.Sprintf("%d IN TLSA %s", ttl/time.Second, r)
			}
			n.seed(t, owner, dns.TypeTLSA, records...)
			n.settle(t, owner, dns.TypeTLSA, len(rdata))
		},
		Look: func(t *testing.T, owner tlsa.Owner) tlsa.RRset { return n.stands(t, owner) },
		Alias: func(t *testing.T, owner, target tlsa.Owner) {
			n.put(t, owner, "3600 IN CNAME "+string(target))
			n.settle(t, owner, dns.TypeCNAME, 1)
		},
		LoseReply: func(*testing.T) { proxy.loseReply() },
		Meanwhile: func(_ *testing.T, edit func()) { proxy.meanwhile(edit) },
		Beside:    n.beside,
		Stands:    n.rdata,
		Secrets:   []string{secret},
		Without:   without(),
	}
}

// without is what does not apply to a name server.
func without() map[providertest.Part]string {
	return map[providertest.Part]string{
		providertest.Faults:      "a name server has no API; its RCODEs, its TSIG errors and what networks do have tests of their own",
		providertest.Listings:    "each RRset is asked for by name, the zone is never listed",
		providertest.MinimumTTLs: "a name server takes every TTL",
	}
}
