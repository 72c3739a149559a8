package acme

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/certwatch"
)

// TestAccountIsKept: made at the first order, its files nobody else's, and used by the
// next process.
func TestAccountIsKept(t *testing.T) {
	t.Parallel()
	p := startPebble(t)
	i, log := p.issuer(t, p.ca())
	issue(t, i, newRequest(t))
	dir := i.accountDir(p.ca())
	err := filepath.WalkDir(i.cfg.Dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if want := map[bool]fs.FileMode{true: 0o700, false: 0o600}[d.IsDir()]; info.Mode().Perm() != want {
			t.Errorf("%s: mode %04o, want %04o", path, info.Mode().Perm(), want)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	key, err := os.ReadFile(filepath.Join(dir, keyFile))
	if err != nil {
		t.Fatal(err)
	}
	var d details
	if text, err := os.ReadFile(filepath.Join(dir, uriFile)); err != nil || json.Unmarshal(text, &d) != nil || d.Directory != p.directory || d.Email != "postmaster@example.org" {
		t.Errorf("%+v %v", d, err)
	}
	again, _ := newIssuer(t, Config{Dir: i.cfg.Dir, Lineage: "mx2", CAs: i.cfg.CAs, DNS: p.dns})
	issue(t, again, newRequest(t))

	// A URI that was lost is found by the key; a damaged one is like a lost one.
	for _, text := range []string{"", "{}", `{"uri":"file:///etc/passwd"}`, "\x00\xff"} {
		write(t, filepath.Join(dir, uriFile), []byte(text))
		issue(t, again, newRequest(t))
		if found, err := os.ReadFile(filepath.Join(dir, uriFile)); err != nil || parseURI(found) != d.URI {
			t.Errorf("after %q: URI %q, want %q (%v)", text, parseURI(found), d.URI, err)
		}
	}
	if n := strings.Count(p.log.String(), "accounts in memory"); n != 1 {
		t.Errorf("%d accounts were made", n)
	}
	lines := strings.Split(string(key), "\n")
	hides(t, "the log", log.String(), string(key), lines[1])
}

// TestAccountThatTheCAForgot: a test CA that is set up anew knows nobody.
func TestAccountThatTheCAForgot(t *testing.T) {
	t.Parallel()
	p := startPebble(t)
	i, _ := p.issuer(t, p.ca())
	issue(t, i, newRequest(t))
	path := filepath.Join(i.accountDir(p.ca()), uriFile)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(i.accountDir(p.ca()), keyFile)); err != nil { // a key that it never saw
		t.Fatal(err)
	}
	gone := strings.Replace(string(text), "/my-account/", "/my-account/0", 1)
	write(t, path, []byte(gone))
	issue(t, i, newRequest(t))
	if text, err = os.ReadFile(path); err != nil || string(text) == gone {
		t.Errorf("the URI is still %s (%v)", text, err)
	}
}

// TestOrdersOfTwoLineagesAtOnce share an account, and make one.
func TestOrdersOfTwoLineagesAtOnce(t *testing.T) {
	t.Parallel()
	p := startPebble(t)
	dir := filepath.Join(t.TempDir(), "acme")
	var wg sync.WaitGroup
	for _, lineage := range []string{"rsa", "ecdsa"} {
		i, _ := newIssuer(t, Config{Dir: dir, Lineage: lineage, CAs: []CA{p.ca()}, DNS: p.dns})
		wg.Go(func() {
			if _, err := i.Issue(t.Context(), newRequest(t)); err != nil {
				t.Errorf("%s: %v", lineage, err)
			}
		})
	}
	wg.Wait()
	if n := strings.Count(p.log.String(), "accounts in memory"); n != 1 {
		t.Errorf("%d accounts were made", n)
	}
	p.dns.holds(t, nil)
}

func TestExternalAccount(t *testing.T) {
	t.Parallel()
	p := startPebble(t, wantsExternal)
	with := func(id, key string) CA {
		ca := p.ca()
		ca.External = &ExternalAccount{KeyID: id, HMAC: NewSecret(key)}
		return ca
	}
	i, log := p.issuer(t, with(externalID, " "+externalKey+"==\n"))
	issue(t, i, newRequest(t))

	other := base64.RawURLEncoding.EncodeToString([]byte("another HMAC key, as long as that of the CA is"))
	hint := `(hint: are the key identifier %q and the HMAC key of eab those that the CA has given, to the last character)`
	var said []string
	for _, test := range []struct {
		ca   CA
		want string
	}{
		{with(externalID, other), fmt.Sprintf(hint, externalID)},
		{with("customer-2", externalKey), fmt.Sprintf(hint, "customer-2")},
		{p.ca(), "account: the CA binds accounts to those of its customers (hint: the CA wants an account of its own kind: write eab with"},
	} {
		i, log := p.issuer(t, test.ca)
		_, err := i.Issue(t.Context(), newRequest(t))
		var e *Error
		if !errors.As(err, &e) || e.Step != stepAccount || !strings.Contains(err.Error(), test.want) {
			t.Errorf("error is %v, want %s", err, test.want)
		}
		said = append(said, fmt.Sprint(err), log.String())
	}
	_, err := New(Config{Dir: "/nowhere", Lineage: "mx1", CAs: []CA{with(externalID, "no base64url: "+externalKey)}})
	said = append(said, fmt.Sprint(err), log.String(), fmt.Sprintf("%v %+v %#v %s", i.cfg, i.cfg.CAs, *i.cfg.CAs[0].External, i.cfg.CAs[0].External.HMAC))
	hides(t, "what was said", strings.Join(said, "\n"), externalKey, other, externalKey[:20])
}

// TestAccountKeyIsOpen: a key that others could read is not used in silence.
func TestAccountKeyIsOpen(t *testing.T) {
	i, _ := newIssuer(t, Config{Dir: filepath.Join(t.TempDir(), "acme"), Lineage: "mx1", DNS: &nameserver{},
		CAs: []CA{{Directory: "https://127.0.0.1:1/dir", Challenge: DNS01}}})
	if _, err := i.account(i.cfg.CAs[0]); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(i.accountDir(i.cfg.CAs[0]), keyFile)
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := i.Issue(t.Context(), newRequest(t))
	if err == nil || !strings.Contains(err.Error(), path+": mode 0644 opens the account's key to others (hint: chmod 600 ") {
		t.Errorf("error is %v", err)
	}
	write(t, path, []byte("-----BEGIN PRIVATE KEY-----\nbm8ga2V5\n-----END PRIVATE KEY-----\n"))
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := i.Issue(t.Context(), newRequest(t)); err == nil || strings.Contains(err.Error(), "bm8") || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("error is %v", err)
	}
}

