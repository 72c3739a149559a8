package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tlsaroll/tlsaroll/certwatch"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/agent"
	"github.com/tlsaroll/tlsaroll/rollover/audit"
	"github.com/tlsaroll/tlsaroll/rollover/survey"
)

// site is a host that is in order, until a test changes something.
type site struct {
	t    *testing.T
	dir  string
	pair certwatch.Pair
	yaml string
	wanted
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{t: t, dir: t.TempDir(), yaml: `
state: DIR/state
resolver: 127.0.0.1:53
providers:
  ns1: {type: rfc2136, zone: example.org, key: tlsaroll.example.org., secret-file: "DIR/secret"}
lineages:
  mx1:
    endpoints: [smtp://mx1.example.org, {url: imaps://mx1.example.org, address: ["127.0.0.1:993"]}]
    staged: {cert: "DIR/staged.crt", key: "DIR/staged.key"}
    install: [{path: "DIR/installed.pem", content: [key, chain], mode: "0600"}]
    reload: [["true"]]
`}
	s.write("secret", []byte("c2VjcmV0IGtleSBub2JvZHkgc2VlcyE="))
	cert, key := selfSigned(t)
	s.write("staged.crt", cert)
	s.write("staged.key", key)
	var err error
	if s.pair, err = certwatch.FromPEM(cert, key); err != nil {
		t.Fatal(err)
	}
	s.ok(os.MkdirAll(s.path("state/live"), 0o700))
	entry, err := certwatch.Stash{Dir: s.path("state/stash")}.Put(s.pair)
	s.ok(err)
	s.ok(os.Symlink("../stash/"+filepath.Base(entry), s.path("state/live/mx1")))
	s.write("state/journal.db", nil)
	return s
}

// selfSigned is a certificate for mx1.example.org and its key.
func selfSigned(t *testing.T) (cert, key []byte) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"mx1.example.org"}, NotBefore: seenAt.AddDate(0, -1, 0), NotAfter: seenAt.AddDate(0, 2, 0)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, k.Public(), k)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})
}

func (s *site) path(name string) string { return filepath.Join(s.dir, name) }

func (s *site) ok(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) write(name string, content []byte) {
	s.t.Helper()
	s.ok(os.WriteFile(s.path(name), content, 0o600))
}

func (s *site) replace(old, with string) { s.yaml = strings.Replace(s.yaml, old, with, 1) }

// check checks the host; its services are as the wanted sight has them, or the few.
func (s *site) check(look sight, args ...string) (stdout, stderr string, code int) {
	s.t.Helper()
	s.write("tlsaroll.yaml", []byte(strings.ReplaceAll(s.yaml, "DIR", s.dir)))
	var out, errs bytes.Buffer
	w := seenWorld()
	w.stdout, w.stderr, w.lookupEnv = &out, &errs, func(string) (string, bool) { return "", false }
	w.look = func(survey.Config) (sight, error) { return look, nil }
	code = run(s.t.Context(), append([]string{"check", "-c", s.path("tlsaroll.yaml")}, args...), w)
	return strings.ReplaceAll(out.String(), s.dir, "DIR"), strings.ReplaceAll(errs.String(), s.dir, "DIR"), code
}

