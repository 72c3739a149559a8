package memory_test

import (
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/dnsprovider/memory"
	"github.com/tlsaroll/tlsaroll/dnsprovider/providertest"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

func TestTXTProvider(t *testing.T) {
	providertest.RunTXT(t, func(t *testing.T) providertest.TXTFixture {
		zone := newZone(t)
		return providertest.TXTFixture{
			Provider: zone,
			Zone:     zone.Name(),
			Seed: func(t *testing.T, name tlsa.Owner, ttl time.Duration, values ...string) {
				zone.SetTXT(name, ttl, values...)
			},
			Look: func(t *testing.T, name tlsa.Owner) ([]string, time.Duration) {
				answer, _ := zone.Answer("primary", name)
				return answer.TXT, answer.TXTTTL
			},
			Alias:     func(t *testing.T, name, target tlsa.Owner) { zone.Alias(name, target, time.Hour) },
			LoseReply: func(t *testing.T) { zone.Inject(memory.LostReply()) },
		}
	})
}

// TestTXTBesideTLSA: the records of both types at one name do not take each other away,
// and a secondary gets both late.
func TestTXTBesideTLSA(t *testing.T) {
	zone := newZone(t, "ns2")
	zone.Hold("ns2")
	const name = tlsa.Owner("_25._tcp.mx.example.org.")
	record := parse(t, "3 1 1 ab")
	if err := zone.AddTXT(t.Context(), "", name, "value", time.Minute); err != nil {
		t.Fatal(err)
	}
	set := tlsa.NewRRset(time.Hour, record...)
	for _, err := range zone.Apply(t.Context(), "", []dnsprovider.Change{{Owner: name, After: set}}) {
		if err != nil {
			t.Fatal(err)
		}
	}
	first, _ := zone.Answer("primary", name)
	second, _ := zone.Answer("ns2", name)
	if !first.RRset.Same(set) || len(first.TXT) != 1 {
		t.Errorf("the primary has %+v", first)
	}
	if !second.RRset.Denial() || len(second.TXT) != 0 {
		t.Errorf("the secondary that is held has %+v", second)
	}
}
