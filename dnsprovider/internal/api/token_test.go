package api_test

import (
	"errors"
	"net/http"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/dnsprovider/internal/api"
)

func newTokens(answers trip) *api.Tokens {
	return &api.Tokens{
		Client: api.NewClient(api.Client{Transport: answers}), URL: "https://login.example.net/token",
		Form: func() (url.Values, *api.Trouble) { return url.Values{"grant_type": {"x"}}, nil }, Now: time.Now, Hint: "look",
	}
}

// TestTokenServes until a minute before its end, for all who ask at once.
func TestTokenServes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fetched := 0
		tokens := newTokens(func(r *http.Request) (*http.Response, error) {
			if r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" {
				t.Errorf("asked with %v", r.Header)
			}
			fetched++
			time.Sleep(time.Second)
			return reply(200, `{"access_token":"t","expires_in":600}`), nil
		})
		ask := func() {
			r := &http.Request{Header: http.Header{}}
			if trouble := tokens.Authorize(t.Context(), r); trouble != nil || r.Header.Get("Authorization") != "Bearer t" {
				t.Errorf("%v, %v", trouble, r.Header)
			}
		}
		for range 5 {
			go ask()
		}
		time.Sleep(2 * time.Second)
		for _, step := range []struct {
			later   time.Duration
			fetched int
		}{{0, 1}, {537 * time.Second, 1}, {time.Second, 2}} {
			time.Sleep(step.later)
			ask()
			if fetched != step.fetched {
				t.Errorf("%s later: %d tokens, want %d", step.later, fetched, step.fetched)
			}
		}
		tokens.Drop()
		ask()
		if fetched != 3 {
			t.Errorf("%d tokens, want 3: the second was dropped", fetched)
		}
	})
}

// TestNoTokenNoChange: what needed a token was not sent, whatever became of the question for it.
func TestNoTokenNoChange(t *testing.T) {
	sent := errors.New("cut")
	for name, answers := range map[string]trip{
		"cut":  func(*http.Request) (*http.Response, error) { return nil, sent },
		"503":  func(*http.Request) (*http.Response, error) { return reply(503, "{}"), nil },
		"HTML": func(*http.Request) (*http.Response, error) { return reply(200, "<html>"), nil },
		"none": func(*http.Request) (*http.Response, error) { return reply(200, `{"expires_in":600}`), nil },
		"ended": func(*http.Request) (*http.Response, error) {
			return reply(200, `{"access_token":"t","expires_in":0}`), nil
		},
	} {
		r := &http.Request{Header: http.Header{}}
		trouble := newTokens(answers).Authorize(t.Context(), r)
		if trouble == nil || trouble.Then != api.Final || trouble.Hint == "" || r.Header.Get("Authorization") != "" {
			t.Errorf("%s: %v", name, trouble)
		}
	}
	tokens := newTokens(nil)
	tokens.Form = func() (url.Values, *api.Trouble) { return nil, final(dnsprovider.Malformed, api.Final) }
	if trouble := tokens.Authorize(t.Context(), &http.Request{Header: http.Header{}}); trouble == nil || trouble.Kind != dnsprovider.Malformed {
		t.Errorf("no form: %v", trouble)
	}
}
