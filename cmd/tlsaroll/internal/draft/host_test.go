package draft

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net/netip"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/config"
	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/finder"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

var today = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// aHost is a host as a file of testdata has it:
//
//	root/PATH     a file
//	link/PATH     a symlink, to what stands there
//	cert/PATH     a certificate: NAME ALGORITHM DAYS HOST…; those with the same NAME are the same
//	run/COMMAND   what a program prints
//	dns/NAME      what DNS says of a host
//	answers       what a person said
type aHost struct {
	files    fstest.MapFS
	programs map[string]string
	world    World
	answers  Answers
	want     map[string]string
}

func readHost(t *testing.T, archive *txtar.Archive) aHost {
	t.Helper()
	h := aHost{files: fstest.MapFS{}, programs: map[string]string{}, want: map[string]string{}}
	h.world = World{Hosts: map[string]HostDNS{}, Resolver: netip.MustParseAddrPort("127.0.0.1:53"), Local: []netip.Addr{netip.MustParseAddr("192.0.2.25")},
		Types: someTypes(), File: "/etc/tlsaroll/tlsaroll.yaml", Has: func(file string) bool { return h.files[strings.TrimPrefix(file, "/")] != nil }}
	made := map[string][]byte{}
	for _, f := range archive.Files {
		kind, name, _ := strings.Cut(f.Name, "/")
		text := strings.TrimSpace(string(f.Data))
		switch kind {
		case "root":
			h.files[name] = &fstest.MapFile{Data: f.Data, Mode: 0o644}
		case "link":
			h.files[name] = &fstest.MapFile{Data: []byte(text), Mode: fs.ModeSymlink | 0o777}
		case "cert":
			words := strings.Fields(text)
			if made[words[0]] == nil {
				made[words[0]] = certificate(t, words[1], words[2], words[3:])
			}
			h.files[name] = &fstest.MapFile{Data: made[words[0]], Mode: 0o600}
		case "run":
			h.programs[name] = string(f.Data)
		case "dns":
			h.world.Hosts[name] = readDNS(t, text)
		case "answers":
			h.readAnswers(t, text)
		case "want.yaml", "want.txt":
			h.want[kind] = string(f.Data)
		default:
			t.Fatalf("%s: what is that?", f.Name)
		}
	}
	h.world.Found = finder.Find(t.Context(), finder.Host{Files: h.files, Run: h.run, Now: today})
	return h
}

func (h aHost) run(_ context.Context, argv ...string) ([]byte, error) {
	out, ok := h.programs[strings.Join(argv, " ")]
	if !ok {
		return nil, fmt.Errorf("%s: %w", strings.Join(argv, " "), exec.ErrNotFound)
	}
	return []byte(out), nil
}

func (h *aHost) readAnswers(t *testing.T, text string) {
	t.Helper()
	for line := range strings.Lines(text) {
		switch f := strings.Fields(line); f[0] {
		case "host":
			h.answers.Hosts = append(h.answers.Hosts, f[1])
		case "cert":
			h.answers.Certs = append(h.answers.Certs, f[1])
		case "provider":
			h.answers.Provider = f[1]
		case "blind":
			h.world.Blind = strings.Join(f[1:], " ")
		default:
			t.Fatalf("answers: %s: what is that?", f[0])
		}
	}
}

func readDNS(t *testing.T, text string) HostDNS {
	t.Helper()
	d := HostDNS{Security: "secure", Records: map[uint16][]tlsa.Association{}}
	for line := range strings.Lines(text) {
		switch f := strings.Fields(line); f[0] {
		case "zone":
			d.Domain, d.Zone, d.Primary, d.Servers = f[1], f[1], f[2], f[2:]
		case "alias":
			d.Alias, d.Zone, d.Primary, d.Servers = f[1], f[2], f[3], f[3:]
		case "mx":
			d.MX = f[1:]
		case "address":
			d.Addresses = []netip.Addr{netip.MustParseAddr(f[1])}
		case "insecure":
			d.Security = f[0]
		case "private":
			d.Private = true
		case "tlsa":
			a, err := tlsa.ParseAssociation(strings.Join(f[2:], " "))
			if err != nil {
				t.Fatal(err)
			}
			var port uint16
			if _, err := fmt.Sscan(f[1], &port); err != nil {
				t.Fatal(err)
			}
			d.Records[port] = append(d.Records[port], a)
		default:
			t.Fatalf("dns: %s: what is that?", f[0])
		}
	}
	return d
}

