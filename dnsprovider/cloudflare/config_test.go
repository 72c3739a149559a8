package cloudflare_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/dnsprovider/cloudflare"
	"github.com/tlsaroll/tlsaroll/dnsprovider/providertest/fakeapi"
)

// TestNewSaysAllThatIsWrong, each in a line of its own, and never a token.
func TestNewSaysAllThatIsWrong(t *testing.T) {
	const make = `(hint: My Profile, API Tokens, Create Token, template "Edit zone DNS")`
	key := strings.Repeat("0a1b2", 8)[:37]
	for _, test := range []struct {
		config cloudflare.Config
		want   string
	}{
		{cloudflare.Config{}, "cloudflare: no token " + make},
		{cloudflare.Config{Name: "cf", Token: dnsprovider.NewSecret("  \n")}, "cf: no token " + make},
		{cloudflare.Config{Token: dnsprovider.NewSecret(key)}, "cloudflare: the token looks like the Global API Key, which may do everything " + make},
		{cloudflare.Config{Token: dnsprovider.NewSecret(token + "\n" + token)},
			"cloudflare: the token has characters that no token has (hint: the file holds the token alone, in one line)"},
		{cloudflare.Config{Token: dnsprovider.NewSecret(token), Zone: "exämple.org", ZoneID: "x", BaseURL: "http://api.example.net", Timeout: -time.Second},
			`cloudflare: zone: name "exämple.org": not ASCII (hint: write the A-label, as in xn--bcher-kva.example)
cloudflare: URL "http://api.example.net": credentials go over https alone (hint: write https; http is for 127.0.0.1 and ::1)
cloudflare: zone-id "x": 32 hex digits in lower case are wanted (hint: the overview of the zone in the dashboard has it, under API)
cloudflare: a timeout of -1s: below zero`},
	} {
		_, err := cloudflare.New(test.config)
		if err == nil || err.Error() != test.want {
			t.Errorf("error is\n%v, want\n%s", err, test.want)
		}
		for _, secret := range []string{token, key} {
			if strings.Contains(fmt.Sprintf("%v %+v %#v", err, test.config, test.config), secret) {
				t.Error("the token is told")
			}
		}
	}
}

func TestCapability(t *testing.T) {
	c := cloudflare.Capability()
	if c.Type != "cloudflare" || c.Refused != "" || c.Margin < time.Minute || !strings.Contains(c.MarginSource, "https://") || c.Rights == "" {
		t.Errorf("capability is %+v", c)
	}
	for _, s := range append(c.Hazards, c.Rights, c.MarginSource) {
		if strings.HasSuffix(s, ".") || strings.ContainsAny(s, "\n\r") {
			t.Errorf("not a sentence without full stop: %q", s)
		}
	}
}

// TestDefaultURL: without a URL it is Cloudflare that is asked, and shown the token.
func TestDefaultURL(t *testing.T) {
	var asked []string
	p := with(trip(func(r *http.Request) (*http.Response, error) {
		asked = append(asked, r.Method+" "+r.URL.Scheme+"://"+r.URL.Host+r.URL.Path+" "+r.Header.Get("Authorization"))
		return says{http.StatusOK, page()}.RoundTrip(r)
	}))
	if _, err := p.RRset(t.Context(), "", owner); err != nil {
		t.Fatal(err)
	}
	want := []string{"GET https://api.cloudflare.com/client/v4/zones/" + fakeapi.CloudflareID + "/dns_records Bearer " + token}
	if diff := cmp.Diff(want, asked); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
}

type trip func(*http.Request) (*http.Response, error)

func (f trip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
