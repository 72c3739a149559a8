package libdnsbridge_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/libdns/libdns"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/dnsprovider/libdnsbridge"
	"github.com/tlsaroll/tlsaroll/dnsprovider/providertest"
	"github.com/tlsaroll/tlsaroll/dnsprovider/providertest/fakeapi"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// lister is a module whose listing is all that the test wants of it.
type lister struct {
	libdnsbridge.Backend
	get func() ([]libdns.Record, error)
}

// ListZones has zones around mx.example.org. that it does not lie in.
func (l *lister) ListZones(context.Context) (zones []libdns.Zone, err error) {
	for _, name := range []string{"x.example.org", "ple.org.", "Example.ORG", "other.mx.example.org"} {
		zones = append(zones, libdns.Zone{Name: name})
	}
	return zones, nil
}

func (l *lister) GetRecords(context.Context, string) ([]libdns.Record, error) { return l.get() }

func listing(t *testing.T, get func() ([]libdns.Record, error), change ...func(*libdnsbridge.Config)) *libdnsbridge.Provider {
	t.Helper()
	c := libdnsbridge.Config{
		Zone: benchZone, Timeout: time.Second, Pauses: []time.Duration{},
		Host: libdnsbridge.Host{
			Capability: dnsprovider.Capability{Type: "lister", Name: "Lister"},
			Open:       func(libdnsbridge.Values) (libdnsbridge.Backend, error) { return &lister{get: get}, nil },
		},
	}
	for _, f := range change {
		f(&c)
	}
	p, err := libdnsbridge.New(c)
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

// TestListings: what of a listing keeps us from a name.
func TestListings(t *testing.T) {
	at := func(name, rrtype, data string) libdns.Record {
		return libdns.RR{Name: name, Type: rrtype, Data: data, TTL: time.Hour}
	}
	for name, test := range map[string]struct {
		record libdns.Record
		want   dnsprovider.Kind
	}{
		"nothing":                {at("@", "NS", "ns1.example.net."), 0},
		"a delegation":           {at("MX", "NS", "ns1.example.net."), dnsprovider.OutsideZone},
		"one further down":       {at("_tcp.mx", "NS", "ns1.example.net."), dnsprovider.OutsideZone},
		"one beside":             {at("x", "NS", "ns1.example.net."), 0},
		"an alias":               {at("_25._TCP.mx", "CNAME", "tlsa.example.net."), dnsprovider.Alias},
		"an alias above":         {at("mx", "CNAME", "mx.example.net."), 0},
		"a DNAME above":          {at("mx", "DNAME", "mx.example.net."), dnsprovider.Alias},
		"a DNAME at the zone":    {at("@", "DNAME", "example.net."), dnsprovider.Alias},
		"a DNAME at the name":    {at("_25._tcp.mx", "DNAME", "mx.example.net."), 0},
		"a wildcard":             {at("*", "TLSA", digest("1")), 0},
		"another zone":           {at("mx.example.net.", "A", "192.0.2.1"), dnsprovider.Temporary},
		"a name that ends alike": {at("mx.notexample.org.", "A", "192.0.2.1"), dnsprovider.Temporary},
	} {
		p := listing(t, func() ([]libdns.Record, error) { return []libdns.Record{test.record}, nil })
		if stands, err := p.RRset(t.Context(), "", mxOwner); dnsprovider.KindOf(err) != test.want || !stands.Denial() {
			t.Errorf("%s: %v, %v", name, stands, err)
		}
	}
}

// TestZoneOfAName: the longest zone of the account that it lies in, and labels count whole.
func TestZoneOfAName(t *testing.T) {
	p := listing(t, func() ([]libdns.Record, error) { return []libdns.Record{rr("TLSA", digest("1"))}, nil },
		func(c *libdnsbridge.Config) { c.Zone = "" })
	if stands, err := p.RRset(t.Context(), "", mxOwner); err != nil || len(stands.Associations) != 1 {
		t.Errorf("%v, %v", stands, err)
	}
}

// TestTwoInFlight: zones at one account share its requests.
func TestTwoInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		account := dnsprovider.NewAccount(dnsprovider.DefaultInFlight)
		var now, top atomic.Int32
		var wg sync.WaitGroup
		for i := range 5 {
			zone := fmt.Sprintf("zone%d.example.", i)
			p := listing(t, func() ([]libdns.Record, error) {
				if n := now.Add(1); n > top.Load() {
					top.Store(n)
				}
				time.Sleep(100 * time.Millisecond)
				now.Add(-1)
				return []libdns.Record{rr("A", "192.0.2.1")}, nil
			}, func(c *libdnsbridge.Config) { c.Zone, c.Account = zone, account })
			wg.Go(func() {
				if _, err := p.RRset(t.Context(), "", tlsa.Owner("_25._tcp.mx."+zone)); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if top.Load() != dnsprovider.DefaultInFlight {
			t.Errorf("%d at once", top.Load())
		}
	})
}
