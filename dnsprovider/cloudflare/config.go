package cloudflare

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/dnsprovider/internal/api"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// Config says which zone to change, and with which rights.
type Config struct {
	// Name stands for the provider in errors. Default: "cloudflare".
	Name string
	// Zone is the zone that the token may change. Default: the one found for each name.
	Zone string
	// ZoneID is what Cloudflare calls the zone, 32 hex digits. With it the token needs no
	// right to look for zones. Default: looked up.
	ZoneID string
	// Token is an API token with the permission DNS: Edit.
	Token dnsprovider.Secret

	// BaseURL is where the API is. Default: https://api.cloudflare.com/client/v4.
	BaseURL string
	// Timeout is how long one request may take. Default: 30s.
	Timeout time.Duration
	// Account bounds the requests on their way at once; providers with tokens of one
	// account share it. Default: one of its own.
	Account *dnsprovider.Account
	// Transport sends requests. Default: one of its own.
	Transport http.RoundTripper
	// Log takes what is worth a word and no error. Default: nowhere.
	Log *slog.Logger
}

const (
	defaultName = "cloudflare"
	defaultURL  = "https://api.cloudflare.com/client/v4"
)

// TTLs as in https://developers.cloudflare.com/dns/manage-dns-records/reference/ttl/: those
// of enterprise zones may be half the lowest.
const (
	minTTL  = time.Minute
	maxTTL  = 24 * time.Hour
	autoTTL = 5 * time.Minute
	auto    = 1 // as the API writes it
)

// A Provider changes RRsets in zones at Cloudflare. It is safe for concurrent use.
type Provider struct {
	name, zone, zoneID string // zone is canonical; "" is to be found
	base               string
	token              dnsprovider.Secret
	client             *api.Client
	log                *slog.Logger
	frame              api.Frame[records]
	zones              zoneIDs
}

var (
	_ dnsprovider.Provider    = (*Provider)(nil)
	_ dnsprovider.TXTProvider = (*Provider)(nil)
)

var (
	zoneIDForm = regexp.MustCompile(`^[0-9a-f]{32}$`)
	globalKey  = regexp.MustCompile(`^[0-9a-f]{37}$`)
)

// New checks the configuration and connects to nothing. The error names everything that
// is wrong, one sentence a line.
func New(c Config) (*Provider, error) {
	p := &Provider{name: c.Name, zoneID: c.ZoneID, base: strings.TrimSuffix(c.BaseURL, "/"), token: c.Token, log: c.Log}
	if p.name == "" {
		p.name = defaultName
	}
	if p.base == "" {
		p.base = defaultURL
	}
	if p.log == nil {
		p.log = slog.New(slog.DiscardHandler)
	}
	var errs []error
	check := func(err error) {
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", p.name, err))
		}
	}
	var err error
	p.zone, err = dnsprovider.CanonicalZone(c.Zone)
	check(err)
	check(api.CheckURL(p.base))
	check(checkToken(c.Token))
	if p.zoneID != "" && !zoneIDForm.MatchString(p.zoneID) {
		check(fmt.Errorf("zone-id %q: 32 hex digits in lower case are wanted (hint: the overview of the zone in the dashboard has it, under API)", p.zoneID))
	}
	if c.Timeout < 0 {
		check(fmt.Errorf("a timeout of %s: below zero", c.Timeout))
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	p.client = api.NewClient(api.Client{Account: c.Account, Transport: c.Transport, Timeout: c.Timeout, Authorize: p.authorize})
	p.frame = api.Frame[records]{Name: p.name, Find: p.find, MinTTL: minTTL, MaxTTL: maxTTL}
	return p, nil
}

// checkToken says what is wrong with the token, and nothing of what it is.
func checkToken(token dnsprovider.Secret) error {
	text := token.Reveal()
	const where = "My Profile, API Tokens, Create Token, template \"Edit zone DNS\""
	switch {
	case text == "":
		return errors.New("no token (hint: " + where + ")")
	case strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }):
		return errors.New("the token has characters that no token has (hint: the file holds the token alone, in one line)")
	case globalKey.MatchString(text):
		return errors.New("the token looks like the Global API Key, which may do everything (hint: " + where + ")")
	}
	return nil
}

func (p *Provider) authorize(_ context.Context, r *http.Request) *api.Trouble {
	r.Header.Set("Authorization", "Bearer "+p.token.Reveal())
	return nil
}

// RRset reads the TLSA RRset from the zone's listing, see [dnsprovider.Provider].
func (p *Provider) RRset(ctx context.Context, zone string, owner tlsa.Owner) (tlsa.RRset, error) {
	return p.frame.RRset(ctx, zone, owner)
}

// Apply changes RRsets, see [dnsprovider.Provider].
func (p *Provider) Apply(ctx context.Context, zone string, changes []dnsprovider.Change) []error {
	return p.frame.Apply(ctx, zone, changes)
}

// AddTXT adds a TXT value, see [dnsprovider.TXTProvider].
func (p *Provider) AddTXT(ctx context.Context, zone string, name tlsa.Owner, value string, ttl time.Duration) error {
	return p.frame.AddTXT(ctx, zone, name, value, ttl)
}

// RemoveTXT removes a TXT value, see [dnsprovider.TXTProvider].
func (p *Provider) RemoveTXT(ctx context.Context, zone string, name tlsa.Owner, value string) error {
	return p.frame.RemoveTXT(ctx, zone, name, value)
}
