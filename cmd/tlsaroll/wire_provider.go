package main

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"log/slog"
	"net/mail"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/config"
	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/dnsprovider/azuredns"
	"github.com/tlsaroll/tlsaroll/dnsprovider/cloudflare"
	"github.com/tlsaroll/tlsaroll/dnsprovider/exec"
	"github.com/tlsaroll/tlsaroll/dnsprovider/googleclouddns"
	"github.com/tlsaroll/tlsaroll/dnsprovider/libdnsbridge"
	person "github.com/tlsaroll/tlsaroll/dnsprovider/manual"
	"github.com/tlsaroll/tlsaroll/dnsprovider/rfc2136"
	"github.com/tlsaroll/tlsaroll/rollover/agent"
)

// providerKind is a type of provider that is linked in: what it can do, what its
// configuration wants, and how it is made of that.
type providerKind struct {
	dnsprovider.Capability
	settings []config.Setting
	open     func(*providerWiring, config.Provider) (dnsprovider.Provider, error)
}

// providerWiring is what all providers of a configuration share.
type providerWiring struct {
	*program
	cfg      *config.Config
	log      *slog.Logger
	accounts map[[sha256.Size]byte]*dnsprovider.Account
}

// providerKinds are those that are linked in, sorted.
func providerKinds() []providerKind {
	kinds := []providerKind{
		{rfc2136.Capability(), config.RFC2136().Settings, (*providerWiring).rfc2136},
		{cloudflare.Capability(), []config.Setting{
			{Name: "token", Kind: config.Credential, Required: true},
			{Name: "zone-id", Kind: config.Text, Example: "0123456789abcdef0123456789abcdef"},
		}, (*providerWiring).cloudflare},
		{googleclouddns.Capability(), []config.Setting{
			{Name: "credentials", Kind: config.Credential, Required: true},
			{Name: "project", Kind: config.Text, Example: "my-project"},
			{Name: "managed-zone", Kind: config.Text, Example: "example-org"},
		}, (*providerWiring).googleCloudDNS},
		{azuredns.Capability(), []config.Setting{
			{Name: "subscription", Kind: config.Text, Required: true, Example: "00000000-0000-0000-0000-000000000000"},
			{Name: "resource-group", Kind: config.Text, Required: true, Example: "dns"},
			{Name: "tenant", Kind: config.Text, Required: true, Example: "00000000-0000-0000-0000-000000000000"},
			{Name: "client", Kind: config.Text, Required: true, Example: "00000000-0000-0000-0000-000000000000"},
			{Name: "secret", Kind: config.Credential, Required: true},
			{Name: "api-version", Kind: config.Text, Example: "2023-07-01-preview"},
		}, (*providerWiring).azureDNS},
		{exec.Capability(), []config.Setting{
			{Name: "read", Kind: config.Argv, Required: true, Example: "[/usr/local/lib/tlsaroll/read]"},
			{Name: "change", Kind: config.Argv, Required: true, Example: "[/usr/local/lib/tlsaroll/change]"},
			{Name: "timeout", Kind: config.Period, Default: "60s"},
			{Name: "env", Kind: config.Words, Example: "PDNS_CONFIG=/etc/powerdns"},
		}, (*providerWiring).exec},
		{person.Capability(), []config.Setting{
			{Name: "server", Kind: config.HostPort, Default: ":53", Example: "ns1.example.org:53"},
			{Name: "tell", Kind: config.Argv, Example: "[/usr/local/lib/tlsaroll/tell]"},
			{Name: "mail", Kind: config.Text, Example: "hostmaster@example.org"},
		}, (*providerWiring).manual},
	}
	for _, h := range libdnsbridge.Hosts() {
		kinds = append(kinds, providerKind{h.Capability, bridgeSettings(h), bridge(h)})
	}
	slices.SortFunc(kinds, func(a, b providerKind) int { return strings.Compare(a.Type, b.Type) })
	return kinds
}

