package libdnsbridge_test

import (
	"context"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/dnsprovider/libdnsbridge"
	"github.com/tlsaroll/tlsaroll/dnsprovider/providertest"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// through makes a provider of a linked host for the zone example.org.
func through(t *testing.T, name string, v libdnsbridge.Values) *libdnsbridge.Provider {
	t.Helper()
	p, err := libdnsbridge.New(libdnsbridge.Config{
		Host: host(t, name), Zone: "example.org", Values: v, Timeout: 20 * time.Second, Pauses: []time.Duration{1100 * time.Millisecond},
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// without is what no module of libdns can do.
func without(more map[providertest.Part]string) map[providertest.Part]string {
	parts := map[providertest.Part]string{
		providertest.Conditions: "records are added and removed without a condition; an edit just before is noticed when the zone is read back",
		providertest.TTLChanges: "modules of libdns have no safe way to change a TTL",
	}
	maps.Copy(parts, more)
	return parts
}

// digest is a TLSA record of 3 1 1, one for each digit.
func digest(digit string) string { return "3 1 1 " + strings.Repeat("c"+digit, 32) }

// edit makes the RRset at owner one of these records.
func edit(t *testing.T, p *libdnsbridge.Provider, owner tlsa.Owner, after ...string) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	before, err := p.RRset(ctx, "", owner)
	if err != nil {
		return err
	}
	want := tlsa.NewRRset(time.Hour)
	for _, text := range after {
		a, err := tlsa.ParseAssociation(text)
		if err != nil {
			t.Fatal(err)
		}
		want = want.With(a)
	}
	return p.Apply(ctx, "", []dnsprovider.Change{{Owner: owner, Before: before, After: want}})[0]
}

const mxOwner = tlsa.Owner("_25._tcp.mx.example.org.")

// badTokens tries tokens that cannot be one.
func badTokens(t *testing.T, name string) {
	t.Helper()
	for _, token := range []string{"", "two words", "0123\n4567", "hunter2\n", "h\u00fcnter2"} {
		_, err := libdnsbridge.New(libdnsbridge.Config{Host: host(t, name), Zone: "example.org", Values: libdnsbridge.Values{"token": token}})
		if err == nil || !strings.Contains(err.Error(), "token") || token != "" && strings.Contains(err.Error(), token) {
			t.Errorf("token %q: %v", token, err)
		}
	}
}
