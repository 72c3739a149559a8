package lab

import (
	"errors"
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
	if err == nil && os.Geteuid() != 0 {
		err = errors.New("not root, as chroot(2) wants it")
	}
	leaveOut(t, "a Debian's root directory", err)
	dir := t.TempDir()
	if out, err := exec.CommandContext(t.Context(), "tar", "-C", dir, "--numeric-owner", "-xpf", archive).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", archive, err, out)
	}
	return dir
}