// providerTypes are the same for who reads configurations.
func providerTypes() []config.ProviderType {
	var types []config.ProviderType
	for _, k := range providerKinds() {
		types = append(types, config.ProviderType{Name: k.Type, Settings: k.settings})
	}
	return types
}

// refusedTypes are those that somebody may look for, and why there is none.
func refusedTypes() map[string]config.Refusal {
	refused := map[string]config.Refusal{}
	for _, c := range dnsprovider.RefusedTypes() {
		refused[c.Type] = config.Refusal{Reason: c.Refused, Instead: c.Instead}
	}
	return refused
}

// wireProviders makes the providers of a configuration. Nobody is asked yet.
func (p *program) wireProviders(cfg *config.Config, log *slog.Logger) (out []agent.Provider, errs []error) {
	w := &providerWiring{p, cfg, log, map[[sha256.Size]byte]*dnsprovider.Account{}}
	kinds := providerKinds()
	for _, c := range cfg.Providers {
		i := slices.IndexFunc(kinds, func(k providerKind) bool { return k.Type == c.Type })
		if i < 0 {
			errs = append(errs, fmt.Errorf("provider %s: type %q is not linked into this build", c.Name, c.Type))
			continue
		}
		provider, err := kinds[i].open(w, c)
		errs = append(errs, err)
		made := agent.Provider{Name: c.Name, Zone: c.Zone, Margin: kinds[i].Margin, Provider: p.heard.to(provider)}
		if c.Margin != nil {
			made.Margin = *c.Margin
		}
		out = append(out, made)
	}
	return out, errs
}

// checkProvider says what a provider finds wrong with its settings, while the configuration
// is still being read, so that all there is to mend is said at once.
func (p *program) checkProvider(c config.Provider) error {
	w := &providerWiring{p, &config.Config{State: "/", Resolver: netip.MustParseAddrPort("127.0.0.1:53")}, slog.New(slog.DiscardHandler), map[[sha256.Size]byte]*dnsprovider.Account{}}
	for _, k := range providerKinds() {
		if k.Type == c.Type {
			_, err := k.open(w, c)
			return err
		}
	}
	return nil // wireProviders says so
}

// account is shared by the providers that come with the same credentials: the host counts
// what they ask together.
func (w *providerWiring) account(kind string, credentials ...string) *dnsprovider.Account {
	key := sha256.Sum256([]byte(kind + "\x00" + strings.Join(credentials, "\x00")))
	if w.accounts[key] == nil {
		w.accounts[key] = dnsprovider.NewAccount(dnsprovider.DefaultInFlight)
	}
	return w.accounts[key]
}

func (w *providerWiring) rfc2136(c config.Provider) (dnsprovider.Provider, error) {
	out := rfc2136.Config{
		Name: c.Name, Server: c.Text("server"), Zone: c.Zone, KeyName: c.Text("key"), Algorithm: c.Text("algorithm"),
		Secret:   rfc2136.NewSecret(base64.StdEncoding.EncodeToString(c.Secret("secret").Reveal())),
		Resolver: w.cfg.Resolver.String(), Now: w.now, Log: w.log,
	}
	if c.Text("transport") == "tls" {
		out.TLS = &rfc2136.TLS{ServerName: c.Text("tls-name")}
		if file := c.Text("tls-ca-file"); file != "" {
			var err error
			if out.TLS.Roots, err = roots(file); err != nil {
				return nil, fmt.Errorf("%s: tls-ca-file: %w", c.Name, err)
			}
		}
	} else if c.Text("tls-name") != "" || c.Text("tls-ca-file") != "" {
		return nil, fmt.Errorf("%s: tls-name and tls-ca-file have no effect (hint: write transport: tls)", c.Name)
	}
	if keytab := c.Text("gss-keytab"); keytab != "" {
		out.GSS = &rfc2136.GSS{Keytab: keytab, Principal: c.Text("gss-principal"), Service: c.Text("gss-service"), Krb5Conf: c.Text("gss-krb5-conf")}
	}
	return rfc2136.New(out)
}