// TestCheckHere: what may be wrong on a host, one thing at a time.
func TestCheckHere(t *testing.T) {
	otherCert, otherKey := selfSigned(t)
	for name, test := range map[string]struct {
		harm func(*site)
		want []string // codes, and a part of what is said
		code int
	}{
		"in order": {func(*site) {}, nil, exitDone},
		"one TTL": {func(s *site) { s.yaml += "timing: {ttls: 1}\n" },
			[]string{"config-doubtful: DIR/tlsaroll.yaml:12:16: timing.ttls: one TTL is RFC 6698, appendix A.4; RFC 7671, section 8.1 wants two; fix: write ttls: 2"}, exitDone},
		"no journal": {func(s *site) { s.ok(os.Remove(s.path("state/journal.db"))) },
			[]string{"cold-start: mx1: no journal in DIR/state: the first new certificate waits 48h from the first look, by unknown-ttl: 24h, or longer"}, exitDone},
		"no journal, and a known TTL": {func(s *site) {
			s.ok(os.Remove(s.path("state/journal.db")))
			s.replace("    reload", "    known-ttl: 20m\n    reload")
		}, []string{"cold-start: mx1: no journal in DIR/state: the first new certificate waits 1h20m from the first look, by known-ttl: 20m, or longer"}, exitDone},
		"a new host": {func(s *site) { s.ok(os.RemoveAll(s.path("state"))) }, []string{"cold-start: mx1: ", "adopting: mx1: no pair is live yet"}, exitDone},
		"everyone reads the key": {func(s *site) { s.ok(os.Chmod(s.path("staged.key"), 0o644)) },
			[]string{"staged-unreadable: mx1: DIR/staged.key: mode 0644 opens the private key to everybody on this host; fix: chmod 600 DIR/staged.key"}, exitDone},
		"the group reads the key": {func(s *site) { s.ok(os.Chmod(s.path("staged.key"), 0o640)) }, []string{"key-group-readable: mx1: DIR/staged.key: mode 0640"}, exitDone},
		"the key of another":      {func(s *site) { s.write("staged.key", otherKey) }, []string{"staged-unreadable: mx1: "}, exitDone},
		"nothing staged":          {func(s *site) { s.ok(os.Remove(s.path("staged.crt"))) }, []string{"staged-unreadable: mx1: "}, exitDone},
		"the live link leads nowhere": {func(s *site) { s.ok(os.RemoveAll(s.path("state/stash"))) },
			[]string{"live-unreadable: mx1: DIR/state/live/mx1: stash DIR/state/stash: get "}, exitPerson},
		"the live link is none": {func(s *site) {
			s.ok(os.Remove(s.path("state/live/mx1")))
			s.write("state/live/mx1", nil)
		}, []string{"live-unreadable: mx1: DIR/state/live/mx1: invalid argument"}, exitPerson},
		"the stash was changed": {func(s *site) { s.write("state/stash/"+string(s.pair.ID())+"/combined.pem", otherCert) },
			[]string{"stash-unreadable: stash DIR/state/stash: get ", "live-unreadable: mx1: "}, exitPerson},
		"others list the state": {func(s *site) { s.ok(os.Chmod(s.path("state"), 0o750)) }, []string{"state-readable: DIR/state has mode 0750"}, exitDone},
		"others write it":       {func(s *site) { s.ok(os.Chmod(s.path("state"), 0o770)) }, []string{"state-exposed: DIR/state has mode 0770"}, exitPerson},
		"ordered with a request, the key is in the stash": {func(s *site) {
			s.replace(`, key: "DIR/staged.key"`, "")
			s.replace("    reload", "    scheme: ee+standby\n    reload")
		}, nil, exitDone},
		"ordered with a request, the key is nowhere": {func(s *site) {
			s.replace(`, key: "DIR/staged.key"`, "")
			s.replace("    reload", "    scheme: ee+standby\n    reload")
			s.write("staged.crt", otherCert)
		}, []string{"staged-unreadable: mx1: "}, exitDone},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			test.harm(s)
			stdout, stderr, code := s.check(few{}, "--json")
			var got struct {
				Host    *[]audit.Finding `json:"host"`
				Domains []audit.Report   `json:"domains"`
			}
			if err := json.Unmarshal([]byte(stdout), &got); err != nil || got.Host == nil || stderr != "" {
				t.Fatalf("exit %d, %v: %s%s", code, err, stdout, stderr)
			}
			if code != test.code || len(*got.Host) != len(test.want) || len(got.Domains) != 2 {
				t.Fatalf("exit %d, %d services, %+v", code, len(got.Domains), *got.Host)
			}
			for i, f := range *got.Host {
				if text := fmt.Sprintf("%s: %s; fix: %s", f.Code, f.Text, f.Fix); !strings.HasPrefix(text, strings.TrimSuffix(test.want[i], "\n")) {
					t.Errorf("%s\nwant %s", text, test.want[i])
				}
			}
			for _, key := range []string{string(s.pair.Key.PEM()), string(otherKey)} {
				if strings.Contains(stdout, strings.Split(key, "\n")[1]) {
					t.Error("a key is shown")
				}
			}
		})
	}
}

