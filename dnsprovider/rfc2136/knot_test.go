package rfc2136_test

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"testing"
)

// startKnot starts Knot DNS as a primary of the zone.
func startKnot(t testing.TB, clauses string) *named {
	t.Helper()
	return startKnotWith(t, "    action: [update, query]", clauses)
}

// startKnotWith starts it with rights for the key; the test's own edits are made with another.
func startKnotWith(t testing.TB, rights, clauses string) *named {
	t.Helper()
	program := needs(t, "knotd")
	dir := t.TempDir()
	port := freePort(t)
	write(t, filepath.Join(dir, "zone"), zoneFile)
	write(t, filepath.Join(dir, "knot.conf"), fmt.Sprintf(`
server:
    rundir: %q
    listen: 127.0.0.1@%d
database:
    storage: %q
log:
  - target: stderr
    any: info
key:
  - id: %s
    algorithm: hmac-sha256
    secret: %q
  - id: %s
    algorithm: hmac-sha256
    secret: %q
acl:
  - id: update
    key: %s
%s
  - id: all
    key: %s
    action: [update, query]
zone:
  - domain: %s
    storage: %q
    file: zone
    acl: [update, all]
    %s
`, dir, port, dir, keyName, secret, otherKey, otherText, keyName, rights, otherKey, zone, dir, clauses))

	n := &named{address: fmt.Sprintf("127.0.0.1:%d", port), log: new(lockedBuffer)}
	cmd := exec.Command(program, "-c", filepath.Join(dir, "knot.conf"))
	cmd.Stdout, cmd.Stderr = n.log, n.log
	start(t, cmd)
	n.wait(t)
	return n
}