func (w *providerWiring) cloudflare(c config.Provider) (dnsprovider.Provider, error) {
	token := string(c.Secret("token").Reveal())
	return cloudflare.New(cloudflare.Config{
		Name: c.Name, Zone: c.Zone, ZoneID: c.Text("zone-id"), Token: dnsprovider.NewSecret(token), Account: w.account(c.Type, token), Log: w.log,
	})
}

func (w *providerWiring) googleCloudDNS(c config.Provider) (dnsprovider.Provider, error) {
	credentials := string(c.Secret("credentials").Reveal())
	return googleclouddns.New(googleclouddns.Config{
		Name: c.Name, Zone: c.Zone, ManagedZone: c.Text("managed-zone"), Project: c.Text("project"), Credentials: dnsprovider.NewSecret(credentials),
		Account: w.account(c.Type, credentials), Now: w.now, Log: w.log,
	})
}

func (w *providerWiring) azureDNS(c config.Provider) (dnsprovider.Provider, error) {
	secret := string(c.Secret("secret").Reveal())
	return azuredns.New(azuredns.Config{
		Name: c.Name, Zone: c.Zone, Subscription: c.Text("subscription"), ResourceGroup: c.Text("resource-group"), Tenant: c.Text("tenant"),
		Client: c.Text("client"), Secret: dnsprovider.NewSecret(secret), APIVersion: c.Text("api-version"), Account: w.account(c.Type, c.Text("subscription"), secret), Now: w.now,
	})
}

func (w *providerWiring) exec(c config.Provider) (dnsprovider.Provider, error) {
	return exec.New(exec.Config{
		Name: c.Name, Zone: c.Zone, Read: c.Command("read"), Change: c.Command("change"), Timeout: c.Period("timeout"), Env: c.Words("env"), Log: w.log,
	})
}

// manual keeps what was told beside the journal, one file a provider.
func (w *providerWiring) manual(c config.Provider) (dnsprovider.Provider, error) {
	host, _ := os.Hostname() // without it the notice names none
	out := person.Config{
		Name: c.Name, Zone: c.Zone, Server: c.Text("server"), Told: filepath.Join(w.cfg.State, "told-"+c.Name+".json"), Host: host,
		Resolver: w.cfg.Resolver.String(), Now: w.now, Log: w.log,
	}
	if argv := c.Command("tell"); argv != nil {
		out.Tell = append(out.Tell, person.Command(argv))
	}
	if to := c.Text("mail"); to != "" {
		if m, err := mail.ParseAddress(to); err != nil || m.Address != to {
			return nil, fmt.Errorf("%s: mail: %q is not a mail address (hint: write mail: hostmaster@example.org)", c.Name, to)
		}
		out.Tell = append(out.Tell, person.Mail(to, w.now))
	}
	return person.New(out)
}

// bridgeSettings are a host's settings as the configuration reads them.
func bridgeSettings(h libdnsbridge.Host) []config.Setting {
	var out []config.Setting
	for _, s := range h.Settings {
		kind := config.Text
		switch {
		case s.Secret:
			kind = config.Credential
		case s.URL:
			kind = config.URL
		}
		out = append(out, config.Setting{Name: s.Name, Kind: kind, Required: s.Required, Default: s.Default, Example: s.Example})
	}
	return out
}

// bridge makes providers of one host.
func bridge(h libdnsbridge.Host) func(*providerWiring, config.Provider) (dnsprovider.Provider, error) {
	return func(w *providerWiring, c config.Provider) (dnsprovider.Provider, error) {
		values, secrets := libdnsbridge.Values{}, []string{}
		for _, s := range h.Settings {
			value := c.Text(s.Name)
			if s.Secret {
				value = string(c.Secret(s.Name).Reveal())
				secrets = append(secrets, value)
			}
			if value != "" {
				values[s.Name] = value
			}
		}
		return libdnsbridge.New(libdnsbridge.Config{
			Name: c.Name, Zone: c.Zone, Host: h, Values: values, Account: w.account(h.Type, secrets...), Log: w.log,
		})
	}
}
