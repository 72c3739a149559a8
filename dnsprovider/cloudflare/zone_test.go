package cloudflare_test

import (
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/dnsprovider/cloudflare"
	"github.com/tlsaroll/tlsaroll/dnsprovider/providertest/fakeapi"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

const owner = tlsa.Owner("_25._tcp.mx.example.org.")

func record(digit string) tlsa.Association {
	return tlsa.Association{Params: tlsa.EE, Data: strings.Repeat("a"+digit, 32)}
}

func rrset(ttl time.Duration, digits ...string) tlsa.RRset {
	s := tlsa.RRset{TTL: ttl}
	for _, d := range digits {
		s = s.With(record(d))
	}
	return s
}

// seed puts records at owner, behind the provider's back.
func (a *account) seed(at tlsa.Owner, ttl int, digits ...string) {
	var data []string
	for _, d := range digits {
		data = append(data, record(d).String())
	}
	a.api.Zone.Replace(string(at), "TLSA", ttl, data...)
}

// count counts requests by path.
func count(h http.Handler, n map[string]int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n[r.Method+" "+r.URL.Path]++
		h.ServeHTTP(w, r)
	})
}

// TestInternationalZone: zones have U-labels in the API, records A-labels.
func TestInternationalZone(t *testing.T) {
	for _, name := range []string{"bücher.example", "xn--bcher-kva.example"} {
		a := newAccount(t, "xn--bcher-kva.example.")
		a.api.Name = name
		at := tlsa.Owner("_25._tcp.mx.xn--bcher-kva.example.")
		for _, zone := range []string{"xn--bcher-kva.example", ""} {
			a.seed(at, 3600, "1")
			got, err := a.provider(t).RRset(t.Context(), zone, at)
			if err != nil || !got.Same(rrset(0, "1")) {
				t.Errorf("%s, asked for %q: %v, %v", name, zone, got, err)
			}
		}
	}
}

// TestZoneID: with the id nobody looks for the zone, so that the token needs no right to.
func TestZoneID(t *testing.T) {
	a := newAccount(t, "example.org.")
	a.api.NoZoneRead = true
	a.seed(owner, 3600, "1")
	requests := map[string]int{}
	a.url = serve(t, count(a.server, requests))
	withID := func(c *cloudflare.Config) { c.ZoneID, c.Zone = fakeapi.CloudflareID, "example.org" }
	p := a.provider(t, withID)
	for _, zone := range []string{"", "example.org"} {
		if got, err := p.RRset(t.Context(), zone, owner); err != nil || !got.Same(rrset(0, "1")) {
			t.Errorf("%v, %v", got, err)
		}
	}
	if len(requests) != 1 {
		t.Errorf("more was asked than the zone's records: %v", requests)
	}
	// Without a name it is asked for once, by the id.
	p = a.provider(t, func(c *cloudflare.Config) { c.ZoneID = fakeapi.CloudflareID })
	for range 2 {
		if got, err := p.RRset(t.Context(), "", owner); err != nil || !got.Same(rrset(0, "1")) {
			t.Errorf("%v, %v", got, err)
		}
	}
	if n := requests["GET /client/v4/zones/"+fakeapi.CloudflareID]; n != 1 {
		t.Errorf("asked for the name of the zone %d times, want once", n)
	}
}

// TestZoneIsLookedForOnce, and again when it has gone.
func TestZoneIsLookedForOnce(t *testing.T) {
	a := newAccount(t, "example.org.")
	requests := map[string]int{}
	a.url = serve(t, count(a.server, requests))
	p := a.provider(t)
	read := func() error { _, err := p.RRset(t.Context(), "example.org", owner); return err }
	for range 3 {
		if err := read(); err != nil {
			t.Fatal(err)
		}
	}
	if n := requests["GET /client/v4/zones"]; n != 1 {
		t.Errorf("looked for the zone %d times, want once", n)
	}
	for range 3 { // mx.example.org is no zone, and example.org is known
		if _, err := p.RRset(t.Context(), "", owner); err != nil {
			t.Fatal(err)
		}
	}
	if n := requests["GET /client/v4/zones"]; n != 2 {
		t.Errorf("looked for the zone %d times, want twice", n)
	}
	a.api.ID = strings.Repeat("ab", 16)
	if err := read(); !errors.Is(err, dnsprovider.ErrNoZone) {
		t.Errorf("the zone has another id: %v", err)
	}
	if err := read(); err != nil {
		t.Errorf("the zone has another id, for the second time: %v", err)
	}
}

