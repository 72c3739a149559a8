package cloudflare_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/dnsprovider/cloudflare"
	"github.com/tlsaroll/tlsaroll/dnsprovider/providertest/fakeapi"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// TestPages: a zone comes in pages of whatever size.
func TestPages(t *testing.T) {
	a := newAccount(t, "example.org.")
	for i := range 10 {
		a.api.Zone.Add(fmt.Sprintf("a%d.example.org.", i), "A", 300, "192.0.2.1")
	}
	a.seed(owner, 3600, "1", "2", "3")
	for size := 1; size < 15; size++ {
		a.api.MaxPage = size
		got, err := a.provider(t).RRset(t.Context(), "", owner)
		if err != nil || !got.Same(rrset(0, "1", "2", "3")) {
			t.Errorf("pages of %d: %v, %v", size, got, err)
		}
	}
}

// TestPagesThatShift: a record that comes or goes while pages are read moves others from one
// page to the next, past the reader or before him twice.
func TestPagesThatShift(t *testing.T) {
	for _, test := range []struct {
		name  string
		times int
		edit  func(*fakeapi.Zone, int)
	}{
		{"one comes", 1, func(z *fakeapi.Zone, i int) { z.Add(fmt.Sprintf("a%d.example.org.", i), "A", 300, "192.0.2.1") }},
		{"one goes", 1, func(z *fakeapi.Zone, _ int) { z.Replace("b.example.org.", "A", 300) }},
		{"one goes and one comes", 2, func(z *fakeapi.Zone, _ int) {
			z.Replace("b.example.org.", "A", 300)
			z.Add("z.example.org.", "A", 300, "192.0.2.1")
		}},
		{"never at rest", 1000, func(z *fakeapi.Zone, i int) { z.Add(fmt.Sprintf("a%d.example.org.", i), "A", 300, "192.0.2.1") }},
	} {
		a := newAccount(t, "example.org.")
		a.api.MaxPage = 2
		for _, name := range []string{"b", "c", "d", "e"} {
			a.api.Zone.Add(name+".example.org.", "A", 300, "192.0.2.1")
		}
		a.seed(owner, 3600, "1", "2", "3")
		edits := 0
		a.url = serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			a.server.ServeHTTP(w, r)
			if r.URL.Query().Get("page") == "1" && edits < test.times {
				edits++
				test.edit(a.api.Zone, edits)
			}
		}))
		got, err := a.provider(t).RRset(t.Context(), "example.org", owner)
		switch {
		case test.times > 10:
			if !errors.Is(err, dnsprovider.ErrTemporary) {
				t.Errorf("%s: %v, %v", test.name, got, err)
			}
		case err != nil || !got.Same(rrset(0, "1", "2", "3")):
			t.Errorf("%s: %v, %v", test.name, got, err)
		}
	}
}

// TestShortListing: fewer records than there are, and it cannot be said which are missing.
func TestShortListing(t *testing.T) {
	const one = `{"id":"1","name":"mx.example.org","type":"A","ttl":1,"content":"192.0.2.1"}`
	for _, body := range []string{
		strings.Replace(page(one), `"total_count":1`, `"total_count":2`, 1),
		page(one, one),
		page(strings.Replace(one, `"id":"1"`, `"id":""`, 1)),
	} {
		if got, err := with(says{200, body}).RRset(t.Context(), "", owner); !errors.Is(err, dnsprovider.ErrTemporary) {
			t.Errorf("%s: %v, %v", body, got, err)
		}
	}
	// Where the API does not say how many there are, less than a page is all.
	body, _, _ := strings.Cut(page(one), `,"result_info"`)
	if got, err := with(says{200, body + "}"}).RRset(t.Context(), "", owner); err != nil || !got.Denial() {
		t.Errorf("%v, %v", got, err)
	}
}

// says is a Transport that gives the same reply to everything.
type says struct {
	status int
	body   string
}

func (s says) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: s.status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(s.body))}, nil
}

func with(transport http.RoundTripper) *cloudflare.Provider {
	p, err := cloudflare.New(cloudflare.Config{
		Zone: "example.org", ZoneID: fakeapi.CloudflareID, Token: dnsprovider.NewSecret(token), Transport: transport,
	})
	if err != nil {
		panic(err)
	}
	return p
}

func page(records ...string) string {
	return fmt.Sprintf(`{"success":true,"errors":[],"result":[%s],"result_info":{"page":1,"per_page":100,"count":%[2]d,"total_count":%[2]d,"total_pages":1}}`,
		strings.Join(records, ","), len(records))
}

