package lab

import (
	"errors"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"testing"
)

// Program returns a path by which the running test binary is called name. Where its
// TestMain has testscript.Main with a command of that name, it is that command:
// no build is needed, and what the test was built with, as the race detector, the
// program has too.
func Program(t testing.TB, name string) string {
	t.Helper()
	exe, err := os.Executable()
	link := filepath.Join(t.TempDir(), name)
	if err := errors.Join(err, os.Symlink(exe, link)); err != nil {
		t.Fatal(err)
	}
	return link
}

// BuildProgram builds a command, given by its import path, as it is released but for
// further options of go build.
func BuildProgram(t testing.TB, importPath string, options ...string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), path.Base(importPath))
	args := slices.Concat([]string{"build", "-trimpath", "-ldflags=-s -w", "-o", out}, options, []string{importPath})
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build %s: %v: %s", importPath, err, text)
	}
	return out
}