func TestZoneTroubles(t *testing.T) {
	for _, test := range []struct {
		name   string
		set    func(*fakeapi.Cloudflare)
		config func(*cloudflare.Config)
		zone   string
		want   string // part of the error
		kind   error
	}{
		{"no right to look for zones", func(c *fakeapi.Cloudflare) { c.NoZoneRead = true }, nil, "example.org", "the token sees no zone example.org (hint: ", dnsprovider.ErrNoZone},
		{"none found", func(c *fakeapi.Cloudflare) { c.NoZoneRead = true }, nil, "", "the token sees no zone that the name lies in", dnsprovider.ErrNoZone},
		{"secondary", func(c *fakeapi.Cloudflare) { c.Type = "secondary" }, nil, "", "the zone is a secondary at Cloudflare", dnsprovider.ErrRefused},
		{"partial", func(c *fakeapi.Cloudflare) { c.Type = "partial" }, nil, "example.org", "partial setup", dnsprovider.ErrNoZone},
		{"partial, by id", func(c *fakeapi.Cloudflare) { c.Type = "partial" }, func(c *cloudflare.Config) { c.ZoneID = fakeapi.CloudflareID }, "", "partial setup", dnsprovider.ErrNoZone},
		{"two in use", func(c *fakeapi.Cloudflare) { c.Others = map[string]string{"active": strings.Repeat("12", 16)} }, nil, "", "the token sees 2 zones of this name (hint: set zone-id", dnsprovider.ErrNoZone},
		{"another zone's id", nil, func(c *cloudflare.Config) { c.ZoneID = fakeapi.CloudflareID }, "org.", "", nil},
		{"another zone's id", nil, func(c *cloudflare.Config) { c.ZoneID, c.Zone = fakeapi.CloudflareID, "mx.example.org" }, "", "zone-id is that of another zone, where \"example.org\" stands", dnsprovider.ErrNoZone},
		{"unknown id", nil, func(c *cloudflare.Config) { c.ZoneID = strings.Repeat("12", 16) }, "example.org", "404 Not Found: Could not route to", dnsprovider.ErrNoZone},
		{"another provider's zone", nil, func(c *cloudflare.Config) { c.Zone = "example.net" }, "example.org", "configured for the zone example.net., and not for example.org.", dnsprovider.ErrOutsideZone},
		{"an odd zone", nil, nil, "exa mple.org", "is not allowed in a name", dnsprovider.ErrMalformed},
	} {
		a := newAccount(t, "example.org.")
		a.api.Zone.Add("example.org.", "MX", 300, "10 mx.example.org.")
		if test.set != nil {
			test.set(a.api)
		}
		if test.config == nil {
			test.config = func(*cloudflare.Config) {}
		}
		_, err := a.provider(t, test.config).RRset(t.Context(), test.zone, owner)
		if test.kind == nil {
			if err != nil {
				t.Errorf("%s: %v", test.name, err)
			}
			continue
		}
		if !errors.Is(err, test.kind) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error is %v, want %q of kind %v", test.name, err, test.want, test.kind)
		}
	}
}

// TestZoneThatIsNotActive is worked in, with a word; and one that is left over from before is
// not taken for the one in use.
func TestZoneThatIsNotActive(t *testing.T) {
	a := newAccount(t, "example.org.")
	a.seed(owner, 3600, "1")
	a.api.Others = map[string]string{"moved": strings.Repeat("12", 16)}
	if got, err := a.provider(t).RRset(t.Context(), "", owner); err != nil || !got.Same(rrset(0, "1")) {
		t.Errorf("%v, %v", got, err)
	}
	a.api.Others, a.api.Status = nil, "pending"
	var log strings.Builder
	p := a.provider(t, func(c *cloudflare.Config) { c.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	for range 2 {
		if got, err := p.RRset(t.Context(), "", owner); err != nil || !got.Same(rrset(0, "1")) {
			t.Errorf("%v, %v", got, err)
		}
	}
	if n := strings.Count(log.String(), "the zone is not active"); n != 1 || !strings.Contains(log.String(), "status=pending") {
		t.Errorf("said %d times:\n%s", n, log.String())
	}
}
