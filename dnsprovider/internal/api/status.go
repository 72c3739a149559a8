package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"regexp"
	"strings"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
)

// Hints are what to do about what a host says no to.
type Hints struct {
	Rights string // the credentials do not suffice
	Zone   string // there is no such zone, for these credentials
}

// ByStatus makes trouble of a reply that is no success, from its HTTP status and from what
// the host says, see [Words].
func ByStatus(r *Reply, says string, h Hints) *Trouble {
	line := fmt.Sprint(r.Status)
	if text := http.StatusText(r.Status); text != "" {
		line += " " + text
	}
	if says != "" {
		line += ": " + says
	}
	t := &Trouble{Kind: dnsprovider.Malformed, Hint: "does something stand between here and the host's API", Err: errors.New(line)}
	switch s := r.Status; {
	case s == http.StatusUnauthorized, s == http.StatusForbidden:
		t.Kind, t.Hint = dnsprovider.Refused, h.Rights
	case s == http.StatusNotFound, s == http.StatusGone:
		t.Kind, t.Hint = dnsprovider.NoZone, h.Zone
	case s == http.StatusConflict:
		t.Kind, t.Hint = dnsprovider.Temporary, "somebody else is changing the zone: try again"
	case s == http.StatusPreconditionFailed:
		t.Kind, t.Hint, t.Then = dnsprovider.Conflict, "look again and plan again", Disputed
	case s == http.StatusBadRequest, s == http.StatusUnprocessableEntity:
		t.Hint, t.Then = "the host does not take this record, or has changed its API", EachAlone
	case s == http.StatusTooManyRequests:
		t.Kind, t.Hint = dnsprovider.Temporary, "the host limits how often it is asked: do other programs share the account"
		if pause, asked := r.retryAfter(); asked {
			t.Err, t.Pause = fmt.Errorf("%w, and to come back in %s", t.Err, pause), pause
		}
	case s >= 500:
		t.Kind, t.Hint, t.Then = dnsprovider.Temporary, "the host is in trouble: try again later, its status page may say more", Open
	}
	return t
}

// Decode reads the JSON of a reply. What is none, such as a page for people, is trouble;
// a request that it answers may have been carried out.
func (r *Reply) Decode(into any) *Trouble {
	err := json.Unmarshal(r.Body, into)
	if err == nil {
		return nil
	}
	t := &Trouble{Kind: dnsprovider.Temporary, Then: Open, Hint: "does a proxy or a maintenance page stand between here and the host's API"}
	switch body := bytes.TrimSpace(r.Body); {
	case len(body) == 0:
		t.Err = fmt.Errorf("status %d and an empty reply where JSON is wanted", r.Status)
	case body[0] == '<':
		t.Err = fmt.Errorf("status %d and a web page where JSON is wanted", r.Status)
	default:
		t.Err = fmt.Errorf("status %d and a reply that is not JSON of the kind wanted", r.Status)
	}
	return t
}

var tags = regexp.MustCompile(`<[^>]*>?`)

// maxWords is how much of what a host says goes into a sentence.
const maxWords = 200

// Words makes what a host says fit for a sentence: one line, not long, without links and
// full stop, and without the secrets.
func Words(says string, secrets ...dnsprovider.Secret) string {
	for _, s := range secrets {
		if !s.Empty() {
			says = strings.ReplaceAll(says, s.Reveal(), s.String())
		}
	}
	says = tags.ReplaceAllString(says, "")
	says = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '>' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(says, "?"))
	says = strings.Join(strings.Fields(says), " ")
	if len(says) > maxWords {
		says = strings.ToValidUTF8(says[:maxWords], "") + "…"
	}
	return strings.TrimRight(says, " .")
}

// CheckURL says what is wrong with the address of an API. Without TLS anybody on the way
// reads the credentials, so that is for loopback alone.
func CheckURL(s string) error {
	r, err := http.NewRequest(http.MethodGet, s, nil)
	if err != nil || r.URL.Host == "" || r.URL.User != nil || r.URL.RawQuery != "" || r.URL.Fragment != "" {
		return errors.New("not the address of an API (hint: as in https://api.example.net/v4, without name, password and key)") // it may hold them
	}
	address, err := netip.ParseAddr(r.URL.Hostname())
	loopback := r.URL.Hostname() == "localhost" || err == nil && address.IsLoopback()
	if r.URL.Scheme != "https" && (r.URL.Scheme != "http" || !loopback) {
		return fmt.Errorf("URL %q: credentials go over https alone (hint: write https; http is for 127.0.0.1 and ::1)", s)
	}
	return nil
}
