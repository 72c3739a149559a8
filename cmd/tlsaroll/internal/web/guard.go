package web

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/config"
)

// guard lets those in who know the password or the token; everyone where neither is
// configured. It stands before all else, so that others learn nothing at all.
func guard(web config.Web, inside http.Handler) http.Handler {
	var challenge string
	var knows func(*http.Request) bool
	switch {
	case !web.Password.IsZero():
		challenge = `Basic realm="tlsaroll", charset="UTF-8"`
		user, password := sha256.Sum256([]byte(web.User)), sha256.Sum256(web.Password.Reveal())
		knows = func(r *http.Request) bool {
			u, p, _ := r.BasicAuth()
			return equal(user, u)&equal(password, p) == 1
		}
	case !web.Token.IsZero():
		challenge = `Bearer realm="tlsaroll"`
		token := sha256.Sum256(web.Token.Reveal())
		knows = func(r *http.Request) bool {
			scheme, t, _ := strings.Cut(r.Header.Get("Authorization"), " ")
			return strings.EqualFold(scheme, "bearer") && equal(token, strings.TrimLeft(t, " ")) == 1
		}
	default:
		return inside
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !knows(r) {
			w.Header().Set("WWW-Authenticate", challenge)
			w.Header().Set("Connection", "close") // there are few, and strangers keep none; a guess costs a new one
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
		inside.ServeHTTP(w, r)
	})
}

// equal is 1 if text has the digest, in a time that does not depend on how much of
// it is right.
func equal(digest [sha256.Size]byte, text string) int {
	sum := sha256.Sum256([]byte(text))
	return subtle.ConstantTimeCompare(digest[:], sum[:])
}
