package cloudflare_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/dnsprovider/cloudflare"
	"github.com/tlsaroll/tlsaroll/dnsprovider/providertest"
	"github.com/tlsaroll/tlsaroll/dnsprovider/providertest/fakeapi"
)

const token = "v1-0123456789_abcdefghijklmnopqrstuvwxyz"

// account is a fake account, with a provider that works on its zone.
type account struct {
	api    *fakeapi.Cloudflare
	server *fakeapi.Server
	url    string
}

func newAccount(t *testing.T, zone string) *account {
	t.Helper()
	api := fakeapi.NewCloudflare(fakeapi.NewZone(zone), token)
	a := &account{api: api, server: fakeapi.NewServer(api.Zone, api)}
	a.url = serve(t, a.server)
	return a
}

func serve(t *testing.T, h http.Handler) (url string) {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(func() { s.CloseClientConnections(); s.Close() })
	return s.URL + "/client/v4"
}

func (a *account) provider(t *testing.T, change ...func(*cloudflare.Config)) *cloudflare.Provider {
	t.Helper()
	c := cloudflare.Config{Token: dnsprovider.NewSecret(token), BaseURL: a.url, Timeout: 10 * time.Second}
	for _, f := range change {
		f(&c)
	}
	p, err := cloudflare.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestProvider(t *testing.T) {
	providertest.Run(t, func(t *testing.T) providertest.Fixture {
		a := newAccount(t, "example.org.")
		f := a.server.Fixture()
		f.Provider = a.provider(t)
		f.MinTTL = time.Minute
		f.Secrets = []string{token}
		f.Without = map[providertest.Part]string{
			providertest.Conditions: "a batch has no condition; an edit just before it is noticed when the zone is read back",
		}
		return f
	})
}

func TestTXTProvider(t *testing.T) {
	providertest.RunTXT(t, func(t *testing.T) providertest.TXTFixture {
		a := newAccount(t, "example.org.")
		f := a.server.TXTFixture()
		f.Provider = a.provider(t)
		return f
	})
}
