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
	cache := os.Getenv("CI_CACHE")
	if cache == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return "", err
		}
		cache = filepath.Join(user, "tlsaroll-ci")
	}
	return exec.LookPath(filepath.Join(cache, dir, program))
}

// Cached finds a program for a test that needs no lab: in a directory of the cache of .ci/run,
// which unpacks it there, or in PATH. Where there is none the test is left out, and says so.
func Cached(t testing.TB, dir, program string) string {
	t.Helper()
	path, err := locate(dir, program)
	switch {
	case err == nil:
	case os.Getenv("TLSAROLL_E2E") == "require":
		t.Fatalf("%s: %v; TLSAROLL_E2E=require forbids leaving it out", program, err)
	default:
		t.Skipf("LEFT OUT, a test with %s: %v (hint: .ci/run unpacks it)", program, err)
	}
	return path
}
