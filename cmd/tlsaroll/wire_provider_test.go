package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestProvidersFindings: what is wrong with providers is said all at once, with the rest of
// the file, where it stands, and without a secret.
func TestProvidersFindings(t *testing.T) {
	dir := t.TempDir()
	secret := filepath.Join(dir, "secret")
	if err := os.WriteFile(secret, []byte("planted token\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	said := &output{}
	p := newProgram(world{stdin: strings.NewReader(""), stdout: said, stderr: said, lookupEnv: func(string) (string, bool) { return "", false }, now: time.Now, hangups: hangups})
	p.configFile = filepath.Join(dir, "tlsaroll.yaml")
	text := fmt.Sprintf(`
state: /var/lib/tlsaroll
resolver: 127.0.0.1:53
providers:
  a: {type: cloudflare, zone: example.org, token-file: %[1]s, zone-id: abc}
  b: {type: googleclouddns, zone: example.net, credentials-file: %[1]s}
  c: {type: powerdns, zone: example.com, server: "https://me:planted@192.0.2.1", token-file: %[1]s}
  d: {type: exec, zone: a.example, read: [/x], change: [/y], env: [planted]}
  e: {type: gandi, zone: b.example, token-file: %[1]s}
  f: {type: manual, zone: c.example, mail: nobody}
  g: {type: desec, zone: d.example}
lineages: 5
`, secret)
	if err := os.WriteFile(p.configFile, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	_, _, err := p.load()
	var lines []string
	for _, line := range findings(err) {
		lines = append(lines, strings.TrimPrefix(line, p.configFile))
	}
	want := []string{
		"providers.a.token-file: has characters that no token has",
		"providers.a.zone-id: \"abc\": 32 hex digits",
		"providers.b.credentials-file: are not JSON",
		"providers.c.server: not the address of an API",
		":8:67: providers.d.env: entry 1 is not a variable",
		"providers.e.token-file: has blanks",
		":10:44: providers.f.mail: ",
		":11:3: providers.g: no token",
		":12:11: lineages: ",
	}
	all := strings.Join(lines, "\n")
	for _, w := range want {
		if !strings.Contains(all, w) {
			t.Errorf("nobody says %s", w)
		}
	}
	if strings.Contains(all, "planted") || len(lines) != 9 {
		t.Errorf("it says\n%s", all)
	}
}

// TestProvidersMargin: what is usual with a type is waited, unless the configuration says
// something else; nothing is something else.
func TestProvidersMargin(t *testing.T) {
	dir := t.TempDir()
	secret := filepath.Join(dir, "secret")
	if err := os.WriteFile(secret, []byte("token\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	said := &output{}
	p := newProgram(world{stdin: strings.NewReader(""), stdout: said, stderr: said, lookupEnv: func(string) (string, bool) { return "", false }, now: time.Now, hangups: hangups})
	p.configFile = filepath.Join(dir, "tlsaroll.yaml")
	text := fmt.Sprintf(`
state: %[2]s
resolver: 127.0.0.1:53
providers:
  usual: {type: desec, zone: example.org, token-file: %[1]s}
  given: {type: desec, zone: example.net, token-file: %[1]s, margin: 90s}
  none: {type: desec, zone: example.com, token-file: %[1]s, margin: 0s}
lineages:
  mx1:
    endpoints: [smtp://mx1.example.org]
    staged: {cert: /a.crt, key: /a.key}
    install: [{path: /a.pem, content: [key, chain], mode: "0600"}]
    reload: [["true"]]
`, secret, dir)
	if err := os.WriteFile(p.configFile, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	_, wired, err := p.load()
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]time.Duration{"usual": kindOf(t, "desec").Margin, "given": 90 * time.Second, "none": 0}
	for _, made := range wired.Providers {
		if made.Margin != want[made.Name] {
			t.Errorf("%s: margin %s, want %s", made.Name, made.Margin, want[made.Name])
		}
	}
	if len(wired.Providers) != len(want) {
		t.Errorf("%d providers", len(wired.Providers))
	}
}
