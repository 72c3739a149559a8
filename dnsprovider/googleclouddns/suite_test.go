package googleclouddns_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/dnsprovider/googleclouddns"
	"github.com/tlsaroll/tlsaroll/dnsprovider/providertest"
	"github.com/tlsaroll/tlsaroll/dnsprovider/providertest/fakeapi"
)

// project is a fake project, with a provider that works on its zone.
type project struct {
	api    *fakeapi.GoogleCloudDNS
	server *fakeapi.Server
	url    string
}

func newProject(t *testing.T, zone string) *project {
	t.Helper()
	api := fakeapi.NewGoogleCloudDNS(fakeapi.NewZone(zone))
	p := &project{api: api, server: fakeapi.NewServer(api.Zone, api)}
	p.url = serve(t, p.server)
	return p
}

func serve(t *testing.T, h http.Handler) (url string) {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(func() { s.CloseClientConnections(); s.Close() })
	return s.URL
}

func (p *project) provider(t *testing.T, change ...func(*googleclouddns.Config)) *googleclouddns.Provider {
	t.Helper()
	c := googleclouddns.Config{
		Credentials: dnsprovider.NewSecret(p.api.Credentials(p.url)), BaseURL: p.url + "/dns/v1", Timeout: 10 * time.Second, Now: time.Now,
	}
	for _, f := range change {
		f(&c)
	}
	provider, err := googleclouddns.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return provider
}

// secrets are the lines of the key.
func (p *project) secrets(t *testing.T) (secrets []string) {
	t.Helper()
	var file map[string]string
	if err := json.Unmarshal([]byte(p.api.Credentials(p.url)), &file); err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(file["private_key"], "\n") {
		if !strings.HasPrefix(line, "-----") && line != "" {
			secrets = append(secrets, line)
		}
	}
	return append(secrets, "ya29.c.1")
}

func TestProvider(t *testing.T) {
	providertest.Run(t, func(t *testing.T) providertest.Fixture {
		p := newProject(t, "example.org.")
		f := p.server.Fixture()
		f.Provider = p.provider(t)
		f.Secrets = p.secrets(t)
		f.Without = map[providertest.Part]string{providertest.MinimumTTLs: "Cloud DNS documents no lowest TTL"}
		return f
	})
}

func TestTXTProvider(t *testing.T) {
	providertest.RunTXT(t, func(t *testing.T) providertest.TXTFixture {
		p := newProject(t, "example.org.")
		f := p.server.TXTFixture()
		f.Provider = p.provider(t)
		return f
	})
}
