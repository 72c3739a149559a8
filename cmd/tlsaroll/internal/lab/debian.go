package lab

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// DebianRoot is a root directory of a Debian that has Postfix as it is when it is installed, and
// little else. .ci/run makes it once; each test has a copy, which goes with it. Where there is
// none the test is left out, and says so.
func DebianRoot(t testing.TB) string {
	t.Helper()
	cache, err := cached()
	archive := filepath.Join(cache, "debian-root", "root.tar")
	if err == nil {
		_, err = os.Stat(archive)
	}
	if err != nil || os.Geteuid() != 0 {
		if os.Getenv("TLSAROLL_E2E") == "require" {
			t.Fatalf("a Debian's root directory: %v, user %d; TLSAROLL_E2E=require forbids leaving it out", err, os.Geteuid())
		}
		t.Skipf("LEFT OUT, a test in a Debian's root directory: %v, user %d (hint: .ci/run makes it, as root)", err, os.Geteuid())
	}
	dir := t.TempDir()
	if out, err := exec.CommandContext(t.Context(), "tar", "-C", dir, "--numeric-owner", "-xpf", archive).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", archive, err, out)
	}
	return dir
}
