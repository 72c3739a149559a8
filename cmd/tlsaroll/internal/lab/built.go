package lab

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// built finds a program that .ci/run has built into a directory of its cache, which is
// named after its version.
func built(dir, program string) (string, error) {
	cache, err := cached()
	if err != nil {
		return "", err
	}
	return exec.LookPath(filepath.Join(cache, dir, program))
}

// cached is where .ci/run keeps what it fetched and built.
func cached() (dir string, err error) {
	if dir = os.Getenv("CI_CACHE"); dir != "" {
		return dir, nil
	}
	if dir, err = os.UserCacheDir(); err != nil {
		return "", err
	}
	return filepath.Join(dir, "tlsaroll-ci"), nil
}

// Cached finds a program for a test that needs no lab: in a directory of the cache of .ci/run,
// which unpacks it there, or in PATH. Where there is none the test is left out, and says so.
func Cached(t testing.TB, dir, program string) string {
	t.Helper()
	path, err := locate(dir, program)
	leaveOut(t, program, err)
	return path
}

// CachedFile reads a file for a test that needs no lab: from a directory of the cache of .ci/run,
// which unpacks it there if it can: the program that fetches it is none that it installs. Where
// there is no such file the test is left out, and says so.
func CachedFile(t testing.TB, dir, name string) []byte {
	t.Helper()
	cache, err := cached()
	var text []byte
	if err == nil {
		text, err = os.ReadFile(filepath.Join(cache, dir, name))
	}
	if err != nil {
		t.Skipf("LEFT OUT, for want of %s: %v (hint: .ci/run fetches it where npm is installed)", name, err)
	}
	return text
}

// leaveOut ends a test that lacks something, if it does: in vain, where nothing may be left out.
func leaveOut(t testing.TB, what string, err error) {
	t.Helper()
	switch {
	case err == nil:
	case os.Getenv("TLSAROLL_E2E") == "require":
		t.Fatalf("%s: %v; TLSAROLL_E2E=require forbids leaving it out", what, err)
	default:
		t.Skipf("LEFT OUT, a test with %s: %v (hint: .ci/run unpacks it)", what, err)
	}
}
