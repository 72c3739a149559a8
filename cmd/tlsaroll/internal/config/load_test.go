package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tlsaroll/tlsaroll/rollover"
)

func TestExample(t *testing.T) {
	got, warnings, err := world().with("/etc/tlsaroll/tlsaroll.yaml", []byte(Example())).Load("/etc/tlsaroll/tlsaroll.yaml")
	if err != nil || len(warnings) > 0 {
		t.Fatal(err, warnings)
	}
	want := &Config{
		State: "/var/lib/tlsaroll", Control: "/run/tlsaroll/control.sock", ControlGroup: "root",
		Listen: netip.MustParseAddrPort("127.0.0.1:9253"), Resolver: netip.MustParseAddrPort("127.0.0.1:53"), ResolverTest: ".",
		Timing: Timing{rollover.Timing{
			TTLs: 2, Floor: time.Hour, UnknownTTL: 24 * time.Hour, Retire: 24 * time.Hour,
			Settle: time.Minute, Poll: time.Minute, Look: 15 * time.Minute,
		}, 5 * time.Second},
		Notify: []Notifier{{Command: []string{"/usr/lib/tlsaroll/mail-root"}}}, NotifyAt: "error", NotifyRemind: 24 * time.Hour,
		Zones: []Zone{{Name: "example.org.", Hidden: []netip.AddrPort{netip.MustParseAddrPort("192.0.2.53:53")}, ExcludeNames: []string{"ns9.example.net."}}},
		Providers: []Provider{{Name: "ns1", Type: "rfc2136", Zone: "example.org.", settings: map[string]any{
			"server": "ns1.example.org:53", "key": "tlsaroll.example.org.", "algorithm": "hmac-sha256", "transport": "tcp",
			"secret": NewSecret([]byte("secret key nobody sees!")),
		}}},
		Lineages: []Lineage{{
			Name: "mx1", Scheme: rollover.Scheme{EE: true, TA: true}, TA: "intermediate", TTL: time.Hour, Deadline: "auto",
			Endpoints: []Endpoint{
				{URL: "smtp://mx1.example.org", Scheme: "smtp", Host: "mx1.example.org", Port: 25, Provider: "ns1"},
				{
					URL: "submissions://mx1.example.org", Scheme: "submissions", Host: "mx1.example.org", Port: 465, Provider: "ns1",
					Address: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:465")},
				},
			},
			Staged: Staged{
				Layout: "files",
				Cert:   "/var/lib/lego/certificates/mx1.example.org.crt", Key: "/var/lib/lego/certificates/mx1.example.org.key",
			},
			Names: []string{"mx1.example.org"}, Hook: true,
			Install: []Install{
				{Path: "/etc/postfix/tls/mx1.pem", Content: []string{"key", "chain"}, User: "root", Group: "root", Mode: 0o600},
				{Dir: "/etc/dovecot/tls/mx1", User: "root", Group: "root", Mode: 0o600},
			},
			Check: [][]string{{"postfix", "check"}}, Reload: [][]string{{"systemctl", "reload", "postfix"}}, Timeout: time.Minute,
		}},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(Provider{}), cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
	p := got.Providers[0]
	if string(p.Secret("secret").Reveal()) != "secret key nobody sees!" || p.Text("key") != "tlsaroll.example.org." || p.Command("key") != nil {
		t.Error("settings are not given out by kind")
	}
}

// TestExampleIsWhole holds the example to what the code asks for: every key, and
// what is commented out works too.
func TestExampleIsWhole(t *testing.T) {
	r := newReader(world())
	files, err := filepath.Glob("testdata/*/*.yaml")
	if err != nil || len(files) < 50 {
		t.Fatal(len(files), err)
	}
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		r.read(src)
	}
	for key := range r.keys {
		if way := regexp.MustCompile(`-(env|credential)$`); way.MatchString(key) {
			continue // said once for all of them, in the example's head
		}
		if !regexp.MustCompile(`(?m)(^|[ {#-])` + regexp.QuoteMeta(key) + `:`).MatchString(Example()) {
			t.Errorf("%s: is not in example.yaml", key)
		}
	}
}

