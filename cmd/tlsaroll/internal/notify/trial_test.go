package notify

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/config"
	"github.com/tlsaroll/tlsaroll/rollover"
)

func TestTry(t *testing.T) {
	good, got := receiver(t, 200)
	bad, _ := receiver(t, 404)
	hook := func(url string, format config.WebhookFormat) config.Notifier {
		return config.Notifier{Webhook: config.NewSecret([]byte(url)), Format: format}
	}
	cfg := Config{Host: "mx.example.org", Now: func() time.Time { return start }, Notifiers: []config.Notifier{{Command: []string{"/usr/lib/mail-root", "geheim"}}, hook(good, config.FormatSlack), hook(bad, config.FormatJSON)},
		Run: func(_ context.Context, _ []string, stdin []byte) ([]byte, error) {
			var m Message
			if err := json.Unmarshal(stdin, &m); err != nil || m.Event != Trial || m.Severity != rollover.Info || m.Host != "mx.example.org" {
				t.Errorf("%s, %v", stdin, err)
			}
			return nil, nil
		}}
	command, slack, json := "notify[0] (/usr/lib/mail-root): sent", "notify[1] (webhook for slack): sent", "notify[2] (webhook): answered 404 Not Found"
	for which, want := range map[string][]string{
		"": {command, slack, json}, "0": {command}, "notify[2]": {json}, "command": {command}, "webhook": {slack, json}, "Slack": {slack}, "json": {json}, "mail": nil, "3": nil,
	} {
		var all []string
		n, err := Try(t.Context(), cfg, which, func(tried Tried) {
			text := "sent"
			if tried.Err != nil {
				text = tried.Err.Error()
			}
			all = append(all, tried.Outlet+": "+text)
		})
		if diff := cmp.Diff(want, all); diff != "" || err != nil || n != len(want) {
			t.Errorf("%q: %d, %v %s", which, n, err, diff)
		}
	}
	if body := (*got)[0].Body; !strings.Contains(body, "tlsaroll on mx.example.org: test") || !strings.Contains(body, "this is a test") {
		t.Errorf("Slack got %s", body)
	}
	if names, err := Outlets(cfg); err != nil || len(names) != 3 || names[1] != "notify[1] (webhook for slack)" {
		t.Errorf("%q, %v", names, err)
	}
	if _, err := Try(t.Context(), Config{Notifiers: []config.Notifier{hook("geheim", config.FormatJSON)}, Now: time.Now}, "", nil); errorText(err) != "notify[0] (webhook): not an http or https URL" {
		t.Errorf("%v", err)
	}
}

// TestCertificatesInService are told of where people want that, whatever the least severity
// is, and once.
func TestCertificatesInService(t *testing.T) {
	file := filepath.Join(t.TempDir(), "told.json")
	synctest.Test(t, func(t *testing.T) {
		served := rollover.Event{At: start, Lineage: "mx1", Kind: rollover.Verified, Pair: "9131b748aa", From: "2b0fd18eaa", NotAfter: start.AddDate(0, 3, 0)}
		p := &post{}
		d := begin(t, file, p, "one")
		tell := func() []string {
			d.Happened([]rollover.Event{{Kind: rollover.Swapped, Lineage: "mx1"}, served})
			synctest.Wait()
			return p.taken()
		}
		heard(t, tell())
		d.Teller.cfg.Swaps = true
		heard(t, tell(), "0s one in-service 9131b748")
		p.fail = func(string, Message) error { return errors.New("exit status 1") }
		heard(t, tell())
		d.stop()
		p.fail = nil
		d = begin(t, file, p, "one")
		synctest.Wait()
		heard(t, p.taken(), "0s one in-service 9131b748") // what was on its way is not lost
		d.stop()
	})
	m := inService(rollover.Event{At: start, Lineage: "mx1", Pair: "9131b748aa", From: "2b0fd18eaa", NotAfter: start.AddDate(0, 3, 0)})
	if got, want := m.paragraphs(), "in service: mx1 9131b748\n  since 2026-03-01 12:00:00Z\n  certificate 9131b748 is in service, and was seen to be served, in place of 2b0fd18e; it ends on 2026-06-01\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	teller, err := New(Config{File: file, Swaps: true, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if teller.Happened(nil); teller.changed {
		t.Error("nothing has happened, and something was written")
	}
}