// TestAccountsApart: each CA, mail address and external account has a directory of its own,
// and the same has the same.
func TestAccountsApart(t *testing.T) {
	i := &Issuer{cfg: Config{Dir: "/acme"}}
	seen := map[string]CA{}
	for _, ca := range []CA{
		{Directory: "https://a.example/dir"},
		{Directory: "https://a.example/staging"},
		{Directory: "https://b.example:14000/dir"},
		{Directory: "https://[2001:db8::1]:14000/dir"},
		{Directory: "https://a.example/dir", Email: "a@example.org"},
		{Directory: "https://a.example/dir", External: &ExternalAccount{KeyID: "1"}},
	} {
		dir := i.accountDir(ca)
		if other, ok := seen[dir]; ok {
			t.Errorf("%+v and %+v share %s", ca, other, dir)
		}
		seen[dir] = ca
		if filepath.Dir(dir) != "/acme" || strings.ContainsAny(filepath.Base(dir), ":[] ") || i.accountDir(ca) != dir {
			t.Errorf("directory %s", dir)
		}
	}
}

// TestSecretsDoNotShow under any verb, in JSON or in a log.
func TestSecretsDoNotShow(t *testing.T) {
	external := ExternalAccount{KeyID: externalID, HMAC: NewSecret(externalKey)}
	var text strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&text, verb, external)
		fmt.Fprintf(&text, verb, &external)
		fmt.Fprintf(&text, verb, Config{CAs: []CA{{External: &external}}})
	}
	encoded, err := json.Marshal(external)
	if err != nil {
		t.Fatal(err)
	}
	text.Write(encoded)
	slog.New(slog.NewJSONHandler(&text, nil)).Info("", "external", external, "hmac", external.HMAC)
	hides(t, "the text", text.String(), externalKey, fmt.Sprintf("%x", externalKey))
	if !strings.Contains(text.String(), hidden) {
		t.Error("nothing was hidden")
	}
}

func TestBadConfig(t *testing.T) {
	ca := CA{Directory: "https://a.example/dir", Challenge: HTTP01}
	good := Config{Dir: "/acme", Lineage: "mx1", CAs: []CA{ca}, Now: time.Now}
	if _, err := New(good); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*Config){
		"acme: no CA":                               func(c *Config) { c.CAs = nil },
		"acme: no directory for accounts":           func(c *Config) { c.Dir = "" },
		"acme: no clock":                            func(c *Config) { c.Now = nil },
		`acme: "../x" is not the name of a lineage`: func(c *Config) { c.Lineage = "../x" },
		`acme: "http://a.example" is not an https URL (hint: write the URL of the CA's ACME directory)`: func(c *Config) {
			c.CAs = []CA{{Directory: "http://a.example", Challenge: HTTP01}}
		},
		`acme: a.example: unknown challenge "dns" (hint: dns-01, http-01 or tls-alpn-01)`: func(c *Config) {
			c.CAs = []CA{{Directory: ca.Directory, Challenge: "dns"}}
		},
		"acme: a.example: dns-01 needs a provider that writes TXT records": func(c *Config) {
			c.CAs = []CA{{Directory: ca.Directory, Challenge: DNS01}}
		},
		`acme: a.example: "127.0.0.1" is not an address with a port`: func(c *Config) {
			c.CAs = []CA{{Directory: ca.Directory, Challenge: HTTP01, Address: "127.0.0.1"}}
		},
		`acme: a.example: external account "1": no HMAC key`: func(c *Config) {
			c.CAs = []CA{{Directory: ca.Directory, Challenge: HTTP01, External: &ExternalAccount{KeyID: "1"}}}
		},
	} {
		c := good
		change(&c)
		if _, err := New(c); err == nil || err.Error() != want {
			t.Errorf("error is %v, want %s", err, want)
		}
	}
}

func TestBadRequest(t *testing.T) {
	i, err := New(Config{Dir: "/nowhere", Lineage: "mx1", CAs: []CA{{Directory: "https://a.example/dir", Challenge: HTTP01}}, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	key := newKey(t, certwatch.EC256)
	for want, r := range map[string]certwatch.Request{
		"acme: order: no names to order a certificate for":                                      {Key: key},
		"acme: order: no key to order a certificate for":                                        {Names: []string{"mx1.example.org"}},
		`acme: order: name "MX1.example.org": not canonical (hint: write mx1.example.org)`:      {Names: []string{"MX1.example.org"}, Key: key},
		`acme: order: name "*.example.org": http-01 cannot prove a wildcard (hint: use dns-01)`: {Names: []string{"*.example.org"}, Key: key},
	} {
		if _, err := i.Issue(t.Context(), r); err == nil || err.Error() != want {
			t.Errorf("error is %v, want %s", err, want)
		}
	}
}
