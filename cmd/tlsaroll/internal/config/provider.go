package config

import (
	"encoding/base64"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/suggest"
)

// Provider is who can change the RRsets of a zone.
type Provider struct {
	Name     string
	Type     string
	Zone     string         // absolute; "": found out
	Margin   *time.Duration // what is waited beyond what is seen; nil: what is usual with this type
	settings map[string]any
}

// Text is a setting of kind Text, Choice, DomainName, HostPort, URL or Path, "" if it was not given.
func (p Provider) Text(setting string) string { s, _ := p.settings[setting].(string); return s }

// Secret is a setting of kind Credential or Base64, its zero value if it was not given.
func (p Provider) Secret(setting string) Secret { s, _ := p.settings[setting].(Secret); return s }

// Command is a setting of kind Argv, nil if it was not given.
func (p Provider) Command(setting string) []string { c, _ := p.settings[setting].([]string); return c }

// Period is a setting of kind Period, 0 if it was not given.
func (p Provider) Period(setting string) time.Duration {
	d, _ := p.settings[setting].(time.Duration)
	return d
}

// Words is a setting of kind Words, nil if it was not given.
func (p Provider) Words(setting string) []string { w, _ := p.settings[setting].([]string); return w }

// Refusal is why there is no provider of a type, and what to use.
type Refusal struct{ Reason, Instead string }

// ProviderType is a type of provider that is linked in, and its settings beside
// type and zone.
type ProviderType struct {
	Name     string
	Settings []Setting
}

// Setting is one key of a provider.
type Setting struct {
	Name     string // of a Credential or Base64: without -file, -env, -credential
	Kind     Kind
	Required bool
	Unless   string // another setting, with which this one is not required
	Default  string
	Example  string            // for the hint
	Choices  []string          // of Choice
	Cautions map[string]string // choices that are taken, with a warning: what to do instead
}

// Kind is how a setting is read.
type Kind int

// The kinds of settings.
const (
	Text       Kind = iota + 1
	Choice          // one of a few words
	DomainName      // in any form, made absolute
	HostPort        // a host and a port, which is the default's where it is left out and there is one
	URL             // http or https
	Credential      // a secret in a file, in the environment or among systemd's credentials
	Base64          // likewise, and base64
	Argv            // a command, as an argument list
	Path            // of a file that is no secret
	Period          // a duration
	Words           // a list of texts, or one
)

// RFC2136 is dynamic update, signed with TSIG (RFC 2136, RFC 8945) or GSS-TSIG (RFC 3645).
func RFC2136() ProviderType {
	return ProviderType{"rfc2136", []Setting{
		{Name: "server", Kind: HostPort, Example: "ns1.example.org:53"},
		{Name: "key", Kind: DomainName, Required: true, Unless: "gss-keytab", Example: "tlsaroll.example.org."},
		{
			Name: "algorithm", Kind: Choice, Default: "hmac-sha256",
			Choices:  []string{"hmac-sha256", "hmac-sha384", "hmac-sha512", "hmac-sha224", "hmac-sha1"},
			Cautions: map[string]string{"hmac-sha1": "make a key of hmac-sha256: tsig-keygen -a hmac-sha256"},
		},
		{Name: "secret", Kind: Base64, Required: true, Unless: "gss-keytab", Example: "/etc/tlsaroll/tsig.secret"},
		{Name: "transport", Kind: Choice, Default: "tcp", Choices: []string{"tcp", "tls"}},
		{Name: "tls-name", Kind: Text, Example: "ns1.example.org"},
		{Name: "tls-ca-file", Kind: Path, Example: "/etc/tlsaroll/ns1-ca.pem"},
		{Name: "gss-keytab", Kind: Path, Example: "/etc/tlsaroll/tlsaroll.keytab"},
		{Name: "gss-principal", Kind: Text, Example: "tlsaroll@EXAMPLE.ORG"},
		{Name: "gss-service", Kind: Text, Example: "DNS/dc1.example.org@EXAMPLE.ORG"},
		{Name: "gss-krb5-conf", Kind: Path, Example: "/etc/krb5.conf"},
	}}
}