// TestCheckHereText: on paper, with each service of the host once and where it is.
func TestCheckHereText(t *testing.T) {
	s := newSite(t)
	stdout, stderr, code := s.check(few{})
	if code != exitDone || stderr != "" || !strings.HasPrefix(stdout, "this host: nothing to mend\nsmtp://mx1.example.org: ") || !strings.Contains(stdout, "\nimaps://mx1.example.org: ") {
		t.Errorf("exit %d: %s%s", code, stdout, stderr)
	}
	s.replace("lineages:", "lineages:\n  rsa: {endpoints: [smtp://mx1.example.org]}")
	s.check(&s.wanted)
	for _, want := range []string{"service smtp mx1.example.org 25", "service imaps mx1.example.org 993 at 127.0.0.1:993"} {
		if n := strings.Count(strings.Join(s.looks, "\n")+"\n", want+"\n"); n != 1 {
			t.Errorf("%s: %d times in %v", want, n, s.looks)
		}
	}
	stdout, stderr, code = s.check(few{trouble: errors.New("resolver 127.0.0.1:53: it does not validate")})
	if code != exitError || stderr != "tlsaroll: resolver 127.0.0.1:53: it does not validate\n" || !strings.HasPrefix(stdout, "this host") {
		t.Errorf("exit %d: %s%s", code, stdout, stderr)
	}
	s.replace("lineages:", "state: nowhere\nlisten: nowhere\nlineages:")
	if stdout, stderr, code := s.check(few{}); code != exitUsage || stdout != "" || strings.Count(stderr, "tlsaroll: DIR/tlsaroll.yaml:") < 2 {
		t.Errorf("all errors of the configuration: exit %d: %s%s", code, stdout, stderr)
	}
}

// TestCheckBesideDaemon: whoever has the journal is left alone.
func TestCheckBesideDaemon(t *testing.T) {
	s := newSite(t)
	s.ok(os.Remove(s.path("state/journal.db")))
	s.check(few{}) // writes the configuration
	p := newProgram(quiet())
	p.configFile = s.path("tlsaroll.yaml")
	_, wired, err := p.load()
	s.ok(err)
	a, err := agent.Open(wired)
	s.ok(err)
	defer func() { s.ok(a.Close()) }()
	if stdout, stderr, code := s.check(few{}); code != exitDone || stderr != "" || !strings.HasPrefix(stdout, "this host: nothing to mend\n") {
		t.Errorf("exit %d: %s%s", code, stdout, stderr)
	}
}

// TestCheckNotPermitted: who may not look has seen nothing good and nothing bad.
func TestCheckNotPermitted(t *testing.T) {
	h := &hereabouts{}
	h.failed(rollover.CodeLiveUnreadable, "mx1", fmt.Errorf("mx1: %w", &fs.PathError{Op: "readlink", Path: "/state/live/mx1", Err: fs.ErrPermission}))
	if len(h.findings) != 1 || h.findings[0].Code != rollover.CodeNotPermitted || h.findings[0].Fix == "" {
		t.Errorf("%+v", h.findings)
	}
	s := newProgram(quiet()).newSheets(checkOptions{}, 1)
	s.tellHere(h.findings)
	if s.worst() != audit.Blind {
		t.Errorf("%s", s.worst())
	}
	h.tell(rollover.CodeStateExposed, "", "the state directory is open")
	s.tellHere(h.findings)
	if s.worst() != audit.Broken {
		t.Errorf("%s", s.worst())
	}
}
