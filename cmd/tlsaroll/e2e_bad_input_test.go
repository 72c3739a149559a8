package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// desk is a configuration that is right, and pairs that are not: nothing of it
// needs a server, for bad input is refused before anything is looked at.
type desk struct {
	dir     string
	issuer  *x509.Certificate
	signer  *ecdsa.PrivateKey
	serials int64
	keys    []string // as they stand in PEM, without the lines around them
}

const deskConfig = `state: STATE
resolver: 127.0.0.1:9
providers:
  ns1: {type: rfc2136, server: "127.0.0.1:9", zone: example.org, key: tlsaroll.example.org., secret-file: DIR/tsig.secret}
lineages:
  mx1: {scheme: SCHEME, endpoints: [smtp://mx1.example.org]}
control: DIR/control.sock # at the usual place somebody may answer
`

// deskTime is when [call] says it is.
func deskTime() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) }

func newDesk(t *testing.T) *desk {
	t.Helper()
	d := &desk{dir: t.TempDir()}
	d.write(t, "tsig.secret", wrongSecret+"\n", 0o600)
	for _, scheme := range []string{"ee", "ta"} {
		text := strings.NewReplacer("STATE", d.path("state"), "DIR", d.dir, "SCHEME", scheme).Replace(deskConfig)
		d.write(t, scheme+".yaml", text, 0o644)
	}
	var err error
	if d.signer, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	d.issuer = d.sign(t, &x509.Certificate{
		Subject: pkix.Name{CommonName: "Some CA"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
		NotBefore: deskTime().AddDate(-1, 0, 0), NotAfter: deskTime().AddDate(9, 0, 0),
	}, d.signer.Public())
	return d
}

func (d *desk) path(name string) string { return filepath.Join(d.dir, name) }

func (d *desk) write(t *testing.T, name, text string, mode fs.FileMode) {
	t.Helper()
	if err := os.WriteFile(d.path(name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(d.path(name), mode); err != nil { // whatever the umask says
		t.Fatal(err)
	}
}

func (d *desk) sign(t *testing.T, tmpl *x509.Certificate, key crypto.PublicKey) *x509.Certificate {
	t.Helper()
	d.serials++
	tmpl.SerialNumber = big.NewInt(d.serials)
	issuer := d.issuer
	if issuer == nil {
		issuer = tmpl
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, issuer, key, d.signer)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// pair is a certificate for a name that is valid for some days from a day on, as PEM.
func (d *desk) pair(t *testing.T, host string, from, days int) (leaf, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	leaf = d.certificate(t, host, from, days, private.Public())
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	key = pemOf("PRIVATE KEY", der)
	d.keys = append(d.keys, strings.Split(key, "\n")[1])
	return leaf, key
}

// certificate is one for a name and a key, as pair has them.
func (d *desk) certificate(t *testing.T, host string, from, days int, key crypto.PublicKey) (leaf string) {
	t.Helper()
	begin := deskTime().AddDate(0, 0, from)
	cert := d.sign(t, &x509.Certificate{Subject: pkix.Name{CommonName: host}, DNSNames: []string{host}, NotBefore: begin, NotAfter: begin.AddDate(0, 0, days)}, key)
	return pemOf("CERTIFICATE", cert.Raw)
}

func pemOf(label string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: label, Bytes: der}))
}

// TestBadPairs holds what is said about certificates and keys that nobody should
// use. Nothing is looked up, and nothing is kept.
func TestBadPairs(t *testing.T) {
	d := newDesk(t)
	ca := pemOf("CERTIFICATE", d.issuer.Raw)
	leaf, key := d.pair(t, "mx1.example.org", -1, 90)
	d.write(t, "good.pem", leaf+ca, 0o644)
	d.write(t, "good.key", key, 0o600)
	d.write(t, "alone.pem", leaf, 0o644)
	d.write(t, "open.key", key, 0o644)
	other, otherKey := d.pair(t, "mx1.example.org", -1, 90)
	d.write(t, "other.key", otherKey, 0o600)
	d.write(t, "two.key", key+otherKey, 0o600)
	d.write(t, "both.pem", other+ca+key, 0o600)
	d.write(t, "locked.key", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n", 0o600)
	d.write(t, "broken.key", strings.Replace(key, "\n", "\n%%%", 1), 0o600)
	d.write(t, "cut.key", key[:len(key)/2], 0o600)
	d.write(t, "empty.pem", "", 0o644)
	stranger, strangerKey := d.pair(t, "www.example.net", -1, 90)
	d.write(t, "stranger.pem", stranger+ca, 0o644)
	d.write(t, "stranger.key", strangerKey, 0o600)
	old, oldKey := d.pair(t, "mx1.example.org", -91, 90)
	d.write(t, "old.pem", old+ca, 0o644)
	d.write(t, "old.key", oldKey, 0o600)
	for _, test := range []struct{ name, args, want string }{
		{"no such certificate", "nowhere.pem good.key", "DIR/nowhere.pem: no such file or directory (hint: has the ACME client issued a certificate yet? is the path right?)"},
		{"no such key", "good.pem nowhere.key", "DIR/nowhere.key: no such file or directory (hint: has the ACME client issued a certificate yet? is the path right?)"},
		{"a directory", ". good.key", "DIR: a directory, want a file"},
		{"no key", "good.pem", "DIR/good.pem: no private key (hint: give the file that begins with -----BEGIN PRIVATE KEY-----, or a combined one)"},
		{"world-readable key", "good.pem open.key", "DIR/open.key: mode 0644 opens the private key to everybody on this host (hint: chmod 600 DIR/open.key; if others had access, issue with a new key)"},
		{"key of another certificate", "good.pem other.key", `DIR/good.pem: the private key does not fit the certificate of "mx1.example.org" (hint: certificate and key come from different orders; give the files of one order, or issue again)`},
		{"key of another certificate in one file", "both.pem", `DIR/both.pem: the private key does not fit the certificate of "mx1.example.org" (hint: certificate and key come from different orders; give the files of one order, or issue again)`},
		{"two keys", "good.pem two.key", "DIR/two.key: more than one private key (hint: one lineage has one key; an RSA and an ECDSA pair are two lineages)"},
		{"encrypted key", "good.pem locked.key", "DIR/locked.key: line 1: the private key is encrypted (hint: mail servers read keys without a passphrase; take it off with: openssl pkey -in OLD -out NEW)"},
		{"broken key", "good.pem broken.key", "DIR/broken.key: line 1: the private key that begins here is damaged"},
		{"key cut short", "good.pem cut.key", "DIR/cut.key: line 1: the private key that begins here has no end"},
		{"the wrong way round", "good.key good.pem", "DIR/good.key: a private key, but no certificate (hint: are certificate and key the wrong way round?)"},
		{"empty", "empty.pem good.key", "DIR/empty.pem: empty, want a certificate"},
		{"expired", "old.pem old.key", `DIR/old.pem: certificate of "mx1.example.org": expired 2026-11-21T12:00:00Z (hint: renew it)`},
		{"chain incomplete for ta", "ta alone.pem good.key", "DIR/alone.pem: does not fit scheme ta: the chain holds no CA certificate (hint: hand in the full chain, leaf first)"},
		{"another name for ta", "ta stranger.pem stranger.key", "DIR/stranger.pem: the certificate is not for mx1.example.org, which DANE-TA asks for (RFC 7672, section 3.2.2) (hint: have it issued for that name too, or set scheme: ee)"},
	} {
		t.Run(test.name, func(t *testing.T) {
			files, config := strings.Fields(test.args), "ee"
			if files[0] == "ta" {
				files, config = files[1:], "ta"
			}
			args := []string{"-c", d.path(config + ".yaml"), "rollover", "mx1", "--cert", d.path(files[0])}
			if len(files) > 1 {
				args = append(args, "--key", d.path(files[1]))
			}
			d.refuses(t, exitError, test.want, args)
		})
	}
}

// TestUnreadableKey asks for a key that only others may read.
func TestUnreadableKey(t *testing.T) {
	d := newDesk(t)
	leaf, key := d.pair(t, "mx1.example.org", -1, 90)
	d.write(t, "good.pem", leaf+pemOf("CERTIFICATE", d.issuer.Raw), 0o644)
	d.write(t, "good.key", key, 0)
	const nobody = 65534
	if os.Geteuid() == 0 { // whom no mode keeps out
		if err := os.Chmod(filepath.Dir(d.dir), 0o711); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{".", "tsig.secret", "ee.yaml", "good.pem"} {
			if err := os.Chown(d.path(name), nobody, nobody); err != nil {
				t.Fatal(err)
			}
		}
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if os.Geteuid() == 0 {
			runtime.LockOSThread() // and never unlock: the thread ends with the goroutine
			if err := unix.Setfsuid(nobody); err != nil {
				t.Error(err)
			}
		}
		d.refuses(t, exitError, "DIR/good.key: permission denied (hint: the user that tlsaroll runs as must be able to read it)",
			[]string{"-c", d.path("ee.yaml"), "rollover", "mx1", "--cert", d.path("good.pem"), "--key", d.path("good.key")})
	}()
	<-done
}

// TestBadConfiguration holds what is said about a configuration, or words on the
// command line, that nothing can be done with: all of it at once, before anything
// is opened.
func TestBadConfiguration(t *testing.T) {
	d := newDesk(t)
	good, err := os.ReadFile(d.path("ee.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	edited := func(name, old, new string) {
		text := strings.Replace(string(good), old, new, 1)
		if text == string(good) {
			t.Fatalf("%s: nothing to replace", name)
		}
		d.write(t, name, text, 0o644)
	}
	edited("bracket.yaml", "org]}", "org}")
	edited("keys.yaml", "scheme: ee, ", "schema: ee, endpoint: [], ")
	edited("several.yaml", "scheme: ee, endpoints: [smtp", "scheme: e, reload: postfix reload, endpoints: [smpt")
	edited("nosecret.yaml", "tsig.secret", "nowhere.secret")
	edited("open.yaml", "tsig.secret", "open.secret")
	edited("key.yaml", "key: tlsaroll.example.org.", "key: tlsaroll..example.org.")
	edited("algorithm.yaml", "key: tlsaroll", "algorithm: hmac-md5, key: tlsaroll")
	edited("provider.yaml", "type: rfc2136", "type: rfc2163")
	d.write(t, "open.secret", wrongSecret+"\n", 0o644)
	for _, test := range []struct{ args, want string }{
		{"nowhere.yaml status", "DIR/nowhere.yaml: no such file (hint: tlsaroll init writes one; -c names another)"},
		{". status", "DIR: a directory (hint: name the file in it)"},
		{"bracket.yaml rollover mx1", "DIR/bracket.yaml:6:55: ',' or ']' must be specified (hint: check the indentation)"},
		{"keys.yaml once", "DIR/keys.yaml:6:9: lineages.mx1.schema: unknown key (hint: did you mean scheme?)" + "\n" +
			"DIR/keys.yaml:6:21: lineages.mx1.endpoint: unknown key (hint: did you mean endpoints?)"},
		{"several.yaml plan", `DIR/several.yaml:6:17: lineages.mx1.scheme: scheme "e": unknown part "e" (hint: a + set of ee, ta, standby)` + "\n" +
			"DIR/several.yaml:6:28: lineages.mx1.reload: not a list of argument lists (hint: write [[postfix, reload]])" + "\n" +
			`DIR/several.yaml:6:56: lineages.mx1.endpoints[0]: unknown scheme "smpt" (hint: did you mean smtp?)`},
		{"nosecret.yaml adopt mx1", "DIR/nosecret.yaml:4:107: providers.ns1.secret-file: no such file (hint: put the secret there, mode 0600)"},
		{"open.yaml rollover mx1", "DIR/open.yaml:4:107: providers.ns1.secret-file: DIR/open.secret is open to everyone on this host (hint: chmod 600 DIR/open.secret, and make a new secret if others have been here)"},
		{"key.yaml rollover mx1", `DIR/key.yaml:4:71: providers.ns1.key: name "tlsaroll..example.org.": an empty label (hint: write key: tlsaroll.example.org.)`},
		{"algorithm.yaml rollover mx1", `DIR/algorithm.yaml:4:77: providers.ns1.algorithm: unknown algorithm "hmac-md5" (hint: write one of hmac-sha256, hmac-sha384, hmac-sha512, hmac-sha224, hmac-sha1)`},
		{"provider.yaml rollover mx1", `DIR/provider.yaml:4:15: providers.ns1.type: unknown provider type "rfc2163" (hint: did you mean rfc2136?)`},
		{"ee.yaml rollover mx9", `no lineage "mx9" (hint: the configuration has: mx1)`},
		{"ee.yaml once mx9", `no lineage "mx9" (hint: the configuration has: mx1)`},
		{"ee.yaml plan mx9", `no lineage "mx9" (hint: the configuration has: mx1)`},
		{"ee.yaml status mx9", `no lineage "mx9" (hint: the configuration has: mx1)`},
		{"ee.yaml adopt mx9", `no lineage "mx9" (hint: the configuration has: mx1)`},
		{"ee.yaml rollover", "no LINEAGE (hint: tlsaroll rollover [--cert FILE --key FILE] [--wait[=served|retired]] [--dry-run] [--ttl TTL] [--emergency [--yes]] LINEAGE)"},
		{"ee.yaml rollover mx1 mx2", `"mx2" is one argument too many (hint: tlsaroll rollover [--cert FILE --key FILE] [--wait[=served|retired]] [--dry-run] [--ttl TTL] [--emergency [--yes]] LINEAGE)`},
		{"ee.yaml rollover mx1 --key x", "--key without --cert (hint: name the certificate's file too)"},
		{"ee.yaml rollover mx1 --wait=sometime", "--wait=sometime: unknown (hint: served or retired)"},
		{"ee.yaml rollover mx1 --yes", "--yes without --emergency: nothing is asked (hint: leave it out)"},
		{"ee.yaml rollover mx1 --dry-run --wait", "--dry-run does not wait (hint: leave one out)"},
		{"ee.yaml rollover mx1 --ttl 90ms", "--ttl 90ms: not from 1s to 168h, in whole seconds (hint: --ttl 1h)"},
		{"ee.yaml adopt mx1 --key x", "--key without --cert (hint: name the certificate's file too)"},
		{"ee.yaml adopt mx1 --record 3", `tlsa record "3": want usage, selector, matching type and hex data, as in "3 1 1 ab…"`},
	} {
		t.Run(test.args, func(t *testing.T) {
			args := strings.Fields(test.args)
			d.refuses(t, exitUsage, test.want, append([]string{"-c", d.path(args[0])}, args[1:]...))
		})
	}
}

// refuses wants one sentence and an exit code, and that nothing was kept.
func (d *desk) refuses(t *testing.T, want int, sentence string, args []string) {
	t.Helper()
	stdout, stderr, code := call(t, "", args...)
	var lines []string
	for line := range strings.Lines(strings.ReplaceAll(stderr, d.dir, "DIR")) {
		line, ours := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "tlsaroll: ")
		if !ours {
			t.Errorf("a line without prefix: %s", line)
		}
		lines = append(lines, line)
	}
	got := strings.Join(lines, "\n")
	if code != want || stdout != "" || got != sentence {
		t.Errorf("exit %d, want %d\ngot  %s\nwant %s\n%s", code, want, got, sentence, stdout)
	}
	for _, secret := range append(d.keys, wrongSecret) {
		if strings.Contains(stderr, secret) {
			t.Error("a secret was printed")
		}
	}
	if kept, err := filepath.Glob(filepath.Join(d.path("state"), "stash", "*")); err != nil || len(kept) > 0 {
		t.Errorf("kept %v, %v", kept, err)
	}
}