func (r *reader) readProviders(root *fields) (providers []Provider) {
	v, ok := root.take("providers")
	if !ok {
		return nil
	}
	f, ok := v.mapping("write providers: {ns1: {type: rfc2136, …}}")
	if !ok {
		return nil
	}
	r.providers = set(f.names)
	for _, v := range f.all() {
		if v.plainName("provider") {
			if p, ok := v.readProvider(); ok {
				providers = append(providers, p)
			}
		}
	}
	r.zoned = providers
	r.checkZones()
	return providers
}

// plainName reports a key that is no name for a thing of ours.
func (v value) plainName(what string) bool {
	if plainName.MatchString(v.name()) {
		return true
	}
	v.lacks(fmt.Sprintf("%q is not a name for a %s", v.name(), what), "use letters, digits, dots, hyphens and underscores, 64 at most")
	return false
}

func (v value) readProvider() (Provider, bool) {
	p := Provider{Name: v.name(), settings: map[string]any{}}
	f, ok := v.mapping("write " + p.Name + ": {type: rfc2136, …}")
	if !ok {
		return p, false
	}
	if zone, ok := f.take("zone"); ok {
		p.Zone, _ = zone.domainName("example.org")
	}
	before := len(v.errors)
	var margin time.Duration
	if _, ok := f.duration("margin", &margin, span{0, day}); ok {
		p.Margin = &margin
	}
	t, ok := v.providerType(&f)
	if !ok { // its keys mean nothing without it
		return p, false
	}
	p.Type = t.Name
	for _, s := range t.Settings {
		f.setting(s, p.settings)
	}
	f.done()
	if v.CheckProvider != nil && !v.SkipSecrets && len(v.errors) == before {
		f.check(p)
	}
	return p, true
}

// check reports what the provider itself finds wrong, where its setting stands.
func (f *fields) check(p Provider) {
	err := f.CheckProvider(p)
	if err == nil {
		return
	}
	for line := range strings.SplitSeq(err.Error(), "\n") {
		what, hint, _ := strings.Cut(strings.TrimSuffix(strings.TrimPrefix(line, p.Name+": "), ")"), " (hint: ")
		name, rest, _ := strings.Cut(strings.TrimPrefix(what, "the "), " ")
		if at, ok := f.settingAt(strings.TrimSuffix(name, ":")); ok {
			at.fail(rest, hint)
		} else {
			f.lacks(what, hint)
		}
	}
}

// settingAt is where a setting stands, in whichever way it is given.
func (f *fields) settingAt(name string) (value, bool) {
	for _, way := range []string{name, name + "-file", name + "-env", name + "-credential"} {
		if v, ok := f.values[way]; ok {
			return v, true
		}
	}
	return value{}, false
}

func (v value) providerType(f *fields) (ProviderType, bool) {
	var linked []string
	for _, t := range v.ProviderTypes {
		linked = append(linked, t.Name)
	}
	slices.Sort(linked)
	in := "this program has: " + strings.Join(linked, ", ")
	at, ok := f.take("type")
	if !ok {
		if !f.has("type") {
			v.lacks("no type", in)
		}
		return ProviderType{}, false
	}
	name, ok := at.text(in)
	if !ok {
		return ProviderType{}, false
	}
	for _, t := range v.ProviderTypes {
		if t.Name == name {
			return t, true
		}
	}
	if refused, ok := v.RefusedTypes[name]; ok {
		at.fail(fmt.Sprintf("provider type %q: not supported: %s", name, refused.Reason), refused.Instead)
	} else {
		at.fail(fmt.Sprintf("unknown provider type %q", name), suggest.Hint(name, linked, "this program has: "))
	}
	return ProviderType{}, false
}

