package memory_test

import (
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/dnsprovider/memory"
	"github.com/tlsaroll/tlsaroll/dnsprovider/providertest"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

func TestProvider(t *testing.T) {
	providertest.Run(t, func(t *testing.T) providertest.Fixture {
		zone := newZone(t)
		return providertest.Fixture{
			Provider: zone,
			Zone:     zone.Name(),
			Seed: func(t *testing.T, owner tlsa.Owner, ttl time.Duration, rdata ...string) {
				zone.Set(owner, tlsa.NewRRset(ttl, parse(t, rdata...)...))
			},
			Look: func(t *testing.T, owner tlsa.Owner) tlsa.RRset {
				answer, ok := zone.Answer("primary", owner)
				if !ok {
					t.Fatalf("no answer for %s", owner)
				}
				return answer.RRset
			},
			Alias: func(t *testing.T, owner, target tlsa.Owner) {
				zone.Alias(owner, target, time.Hour)
			},
			LoseReply: func(t *testing.T) { zone.Inject(memory.LostReply()) },
			Meanwhile: func(t *testing.T, edit func()) { zone.Inject(memory.Meanwhile(edit)) },
			Without: map[providertest.Part]string{
				providertest.OtherRecords: "memory has TLSA and TXT alone",
				providertest.Delegations:  "memory has no delegations",
				providertest.MinimumTTLs:  "memory takes any TTL",
				providertest.Faults:       "memory has no API that could fail",
				providertest.Listings:     "memory is read as often as one likes",
			},
		}
	})
}

func newZone(t *testing.T, secondaries ...string) *memory.Zone {
	t.Helper()
	zone, err := memory.New(memory.Options{Name: "example.org", Secondaries: secondaries, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

func parse(t *testing.T, rdata ...string) []tlsa.Association {
	t.Helper()
	var as []tlsa.Association
	for _, s := range rdata {
		a, err := tlsa.ParseAssociation(s)
		if err != nil {
			t.Fatal(err)
		}
		as = append(as, a)
	}
	return as
}
