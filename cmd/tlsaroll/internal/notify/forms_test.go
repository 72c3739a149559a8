package notify

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/config"
	"github.com/tlsaroll/tlsaroll/rollover"
)

// posted is a request as its receiver sees it.
type posted struct {
	Method, Path, Token, Type, Title, Priority, Tags, Body string
}

// receiver is an HTTP server that writes down what it gets, and answers with a status.
func receiver(t *testing.T, status int) (url string, got *[]posted) {
	t.Helper()
	got = &[]posted{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		h := r.Header
		*got = append(*got, posted{r.Method, r.URL.EscapedPath(), strings.TrimPrefix(h.Get("Authorization"), "Bearer "), h.Get("Content-Type"), h.Get("Title"), h.Get("Priority"), h.Get("Tags"), string(body)})
		w.WriteHeader(status)
	}))
	t.Cleanup(server.Close)
	return server.URL, got
}

const paragraphs = "new: mx1 error server-unknown, 192.0.2.53\n  since 2026-03-01 12:00:00 +00:00\n  <192.0.2.53> gives no answer & no \"sign\"\n  What to do: mend the server"

func TestFormsOfWebhooks(t *testing.T) {
	secret := config.NewSecret([]byte("geheim"))
	batch := letters(Appeared)
	batch[0].Message.Text = `<192.0.2.53> gives no answer & no "sign"`
	line, _ := batch[0].Message.line()
	text := func(key, text string, more ...string) string {
		all := map[string]string{key: text}
		for i := 0; i < len(more); i += 2 {
			all[more[i]] = more[i+1]
		}
		b, _ := json.Marshal(all)
		return string(b)
	}
	slack := strings.NewReplacer("<", "&lt;", ">", "&gt;", "&", "&amp;").Replace("tlsaroll on mx.example.org: " + paragraphs)
	for name, test := range map[string]struct {
		n    config.Notifier
		want posted
	}{
		"JSON":              {config.Notifier{Format: config.FormatJSON}, posted{Method: "POST", Path: "/hook", Type: "application/json", Body: string(line)}},
		"JSON with a token": {config.Notifier{Token: secret}, posted{Method: "POST", Path: "/hook", Token: "geheim", Type: "application/json", Body: string(line)}},
		"Slack":             {config.Notifier{Format: config.FormatSlack}, posted{Method: "POST", Path: "/hook", Type: "application/json", Body: text("text", slack)}},
		"Matrix": {config.Notifier{Format: config.FormatMatrix, Room: "!a/b:example.org", Token: secret}, posted{Method: "PUT", Path: "/hook/_matrix/client/v3/rooms/%21a%2Fb:example.org/send/m.room.message/TXN", Token: "geheim",
			Type: "application/json", Body: text("body", "tlsaroll on mx.example.org: "+paragraphs, "msgtype", "m.text")}},
		"ntfy": {config.Notifier{Format: config.FormatNtfy}, posted{Method: "POST", Path: "/hook", Type: "text/plain; charset=utf-8",
			Title: "tlsaroll on mx.example.org: new: mx1 error server-unknown", Priority: "high", Tags: "rotating_light", Body: paragraphs}},
	} {
		t.Run(name, func(t *testing.T) {
			url, got := receiver(t, 200)
			test.n.Webhook = config.NewSecret([]byte(url + "/hook"))
			w, err := newWebhook(test.n)
			if err != nil {
				t.Fatal(err)
			}
			for range 2 { // the second time as after a crash
				if err := w.send(t.Context(), batch); err != nil {
					t.Fatal(err)
				}
			}
			first, again := (*got)[0], (*got)[1]
			if first != again {
				t.Errorf("sent again it is another one: %s", cmp.Diff(first, again))
			}
			if at := strings.LastIndex(first.Path, "/"); strings.HasSuffix(test.want.Path, "/TXN") && len(first.Path[at+1:]) == 32 {
				first.Path = first.Path[:at] + "/TXN"
			}
			first.Path = strings.ReplaceAll(first.Path, "%3A", ":") // as good
			if diff := cmp.Diff(test.want, first); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestTokenIsHidden: neither is it in what goes wrong, nor is the URL.
func TestTokenIsHidden(t *testing.T) {
	url, got := receiver(t, 403)
	for _, format := range []config.WebhookFormat{config.FormatMatrix, config.FormatNtfy, config.FormatJSON} {
		w, err := newWebhook(config.Notifier{Format: format, Room: "!abc:example.org", Webhook: config.NewSecret([]byte(url)), Token: config.NewSecret([]byte("geheim"))})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.send(t.Context(), letters(Appeared)); errorText(err) != "answered 403 Forbidden" || (*got)[len(*got)-1].Token != "geheim" {
			t.Errorf("%s: %v", format, err)
		}
		w.Token = config.NewSecret([]byte("geheim\n2"))
		if err := w.send(t.Context(), letters(Appeared)); err == nil || strings.Contains(err.Error(), "geheim") {
			t.Errorf("%s, a token of two lines: %v", format, err)
		}
	}
}

func TestNtfyForm(t *testing.T) {
	l := letters(Cleared)[0]
	if f := ntfyForm(l); f.header["Priority"] != "default" || f.header["Tags"] != "white_check_mark" {
		t.Errorf("cleared: %v", f.header)
	}
	l.Message.Event, l.Message.Severity, l.Message.Host = Appeared, rollover.Info, "mx\nä"
	l.Message.Text = strings.Repeat("ä", maxNtfy)
	f := ntfyForm(l)
	if f.header["Priority"] != "low" || f.header["Title"] != "tlsaroll on mx??: new: mx1 info server-unknown" {
		t.Errorf("header %v", f.header)
	}
	if len(f.body) > maxNtfy+len("…") || len(f.body) < maxNtfy-4 || !strings.HasSuffix(string(f.body), "ä…") {
		t.Errorf("%d octets", len(f.body))
	}
}

// TestHostileWordsInForms: what other people's DNS holds makes no other message of it.
func TestHostileWordsInForms(t *testing.T) {
	l := letters(Appeared)[0]
	l.Message.Text, l.Message.About = "x\x1b[2J\"}\n<!channel>", "a\r\nPriority: max"
	for _, n := range []config.Notifier{{Format: config.FormatSlack}, {Format: config.FormatMatrix, Room: "!a:example.org"}, {Format: config.FormatNtfy}} {
		f, err := formOf(n, l)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(f.body), "\x1b") || n.Format == config.FormatSlack && strings.Contains(string(f.body), "<!") || strings.Contains(f.header["Title"], "\n") {
			t.Errorf("%s: %q", n.Format, f.body)
		}
		if n.Format != config.FormatNtfy && !json.Valid(f.body) {
			t.Errorf("%s: %q", n.Format, f.body)
		}
	}
}