// TestSpellings: records as they were written by others, and by other versions of the API.
func TestSpellings(t *testing.T) {
	const name = `"name":"_25._tcp.mx.example.org","type":"TLSA","ttl":1`
	want := tlsa.NewRRset(5*time.Minute, tlsa.Association{Params: tlsa.EE, Data: "abcd"})
	for _, r := range []string{
		`{"id":"1",` + name + `,"content":"3 1 1 ABCD","data":{"usage":3,"selector":1,"matching_type":1,"certificate":"ABCD"}}`,
		`{"id":"1",` + name + `,"content":"3 1 1 ABCD","data":{"usage":"3","selector":"1","matching_type":"1","certificate":"ABCD"}}`,
		`{"id":"1",` + name + `,"content":"3\t1\t1\tABCD"}`,
		`{"id":"1",` + name + `,"content":"3 1 1 ab cd","data":null}`,
		`{"id":"1",` + name + `,"content":"3 1 1 abcd","data":{}}`,
		`{"id":"1",` + name + `,"content":"3 1 1 abcd","data":{"usage":300,"selector":1,"matching_type":1,"certificate":"ABCD"}}`,
		`{"id":"1",` + strings.ToUpper(`"name":"_25._tcp.MX.example.org"`)[:0] + `"name":"_25._TCP.MX.Example.ORG","type":"TLSA","ttl":1,"content":"3 1 1 abcd"}`,
		`{"id":"1",` + name + `,"content":"3 1 1 abcd"},{"id":"2",` + name + `,"content":"3 1 1 ABCD"}`,
	} {
		got, err := with(says{200, page(r)}).RRset(t.Context(), "", owner)
		if strings.Contains(r, `"id":"2"`) {
			got, err = with(says{200, strings.Replace(page(r, ""), ",]", "]", 1)}).RRset(t.Context(), "", owner)
		}
		if err != nil || !got.Same(want) || got.TTL != want.TTL {
			t.Errorf("%s: %v, %v", r, got, err)
		}
	}
	_, err := with(says{200, page(`{"id":"1",` + name + `,"content":"3 1 1 xyz"}`)}).RRset(t.Context(), "", owner)
	if !errors.Is(err, dnsprovider.ErrMalformed) {
		t.Errorf("a record that is none: %v", err)
	}
}

// TestLowestTTLCounts: each record has a TTL of its own.
func TestLowestTTLCounts(t *testing.T) {
	a := newAccount(t, "example.org.")
	a.api.Zone.Add(string(owner), "TLSA", 3600, record("1").String())
	a.api.Zone.Add(string(owner), "TLSA", 1, record("2").String())
	got, err := a.provider(t).RRset(t.Context(), "", owner)
	if err != nil || got.TTL != 5*time.Minute {
		t.Errorf("%v, %v", got, err)
	}
}

// TestForeignTXT: values in forms that are not ours are told apart from ours.
func TestForeignTXT(t *testing.T) {
	a := newAccount(t, "example.org.")
	name := tlsa.Owner("_acme-challenge.mx.example.org.")
	for _, content := range []string{`bare`, `"two" "parts"`, `"quo\"te"`} {
		a.api.Zone.Add(string(name), "TXT", 1, content)
	}
	p := a.provider(t)
	for _, value := range []string{"bare", "twoparts"} {
		if err := p.AddTXT(t.Context(), "", name, value, time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(a.api.Zone.Records(string(name), "TXT")); n != 3 {
		t.Errorf("%d values, want 3: those two stood there", n)
	}
	if err := p.RemoveTXT(t.Context(), "", name, "twoparts"); err != nil {
		t.Fatal(err)
	}
	if n := len(a.api.Zone.Records(string(name), "TXT")); n != 2 {
		t.Errorf("%d values, want 2", n)
	}
}

// FuzzListing: whatever the API says, it is an answer or an error, in one line and without
// the token.
func FuzzListing(f *testing.F) {
	for _, seed := range []string{
		page(), page(`{"id":"1","name":"_25._tcp.mx.example.org","type":"TLSA","ttl":1,"content":"3 1 1 ABCD"}`),
		page(`{"id":"1","name":"_25._tcp.mx.example.org","type":"CNAME","ttl":1,"content":"x y"}`),
		page(`{"id":"1","name":"mx.example.org","type":"NS","ttl":-1,"content":"ns1"}`),
		`{"success":false,"errors":[{"code":9109,"message":"<b>Invalid ` + token + `"}]}`, "<html>", "", "null", `{"success":true,"result":null}`,
	} {
		for _, status := range []int{200, 400, 403, 404, 429, 500} {
			f.Add(status, seed)
		}
	}
	f.Fuzz(func(t *testing.T, status int, body string) {
		got, err := with(says{status, body}).RRset(t.Context(), "", owner)
		var e *dnsprovider.Error
		switch {
		case err == nil:
			for _, a := range got.Associations {
				if again, err := tlsa.ParseAssociation(a.String()); err != nil || again != a {
					t.Errorf("read %q, which is no record: %v", a, err)
				}
			}
		case !errors.As(err, &e) || e.Kind.Err() == nil:
			t.Errorf("error without a kind: %v", err)
		case strings.ContainsAny(err.Error(), "\n\r") || strings.Contains(err.Error(), token) || len(err.Error()) > 1000:
			t.Errorf("error is %q", err)
		}
	})
}
