package probe

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// An Endpoint is one TLS service that clients reach (RFC 7671: "transport
// endpoint"). It is comparable; make one with [ParseURL].
type Endpoint struct {
	// Scheme is smtp, submission, submissions, imap, imaps, pop3, pop3s, sieve or tls.
	Scheme string
	// Host is the TLSA base domain (RFC 7671, section 2.1), in the form of
	// [tlsa.CanonicalHost]; it is what SNI names.
	Host string
	Port uint16
}

// ParseURL reads an endpoint such as smtp://mx1.example.org or tls://host:port.
// Without a port it is the scheme's own; only tls has none.
func ParseURL(s string) (Endpoint, error) {
	fail := func(format string, args ...any) (Endpoint, error) {
		return Endpoint{}, fmt.Errorf("endpoint %q: "+format, append([]any{s}, args...)...)
	}
	name, rest, ok := strings.Cut(s, "://")
	if !ok {
		return fail("no scheme (hint: write it as in smtp://mx1.example.org; known: %s)", schemeNames())
	}
	known, ok := schemeOf(strings.ToLower(name)) // RFC 3986, section 3.1
	switch {
	case !ok && strings.EqualFold(name, "smtps"):
		return fail("unknown scheme %q (hint: TLS on port 465 is submissions)", name)
	case !ok:
		return fail("unknown scheme %q (known: %s)", name, schemeNames())
	case strings.Contains(rest, "@"):
		return fail("a user may not stand in it (hint: nobody logs in, only the certificate is looked at)")
	case strings.ContainsAny(rest, "/?#"):
		return fail("nothing may follow host and port")
	case strings.HasPrefix(rest, "["):
		return fail("an address has no TLSA records (hint: write the host name)")
	}
	host, digits, hasPort := strings.Cut(rest, ":")
	if strings.Contains(digits, ":") {
		return fail("an address has no TLSA records (hint: write the host name)")
	}
	port := known.port
	if hasPort {
		n, err := strconv.ParseUint(digits, 10, 16)
		if err != nil || n == 0 || strconv.FormatUint(n, 10) != digits {
			return fail("port %q is not a number from 1 to 65535", digits)
		}
		port = uint16(n)
	}
	if port == 0 {
		return fail("%s needs a port (hint: write %s://host:port)", known.name, known.name)
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return fail("an address has no TLSA records (hint: write the host name)")
	}
	canonical, err := tlsa.CanonicalHost(host)
	if err != nil {
		return fail("%w", err)
	}
	e := Endpoint{known.name, canonical, port}
	if _, err := e.Owner(); err != nil {
		return fail("%w", err)
	}
	return e, nil
}

// String gives the URL, without the port where it is the scheme's own.
func (e Endpoint) String() string {
	if s, ok := schemeOf(e.Scheme); ok && s.port == e.Port {
		return e.Scheme + "://" + e.Host
	}
	return e.Scheme + "://" + e.Host + ":" + strconv.Itoa(int(e.Port))
}

// Owner is where the endpoint's TLSA records stand, unless an alias leads
// elsewhere (RFC 6698, section 3).
func (e Endpoint) Owner() (tlsa.Owner, error) { return tlsa.OwnerOf(e.Port, e.Host) }

// MarshalText gives the URL.
func (e Endpoint) MarshalText() ([]byte, error) { return []byte(e.String()), nil }

// UnmarshalText reads a URL, see [ParseURL].
func (e *Endpoint) UnmarshalText(text []byte) (err error) {
	*e, err = ParseURL(string(text))
	return err
}
