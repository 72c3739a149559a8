package libdnsbridge_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/dnsprovider/libdnsbridge"
	"github.com/tlsaroll/tlsaroll/dnsprovider/providertest"
	"github.com/tlsaroll/tlsaroll/dnsprovider/providertest/fakeapi"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

const hetznerToken = "hetzner0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstu"

func newHetzner(t *testing.T) (*fakeapi.Hetzner, *libdnsbridge.Provider) {
	t.Helper()
	s := fakeapi.NewHetzner(fakeapi.NewZone("example.org."), hetznerToken)
	internet.Route(fakeapi.HetznerHost, s)
	return s, through(t, "hetzner", libdnsbridge.Values{"token": hetznerToken})
}

func TestHetzner(t *testing.T) {
	t.Parallel() // beside those of other hosts, after all other tests
	providertest.Run(t, func(t *testing.T) providertest.Fixture {
		s, p := newHetzner(t)
		f := s.Fixture()
		f.Provider, f.MinTTL, f.Secrets, f.Without = p, time.Minute, []string{hetznerToken}, without(nil)
		return f
	})
}

func TestHetznerTXT(t *testing.T) {
	providertest.RunTXT(t, func(t *testing.T) providertest.TXTFixture {
		s, p := newHetzner(t)
		f := s.TXTFixture()
		f.Provider = p
		return f
	})
}

// TestHetznerActions: a change is on its way for a while, a second one is a conflict meanwhile, and
// one that fails says so.
func TestHetznerActions(t *testing.T) {
	s, p := newHetzner(t)
	s.Slow(200 * time.Millisecond)
	if err := edit(t, p, mxOwner, digest("1"), digest("2")); err != nil {
		t.Fatal(err)
	}
	if err := edit(t, p, mxOwner, digest("2")); err != nil {
		t.Fatal(err)
	}
	if got := s.Zone.Records(string(mxOwner), "TLSA"); len(got) != 1 || got[0].Data != digest("2") {
		t.Errorf("the zone holds %v", got)
	}
	s.FailActions()
	err := edit(t, p, mxOwner, digest("2"), digest("3"))
	if dnsprovider.KindOf(err) != dnsprovider.Temporary || !strings.Contains(err.Error(), "action_failed") {
		t.Errorf("an action that failed: %v", err)
	}
}

// TestHetznerTTL: an RRset keeps the TTL that it has, its own or the zone's.
func TestHetznerTTL(t *testing.T) {
	for _, own := range []bool{true, false} {
		s, p := newHetzner(t)
		ttl := 7200
		if !own {
			ttl = 3600
			s.DefaultTTL(string(mxOwner), "TLSA")
		}
		s.Zone.Add(string(mxOwner), "TLSA", ttl, digest("1"))
		if err := edit(t, p, mxOwner, digest("1"), digest("2")); err != nil {
			t.Error(err)
		}
		if got := s.Zone.Records(string(mxOwner), "TLSA"); len(got) != 2 || got[1].TTL != ttl {
			t.Errorf("the zone holds %v", got)
		}
	}
}

// TestHetznerPages: a zone of more RRsets than a page has.
func TestHetznerPages(t *testing.T) {
	s, p := newHetzner(t)
	for i := range 130 {
		s.Zone.Add(fmt.Sprintf("host%d.example.org.", i), "TXT", 3600, `"one of many"`)
	}
	s.Zone.Add(string(mxOwner), "TLSA", 3600, digest("1"))
	stands, err := p.RRset(t.Context(), "", mxOwner)
	if err != nil || len(stands.Associations) != 1 {
		t.Errorf("%v, %v", stands, err)
	}
}

// TestHetznerZones: without a zone in the configuration it is looked for in the project.
func TestHetznerZones(t *testing.T) {
	newHetzner(t)
	p, err := libdnsbridge.New(libdnsbridge.Config{Host: host(t, "hetzner"), Values: libdnsbridge.Values{"token": hetznerToken}})
	if err != nil {
		t.Fatal(err)
	}
	if err := edit(t, p, mxOwner, digest("1")); err != nil {
		t.Error(err)
	}
	if err := edit(t, p, tlsa.Owner("_25._tcp.mx.example.net."), digest("1")); dnsprovider.KindOf(err) != dnsprovider.NoZone {
		t.Errorf("a name in no zone: %v", err)
	}
}

// TestHetznerCodes: codes that mean something else than their status does elsewhere.
func TestHetznerCodes(t *testing.T) {
	for code, want := range map[string]struct {
		status int
		kind   dnsprovider.Kind
	}{
		"incorrect_zone_mode":     {http.StatusUnprocessableEntity, dnsprovider.Unsupported},
		"token_readonly":          {http.StatusUnauthorized, dnsprovider.Refused},
		"protected":               {http.StatusLocked, dnsprovider.Refused},
		"locked":                  {http.StatusLocked, dnsprovider.Temporary},
		"maintenance":             {http.StatusForbidden, dnsprovider.Temporary},
		"deprecated_api_endpoint": {http.StatusGone, dnsprovider.Unsupported},
		"invalid_input":           {http.StatusUnprocessableEntity, dnsprovider.Malformed},
	} {
		_, p := newHetzner(t)
		internet.Route(fakeapi.HetznerHost, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(want.status)
			fmt.Fprintf(w, `{"error":{"code":%q,"message":"what it says"}}`, code)
		}))
		_, err := p.RRset(t.Context(), "", mxOwner)
		if dnsprovider.KindOf(err) != want.kind || !strings.Contains(err.Error(), code) {
			t.Errorf("%s: kind %v: %v", code, dnsprovider.KindOf(err), err)
		}
	}
}

// TestHetznerImpatience: the module asks again for longer than there is time, and the reason is said.
func TestHetznerImpatience(t *testing.T) {
	s, _ := newHetzner(t)
	s.Fixture().Fail(t, providertest.RateLimitedForLong, 0)
	p, err := libdnsbridge.New(libdnsbridge.Config{
		Host: host(t, "hetzner"), Zone: "example.org", Values: libdnsbridge.Values{"token": hetznerToken}, Timeout: time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = p.RRset(t.Context(), "", mxOwner)
	if dnsprovider.KindOf(err) != dnsprovider.Temporary || !strings.Contains(err.Error(), "rate_limit_exceeded") {
		t.Errorf("asked too often: %v", err)
	}
}

// TestHetznerSettings: the module would take an empty token for a reason to panic, or to look
// into the environment.
func TestHetznerSettings(t *testing.T) {
	t.Setenv("LIBDNS_HETZNER_TOKEN", "somebody-elses")
	badTokens(t, "hetzner")
}
