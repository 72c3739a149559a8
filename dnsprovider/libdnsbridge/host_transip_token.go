package libdnsbridge

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"

	libdnstransip "github.com/libdns/transip"
	"github.com/libdns/transip/client"
)

// transipTokens gets tokens, and keeps the last one in memory: the storage that the module takes by
// itself is a directory beside everybody's temporary files. It gets them itself, as of an answer
// without a token the module tells nothing: a wrong key, a limit and a host in trouble are
// all an "invalid jwt format" to it, or a body that has no length.
type transipTokens struct {
	config *libdnstransip.Provider

	mu   sync.Mutex
	last client.Token
}

var _ client.Storage = (*transipTokens)(nil)

// Get gives the module the token.
func (s *transipTokens) Get(string) (client.Token, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last, nil
}

// errTransIPToken is that the host knew the token no more, and has given another.
var errTransIPToken = errors.New("HTTP 401: the host does not know the token that it has just given")

// Set takes the token that the module got when the host did not know the last one any more. The
// error keeps it from sending the request again, which it would do with nothing in it.
func (s *transipTokens) Set(_ string, token client.Token) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last = token
	return errTransIPToken
}

// drop forgets a token that the host does not know, unless there is another already.
func (s *transipTokens) drop(token client.Token) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last == token {
		s.last = nil
	}
}

// refused reports whether the host did not know the token, whatever came of the module's wish
// for another. Then the next one is a new one.
func (s *transipTokens) refused(err error) bool {
	switch {
	case err == nil:
		return false
	case errors.Is(err, errTransIPToken):
		return true
	case strings.Contains(err.Error(), "invalid jwt format"), strings.Contains(err.Error(), "with Body length 0"):
		s.mu.Lock()
		defer s.mu.Unlock()
		s.last = nil
		return true
	}
	return false
}

// ensure gets a token if there is none that lasts.
func (s *transipTokens) ensure(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last != nil && !s.last.IsExpired() {
		return nil
	}
	text, err := s.ask(ctx)
	if err != nil {
		return err
	}
	s.last, err = client.NewToken(text)
	return err
}

// ask asks for a token (https://api.transip.nl/rest/docs.html#header-authentication).
func (s *transipTokens) ask(ctx context.Context) (token string, _ error) {
	body, err := json.Marshal(client.NewAuthRequest(s.config))
	if err != nil {
		return "", err
	}
	key, err := s.config.GetPrivateKey()
	if err != nil {
		return "", err
	}
	digest := sha512.Sum512(body)
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA512, digest[:])
	if err != nil {
		return "", err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.config.GetBaseUri().JoinPath("auth").String(), bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Signature", base64.StdEncoding.EncodeToString(signature))
	reply, err := http.DefaultClient.Do(r)
	if err != nil {
		return "", err
	}
	defer reply.Body.Close()
	var says struct{ Token, Error string }
	err = json.NewDecoder(io.LimitReader(reply.Body, 1<<20)).Decode(&says)
	switch {
	case reply.StatusCode >= http.StatusBadRequest:
		return "", fmt.Errorf("asking for a token: HTTP %d: %s", reply.StatusCode, says.Error)
	case err != nil:
		return "", fmt.Errorf("asking for a token: %w", err)
	}
	return says.Token, nil
}
