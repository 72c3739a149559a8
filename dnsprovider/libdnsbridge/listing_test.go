package libdnsbridge_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/libdns/libdns"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/dnsprovider/libdnsbridge"
	"github.com/tlsaroll/tlsaroll/dnsprovider/providertest"
	"github.com/tlsaroll/tlsaroll/dnsprovider/providertest/fakeapi"
)

// lister is a module whose listing is all that the test wants of it.
type lister struct {
	libdnsbridge.Backend
	get func() ([]libdns.Record, error)
}

func (l *lister) GetRecords(context.Context, string) ([]libdns.Record, error) { return l.get() }

func listing(t *testing.T, get func() ([]libdns.Record, error)) *libdnsbridge.Provider {
	t.Helper()
	p, err := libdnsbridge.New(libdnsbridge.Config{
		Zone: benchZone, Timeout: time.Second, Pauses: []time.Duration{},
		Host: libdnsbridge.Host{
			Capability: dnsprovider.Capability{Type: "lister", Name: "Lister"},
			Open:       func(libdnsbridge.Values) (libdnsbridge.Backend, error) { return &lister{get: get}, nil },
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestNamesTwiceOver: what stands at mx.example.org.example.org is not at mx.example.org, with
// every host whose zone can be filled here. Nothing there is read for ours, or removed.
func TestNamesTwiceOver(t *testing.T) {
	for name, open := range map[string]func(*testing.T) (*fakeapi.Server, *libdnsbridge.Provider){
		"desec":      newDeSEC,
		"infomaniak": newInfomaniak,
		"gandi": func(t *testing.T) (*fakeapi.Server, *libdnsbridge.Provider) {
			return newGandi(), through(t, "gandi", libdnsbridge.Values{"token": gandiToken})
		},
		"ovh": func(t *testing.T) (*fakeapi.Server, *libdnsbridge.Provider) {
			return newOVH().Server, through(t, "ovh", ovhValues())
		},
		"hetzner": func(t *testing.T) (*fakeapi.Server, *libdnsbridge.Provider) {
			s, p := newHetzner(t)
			return s.Server, p
		},
		"transip": func(t *testing.T) (*fakeapi.Server, *libdnsbridge.Provider) {
			s, p := newTransIP(t)
			return s.Server, p
		},
		"route53": func(t *testing.T) (*fakeapi.Server, *libdnsbridge.Provider) {
			return newRoute53(t, fakeapi.Route53Zone)
		},
		"inwx": func(t *testing.T) (*fakeapi.Server, *libdnsbridge.Provider) {
			s, v := newINWX(t, inwxAccount())
			return s, through(t, "inwx", v)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, p := open(t)
			twice := string(mxOwner) + benchZone
			s.Zone.Add(twice, "TLSA", 3600, digest("1"))
			s.Zone.Add("_25._tcp.alias.example.org.example.org.", "CNAME", 3600, "elsewhere.example.net.")
			stands, err := p.RRset(t.Context(), "", mxOwner)
			if err != nil || !stands.Denial() {
				t.Errorf("there stands %v, %v", stands, err)
			}
			if _, err := p.RRset(t.Context(), "", "_25._tcp.alias.example.org."); err != nil {
				t.Errorf("an alias at another name: %v", err)
			}
			if err := edit(t, p, mxOwner, digest("1")); err != nil {
				t.Error(err)
			}
			if err := edit(t, p, mxOwner); err != nil {
				t.Error(err)
			}
			if left := s.Zone.Records(twice, "TLSA"); len(left) != 1 {
				t.Errorf("somebody else's record is gone: %v", s.Zone.Records("", "TLSA"))
			}
		})
	}
}

// TestNothingAtAll: a listing without any record is no zone: the host failed, and said so in a way
// that the module takes for a listing.
func TestNothingAtAll(t *testing.T) {
	p := listing(t, func() ([]libdns.Record, error) { return nil, nil })
	if stands, err := p.RRset(t.Context(), "", mxOwner); dnsprovider.KindOf(err) != dnsprovider.Temporary {
		t.Errorf("there stands %v, %v", stands, err)
	}
}

// TestLimitedHalfway: what was added before the host had enough is not added once more, at hosts
// that take a record a request, and the same one twice.
func TestLimitedHalfway(t *testing.T) {
	for name, open := range map[string]func(*testing.T) (*fakeapi.Server, *libdnsbridge.Provider){
		"infomaniak": newInfomaniak,
		"ovh": func(t *testing.T) (*fakeapi.Server, *libdnsbridge.Provider) {
			return newOVH().Server, through(t, "ovh", ovhValues())
		},
		"transip": func(t *testing.T) (*fakeapi.Server, *libdnsbridge.Provider) {
			s, p := newTransIP(t)
			return s.Server, p
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, p := open(t)
			f := s.Fixture()
			f.Fail(t, providertest.RateLimited, 1)
			if err := edit(t, p, mxOwner, digest("1"), digest("2")); err != nil {
				t.Error(err)
			}
			if stands := s.Zone.Records(string(mxOwner), "TLSA"); len(stands) != 2 {
				t.Errorf("the zone holds %v", stands)
			}
		})
	}
}

// TestStatusIsNotThePort: what stands in an address is no status.
func TestStatusIsNotThePort(t *testing.T) {
	p := listing(t, func() ([]libdns.Record, error) {
		return nil, fmt.Errorf(`sending request: Get "https://pdns.example:443/api/v1/zones?code=404": %w`, errors.New("EOF"))
	})
	_, err := p.RRset(t.Context(), "", mxOwner)
	if dnsprovider.KindOf(err) != dnsprovider.Temporary || strings.Contains(err.Error(), "443") {
		t.Errorf("error is %v", err)
	}
}
