package googleclouddns

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/dnsprovider/internal/api"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// Config says which zone to change, and as whom.
type Config struct {
	// Name stands for the provider in errors. Default: "googleclouddns".
	Name string
	// Zone is the zone to change. Default: the one found for each name.
	Zone string
	// ManagedZone is what the project calls the zone. Default: looked up, the public one.
	ManagedZone string
	// Project is the project's id. Default: that of the service account.
	Project string
	// Credentials are the service account's key, the whole JSON file.
	Credentials dnsprovider.Secret

	// BaseURL is where the API is. Default: https://dns.googleapis.com/dns/v1.
	BaseURL string
	// Timeout is how long one request may take. Default: 30s.
	Timeout time.Duration
	// Account bounds the requests on their way at once; providers of one project
	// share it. Default: one of its own.
	Account *dnsprovider.Account
	// Transport sends requests. Default: one of its own.
	Transport http.RoundTripper
	// Now is the clock that access tokens go by; required.
	Now func() time.Time
	// Log takes what is worth a word and no error. Default: nowhere.
	Log *slog.Logger
}

const (
	defaultName = "googleclouddns"
	defaultURL  = "https://dns.googleapis.com/dns/v1"
)

// A Provider changes RRsets in managed zones. It is safe for concurrent use.
type Provider struct {
	name, zone, managed string // zone is canonical; "" is to be found
	base                string // with the project
	email               string
	client              *api.Client
	log                 *slog.Logger
	frame               api.Frame[rrsets]
	zones               managedZones
}

var (
	_ dnsprovider.Provider    = (*Provider)(nil)
	_ dnsprovider.TXTProvider = (*Provider)(nil)
)

// What projects and managed zones are called.
var (
	projectForm = regexp.MustCompile(`^([a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]$`)
	managedForm = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)
)

// New checks the configuration and connects to nothing. The error names everything that
// is wrong, one sentence a line.
func New(c Config) (*Provider, error) {
	p := &Provider{name: c.Name, managed: c.ManagedZone, log: c.Log}
	if p.name == "" {
		p.name = defaultName
	}
	base := strings.TrimSuffix(c.BaseURL, "/")
	if base == "" {
		base = defaultURL
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
	check(api.CheckURL(base))
	account, err := parseAccount(c.Credentials)
	check(err)
	project := c.Project
	if project == "" && account != nil {
		project = account.project
	}
	if (account != nil || project != "") && !projectForm.MatchString(project) {
		check(fmt.Errorf("project %.40q: not the id of a project (hint: gcloud projects list)", project))
	}
	if p.managed != "" && !managedForm.MatchString(p.managed) {
		check(fmt.Errorf("managed-zone %.70q: not the name of a managed zone (hint: gcloud dns managed-zones list)", p.managed))
	}
	if c.Timeout < 0 {
		check(fmt.Errorf("a timeout of %s: below zero", c.Timeout))
	}
	if c.Now == nil {
		check(errors.New("no clock"))
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	p.email = account.email
	p.base = base + "/projects/" + url.PathEscape(project) + "/managedZones"
	if c.Account == nil {
		c.Account = dnsprovider.NewAccount(dnsprovider.DefaultInFlight)
	}
	tokens := &api.Tokens{
		Client: api.NewClient(api.Client{Account: c.Account, Transport: c.Transport, Timeout: c.Timeout}),
		URL:    account.tokenURL, Form: func() (url.Values, *api.Trouble) { return account.assertion(c.Now()) }, Now: c.Now,
		Hint:    "has the service account " + account.email + " still this key, and is the clock of this host right",
		Secrets: []dnsprovider.Secret{c.Credentials},
	}
	p.client = api.NewClient(api.Client{
		Account: c.Account, Transport: c.Transport, Timeout: c.Timeout, Authorize: tokens.Authorize, Rejected: tokens.Drop,
	})
	p.frame = api.Frame[rrsets]{Name: p.name, Find: p.find}
	return p, nil
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
