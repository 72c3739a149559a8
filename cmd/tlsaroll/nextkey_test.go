package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tlsaroll/tlsaroll/certwatch"
)

// TestNextKey prints the key that was made ahead and a request for it, and says why where
// there is none. No error quotes it.
func TestNextKey(t *testing.T) {
	d := newDesk(t)
	ring := certwatch.Keyring{Dir: filepath.Join(d.path("state"), "keys")}
	text := strings.NewReplacer("STATE", d.path("state"), "DIR", d.dir, "SCHEME", "ee+standby").Replace(deskConfig)
	d.write(t, "standby.yaml", text, 0o644)
	d.write(t, "theirs.yaml", strings.Replace(text, "endpoints:", "staged: {dehydrated: mx1}, endpoints:", 1), 0o644)
	ask := func(config string, args ...string) (stdout, stderr string, code int) {
		return call(t, "", append([]string{"-c", d.path(config), "next-key"}, args...)...)
	}
	refused := func(what string, code int, want string, config string, args ...string) {
		t.Helper()
		stdout, stderr, got := ask(config, args...)
		if got != code || stdout != "" || !strings.Contains(stderr, want) {
			t.Errorf("%s: exit %d, %q, %q, want %d and %q", what, got, stdout, stderr, code, want)
		}
	}
	refused("no standby", exitUsage, "lineage mx1 has no standby key: its scheme is ee (hint: write scheme: ee+standby)", "ee.yaml", "mx1")
	refused("no lineage", exitUsage, `no lineage "mx7" (hint: the configuration has: mx1)`, "standby.yaml", "mx7")
	refused("none yet", exitError, "mx1 has no standby key yet (hint: the daemon makes it with its next pass, and so does tlsaroll once)", "standby.yaml", "mx1")
	refused("the client's own", exitUsage, "its ACME client makes its next key itself, in /var/lib/dehydrated/certs/mx1/privkey.roll.pem", "theirs.yaml", "mx1")
	if _, err := os.Stat(ring.Dir); err == nil {
		t.Error("a key was made")
	}

	key, err := ring.Make("mx1", certwatch.EC256)
	if err != nil {
		t.Fatal(err)
	}
	secret := strings.Split(string(key.PEM()), "\n")[1]
	if stdout, stderr, code := ask("standby.yaml", "mx1"); code != exitDone || stdout != string(key.PEM()) || stderr != "" {
		t.Errorf("exit %d, %q", code, stderr)
	}
	out := d.path("next.key")
	d.write(t, "next.key", "old", 0o644)
	if stdout, stderr, code := ask("standby.yaml", "mx1", "--out", out); code != exitDone || stdout+stderr != "" {
		t.Errorf("exit %d, %q", code, stdout+stderr)
	}
	info, err := os.Stat(out)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(out); err != nil || !bytes.Equal(got, key.PEM()) || info.Mode().Perm() != 0o600 {
		t.Errorf("written: mode %v, %v", info.Mode(), err)
	}
	refused("no directory", exitError, "no such file or directory (hint: nothing was written)", "standby.yaml", "mx1", "--out", d.path("nowhere/next.key"))

	stdout, stderr, code := ask("standby.yaml", "--csr", "mx1")
	block, rest := pem.Decode([]byte(stdout))
	if code != exitDone || block == nil || len(rest) > 0 {
		t.Fatalf("exit %d, %q", code, stdout+stderr)
	}
	request, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	if err := request.CheckSignature(); err != nil || !slices.Equal(request.DNSNames, []string{"mx1.example.org"}) || request.Subject.CommonName != "mx1.example.org" {
		t.Errorf("request for %q, %q: %v", request.Subject.CommonName, request.DNSNames, err)
	}
	if public, ok := key.Public().(*ecdsa.PublicKey); !ok || !public.Equal(request.PublicKey) {
		t.Error("the request is for another key")
	}
	if strings.Contains(stdout, secret) {
		t.Error("the request shows the key")
	}
	if err := os.Chmod(ring.Path("mx1"), 0o644); err != nil {
		t.Fatal(err)
	}
	refused("open to all", exitError, "mode 0644 opens the private key to everybody on this host", "standby.yaml", "mx1")
}

// TestCertificateOfARequest hands in a certificate without its key: that is the one that
// was made ahead, whether the lineage is named or found by the names.
func TestCertificateOfARequest(t *testing.T) {
	t.Parallel()
	for name, args := range map[string]string{
		"rollover": "rollover mx1 --cert DIR/next.pem",
		"hook":     "hook --cert DIR/next.pem",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // nobody answers, which takes its time
			d := newDesk(t)
			ring := certwatch.Keyring{Dir: filepath.Join(d.path("state"), "keys")}
			text := strings.NewReplacer("STATE", d.path("state"), "DIR", d.dir, "SCHEME", "ee+standby").Replace(deskConfig)
			d.write(t, "standby.yaml", text, 0o644)
			key, err := ring.Make("mx1", certwatch.EC256)
			if err != nil {
				t.Fatal(err)
			}
			leaf := d.certificate(t, "mx1.example.org", -1, 90, key.Public())
			chain := leaf + pemOf("CERTIFICATE", d.issuer.Raw)
			d.write(t, "next.pem", chain, 0o644)
			stdout, stderr, code := call(t, "", strings.Fields(strings.ReplaceAll("-c DIR/standby.yaml "+args, "DIR", d.dir))...)
			if code == exitUsage {
				t.Fatalf("exit %d\n%s%s", code, stdout, stderr)
			}
			kept, err := filepath.Glob(filepath.Join(d.path("state"), "stash", "*", "combined.pem"))
			if err != nil || len(kept) != 1 {
				t.Fatalf("exit %d, kept %v, %v\n%s%s", code, kept, err, stdout, stderr)
			}
			if got, err := os.ReadFile(kept[0]); err != nil || string(got) != string(key.PEM())+chain {
				t.Errorf("%s is not the certificate with its key, %v", kept[0], err)
			}
		})
	}
}
