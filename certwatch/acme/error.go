package acme

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/tlsaroll/tlsaroll/certwatch"
)

// An Error says at which step a CA was of no help, what it said, and what to do. It
// never holds a key, a secret or the token of a challenge.
type Error struct {
	CA     string // the host of its directory
	Step   string // what was being done, such as "order"
	Status int    // of HTTP; 0: there was no reply, or none was needed
	// Type is that of the CA's problem document without its prefix (RFC 8555, section
	// 6.7), "" where it sent none.
	Type string
	Text string
	Hint string // what to do; empty if there is nothing to say
	Err  error  // the cause, where it is not the CA's

	// here says that the cause lies on this host or in its DNS, so that another CA would
	// meet it as well.
	here bool
	// retryAfter is the header that came with a reply of failure.
	retryAfter string
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("acme: ")
	if e.CA != "" {
		b.WriteString(e.CA + ": ")
	}
	b.WriteString(e.Step + ": ")
	switch {
	case e.Type != "":
		b.WriteString(e.Type + ": ")
	case e.Status != 0:
		fmt.Fprintf(&b, "HTTP %d: ", e.Status)
	}
	b.WriteString(e.Text)
	if e.Hint != "" {
		b.WriteString(" (hint: " + e.Hint + ")")
	}
	return b.String()
}

func (e *Error) Unwrap() error { return e.Err }

// typePrefix is that of the types of RFC 8555, section 6.7.
const typePrefix = "urn:ietf:params:acme:error:"

// maxText is how much of what a CA says is repeated.
const maxText = 400

// printable keeps what a CA sent from steering a terminal, and from filling it.
func printable(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 || r == '\uFFFD' || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	if s = strings.TrimSpace(s); len(s) > maxText {
		s = strings.ToValidUTF8(s[:maxText], "") + "…"
	}
	return s
}

// hintFor says what to do about a problem of this type, "" where the CA's own words have
// to do.
func hintFor(kind string) string {
	switch kind {
	case "accountDoesNotExist":
		return "the account is gone at the CA; a new one is made at the next order"
	case "caa":
		return "a CAA record of the domain names other CAs: add this one"
	case "connection":
		return "does the CA reach the address that the name has in DNS, on port 80 for http-01 or 443 for tls-alpn-01"
	case "dns":
		return "do all name servers of the domain answer to the whole world"
	case "externalAccountRequired":
		return "the CA wants an account of its own kind: write eab with the key identifier and HMAC key that it gives its customers"
	case "incorrectResponse", "tls", "unauthorized":
		return "does somebody else answer for the name, such as another server at its address"
	case "invalidContact", "unsupportedContact":
		return "write an email that the CA can reach"
	case "userActionRequired":
		return "the CA wants a person to look at the account"
	}
	return ""
}

// limitSpan bounds how long a CA may keep us away.
var limitSpan = span{time.Second, 7 * 24 * time.Hour}

// noHeader is how long a CA is left alone that limits us and does not say how long.
const noHeader = time.Hour

// later says until when it is useless to ask the CA again, false where it said nothing
// of the kind (RFC 8555, section 6.6).
func (e *Error) later(now time.Time) (time.Time, bool) {
	limits := e.Status == http.StatusTooManyRequests || e.Type == "rateLimited"
	if !limits && e.Status != http.StatusServiceUnavailable {
		return time.Time{}, false
	}
	if wait, ok := parseRetryAfter(e.retryAfter, now, limitSpan); ok {
		return now.Add(wait), true
	}
	return now.Add(noHeader), limits
}

// ends reports whether the order ends with this error, because it would fail at another
// CA as well.
func ends(err error) bool {
	var e *Error
	switch {
	case errors.Is(err, context.Canceled):
		return true
	case errors.As(err, &e):
		return e.here
	}
	return true
}

// verdict is the one error for what came of asking all CAs. It is a LaterError only
// where each of them said so: else there is somebody to ask before.
func verdict(errs []error) error {
	if len(errs) == 1 {
		return errs[0]
	}
	var until time.Time
	later := 0
	plain := make(several, len(errs))
	for i, err := range errs {
		plain[i] = err
		var l *certwatch.LaterError
		if !errors.As(err, &l) {
			continue
		}
		if plain[i] = l.Err; later == 0 || l.Until.Before(until) {
			until = l.Until
		}
		later++
	}
	if later < len(errs) {
		return plain
	}
	return &certwatch.LaterError{Until: until, Err: plain}
}

// several are the errors of several CAs, in one line.
type several []error

func (s several) Error() string {
	words := make([]string, len(s))
	for i, err := range s {
		words[i] = err.Error()
	}
	return strings.Join(words, "; ")
}

func (s several) Unwrap() []error { return s }