func someTypes() []config.ProviderType {
	return []config.ProviderType{
		{Name: "desec", Settings: []config.Setting{{Name: "token", Kind: config.Credential, Required: true}}},
		{Name: "manual", Settings: []config.Setting{{Name: "mail", Kind: config.Text}}},
		{Name: "powerdns", Settings: []config.Setting{{Name: "server", Kind: config.Text, Required: true, Example: "http://127.0.0.1:8081"}, {Name: "token", Kind: config.Credential, Required: true}}},
		config.RFC2136(),
	}
}

func certificate(t *testing.T, algorithm, days string, names []string) []byte {
	t.Helper()
	var key crypto.Signer
	var err error
	if algorithm == "RSA" {
		key, err = rsa.GenerateKey(rand.Reader, 2048)
	} else {
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}
	if err != nil {
		t.Fatal(err)
	}
	var left int
	if _, err := fmt.Sscan(days, &left); err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: names[0]}, DNSNames: names,
		NotBefore: today.AddDate(0, 0, left-90), NotAfter: today.AddDate(0, 0, left),
	}, &x509.Certificate{Subject: pkix.Name{CommonName: "Test CA"}}, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// loads wants a configuration without error and warning.
func loads(t *testing.T, text string) *config.Config {
	t.Helper()
	files := fstest.MapFS{"etc/tlsaroll/tlsaroll.yaml": {Data: []byte(text), Mode: 0o600}}
	l := config.Loader{
		Open:          func(name string) (fs.File, error) { return files.Open(strings.TrimPrefix(name, "/")) },
		LookupEnv:     func(string) (string, bool) { return "", false },
		ProviderTypes: someTypes(), SkipSecrets: true,
	}
	cfg, warnings, err := l.Load("/etc/tlsaroll/tlsaroll.yaml")
	if err != nil || len(warnings) > 0 {
		t.Errorf("it does not load: %v %v", err, warnings)
	}
	return cfg
}

// decide takes every default, and gives what would be a guess.
func (h aHost) decide() (Answers, error) {
	a := h.answers
	var guesses []error
	answer := func(q Question) string {
		if q.Guess != "" {
			guesses = append(guesses, fmt.Errorf("%s (hint: %s decides it)", q.Guess, q.Option))
		}
		return q.Default
	}
	if len(a.Hosts) == 0 {
		a.Hosts = strings.Fields(answer(h.world.AskHosts()))
	}
	if len(a.Hosts) == 0 {
		return a, errors.Join(guesses...)
	}
	if q := h.world.AskCertificate(a); q != nil {
		answer(*q)
	}
	if a.Provider == "" {
		a.Provider = answer(h.world.AskProvider(a))
	}
	if h.world.Sendmail {
		a.Mail = answer(h.world.AskMail(a))
	}
	return a, errors.Join(guesses...)
}

func told(d Draft) string {
	var out strings.Builder
	for i, s := range d.Steps {
		fmt.Fprintf(&out, "%d. %s\n", i+1, s.Title)
		for _, line := range s.Lines {
			out.WriteString(strings.TrimRight("     "+line, " ") + "\n")
		}
	}
	return out.String()
}

func setFile(archive *txtar.Archive, name, text string) {
	archive.Files = slices.DeleteFunc(archive.Files, func(f txtar.File) bool { return f.Name == name })
	if text != "" {
		archive.Files = append(archive.Files, txtar.File{Name: name, Data: []byte(text)})
	}
}