func TestAlternativesOfTheExample(t *testing.T) {
	for _, change := range [][2]string{
		{"# resolver-test:", "resolver-test:"},
		{"# - {mail:", "- {mail:"},
		{"# - {webhook:", "- {webhook:"},
		{"# - {smtp:", "- {smtp:"},
		{"# - {webhook-file: /etc/tlsaroll/slack.url", "- {webhook-file: /etc/tlsaroll/slack.url"},
		{"# - {webhook: https://matrix", "- {webhook: https://matrix"},
		{"# - {webhook: https://ntfy", "- {webhook: https://ntfy"},
		{"# known-ttl:", "known-ttl:"},
		{"issuers: []\n    # issuers:", "issuers:"},
		{"secret-file: /etc/tlsaroll/tsig.secret      # base64\n    # secret-env", "secret-env"},
		{"secret-file: /etc/tlsaroll/tsig.secret      # base64\n    # secret-env: TLSAROLL_TSIG\n    # secret-credential", "secret-credential"},
		{"staged: {cert", "staged: {lego: /var/lib/lego, name: mx1.example.org}\n    # staged: {cert"},
		{"staged: {cert", "staged: {certbot: mx1.example.org}\n    # staged: {cert"},
		{"staged: {cert", "staged: {acme.sh: mx1.example.org, dir: /root/.acme.sh}\n    # staged: {cert"},
		{"staged: {cert", "issue: self-signed\n    # staged: {cert"},
		{"# names:", "names:"},
		{"# web: {name:", "web: {name:"},
		{"staged: {cert", "issue: self-signed\n    key-type: ec256\n    lifetime: 90d\n    # staged: {cert"},
	} {
		src := strings.Replace(Example(), change[0], change[1], 1)
		if strings.HasPrefix(change[1], "issue: self-signed") { // which has no issuer
			src = strings.NewReplacer("scheme: ee+ta", "scheme: ee", "\n    ta: intermediate", "\n   ").Replace(src)
		}
		if src == Example() {
			t.Errorf("%q is not in the example", change[0])
		}
		l := world().with("/c.yaml", []byte(src))
		l.LookupEnv = func(name string) (string, bool) {
			v, ok := map[string]string{"TLSAROLL_TSIG": "c2VjcmV0", "CREDENTIALS_DIRECTORY": "/run/credentials"}[name]
			return v, ok
		}
		if _, warnings, err := l.Load("/c.yaml"); err != nil || len(warnings) > 0 {
			t.Errorf("with %q: %v %v", change[1], err, warnings)
		}
	}
}

