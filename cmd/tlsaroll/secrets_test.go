package main

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/lab"
)

// TestMisplacedSecrets: a secret that somebody wrote into the configuration itself,
// under whatever key it may be thought to belong, is not repeated in what is said of it.
func TestMisplacedSecrets(t *testing.T) {
	d := newDesk(t)
	raw := []byte("tlsaroll-test:\xfb\xef\xbe\xff planted, 32+")
	secret := base64.StdEncoding.EncodeToString(raw)
	var planted lab.Secrets
	planted.PlantText("the secret", secret)
	var lines []string
	for _, key := range []string{"secret", "secret-file", "secret-env", "secret-credential", "key", "algorithm", "tsig-secret", "secrett", "password", "token"} {
		for _, way := range []string{"%s: %s", "%s: %q", "%s: [%s]", "%s: {x: %s}", "%s: {%s}", "%s: /%s", "%s: $%s", "%s: '%s", "%s: [%s", "%s: @%s", "%s: %s: %[2]s", "%s: |\n      %s", "%s: !!binary %s", "%s: &%s a", "%s: *%s", "- %s %s", "%s %s", "\t%s: %s", "%s: %s\n    %[2]s: x"} {
			lines = append(lines, fmt.Sprintf(way, key, secret))
		}
	}
	lines = append(lines, secret, secret+":", "? "+secret, `"`+secret)
	for _, hook := range []string{"{webhook: 'SECRET'}", "[{webhook: SECRET}]", "[{webhook-file: SECRET}]", "[{webhook: 'ftp://x/SECRET'}]", "[{webhook: 'https://SECRET@%zz/'}]", "[{webhook: 'https://h/SECRET', SECRET}]"} {
		lines = append(lines, "x: 1\nnotify: "+strings.ReplaceAll(hook, "SECRET", secret))
	}
	for _, auth := range []string{"{token: SECRET}", "{token-file: SECRET}", "{user: a, password: SECRET}", "{user: a, password-file: SECRET}", "SECRET", "[SECRET]", "{user: 'a:SECRET', password-file: /nowhere}"} {
		lines = append(lines, "x: 1\nlisten: 127.0.0.1:9\nweb: {auth: "+strings.ReplaceAll(auth, "SECRET", secret)+"}")
	}
	for _, line := range lines {
		head, rest, top := strings.Cut(line, "\n")
		config := "state: " + d.path("state") + "\nresolver: 127.0.0.1:9\n"
		if top && strings.HasPrefix(line, "x: 1") {
			config += rest + "\nproviders:\n  ns1: {type: rfc2136, server: \"127.0.0.1:9\", key: k., secret-file: " + d.path("tsig.secret") + "}\n"
		} else {
			config += "providers:\n  ns1:\n    type: rfc2136\n    server: \"127.0.0.1:9\"\n    zone: example.org\n    " + line + "\n"
		}
		config += "lineages:\n  mx1: {endpoints: [smtp://mx1.example.org]}\n"
		d.write(t, "misplaced.yaml", config, 0o600)
		for _, command := range []string{"plan", "once"} {
			stdout, stderr, code := call(t, "", "-c", d.path("misplaced.yaml"), command)
			if code != exitUsage {
				t.Errorf("%s: %s: exit %d", head[:min(12, len(head))], command, code)
			}
			if leaks := planted.Find([]byte(stdout + stderr)); len(leaks) > 0 {
				t.Errorf("%s: %s says %q", strings.ReplaceAll(line, secret, "SECRET"), command, leaks)
			}
		}
	}
}
