package azuredns

import (
	"context"
	"errors"
	"fmt"
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
	// Name stands for the provider in errors. Default: "azure".
	Name string
	// Zone is the zone to change. Default: the one found for each name.
	Zone string

	// Subscription and ResourceGroup are where the zone is.
	Subscription, ResourceGroup string
	// Tenant and Client are the ids of the directory and of the application in it, and
	// Secret a secret of the application.
	Tenant, Client string
	Secret         dnsprovider.Secret

	// APIVersion is one that has TLSA record sets. Default: 2023-07-01-preview.
	APIVersion string
	// BaseURL is where the resource manager is, and LoginURL where tokens are.
	// Default: https://management.azure.com and https://login.microsoftonline.com.
	BaseURL, LoginURL string
	// Timeout is how long one request may take. Default: 30s.
	Timeout time.Duration
	// Account bounds the requests on their way at once; providers of one subscription
	// share it. Default: one of its own.
	Account *dnsprovider.Account
	// Transport sends requests. Default: one of its own.
	Transport http.RoundTripper
	// Now is the clock that access tokens go by; required.
	Now func() time.Time
}

const (
	defaultName    = "azure"
	defaultURL     = "https://management.azure.com"
	defaultLogin   = "https://login.microsoftonline.com"
	defaultVersion = "2023-07-01-preview"
)

// A Provider changes RRsets in zones of Azure DNS. It is safe for concurrent use.
type Provider struct {
	name, zone    string // zone is canonical; "" is to be found
	base          string // of the subscription's server
	zones         string // path of the zones
	version       string
	client        string
	resourceGroup string
	rest          *api.Client
	frame         api.Frame[recordSets]
}

var (
	_ dnsprovider.Provider    = (*Provider)(nil)
	_ dnsprovider.TXTProvider = (*Provider)(nil)
)

var (
	idForm      = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)
	tenantForm  = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z.-]*$`) // an id or a domain
	groupForm   = regexp.MustCompile(`^[-\w.()]{1,90}$`)
	versionForm = regexp.MustCompile(`^20\d\d-\d\d-\d\d(-preview)?$`)
)

// New checks the configuration and connects to nothing. The error names everything that
// is wrong, one sentence a line.
func New(c Config) (*Provider, error) {
	c.defaults()
	p := &Provider{name: c.Name, base: c.BaseURL, version: c.APIVersion, client: c.Client, resourceGroup: c.ResourceGroup}
	var errs []error
	check := func(wrong bool, format string, args ...any) {
		if wrong {
			errs = append(errs, fmt.Errorf(p.name+": "+format, args...))
		}
	}
	var err error
	p.zone, err = dnsprovider.CanonicalZone(c.Zone)
	check(err != nil, "%w", err)
	for _, u := range []string{c.BaseURL, c.LoginURL} {
		err := api.CheckURL(u)
		check(err != nil, "%w", err)
	}
	check(!idForm.MatchString(c.Subscription), "subscription %.40q: not an id (hint: az account show --query id)", c.Subscription)
	check(!groupForm.MatchString(c.ResourceGroup), "resource-group %.100q: not the name of one (hint: az network dns zone list --query [].resourceGroup)", c.ResourceGroup)
	check(!tenantForm.MatchString(c.Tenant), "tenant %.40q: not the id of a directory (hint: az account show --query tenantId)", c.Tenant)
	check(!idForm.MatchString(c.Client), "client %.40q: not the id of an application (hint: az ad sp create-for-rbac shows it as appId)", c.Client)
	check(c.Secret.Empty(), "no secret (hint: az ad sp create-for-rbac shows it as password)")
	check(!versionForm.MatchString(c.APIVersion), "api-version %.40q: not a version (hint: as in %s)", c.APIVersion, defaultVersion)
	check(c.Timeout < 0, "a timeout of %s: below zero", c.Timeout)
	check(c.Now == nil, "no clock")
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	p.zones = "/subscriptions/" + c.Subscription + "/resourceGroups/" + url.PathEscape(c.ResourceGroup) + "/providers/Microsoft.Network/dnsZones"
	tokens := &api.Tokens{
		Client: api.NewClient(api.Client{Account: c.Account, Transport: c.Transport, Timeout: c.Timeout}),
		URL:    c.LoginURL + "/" + c.Tenant + "/oauth2/v2.0/token",
		Form: func() (url.Values, *api.Trouble) {
			return url.Values{
				"grant_type": {"client_credentials"}, "client_id": {c.Client}, "client_secret": {c.Secret.Reveal()}, "scope": {c.BaseURL + "/.default"},
			}, nil
		},
		Now: c.Now, Hint: "is the secret of the application " + c.Client + " right and not expired, and is tenant its directory",
		Secrets: []dnsprovider.Secret{c.Secret},
	}
	p.rest = api.NewClient(api.Client{
		Account: c.Account, Transport: c.Transport, Timeout: c.Timeout, Authorize: tokens.Authorize, Rejected: tokens.Drop,
	})
	p.frame = api.Frame[recordSets]{Name: p.name, Find: p.find}
	return p, nil
}

func (c *Config) defaults() {
	for _, d := range []struct {
		field *string
		value string
	}{{&c.Name, defaultName}, {&c.APIVersion, defaultVersion}, {&c.BaseURL, defaultURL}, {&c.LoginURL, defaultLogin}} {
		if *d.field == "" {
			*d.field = d.value
		}
	}
	c.BaseURL, c.LoginURL = strings.TrimSuffix(c.BaseURL, "/"), strings.TrimSuffix(c.LoginURL, "/")
	if c.Account == nil {
		c.Account = dnsprovider.NewAccount(dnsprovider.DefaultInFlight)
	}
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
