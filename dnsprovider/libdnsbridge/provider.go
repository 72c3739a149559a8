package libdnsbridge

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/libdns/libdns"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/dnsprovider/internal/api"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// Config says which host to use, and with which credentials.
type Config struct {
	// Name stands for the provider in errors. Default: the host's type.
	Name string
	// Zone is the zone that the credentials may change. Default: the longest that the
	// module lists, where it can.
	Zone string
	// Host is the DNS host; required.
	Host Host
	// Values are what its settings are set to.
	Values Values

	// Timeout is how long one call of the module may take. Default: 30s, or what the host needs.
	Timeout time.Duration
	// Pauses are how long the host is left alone, each time that it says it is asked too often:
	// how long it asks for itself stays in the module. Default: 1.5s, 3s.
	Pauses []time.Duration
	// Account bounds the requests on their way at once; providers with the same
	// credentials share it. Default: one of its own.
	Account *dnsprovider.Account
	// Log takes what is worth a word and no error. Default: nowhere.
	Log *slog.Logger
}

const defaultTimeout = 30 * time.Second

// A Provider changes RRsets through a module of libdns. It is safe for concurrent use,
// whether the module is or not.
type Provider struct {
	name, zone string // zone is canonical; "" is to be found
	host       Host
	backend    Backend
	secrets    []dnsprovider.Secret
	timeout    time.Duration
	pauses     []time.Duration
	account    *dnsprovider.Account
	log        *slog.Logger
	frame      api.Frame[records]

	mu    sync.Mutex
	calls map[string]chan struct{} // by zone: holds a token while a call is under way
}

var (
	_ dnsprovider.Provider    = (*Provider)(nil)
	_ dnsprovider.TXTProvider = (*Provider)(nil)
)

// New checks the configuration and connects to nothing. The error names everything that
// is wrong, one sentence a line, and no secret.
func New(c Config) (*Provider, error) {
	p := &Provider{
		name: c.Name, host: c.Host, timeout: c.Timeout, pauses: c.Pauses, account: c.Account, log: c.Log, calls: map[string]chan struct{}{},
	}
	if p.name == "" {
		p.name = c.Host.Type
	}
	if p.timeout == 0 {
		p.timeout = max(defaultTimeout, c.Host.Quirks.Timeout)
	}
	if p.pauses == nil {
		p.pauses = []time.Duration{1500 * time.Millisecond, 3 * time.Second}
	}
	if p.account == nil {
		p.account = dnsprovider.NewAccount(dnsprovider.DefaultInFlight)
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
	if p.timeout < 0 {
		check(fmt.Errorf("a timeout of %s: below zero", p.timeout))
	}
	values, err := c.Host.settle(c.Values)
	check(err)
	if len(errs) == 0 {
		for _, s := range c.Host.Settings {
			if s.Secret && values[s.Name] != "" {
				p.secrets = append(p.secrets, dnsprovider.NewSecret(values[s.Name]))
			}
		}
		p.backend, err = p.open(values)
		check(err)
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	p.frame = api.Frame[records]{Name: p.name, Find: p.find, MinTTL: c.Host.MinTTL, MaxTTL: c.Host.Quirks.MaxTTL, InSteps: true}
	return p, nil
}

// settle puts defaults in the place of what is not given, and says what is wrong.
func (h Host) settle(given Values) (Values, error) {
	values := Values{}
	var errs []error
	for _, s := range h.Settings {
		value := given[s.Name]
		if value == "" {
			value = s.Default
		}
		switch {
		case value == "" && s.Required:
			errs = append(errs, fmt.Errorf("no %s (hint: such as %s)", s.Name, s.Example))
		case value != "" && s.URL:
			if err := api.CheckURL(value); err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", s.Name, err))
			}
		}
		if value != "" {
			values[s.Name] = value
		}
	}
	for name := range given {
		if !slices.ContainsFunc(h.Settings, func(s Setting) bool { return s.Name == name }) {
			errs = append(errs, fmt.Errorf("unknown setting %q", name))
		}
	}
	return values, errors.Join(errs...)
}

// open makes the backend. What it says may hold what it was given.
func (p *Provider) open(values Values) (b Backend, err error) {
	defer func() {
		if r := recover(); r != nil {
			b, err = nil, fmt.Errorf("the module does not take these settings: %s", api.Words(fmt.Sprint(r), p.secrets...))
		}
	}()
	if b, err = p.host.Open(values); err != nil {
		return nil, errors.New(api.Words(err.Error(), p.secrets...))
	}
	return b, nil
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

// find finds the zone that owner lies in, see [api.Frame].
func (p *Provider) find(ctx context.Context, zone string, owner tlsa.Owner) (api.Host[records], string, *api.Trouble) {
	switch {
	case zone == "" && p.zone != "":
		zone = p.zone
	case p.zone != "" && zone != p.zone:
		return nil, zone, &api.Trouble{
			Kind: dnsprovider.OutsideZone, Err: fmt.Errorf("the provider is configured for the zone %s, and not for %s", p.zone, zone),
			Hint: "a provider of its own for each zone",
		}
	case zone == "":
		var t *api.Trouble
		if zone, t = p.zoneAbove(ctx, owner); t != nil {
			return nil, "", t
		}
	}
	return &site{p, zone}, zone, nil
}

// zones is the key of the list of zones that a pass has read.
type zones struct{ p *Provider }

// zoneAbove finds the longest zone of the account that the name lies in.
func (p *Provider) zoneAbove(ctx context.Context, owner tlsa.Owner) (string, *api.Trouble) {
	lister, ok := p.backend.(libdns.ZoneLister)
	if !ok {
		return "", &api.Trouble{
			Kind: dnsprovider.NoZone, Err: errors.New("the module cannot look for the zone of a name"), Hint: "set zone: in the provider's configuration",
		}
	}
	names, t := api.ReadOnce(ctx, zones{p}, func(ctx context.Context) ([]string, *api.Trouble) {
		var names []string
		t := p.call(ctx, "", func(ctx context.Context) error {
			found, err := lister.ListZones(ctx)
			for _, z := range found {
				names = append(names, z.Name)
			}
			return err
		})
		if t != nil {
			return nil, t // a call that was given up may still be writing
		}
		return names, nil
	})
	if t != nil {
		return "", t
	}
	best := ""
	for _, name := range names {
		if zone, err := dnsprovider.CanonicalZone(name); err == nil && zone != "" && dnsprovider.InZone(string(owner), zone) && len(zone) > len(best) {
			best = zone
		}
	}
	if best == "" {
		return "", &api.Trouble{
			Kind: dnsprovider.NoZone, Err: fmt.Errorf("the account has no zone that %s lies in", strings.TrimSuffix(string(owner), ".")),
			Hint: p.hints("").Zone,
		}
	}
	return best, nil
}

// maxHint is how long a hint may be that is part of a sentence.
const maxHint = 200

func (p *Provider) hints(zone string) api.Hints {
	at := "is the zone " + strings.TrimSuffix(zone, ".") + " at this account"
	if zone == "" {
		at = "is the zone at this account"
	}
	rights := "the credentials need: " + p.host.Rights
	if len(rights) > maxHint {
		rights = "are the credentials right, and do they suffice: tlsaroll provider list " + p.host.Type + " says what they need"
	}
	return api.Hints{Rights: rights, Zone: at}
}
