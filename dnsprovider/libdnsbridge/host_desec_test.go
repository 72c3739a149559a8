package libdnsbridge_test

import (
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/dnsprovider/libdnsbridge"
	"github.com/tlsaroll/tlsaroll/dnsprovider/providertest"
	"github.com/tlsaroll/tlsaroll/dnsprovider/providertest/fakeapi"
)

const deSECToken = "i-T3b1h_OI-H9ab8tRS98stGtURe"

func newDeSEC(t *testing.T) (*fakeapi.Server, *libdnsbridge.Provider) {
	t.Helper()
	s := fakeapi.NewDeSEC(fakeapi.NewZone(benchZone), deSECToken)
	internet.Route(fakeapi.DeSECHost, s)
	p, err := libdnsbridge.New(libdnsbridge.Config{
		Host: host(t, "desec"), Values: libdnsbridge.Values{"token": deSECToken},
		Timeout: 5 * time.Second, Pauses: []time.Duration{1100 * time.Millisecond},
	})
	if err != nil {
		t.Fatal(err)
	}
	return s, p
}

func TestDeSEC(t *testing.T) {
	t.Parallel() // beside those of other hosts, after all other tests
	providertest.Run(t, func(t *testing.T) providertest.Fixture {
		s, p := newDeSEC(t)
		f := s.Fixture()
		f.Provider, f.Secrets, f.MinTTL = p, []string{deSECToken}, time.Hour
		f.Without = map[providertest.Part]string{
			providertest.Races:      "deSEC replaces whole RRsets: an edit between the module's look and its change is lost",
			providertest.TTLChanges: "modules of libdns have no safe way to change a TTL",
		}
		return f
	})
}

func TestDeSECTXT(t *testing.T) {
	providertest.RunTXT(t, func(t *testing.T) providertest.TXTFixture {
		s, p := newDeSEC(t)
		f := s.TXTFixture()
		f.Provider, f.MinTTL = p, time.Hour
		return f
	})
}
