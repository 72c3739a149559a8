package api

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
)

// Tokens are access tokens of OAuth 2.0 (RFC 6749, section 4.4 and RFC 7523), each used until
// it is about to end.
type Tokens struct {
	Client *Client
	URL    string // of the token endpoint
	// Form makes a request for a token.
	Form func() (url.Values, *Trouble)
	Now  func() time.Time
	// Hint is what to do where there is none for us.
	Hint string
	// Secrets are what nobody is to read in an error.
	Secrets []dnsprovider.Secret

	turns turns
	mu    sync.Mutex
	token string
	until time.Time
}

// early is how long before its end a token is not used any more.
const early = time.Minute

// Authorize puts a token into a request, and gets one before if there is none.
func (k *Tokens) Authorize(ctx context.Context, r *http.Request) *Trouble {
	release, t := k.turns.take(ctx, "") // who waits gets what the first one got
	if t != nil {
		return t
	}
	defer release()
	token := k.current()
	if token == "" {
		if token, t = k.fetch(ctx); t != nil {
			return t
		}
	}
	r.Header.Set("Authorization", "Bearer "+token)
	return nil
}

func (k *Tokens) current() string {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.Now().Before(k.until.Add(-early)) {
		return ""
	}
	return k.token
}

// Drop forgets the token: the host did not take it.
func (k *Tokens) Drop() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.token, k.until = "", time.Time{}
}

// fetch asks for a token (RFC 6749, sections 5.1 and 5.2).
func (k *Tokens) fetch(ctx context.Context) (string, *Trouble) {
	form, t := k.Form()
	if t != nil {
		return "", t
	}
	asked := k.Now()
	reply, t := k.Client.Do(ctx, http.MethodPost, k.URL, nil, form)
	if t != nil {
		return "", k.about(t)
	}
	var got struct {
		Token       string      `json:"access_token"`
		Expires     int64OrText `json:"expires_in"`
		Error       string      `json:"error"`
		Description string      `json:"error_description"`
	}
	if t := reply.Decode(&got); t != nil && (reply.Success() || reply.Status >= 500) {
		return "", k.about(t)
	}
	switch {
	case reply.Success() && got.Token != "" && got.Expires > 0:
	case reply.Status == http.StatusTooManyRequests, reply.Status >= 500:
		return "", k.about(ByStatus(reply, Words(got.Error, k.Secrets...), Hints{}))
	default:
		says := Words(strings.TrimPrefix(got.Error+": "+got.Description, ": "), k.Secrets...)
		t := ByStatus(reply, strings.TrimSuffix(says, ":"), Hints{})
		t.Kind, t.Hint = dnsprovider.Refused, k.Hint
		return "", k.about(t)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.token, k.until = got.Token, asked.Add(time.Duration(min(got.Expires, 1<<20))*time.Second)
	return got.Token, nil
}

// about says that it was the token that was asked for. The change that it was for was not
// sent.
func (k *Tokens) about(t *Trouble) *Trouble {
	named := *t
	named.Err, named.Then = fmt.Errorf("no access token: %w", t.Err), Final
	return &named
}

// int64OrText is a number that some write as text.
type int64OrText int64

// UnmarshalJSON reads both.
func (n *int64OrText) UnmarshalJSON(b []byte) error {
	_, err := fmt.Sscan(strings.Trim(string(b), `"`), (*int64)(n))
	return err
}
