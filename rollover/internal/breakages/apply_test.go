package breakages

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

var which = flag.String("breakages", "", `which breakages to apply: "all", "spread" (a few of each package), or those whose names match a regular expression`)

// leftOut is said where no breakage is applied.
const leftOut = "LEFT OUT, all breakages: each takes a build (hint: go test ./rollover/internal/breakages -breakages=all -timeout 30m -v)"

// TestMain tells who sits before a terminal what is left out: go test shows what a
// test says of it only with -v.
func TestMain(m *testing.M) {
	flag.Parse()
	if *which == "" {
		if terminal, err := os.OpenFile("/dev/tty", os.O_WRONLY, 0); err == nil { // else -v tells
			fmt.Fprintln(terminal, leftOut)
			terminal.Close()
		}
	}
	os.Exit(m.Run())
}

// TestBreakagesAreCaught applies one after the other and wants the tests named for
// it to fail, and to pass without.
func TestBreakagesAreCaught(t *testing.T) {
	if *which == "" {
		t.Skip(leftOut)
	}
	bs := all()
	switch *which {
	case "all":
	case "spread":
		bs = spread()
	default:
		names, err := regexp.Compile(*which)
		if err != nil {
			t.Fatal(err)
		}
		bs = slices.DeleteFunc(bs, func(b breakage) bool { return !names.MatchString(b.name) })
	}
	if len(bs) == 0 {
		t.Fatalf("no breakage is called %q", *which)
	}
	w := &workshop{root: root(t), dir: t.TempDir(), patience: 3 * time.Minute}
	tests := map[catch][]string{} // by package and flags
	for i := range bs {
		for _, c := range bs[i].catches() {
			in := catch{pkg: c.pkg, flags: c.flags}
			tests[in] = append(tests[in], c.test)
		}
	}
	for in, names := range tests {
		t.Run("unbroken/"+in.pkg, func(t *testing.T) {
			t.Parallel()
			if err := w.passes(t.Context(), in, names); err != nil {
				t.Error(err)
			}
		})
	}
	for i := range bs {
		t.Run(bs[i].name, func(t *testing.T) {
			t.Parallel()
			told, err := w.caught(t.Context(), &bs[i])
			for _, line := range told {
				t.Log(line)
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
}

// A workshop builds the tests of a module with parts of it broken. The module itself
// stays as it is: the compiler is shown another file in place of one.
type workshop struct {
	root     string
	dir      string        // for what is made
	patience time.Duration // with a test
}

// passes wants tests of a package to pass with nothing broken.
func (w *workshop) passes(ctx context.Context, in catch, tests []string) error {
	binary, err := w.build(ctx, in.pkg, "")
	if err != nil {
		return err
	}
	slices.Sort(tests)
	tests = slices.Compact(tests)
	in.test = "(" + strings.Join(tests, "|") + ")"
	out, err := w.run(ctx, binary, in)
	if err != nil {
		return fmt.Errorf("with nothing broken: %w\n%s", err, out)
	}
	for _, test := range tests {
		if !regexp.MustCompile(`(?m)^--- PASS: ` + test + ` `).MatchString(out) {
			return fmt.Errorf("with nothing broken: %s was not run, or left out", test)
		}
	}
	return nil
}

// caught applies a breakage, and says what its tests said.
func (w *workshop) caught(ctx context.Context, b *breakage) (told []string, err error) {
	src, err := b.broken(w.root)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(w.dir, "*")
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, filepath.Base(b.file))
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {filepath.Join(w.root, filepath.FromSlash(b.file)): file}})
	if err != nil {
		return nil, err
	}
	if err := errors.Join(os.WriteFile(file, src, 0o600), os.WriteFile(file+".json", overlay, 0o600)); err != nil {
		return nil, err
	}
	binaries := map[string]string{} // by package
	var missed error
	for _, c := range b.catches() {
		if binaries[c.pkg] == "" {
			if binaries[c.pkg], err = w.build(ctx, c.pkg, file+".json"); err != nil {
				return told, err
			}
		}
		out, err := w.run(ctx, binaries[c.pkg], c)
		line, err := c.judge(out, err)
		told, missed = append(told, c.pkg+" "+c.test+": "+line), errors.Join(missed, err)
	}
	return told, errors.Join(missed, os.RemoveAll(dir))
}

// judge wants a test to have failed for what it was to notice. Line is what it said.
func (c catch) judge(out string, ended error) (line string, err error) {
	late := strings.Contains(out, "panic: test timed out")
	var exit *exec.ExitError
	switch {
	case strings.Contains(out, "testing: warning: no tests to run"):
		return "", fmt.Errorf("there is no %s in %s", c.test, c.pkg)
	case ended == nil:
		return "", fmt.Errorf("%s does not notice\n%s", c.test, out)
	case !errors.As(ended, &exit):
		return "", ended
	case late && c.hangs:
		return "it did not end", nil
	case late:
		return "", fmt.Errorf("%s does not end\n%s", c.test, out)
	case !strings.Contains(out, "--- FAIL: "+c.test):
		return "", fmt.Errorf("%s did not fail, and its process ended with %w\n%s", c.test, ended, out)
	}
	for l := range strings.Lines(out) {
		if strings.Contains(l, c.says) {
			return strings.TrimSpace(l), nil
		}
	}
	return "", fmt.Errorf("%s fails, and does not say %q\n%s", c.test, c.says, out)
}

// build compiles the tests of a package, with an overlay or none.
func (w *workshop) build(ctx context.Context, pkg, overlay string) (binary string, err error) {
	dir, err := os.MkdirTemp(w.dir, "*")
	if err != nil {
		return "", err
	}
	binary = filepath.Join(dir, "broken.test")
	args := []string{"test", "-c", "-vet=off", "-ldflags=-s -w", "-o", binary}
	if overlay != "" {
		args = append(args, "-overlay", overlay)
	}
	cmd := exec.CommandContext(ctx, "go", append(args, "./"+pkg)...)
	cmd.Dir = w.root
	cmd.Env = append(cmd.Environ(), "GOFLAGS=", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("it cannot be compiled: %w\n%s", err, out)
	}
	return binary, nil
}

// run runs a test from the directory of its package, as go test does.
func (w *workshop) run(ctx context.Context, binary string, c catch) (out string, err error) {
	args := []string{"-test.run=^" + c.test + "$", "-test.v", "-test.timeout=" + w.patience.String()}
	cmd := exec.CommandContext(ctx, binary, append(args, strings.Fields(c.flags)...)...)
	cmd.Dir = filepath.Join(w.root, filepath.FromSlash(c.pkg))
	cmd.Env = cmd.Environ()
	b, err := cmd.CombinedOutput()
	return string(bytes.ToValidUTF8(b, []byte("?"))), err
}
