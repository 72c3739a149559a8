package libdnsbridge_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/dnsprovider/libdnsbridge"
	"github.com/tlsaroll/tlsaroll/dnsprovider/providertest"
	"github.com/tlsaroll/tlsaroll/dnsprovider/providertest/fakeapi"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

const awsKeyID, awsSecret = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"

func newRoute53(t *testing.T, zoneID string) (*fakeapi.Server, *libdnsbridge.Provider) {
	t.Helper()
	s := fakeapi.NewRoute53(fakeapi.NewZone(benchZone), awsKeyID)
	internet.Route(fakeapi.Route53Host, s)
	p, err := libdnsbridge.New(libdnsbridge.Config{
		Host: host(t, "route53"), Values: libdnsbridge.Values{"access-key-id": awsKeyID, "secret-access-key": awsSecret, "hosted-zone-id": zoneID}, Zone: benchZone,
		Timeout: 20 * time.Second, Pauses: []time.Duration{1100 * time.Millisecond},
	})
	if err != nil {
		t.Fatal(err)
	}
	return s, p
}

func TestRoute53(t *testing.T) {
	t.Parallel() // beside those of other hosts, after all other tests
	providertest.Run(t, func(t *testing.T) providertest.Fixture {
		s, p := newRoute53(t, fakeapi.Route53Zone)
		f := s.Fixture()
		f.Provider, f.Secrets = p, []string{awsSecret}
		f.Rereads = 5 // the module reads the zone for each record set that it changes
		f.Without = map[providertest.Part]string{
			providertest.Races:       "the module replaces whole record sets: an edit between its look and its change is lost",
			providertest.TTLChanges:  "modules of libdns have no safe way to change a TTL",
			providertest.MinimumTTLs: "Route 53 takes any TTL",
		}
		return f
	})
}

func TestRoute53TXT(t *testing.T) {
	providertest.RunTXT(t, func(t *testing.T) providertest.TXTFixture {
		s, p := newRoute53(t, fakeapi.Route53Zone)
		f := s.TXTFixture()
		f.Provider = p
		return f
	})
}

// TestRoute53Settings: the module would end the process for some of these.
func TestRoute53Settings(t *testing.T) {
	refuses(t, "route53", []refusal{
		{libdnsbridge.Values{"access-key-id": awsKeyID}, "access-key-id and secret-access-key: one without the other (hint: both, or neither for what the SDK finds in its environment)"},
		{libdnsbridge.Values{"hosted-zone-id": "Org"}, `hosted-zone-id "Org": no id of a hosted zone (hint: it begins with Z, and the zone's details have it)`},
		{libdnsbridge.Values{"profile": "none", "region": "eu"}, "the SDK does not take this configuration: failed to get shared config profile, none"},
	})
}

// TestRoute53FindsTheZone: without an id the zone is searched, and the one found may be another.
func TestRoute53FindsTheZone(t *testing.T) {
	s, p := newRoute53(t, "")
	owner := tlsa.Owner("_25._tcp.mx." + benchZone)
	s.Zone.Add(string(owner), "TLSA", 300, "3 1 1 "+strings.Repeat("AB", 32))
	if rrset, err := p.RRset(t.Context(), "", owner); err != nil || len(rrset.Associations) != 1 || rrset.TTL != 5*time.Minute {
		t.Errorf("%v, %v", rrset, err)
	}
	s.Zone.Name = "example.net."
	if _, err := p.RRset(t.Context(), "", owner); !errors.Is(err, dnsprovider.ErrNoZone) {
		t.Errorf("error is %v", err)
	}
}

// TestRoute53AnotherZone: the names of another zone look relative to this one, and it would seem that
// nothing stands here.
func TestRoute53AnotherZone(t *testing.T) {
	s := fakeapi.NewRoute53(fakeapi.NewZone("example.net."), awsKeyID)
	internet.Route(fakeapi.Route53Host, s)
	for _, zone := range []string{"example.org.", "mail.example.net."} {
		p, err := libdnsbridge.New(libdnsbridge.Config{
			Host: host(t, "route53"), Zone: zone, Timeout: 3 * time.Second,
			Values: libdnsbridge.Values{"access-key-id": awsKeyID, "secret-access-key": awsSecret, "hosted-zone-id": fakeapi.Route53Zone},
		})
		if err != nil {
			t.Fatal(err)
		}
		if stands, err := p.RRset(t.Context(), "", tlsa.Owner("_25._tcp.mx."+zone)); !errors.Is(err, dnsprovider.ErrNoZone) {
			t.Errorf("%s: there stands %v, %v", zone, stands, err)
		}
	}
}

// TestRoute53SpoiltLater: the module ends the process where its configuration cannot be loaded,
// and it loads it in its first call.
func TestRoute53SpoiltLater(t *testing.T) {
	_, p := newRoute53(t, fakeapi.Route53Zone)
	t.Setenv("AWS_MAX_ATTEMPTS", "many")
	if _, err := p.RRset(t.Context(), "", mxOwner); err != nil {
		t.Error(err)
	}
	if _, err := host(t, "route53").Open(libdnsbridge.Values{}); err == nil {
		t.Error("the SDK takes what this test takes for spoilt")
	}
}
