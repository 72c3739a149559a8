package api_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/dnsprovider/internal/api"
)

// trip is a Transport that is a function.
type trip func(*http.Request) (*http.Response, error)

func (f trip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func reply(status int, body string, header ...string) *http.Response {
	h := http.Header{}
	for i := 0; i < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body))}
}

// TestRetryAfter: the host is asked again when it said so, if that is bearable, and not for ever.
func TestRetryAfter(t *testing.T) {
	const date = "Tue, 24 Nov 2026 12:00:00 GMT"
	for _, test := range []struct {
		name    string
		replies []*http.Response
		took    time.Duration
		status  int
	}{
		{"seconds", []*http.Response{reply(429, "", "Retry-After", "7"), reply(200, "")}, 7 * time.Second, 200},
		{"twice", []*http.Response{reply(429, "", "Retry-After", "7"), reply(429, "", "Retry-After", "0"), reply(200, "")}, 7 * time.Second, 200},
		{"a date", []*http.Response{reply(429, "", "Retry-After", "Tue, 24 Nov 2026 12:00:09 GMT", "Date", date), reply(200, "")}, 9 * time.Second, 200},
		{"a date that is over", []*http.Response{reply(429, "", "Retry-After", "Tue, 24 Nov 2026 11:00:09 GMT", "Date", date), reply(200, "")}, 0, 200},
		{"a date, and no clock", []*http.Response{reply(429, "", "Retry-After", "Tue, 24 Nov 2026 12:00:09 GMT")}, 0, 429},
		{"too long", []*http.Response{reply(429, "", "Retry-After", "3600")}, 0, 429},
		{"far too long", []*http.Response{reply(429, "", "Retry-After", "99999999999999")}, 0, 429},
		{"nothing", []*http.Response{reply(429, "")}, 0, 429},
		{"nonsense", []*http.Response{reply(429, "", "Retry-After", "-1")}, 0, 429},
		{"for ever", []*http.Response{reply(429, "", "Retry-After", "1"), reply(429, "", "Retry-After", "1"), reply(429, "", "Retry-After", "1")}, 2 * time.Second, 429},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := 0
				c := api.NewClient(api.Client{Transport: trip(func(*http.Request) (*http.Response, error) {
					n++
					return test.replies[n-1], nil
				})})
				begin := time.Now()
				got, trouble := c.Do(t.Context(), http.MethodGet, "https://api.example.net", nil, nil)
				if trouble != nil || got.Status != test.status || n != len(test.replies) {
					t.Errorf("%v, %v, after %d requests", got, trouble, n)
				}
				if took := time.Since(begin); took != test.took {
					t.Errorf("it took %s, want %s", took, test.took)
				}
			})
		})
	}
}

// TestRetryAfterIsNotWaitedFor by who would not wait that long.
func TestRetryAfterIsNotWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := api.NewClient(api.Client{Transport: trip(func(*http.Request) (*http.Response, error) { return reply(429, "", "Retry-After", "10"), nil })})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, trouble := c.Do(ctx, http.MethodGet, "https://api.example.net", nil, nil)
		if !errors.Is(trouble, context.DeadlineExceeded) {
			t.Errorf("trouble is %v", trouble)
		}
	})
}

