package main

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/config"
	"github.com/tlsaroll/tlsaroll/dnsprovider/providertest"
	"github.com/tlsaroll/tlsaroll/dnsprovider/providertest/fakeapi"
)

// An apiServer is an API of fakeapi.
type apiServer interface {
	http.Handler
	Fixture() providertest.Fixture
}

// A hostFake answers as the API of a host does, under the host's names.
type hostFake struct {
	names []string // none: it has an address of its own, see at
	// make starts it for the provider that the example configures.
	make func(zone *fakeapi.Zone, p config.Provider) apiServer
	// at puts the fake's address into an example, where the host's name cannot be led to it.
	at func(text, url string) string
}

// hostFakes are those of all types but powerdns, rfc2136, manual and exec, which are tried with
// real servers and programs.
func hostFakes() map[string]hostFake {
	token := func(kind string) string { return secretOf(kind, "token") }
	return map[string]hostFake{
		"azure": {names: []string{"management.azure.com", "login.microsoftonline.com"}, make: func(zone *fakeapi.Zone, p config.Provider) apiServer {
			api := fakeapi.NewAzureDNS(zone)
			api.Subscription, api.ResourceGroup, api.Tenant, api.Client = p.Text("subscription"), p.Text("resource-group"), p.Text("tenant"), p.Text("client")
			api.Secret = secretOf("azure", "secret")
			return fakeapi.NewServer(zone, api)
		}},
		"cloudflare": {names: []string{"api.cloudflare.com"}, make: func(zone *fakeapi.Zone, _ config.Provider) apiServer {
			return fakeapi.NewServer(zone, fakeapi.NewCloudflare(zone, token("cloudflare")))
		}},
		"desec": {names: []string{fakeapi.DeSECHost}, make: func(zone *fakeapi.Zone, _ config.Provider) apiServer {
			return fakeapi.NewDeSEC(zone, token("desec"))
		}},
		"gandi": {names: []string{fakeapi.GandiHost}, make: func(zone *fakeapi.Zone, _ config.Provider) apiServer {
			return fakeapi.NewGandi(zone, token("gandi"))
		}},
		"googleclouddns": {names: []string{"dns.googleapis.com", "oauth2.googleapis.com"}, make: func(zone *fakeapi.Zone, _ config.Provider) apiServer {
			return fakeapi.NewServer(zone, fakeapi.NewGoogleCloudDNS(zone))
		}},
		"hetzner": {names: []string{fakeapi.HetznerHost}, make: func(zone *fakeapi.Zone, _ config.Provider) apiServer {
			return fakeapi.NewHetzner(zone, token("hetzner"))
		}},
		"infomaniak": {names: []string{fakeapi.InfomaniakHost}, make: func(zone *fakeapi.Zone, _ config.Provider) apiServer {
			return fakeapi.NewInfomaniak(zone, token("infomaniak"))
		}},
		"inwx": {
			make: func(zone *fakeapi.Zone, p config.Provider) apiServer {
				return fakeapi.NewINWX(zone, fakeapi.INWXAccount{User: p.Text("username"), Password: secretOf("inwx", "password")})
			},
			at: func(text, url string) string {
				return strings.ReplaceAll(text, "# endpoint: https://api.ote.domrobot.com/", "endpoint: "+url+"/")
			},
		},
		"ovh": {names: []string{fakeapi.OVHHost}, make: func(zone *fakeapi.Zone, p config.Provider) apiServer {
			keys := fakeapi.OVHKeys{Application: p.Text("application-key"), Secret: secretOf("ovh", "application-secret"), Consumer: secretOf("ovh", "consumer-key")}
			return fakeapi.NewOVH(zone, keys)
		}},
		"route53": {names: []string{fakeapi.Route53Host}, make: func(zone *fakeapi.Zone, p config.Provider) apiServer {
			return fakeapi.NewRoute53(zone, p.Text("access-key-id"))
		}},
		"transip": {names: []string{fakeapi.TransIPHost}, make: func(zone *fakeapi.Zone, p config.Provider) apiServer {
			return fakeapi.NewTransIP(zone, p.Text("login"), &transipKey().PublicKey)
		}},
	}
}

// secretOf is a secret of the form that a type wants.
func secretOf(kind, setting string) string {
	switch kind + " " + setting {
	case "rfc2136 secret":
		return "c2VjcmV0IGtleSBub2JvZHkgc2VlcyE="
	case "googleclouddns credentials":
		return fakeapi.NewGoogleCloudDNS(fakeapi.NewZone("example.org.")).Credentials("https://oauth2.googleapis.com")
	case "transip private-key":
		der, err := x509.MarshalPKCS8PrivateKey(transipKey())
		if err != nil {
			panic(err)
		}
		return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	case "inwx shared-secret":
		return "GEZD GNBV GY3T QOJQ"
	}
	return "planted-" + kind + "-" + setting + "-0123456789"
}

var transipKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

// answers has a handler answer in the place of the host, and returns the environment in
// which programs get there, and the example with the handler's address in it, if that needs it.
func (f hostFake) answers(t *testing.T, text string, handler http.Handler) (env []string, _ string) {
	t.Helper()
	internet, err := fakeapi.NewInternet(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := internet.Close(); err != nil {
			t.Error(err)
		}
		if lost := internet.Lost(); len(lost) > 0 {
			t.Errorf("the program wanted to reach %v", lost)
		}
	})
	for _, name := range f.names {
		internet.Route(name, handler)
	}
	if f.at != nil {
		s := httptest.NewServer(handler)
		t.Cleanup(func() { s.CloseClientConnections(); s.Close() })
		text = f.at(text, s.URL)
	}
	return internet.Env(), text
}
