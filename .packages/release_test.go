// Package packages tries what build makes: it installs and removes it in a root directory of
// its own, has the shells complete and man(1) find, and builds it once more elsewhere.
package packages

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
)

const version = "1.2.3"

// release is the directory with what build made: that of RELEASE, where it was made before.
var release = sync.OnceValues(func() (string, error) {
	if dir := os.Getenv("RELEASE"); dir != "" {
		return dir, nil
	}
	dir, err := os.MkdirTemp("", "tlsaroll-release")
	if err != nil {
		return "", err
	}
	return dir, build(context.Background(), ".", dir)
})

func TestMain(m *testing.M) {
	code := m.Run()
	if dir, err := release(); err == nil && os.Getenv("RELEASE") == "" {
		_ = os.RemoveAll(dir)
	}
	os.Exit(code)
}

// build makes a release from the sources that packages stands in.
func build(ctx context.Context, packages, dir string, env ...string) error {
	cmd := exec.CommandContext(ctx, filepath.Join(packages, "build"), "v"+version, dir)
	cmd.Env = append(os.Environ(), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return errors.Join(err, errors.New(string(out)))
	}
	return nil
}

// made is a file of the release, by how its name ends.
func made(t *testing.T, suffix string) string {
	t.Helper()
	dir, err := release()
	if err != nil {
		t.Fatal(err)
	}
	found, err := filepath.Glob(filepath.Join(dir, "*"+suffix))
	if err != nil || len(found) != 1 {
		t.Fatalf("%s: %v %v", suffix, found, err)
	}
	return found[0]
}

// needs leaves a test out, loudly, where a program is missing that it needs.
func needs(t *testing.T, programs ...string) {
	t.Helper()
	for _, p := range programs {
		_, err := exec.LookPath(p)
		switch {
		case err == nil:
		case os.Getenv("TLSAROLL_E2E") == "require":
			t.Fatalf("%s: %v; TLSAROLL_E2E=require forbids leaving it out", p, err)
		default:
			t.Skipf("LEFT OUT: %v", err)
		}
	}
}

// run is what a program prints, which has to end well.
func run(t *testing.T, env []string, argv ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(argv, " "), err, out)
	}
	return string(out)
}

// TestReproducible builds it all once more, from a copy of the sources in another directory.
func TestReproducible(t *testing.T) {
	needs(t, "git")
	first := made(t, "SHA256SUMS")
	copied, dir := filepath.Join(t.TempDir(), "elsewhere"), t.TempDir()
	files := strings.Fields(run(t, nil, "git", "-C", "..", "ls-files", "--cached", "--others", "--exclude-standard"))
	for _, name := range files {
		text, err := os.ReadFile(filepath.Join("..", name))
		if errors.Is(err, os.ErrNotExist) {
			continue // taken out, and not committed yet
		}
		info, err2 := os.Stat(filepath.Join("..", name))
		to := filepath.Join(copied, name)
		if err := errors.Join(err, err2, os.MkdirAll(filepath.Dir(to), 0o700)); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, text, info.Mode()); err != nil {
			t.Fatal(err)
		}
	}
	epoch := os.Getenv("SOURCE_DATE_EPOCH")
	if epoch == "" {
		epoch = strings.TrimSpace(run(t, nil, "git", "log", "-1", "--format=%ct")) // the copy has no history
	}
	if err := build(t.Context(), filepath.Join(copied, ".packages"), dir, "SOURCE_DATE_EPOCH="+epoch); err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(first)
	got, err2 := os.ReadFile(filepath.Join(dir, "SHA256SUMS"))
	if err := errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) || bytes.Count(got, []byte("\n")) != 8 {
		t.Errorf("first\n%sand then\n%s", want, got)
	}
}

// TestNames wants the files to be called what the README calls them.
func TestNames(t *testing.T) {
	if name := filepath.Base(made(t, "_amd64.deb")); name != "tlsaroll_"+version+"-1_amd64.deb" {
		t.Error(name)
	}
}

func TestProgram(t *testing.T) {
	got := run(t, nil, made(t, "_linux_"+runtime.GOARCH), "version")
	if want := "tlsaroll v" + version + " " + runtime.Version() + " linux/" + runtime.GOARCH + "\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