// TestWhatMayHaveBeenCarriedOut: what was not sent was not.
func TestWhatMayHaveBeenCarriedOut(t *testing.T) {
	cut := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	defer cut.Close()
	torn := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = w.Write([]byte("{"))
	}))
	defer torn.Close()
	hangs := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	}))
	defer hangs.Close()
	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.TLS = &tls.Config{MinVersion: tls.VersionTLS13}
	secure.StartTLS()
	defer secure.Close()
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	for _, test := range []struct {
		where string
		then  api.Then
		says  string
	}{
		{cut.URL, api.Open, "the connection ended before the reply: EOF"},
		{torn.URL, api.Open, "the connection ended before the reply: unexpected EOF"},
		{hangs.URL, api.Open, "no reply within 200ms"},
		{secure.URL, api.Final, "no connection: tls: "},
		{gone.URL, api.Final, "no connection: dial tcp "},
		{"https://user:%zz@", api.Final, "request: "},
	} {
		transport := &http.Transport{}
		c := api.NewClient(api.Client{Timeout: 200 * time.Millisecond, Transport: transport})
		if !strings.HasPrefix(test.says, "no reply") {
			c.Timeout = 10 * time.Second
		}
		_, trouble := c.Do(t.Context(), http.MethodPost, test.where, nil, struct{}{})
		transport.CloseIdleConnections()
		if trouble == nil || trouble.Then != test.then || !strings.HasPrefix(trouble.Error(), test.says) {
			t.Errorf("%s: %v, want %q", test.where, trouble, test.says)
		}
	}
}

// TestRedirectionsAreNotFollowed: they would take a change, or the credentials, elsewhere.
func TestRedirectionsAreNotFollowed(t *testing.T) {
	n := 0
	c := api.NewClient(api.Client{Transport: trip(func(*http.Request) (*http.Response, error) {
		n++
		return reply(307, "", "Location", "https://elsewhere.example"), nil
	})})
	got, trouble := c.Do(t.Context(), http.MethodPost, "https://api.example.net", nil, struct{}{})
	if trouble != nil || got.Status != 307 || n != 1 {
		t.Errorf("%v, %v, after %d requests", got, trouble, n)
	}
	if said := api.ByStatus(got, "", api.Hints{}); said.Kind != dnsprovider.Malformed || said.Error() != "307 Temporary Redirect" {
		t.Errorf("%v: %v", said.Kind, said)
	}
}

// TestRepliesAreBounded, and what cannot be sent is not.
func TestRepliesAreBounded(t *testing.T) {
	endless := trip(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(zeros{})}, nil
	})
	_, trouble := api.NewClient(api.Client{Transport: endless}).Do(t.Context(), http.MethodGet, "https://api.example.net", nil, nil)
	if trouble == nil || !strings.Contains(trouble.Error(), "a reply of more than 67108864 octets") {
		t.Errorf("trouble is %v", trouble)
	}
	_, trouble = api.NewClient(api.Client{}).Do(t.Context(), http.MethodGet, "https://api.example.net", nil, func() {})
	if trouble == nil || trouble.Kind != dnsprovider.Malformed {
		t.Errorf("trouble is %v", trouble)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

func TestWords(t *testing.T) {
	secret := dnsprovider.NewSecret("correct-horse")
	for in, want := range map[string]string{
		"":                           "",
		" No.\n Try\r\nagain. ":      "No. Try again",
		"see <https://x.example/>.":  "see",
		"a <b>bold</b> word > <open": "a bold word",
		"token correct-horse is bad": "token [hidden] is bad",
		"\xff\x00":                   "?",
		strings.Repeat("ä", 150):     strings.Repeat("ä", 100) + "…",
	} {
		if got := api.Words(in, secret, dnsprovider.Secret{}); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestCheckURL(t *testing.T) {
	for s, good := range map[string]bool{
		"https://api.example.net/v4": true, "http://127.0.0.1:8080": true, "http://[::1]:8080/x": true, "http://localhost:1": true,
		"http://api.example.net": false, "ftp://127.0.0.1": false, "api.example.net": false, "": false, "https://": false,
		"https://user:planted@api.example.net": false, "https://api.example.net?key=planted": false, "http://127.example.net": false, "http://127.0.0.1.example.net": false, "http://127.1": false, "https://api.example.net/#x": false, "https://a b": false,
	} {
		err := api.CheckURL(s)
		if (err == nil) != good {
			t.Errorf("%q: %v", s, err)
		}
		if err != nil && strings.Contains(err.Error(), "planted") {
			t.Errorf("a secret in %v", err)
		}
	}
}
