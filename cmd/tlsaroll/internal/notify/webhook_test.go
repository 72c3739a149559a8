package notify

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/config"
)

func TestWebhookPostsTheMessage(t *testing.T) {
	var got []string
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		user, password, _ := r.BasicAuth()
		got = append(got, r.Method, r.URL.String(), r.Header.Get("Content-Type"), user, password, string(body))
	}))
	defer server.Close()
	w, err := newWebhook(config.Notifier{Webhook: config.NewSecret([]byte("http://me:pass@" + server.Listener.Addr().String() + "/hooks/geheim?token=geheim"))})
	if err != nil {
		t.Fatal(err)
	}
	batch := letters(Appeared)
	if err := w.send(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	line, _ := batch[0].Message.line()
	if want := strings.Join([]string{"POST", "/hooks/geheim?token=geheim", "application/json", "me", "pass", string(line)}, " "); strings.Join(got, " ") != want {
		t.Errorf("got %q, want %s", got, want)
	}
}

// TestWebhookErrorsShowNoURL has the secret in the path, the query, the name and
// the password: no error may show any of it.
func TestWebhookErrorsShowNoURL(t *testing.T) {
	answer := func(status int) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", "http://geheim.example.org"+r.URL.String())
			w.WriteHeader(status)
			io.WriteString(w, "no such hook: "+r.URL.String())
		})
	}
	serve := func(start func(http.Handler) *httptest.Server, h http.Handler) string {
		s := start(h)
		t.Cleanup(s.Close)
		return strings.Replace(s.URL, "://", "://me:geheim@", 1) + "/geheim?token=geheim"
	}
	hangs := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body) // else nobody notices that the client has gone
		<-r.Context().Done()
	})
	cuts := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		c, _, _ := w.(http.Hijacker).Hijack()
		c.Close()
	})
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	free.Close()
	for name, test := range map[string]struct{ url, want string }{
		"refused":          {"http://" + free.Addr().String() + "/geheim", "dial tcp [hidden]: connect: connection refused"},
		"not found":        {serve(httptest.NewServer, answer(404)), "answered 404 Not Found"},
		"server in need":   {serve(httptest.NewServer, answer(503)), "answered 503 Service Unavailable"},
		"leads elsewhere":  {serve(httptest.NewServer, answer(302)), "answered 302 Found (hint: write the URL that this one leads to)"},
		"unknown issuer":   {serve(httptest.NewTLSServer, answer(200)), "tls: failed to verify certificate: x509: certificate signed by unknown authority"},
		"no TLS there":     {strings.Replace(serve(httptest.NewServer, answer(200)), "http:", "https:", 1), "http: server gave HTTP response to HTTPS client"},
		"hangs":            {serve(httptest.NewServer, hangs), "no answer in time"},
		"cut":              {serve(httptest.NewServer, cuts), "EOF"},
		"no such name":     {"https://geheim.invalid/geheim?token=geheim", "lookup [hidden]"},
		"another script":   {"https://" + strings.Repeat("geheim.", 60) + "bücher.example/", "lookup [hidden]"},
		"a name too large": {"https://" + strings.Repeat("geheim.", 60) + "example.org/", "lookup [hidden]"},
	} {
		t.Run(name, func(t *testing.T) {
			w, err := newWebhook(config.Notifier{Webhook: config.NewSecret([]byte(test.url))})
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			err = w.send(ctx, letters(Appeared))
			text := errorText(err)
			if strings.HasPrefix(test.want, "lookup") {
				if !strings.Contains(text, test.want) && text != "no answer in time" { // as the resolver of this host will
					t.Errorf("%s", text)
				}
			} else if text != test.want {
				t.Errorf("%q, want %q", text, test.want)
			}
			for ; err != nil; err = unwrap(err) {
				if strings.Contains(err.Error(), "geheim") {
					t.Errorf("shown: %v", err)
				}
			}
		})
	}
}

func unwrap(err error) error {
	if w, ok := err.(interface{ Unwrap() error }); ok {
		return w.Unwrap()
	}
	return nil
}

func TestWebhookWithoutURL(t *testing.T) {
	for _, s := range []string{"", "geheim", "ftp://example.org/geheim", "http://", "http://[geheim/", "https://geheim\x7f/"} {
		if _, err := newWebhook(config.Notifier{Webhook: config.NewSecret([]byte(s))}); errorText(err) != "not an http or https URL" {
			t.Errorf("%q: %v", s, err)
		}
	}
}