func TestFileItself(t *testing.T) {
	broken := errors.New("input/output error")
	open := func(f fs.File, err error) func(string) (fs.File, error) {
		return func(string) (fs.File, error) { return f, err }
	}
	mapped := func(data string, mode fs.FileMode) func(string) (fs.File, error) {
		return open(fstest.MapFS{"x": {Data: []byte(data), Mode: mode}}.Open("x"))
	}
	for name, test := range map[string]struct {
		open func(string) (fs.File, error)
		want string
	}{
		"missing":     {open(nil, &fs.PathError{Op: "open", Path: "c.yaml", Err: fs.ErrNotExist}), "c.yaml: no such file (hint: tlsaroll init writes one; -c names another)"},
		"denied":      {open(nil, &fs.PathError{Op: "open", Path: "c.yaml", Err: fs.ErrPermission}), "c.yaml: permission denied (hint: run this as root, or as a user who may read it)"},
		"broken":      {open(nil, &fs.PathError{Op: "open", Path: "c.yaml", Err: broken}), "c.yaml: input/output error (hint: check the file)"},
		"directory":   {mapped("", fs.ModeDir|0o755), "c.yaml: a directory (hint: name the file in it)"},
		"writable":    {mapped("state: /x", 0o666), "c.yaml: everyone on this host may write it, and so choose which commands run (hint: chmod 644 c.yaml)"},
		"large":       {mapped(strings.Repeat("# xxxxx\n", maxSize/8)+"x", 0o644), "c.yaml: larger than 1 MiB (hint: check that it is the configuration)"},
		"empty":       {mapped("", 0o644), "c.yaml:1:1: empty (hint: tlsaroll init writes a configuration)"},
		"latin-1":     {mapped("# caf\xe9\nstate: /x\n", 0o644), "c.yaml:1:6: not UTF-8 (hint: save the file as UTF-8)"},
		"utf-16":      {mapped("\xff\xfes\x00", 0o644), "c.yaml:1:1: not UTF-8 (hint: save the file as UTF-8)"},
		"control":     {mapped("state: /x\n# \x1b[31m\n", 0o644), "c.yaml:2:3: control character U+001B (hint: take it out)"},
		"deep blocks": {mapped(strings.Repeat("- ", 500000), 0o644), "c.yaml:1:129: nested too deeply (hint: no key stands that deep: check brackets and indentation)"},
		"deep flow":   {mapped(strings.Repeat("[{a: ", 100000), 0o644), "c.yaml:1:41: nested too deeply (hint: no key stands that deep: check brackets and indentation)"},
	} {
		t.Run(name, func(t *testing.T) {
			l := world()
			l.Open = test.open
			_, _, err := l.Load("c.yaml")
			if err == nil || err.Error() != test.want {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
			var at Located
			if !errors.As(err, &at) || at.File != "c.yaml" {
				t.Errorf("no Located in %T", err)
			}
		})
	}
}

func TestByteOrderMarkAndLineEnds(t *testing.T) {
	src := "\ufeff" + strings.ReplaceAll(Example(), "\n", "\r\n")
	if _, _, err := world().with("/c.yaml", []byte(src)).Load("/c.yaml"); err != nil {
		t.Error(err)
	}
}

func TestAliasesAreBounded(t *testing.T) {
	// Each line is ten of the one before; followed to the end they would be 10^6.
	src := "lineages:\n  mx1:\n    endpoints: &a [" + strings.Repeat("smtp://mx1.example.org, ", 200) + "]\n"
	for i := range 200 {
		src += fmt.Sprintf("  m%d: {endpoints: [%s]}\n", i, strings.Repeat("*a, ", 200))
	}
	_, _, err := world().with("/c.yaml", []byte(src)).Load("/c.yaml")
	var all Errors
	if !errors.As(err, &all) || !slices.ContainsFunc(all, func(l Located) bool { return l.What == "too many aliases" }) {
		t.Errorf("nothing about aliases in %d errors", len(all))
	}
}

func TestSystemResolver(t *testing.T) {
	const none = "/c.yaml:1:1: no resolver on loopback in /etc/resolv.conf, so that nothing can be told to be secure (hint: install unbound, and write resolver: 127.0.0.1:53)"
	for resolvConf, want := range map[string]string{
		"nameserver 127.0.0.53\noptions edns0\n":        "127.0.0.53:53",
		"# local\nsearch x\nnameserver ::1\n":           "[::1]:53",
		"nameserver 192.0.2.53\nnameserver 127.0.0.1\n": none, // the second is not what is asked first
		"nameserver fe80::1%eth0\n":                     none,
		"":                                              none,
	} {
		src := strings.Replace(Example(), "resolver: 127.0.0.1:53\n", "", 1)
		c, warnings, err := world().with("/c.yaml", []byte(src)).with("/etc/resolv.conf", []byte(resolvConf)).Load("/c.yaml")
		switch {
		case err != nil:
			t.Error(err)
		case want == none:
			if c.Resolver.IsValid() || len(warnings) != 1 || !strings.Contains(warnings[0].Error(), strings.TrimPrefix(none, "/c.yaml:1:1: ")) {
				t.Errorf("%q: %v %v", resolvConf, c.Resolver, warnings)
			}
		case c.Resolver.String() != want || len(warnings) > 0:
			t.Errorf("%q: %v %v", resolvConf, c.Resolver, warnings)
		}
	}
}

func TestSkipSecrets(t *testing.T) {
	l := world().with("/c.yaml", []byte(strings.ReplaceAll(Example(), "tsig.secret", "denied")))
	if _, _, err := l.Load("/c.yaml"); err == nil {
		t.Error("a secret that cannot be read is no error")
	}
	l.SkipSecrets = true
	if _, _, err := l.Load("/c.yaml"); err != nil {
		t.Error(err)
	}
}

// TestControl: who asks a daemon must find it although the file is wrong by now.
func TestControl(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"control: /run/x.sock\nlineages: {mx1: {scheme: eee}}\n", "/run/x.sock"},
		{"state: /s\nstate: /s\ncontrol: '/run/x.sock'\n", "/run/x.sock"},
		{"control: \"/run/x.sock\" # here\nlineages: {mx1: ]\n", "/run/x.sock"},
		{"state: [\n", "/run/tlsaroll/control.sock"},
		{"state: 7\n", "/run/tlsaroll/control.sock"},
	} {
		file := filepath.Join(t.TempDir(), "tlsaroll.yaml")
		if err := os.WriteFile(file, []byte(test.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, _, err := System().Load(file); err == nil {
			t.Errorf("%q is not wrong", test.text)
		}
		if got := System().Control(file); got != test.want {
			t.Errorf("%q: control at %q, want %q", test.text, got, test.want)
		}
	}
	if got := System().Control(filepath.Join(t.TempDir(), "none.yaml")); got != "" {
		t.Errorf("without a file: control at %q", got)
	}
}

func TestSecretIsHidden(t *testing.T) {
	type holder struct {
		secret Secret // fmt sees it, and cannot call its methods
		Open   Secret
	}
	s := NewSecret([]byte("hunter2"))
	h := holder{s, s}
	encoded, err := json.Marshal(map[string]any{"a": s, "b": h})
	if err != nil {
		t.Error(err)
	}
	var logged strings.Builder
	slog.New(slog.NewTextHandler(&logged, nil)).Info("x", "s", s, "h", h)
	for _, text := range []string{
		string(encoded), logged.String(), s.String(),
		fmt.Sprint(s, h, &s, &h), fmt.Sprintf("%v %+v %#v %s %q %x %d", s, h, h, s, s, s, s), fmt.Sprintf("%#v", &h),
	} {
		if strings.Contains(text, "hunter2") || strings.Contains(text, fmt.Sprintf("%x", "hunter2")) || strings.Contains(text, "104 117 110") {
			t.Errorf("the secret shows in %q", text)
		}
	}
	if string(s.Reveal()) != "hunter2" || !s.Equal(NewSecret([]byte("hunter2"))) || s.Equal(Secret{}) || !(Secret{}).IsZero() {
		t.Error("the secret is lost")
	}
	s.Reveal()[0] = 'X'
	if string(s.Reveal()) != "hunter2" {
		t.Error("the secret can be changed from outside")
	}
}

func TestTypesAreTheCallers(t *testing.T) {
	l := world().with("/c.yaml", []byte(`
resolver: 127.0.0.1
providers:
  desec: {type: desec, token-env: TOKEN, zone: example.org, api: "https://desec.example.org", run: [echo, x], margin: 90s, ca: /etc/ca.pem, env: [A=b, C=d], timeout: 2m}
lineages: {mx1: {endpoints: smtp://mx1.example.org}}
`))
	l.ProviderTypes = append(l.ProviderTypes, ProviderType{"desec", []Setting{
		{Name: "token", Kind: Credential, Required: true},
		{Name: "api", Kind: URL},
		{Name: "run", Kind: Argv},
		{Name: "ca", Kind: Path},
		{Name: "env", Kind: Words},
		{Name: "timeout", Kind: Period, Default: "60s"},
		{Name: "pause", Kind: Period, Default: "5s"},
	}})
	c, warnings, err := l.Load("/c.yaml")
	if err != nil || len(warnings) > 0 {
		t.Fatal(err, warnings)
	}
	p := c.Providers[0]
	if p.Type != "desec" || string(p.Secret("token").Reveal()) != "hunter2" || p.Text("api") != "https://desec.example.org" || len(p.Command("run")) != 2 ||
		p.Margin == nil || *p.Margin != 90*time.Second || p.Text("ca") != "/etc/ca.pem" || len(p.Words("env")) != 2 || p.Period("timeout") != 2*time.Minute || p.Period("pause") != 5*time.Second {
		t.Errorf("%+v", p)
	}
}

// TestACMEOfTheExample: what the example says of orders of our own, taken out of its comments.
func TestACMEOfTheExample(t *testing.T) {
	src := strings.Replace(Example(), "    staged: {cert", "    # staged: {cert", 1)
	_, rest, ok := strings.Cut(src, "    # acme:\n")
	if !ok {
		t.Fatal("acme is not in the example")
	}
	block := "    # acme:\n"
	for line := range strings.Lines(rest) {
		if !strings.HasPrefix(line, "    #   ") {
			break
		}
		block += line
	}
	src = strings.Replace(src, block, strings.ReplaceAll("\n"+block, "\n    # ", "\n    ")[1:], 1)
	src = strings.Replace(src, "challenge: dns-01", "challenge: http-01", 1) // or address has no effect
	c, warnings, err := world().with("/c.yaml", []byte(src)).Load("/c.yaml")
	if err != nil || len(warnings) > 0 {
		t.Fatalf("%v %v\n%s", err, warnings, block)
	}
	want := []ACME{{
		Directory: "https://acme.example.org/directory", Email: "postmaster@example.org",
		EABKeyID: "customer-1", EABKey: NewSecret([]byte("zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W")),
		Challenge: "http-01", Address: ":80", KeyType: "ec256", Profile: "classic", PreferredChain: "ISRG Root X1", CAFile: "/etc/tlsaroll/ca.pem",
	}}
	if diff := cmp.Diff(want, c.Lineages[0].ACME); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
}

// TestNames: what is ordered unless names are given, and what is made of those.
func TestWebName(t *testing.T) {
	src := strings.Replace(Example(), "# web: {name: status.example.org}", "web: {name: Status.Bücher.example.}", 1)
	c, _, err := world().with("/c.yaml", []byte(src)).Load("/c.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if c.Web.Name != "status.xn--bcher-kva.example" {
		t.Errorf("%q", c.Web.Name)
	}
	if other := c.Web; !other.Equal(c.Web) {
		t.Error("it differs from itself")
	} else if other.Name = ""; other.Equal(c.Web) {
		t.Error("another name makes no difference")
	}
}

func TestNames(t *testing.T) {
	src, err := os.ReadFile("testdata/good/sources.yaml")
	if err != nil {
		t.Fatal(err)
	}
	c, _, err := world().with("/c.yaml", src).Load("/c.yaml")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][]string{}
	for _, l := range c.Lineages {
		got[l.Name] = l.Names
	}
	for name, want := range map[string][]string{
		"own":          {"own.example.org"},
		"own-in-order": {"*.example.org", "mx2.example.org", "xn--bcher-kva.example.org"},
	} {
		if diff := cmp.Diff(want, got[name]); diff != "" {
			t.Errorf("%s: want -, got +:\n%s", name, diff)
		}
	}
}
