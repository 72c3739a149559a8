package lab

import (
	"os"
	"os/exec"
	"path/filepath"
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
