package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestProviderTestUsage: nobody is asked, and nothing written, for what cannot be meant.
func TestProviderTestUsage(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "tlsaroll.yaml")
	text := fmt.Sprintf(`
state: %s
resolver: 127.0.0.1:9
providers: {p: {type: exec, zone: example.org, read: ["true"], change: ["true"]}}
lineages:
  mx1:
    endpoints: [smtp://mx1.example.org]
    staged: {cert: /a.crt, key: /a.key}
    install: [{path: /a.pem, content: [key, chain], mode: "0600"}]
    reload: [["true"]]
`, dir)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for args, want := range map[string]string{
		"--timeout 0s":                         "tlsaroll: --timeout 0s: too short for any host (hint: --timeout 10m)\n",
		"--timeout -5m":                        "tlsaroll: --timeout -5m: too short for any host (hint: --timeout 10m)\n",
		"--owner test.example.org":             "tlsaroll: --owner test.example.org.: not the owner name of TLSA records (hint: it begins as in _25._tcp.test.example.org.)\n",
		"--owner _25._udp.test.example.org":    "tlsaroll: --owner _25._udp.test.example.org.: not the owner name",
		"--owner _tcp.test.example.org":        "tlsaroll: --owner _tcp.test.example.org.: not the owner name",
		"--owner _99999._tcp.test.example.org": "tlsaroll: --owner _99999._tcp.test.example.org.: not the owner name",
		"--owner _25._TCP.MX1.example.org":     "tlsaroll: --owner _25._tcp.mx1.example.org.: that is an endpoint of a lineage",
	} {
		said := &output{}
		code := run(t.Context(), append([]string{"-c", file, "provider", "test", "p"}, strings.Fields(args)...), world{
			stdin: strings.NewReader(""), stdout: said, stderr: said, lookupEnv: func(string) (string, bool) { return "", false }, now: time.Now, hangups: hangups,
		})
		if code != exitUsage || !strings.HasPrefix(said.String(), want) {
			t.Errorf("%s: exit %d\n%s, want\n%s", args, code, said, want)
		}
	}
}
