package acme

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// Config says who issues for one lineage, and by what proof.
type Config struct {
	// Dir is where accounts and notes are kept, for all lineages. It is made where it is
	// missing, 0700.
	Dir string
	// Lineage tells its notes from those of others; a plain name.
	Lineage string
	// CAs are asked in this order.
	CAs []CA
	// DNS writes and sees TXT records; needed for dns-01.
	DNS DNS
	// Now is the clock; required.
	Now func() time.Time
	// Log takes what is worth a word and no error. Default: nowhere.
	Log *slog.Logger

	// Patience is the most that one order may take at one CA. Default: 9m.
	Patience time.Duration
	// Propagation is how long a TXT record may take to be seen at every authoritative
	// server. Default: 7m.
	Propagation time.Duration
}

// A CA is one that is asked, and how.
type CA struct {
	Directory string // URL of its ACME directory, https
	Email     string // of the account; "": none
	// External is an account at the CA that ours is bound to (RFC 8555, section 7.3.4);
	// nil: none.
	External *ExternalAccount
	// Challenge is dns-01, http-01 or tls-alpn-01.
	Challenge string
	// Address is where http-01 and tls-alpn-01 listen, host:port. The CA comes to port 80
	// and 443: elsewhere somebody has to pass it on. Default: :80 and :443.
	Address string
	// Profile is one of those that the CA offers; "": its own choice.
	Profile string
	// PreferredChain is the common name of the issuer of the topmost certificate in the
	// chain that is wanted, where the CA offers several; "": its own choice.
	PreferredChain string
	// Roots are trusted for the connection to the CA; nil: the system's.
	Roots *x509.CertPool
}

// An ExternalAccount is what a CA gives its customers to bind accounts with.
type ExternalAccount struct {
	KeyID string
	HMAC  Secret
}

// DNS is what dns-01 needs of it. Names are absolute, in lower case.
type DNS interface {
	// Lead follows the CNAMEs at name to where a TXT record for it has to stand.
	Lead(ctx context.Context, name string) (string, error)
	// AddTXT adds one value, beside others; RemoveTXT takes exactly that one away. Both
	// can be repeated.
	AddTXT(ctx context.Context, name, value string) error
	RemoveTXT(ctx context.Context, name, value string) error
	// Missing says which authoritative servers do not give the value, with what they do
	// instead; none: all give it.
	Missing(ctx context.Context, name, value string) ([]string, error)
}

// The challenges.
const (
	DNS01     = "dns-01"
	HTTP01    = "http-01"
	TLSALPN01 = "tls-alpn-01"
)

const (
	defaultPatience    = 9 * time.Minute
	defaultPropagation = 7 * time.Minute
)

// An Issuer gets certificates for one lineage. It is safe for concurrent use; orders
// run one after the other.
type Issuer struct {
	cfg Config
	log *slog.Logger

	turn chan struct{} // holds a token while no order runs

	mu      sync.Mutex
	limited map[string]time.Time  // by directory: until when the CA is not to be asked
	known   map[string]*knowledge // by certificate: what the CA said of its renewal
}

// New checks the configuration and asks nobody. The error names everything that is
// wrong, one sentence a line.
func New(cfg Config) (*Issuer, error) {
	var errs []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf("acme: "+format, args...))
		}
	}
	check(cfg.Dir != "", "no directory for accounts")
	check(cfg.Lineage != "" && !strings.ContainsAny(cfg.Lineage, "/\x00") && !strings.HasPrefix(cfg.Lineage, "."), "%q is not the name of a lineage", cfg.Lineage)
	check(cfg.Now != nil, "no clock")
	check(len(cfg.CAs) > 0, "no CA")
	check(cfg.Patience >= 0 && cfg.Propagation >= 0, "waits of %s and %s: below zero", cfg.Patience, cfg.Propagation)
	cfg.CAs = slices.Clone(cfg.CAs)
	for i, ca := range cfg.CAs {
		u, err := url.Parse(ca.Directory)
		check(err == nil && u.Scheme == "https" && u.Host != "", "%q is not an https URL (hint: write the URL of the CA's ACME directory)", ca.Directory)
		check(slices.Contains([]string{DNS01, HTTP01, TLSALPN01}, ca.Challenge), "%s: unknown challenge %q (hint: dns-01, http-01 or tls-alpn-01)", ca.name(), ca.Challenge)
		check(ca.Challenge != DNS01 || cfg.DNS != nil, "%s: dns-01 needs a provider that writes TXT records", ca.name())
		if ca.Address == "" {
			cfg.CAs[i].Address = map[string]string{HTTP01: ":80", TLSALPN01: ":443"}[ca.Challenge]
		} else {
			_, _, err := net.SplitHostPort(ca.Address)
			check(err == nil, "%s: %q is not an address with a port", ca.name(), ca.Address)
		}
		if ca.External != nil {
			_, err := ca.External.HMAC.base64url()
			check(err == nil, "%s: external account %q: %v", ca.name(), ca.External.KeyID, err)
			check(ca.External.KeyID != "", "%s: external account: no key identifier", ca.name())
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Patience == 0 {
		cfg.Patience = defaultPatience
	}
	if cfg.Propagation == 0 {
		cfg.Propagation = defaultPropagation
	}
	i := &Issuer{
		cfg: cfg, log: cfg.Log.With("lineage", cfg.Lineage), turn: make(chan struct{}, 1),
		limited: map[string]time.Time{}, known: map[string]*knowledge{},
	}
	i.turn <- struct{}{}
	return i, nil
}

// name is how people know the CA: the host of its directory.
func (ca CA) name() string {
	if u, err := url.Parse(ca.Directory); err == nil && u.Host != "" {
		return u.Host
	}
	return printable(ca.Directory)
}
