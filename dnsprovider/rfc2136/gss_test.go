//go:build gsstsig

package rfc2136_test

import (
	"testing"

	"github.com/tlsaroll/tlsaroll/dnsprovider/providertest"
)

func TestGSSProviderAgainstBIND(t *testing.T) {
	r := startRealm(t)
	for name, clauses := range map[string]string{"unsigned zone": tlsaOnly, "signed zone": tlsaOnly + " dnssec-policy default;"} {
		t.Run(name, func(t *testing.T) { runSuite(t, r.startMember(clauses).named, r.settings) })
	}
}

func TestGSSTXTProviderAgainstBIND(t *testing.T) {
	r := startRealm(t)
	m := r.startMember(tlsaOnly)
	providertest.RunTXT(t, func(t *testing.T) providertest.TXTFixture { return m.txtFixture(t, r.settings) })
}