// setting reads one setting of a provider into to.
func (f *fields) setting(s Setting, to map[string]any) {
	s.Required = s.Required && (s.Unless == "" || !f.has(s.Unless))
	if s.Kind == Credential || s.Kind == Base64 {
		secret, at, ok := f.secret(s.Name, s.Required)
		if !ok {
			return
		}
		if s.Kind == Base64 {
			if secret, ok = at.base64(secret); !ok {
				return
			}
		}
		to[s.Name] = secret
		return
	}
	if s.Kind == Period {
		f.period(s, to)
		return
	}
	v, ok := f.take(s.Name)
	if !ok {
		if s.Required && !f.has(s.Name) {
			f.lacks("no "+s.Name, "write "+s.Name+": "+s.Example)
		}
		if s.Default != "" && s.Kind != HostPort {
			to[s.Name] = s.Default
		}
		return
	}
	switch s.Kind {
	case Argv:
		if c, ok := v.command(); ok {
			to[s.Name] = c
		}
		return
	case Words:
		var words []string
		for _, item := range v.list() {
			if w, ok := item.text("write " + s.Name + ": [" + s.Example + "]"); ok {
				words = append(words, w)
			}
		}
		to[s.Name] = words
		return
	case Path:
		if path, ok := v.absolute(s.Example); ok {
			to[s.Name] = path
		}
		return
	default:
	}
	if text, ok := v.settingText(s); ok {
		to[s.Name] = text
	}
}

// period reads a duration, with a default that ParseDuration understands.
func (f *fields) period(s Setting, to map[string]any) {
	var d time.Duration
	if s.Default != "" {
		d, _ = ParseDuration(s.Default) // a test holds the table to that
	}
	f.duration(s.Name, &d, span{time.Second, day})
	if d != 0 {
		to[s.Name] = d
	}
}

func (v value) settingText(s Setting) (string, bool) {
	hint := "write " + s.Name + ": " + s.Example
	if s.Kind == Choice {
		hint = "write one of " + strings.Join(s.Choices, ", ")
	}
	text, ok := v.text(hint)
	if !ok {
		return "", false
	}
	switch s.Kind {
	case Text, Credential, Base64, Argv, Path, Period, Words: // taken as it is, or read elsewhere
	case DomainName:
		if _, err := canonicalName(text); err != nil && mayBeSecret(text) {
			v.fail("no domain name", hint)
			return "", false
		}
		return v.canonical(text, hint)
	case HostPort:
		return v.hostPort(text, strings.TrimPrefix(s.Default, ":"), hint)
	case URL:
		if u, err := url.Parse(text); err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" {
			v.fail("not an http or https URL", hint)
			return "", false
		}
	case Choice:
		if !slices.Contains(s.Choices, text) {
			v.fail(fmt.Sprintf("unknown %s %q", s.Name, shown(text)), suggest.Hint(text, s.Choices, "write one of "))
			return "", false
		}
		if instead := s.Cautions[text]; instead != "" {
			v.warn(text+" is not recommended", instead)
		}
	}
	return text, true
}

// hostPort reads a host name or an address, with or without a port. Where no port is usual, one
// that is left out stays out.
func (v value) hostPort(s, usual, hint string) (string, bool) {
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		host, port = strings.TrimSuffix(strings.TrimPrefix(s, "["), "]"), usual
	}
	if n, err := strconv.ParseUint(port, 10, 16); port != "" && (err != nil || n == 0) {
		v.fail(fmt.Sprintf("%q is not a port", port), hint)
		return "", false
	}
	if !isAddress(host) {
		if host, err = Host(host); err != nil {
			v.failed(err, hint)
			return "", false
		}
	}
	if port == "" {
		return host, true
	}
	return net.JoinHostPort(host, port), true
}

// base64 decodes a secret, without a word about what it holds.
func (v value) base64(s Secret) (Secret, bool) {
	text := string(s.Reveal())
	key, err := base64.StdEncoding.DecodeString(text)
	if err == nil && len(key) > 0 || v.SkipSecrets {
		return NewSecret(key), true
	}
	hint := "put the base64 text alone there, as tsig-keygen prints it between the quotes after secret"
	v.fail("the secret is not base64", hint)
	return Secret{}, false
}
