package azuredns_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/dnsprovider/azuredns"
	"github.com/tlsaroll/tlsaroll/dnsprovider/providertest"
	"github.com/tlsaroll/tlsaroll/dnsprovider/providertest/fakeapi"
)

// subscription is a fake subscription, with a provider that works on its zone.
type subscription struct {
	api    *fakeapi.AzureDNS
	server *fakeapi.Server
	url    string
}

func newSubscription(t *testing.T, zone string) *subscription {
	t.Helper()
	api := fakeapi.NewAzureDNS(fakeapi.NewZone(zone))
	s := &subscription{api: api, server: fakeapi.NewServer(api.Zone, api)}
	s.url = serve(t, s.server)
	return s
}

func serve(t *testing.T, h http.Handler) (url string) {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(func() { s.CloseClientConnections(); s.Close() })
	return s.URL
}

func (s *subscription) config() azuredns.Config {
	return azuredns.Config{
		Subscription: s.api.Subscription, ResourceGroup: s.api.ResourceGroup, Tenant: s.api.Tenant, Client: s.api.Client,
		Secret: dnsprovider.NewSecret(s.api.Secret), BaseURL: s.url, LoginURL: s.url, Timeout: 10 * time.Second, Now: time.Now,
	}
}

func (s *subscription) provider(t *testing.T, change ...func(*azuredns.Config)) *azuredns.Provider {
	t.Helper()
	c := s.config()
	for _, f := range change {
		f(&c)
	}
	p, err := azuredns.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestProvider(t *testing.T) {
	providertest.Run(t, func(t *testing.T) providertest.Fixture {
		s := newSubscription(t, "example.org.")
		f := s.server.Fixture()
		f.Provider = s.provider(t)
		f.Secrets = []string{s.api.Secret, "eyJ0.azure.1"}
		f.Without = map[providertest.Part]string{providertest.MinimumTTLs: "Azure takes every TTL from a second on"}
		return f
	})
}

func TestTXTProvider(t *testing.T) {
	providertest.RunTXT(t, func(t *testing.T) providertest.TXTFixture {
		s := newSubscription(t, "example.org.")
		f := s.server.TXTFixture()
		f.Provider = s.provider(t)
		return f
	})
}
