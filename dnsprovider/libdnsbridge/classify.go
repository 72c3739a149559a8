package libdnsbridge

import (
	"context"
	"errors"
	"io"
	"net"
	"net/url"
	"regexp"
	"strconv"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/dnsprovider/internal/api"
)

// httpStatus is a status in what a module says, where it is recognised as one.
var httpStatus = regexp.MustCompile(`(?i)(?:status|code|http|error|response|returned an?)[^0-9]{0,24}\b([45][0-9][0-9])\b|\b([45][0-9][0-9]) (?:unauthorized|forbidden|not found|conflict|unprocessable|too many|internal|bad|service|gateway)|^([45][0-9][0-9])\b|\(([45][0-9][0-9])\)`)

// limited is how hosts say that they are asked too often, where the status says less.
var limited = regexp.MustCompile(`(?i)throttl|rate exceeded|rate limit`)

// address is a URL, for modules whose errors do not tell it from the rest. A port and a number in a
// path are no status, and some hosts have secrets in it.
var address = regexp.MustCompile(`"?https?://[^\s"]*"?`)

// noJSON is how encoding/json and encoding/xml say that something else came.
var noJSON = regexp.MustCompile(`(?i)invalid character|unexpected end of JSON|cannot unmarshal|XML syntax error|expected element type|unexpected EOF`)

// classify makes trouble of what a module says. None of its errors is kept: they may hold
// what they were given.
func (p *Provider) classify(err error, zone string) *api.Trouble {
	says := address.ReplaceAllString(err.Error(), "the API")
	words := address.ReplaceAllString(withoutURL(err), "the API")
	if p.host.Quirks.Short != nil {
		words = p.host.Quirks.Short(words)
	}
	words = api.Words(words, p.secrets...)
	hints := p.hints(zone)
	if limited.MatchString(says) {
		return &api.Trouble{
			Kind: dnsprovider.Temporary, Limited: true, Err: errors.New(words),
			Hint: "the host limits how often it is asked: do other programs share the account",
		}
	}
	if p.host.Quirks.Classify != nil {
		if kind := p.host.Quirks.Classify(err); kind != 0 {
			t := ofKind(kind, words, hints)
			t.Limited = p.host.Quirks.Limited != nil && p.host.Quirks.Limited(err)
			return t
		}
	}
	if status := statusIn(says); status != 0 {
		t := api.ByStatus(&api.Reply{Status: status}, "", hints)
		t.Err = errors.New(words)
		t.Limited = status == 429
		return t
	}
	var network net.Error
	switch {
	case noJSON.MatchString(says):
		return &api.Trouble{
			Kind: dnsprovider.Temporary, Then: api.Open, Err: errors.New("a reply that is not of the kind wanted: " + words),
			Hint: "does a proxy or a maintenance page stand between here and the host's API",
		}
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &network), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return &api.Trouble{
			Kind: dnsprovider.Temporary, Then: api.Open, Err: errors.New(words),
			Hint: "is the host's API reached from here: name resolution, firewall, proxy",
		}
	}
	return &api.Trouble{Kind: dnsprovider.Temporary, Then: api.Open, Err: errors.New(words), Hint: "it is tried again; if it stays, please report it, with the version of tlsaroll"}
}

// ofKind is the trouble of what the host's own rules have recognised.
func ofKind(kind dnsprovider.Kind, words string, hints api.Hints) *api.Trouble {
	t := &api.Trouble{Kind: kind, Err: errors.New(words)}
	switch kind {
	case dnsprovider.Refused:
		t.Hint = hints.Rights
	case dnsprovider.NoZone:
		t.Hint = hints.Zone
	case dnsprovider.Conflict:
		t.Hint, t.Then = "look again and plan again", api.Disputed
	case dnsprovider.Malformed:
		t.Hint, t.Then = "the host does not take this record, or has changed its API", api.EachAlone
	default:
		t.Hint, t.Then = "the host is in trouble: try again later, its status page may say more", api.Open
	}
	return t
}

// statusIn finds an HTTP status in a sentence, 0 if there is none.
func statusIn(says string) int {
	for _, m := range httpStatus.FindAllStringSubmatch(says, -1) {
		for _, digits := range m[1:] {
			if n, err := strconv.Atoi(digits); err == nil {
				return n
			}
		}
	}
	return 0
}

// withoutURL is what an error says, without the address that was asked: it tells nothing, and
// some hosts have secrets in it. Of an error of the network the cause is enough.
func withoutURL(err error) string {
	var ofURL *url.Error
	if errors.As(err, &ofURL) {
		return ofURL.Err.Error()
	}
	return err.Error()
}
