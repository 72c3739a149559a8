package swap

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// scenarios are what is there before the switch to B.
var scenarios = map[string]func(t testing.TB, w *world){
	"nothing": func(testing.TB, *world) {},
	"A": func(t testing.TB, w *world) {
		_, err := w.Switch(t.Context(), w.entryA)
		ok(t, err)
	},
	"A after B": func(t testing.TB, w *world) {
		for _, entry := range []string{w.entryB, w.entryA} {
			_, err := w.Switch(t.Context(), entry)
			ok(t, err)
		}
	},
	"A by hand": func(t testing.TB, w *world) {
		write(t, w.etc+"/archive/ca.pem", w.a.ca, 0o644)
		ok(t, os.Symlink("archive/ca.pem", w.etc+"/ca.pem"))
		write(t, w.etc+"/combined.pem", w.a.combined(), 0o640)
		write(t, w.etc+"/leaf.pem", w.a.cert, 0o644)
		for name, content := range map[string][]byte{fullchainFile: w.a.chain(), privkeyFile: w.a.key, combinedFile: w.a.combined()} {
			write(t, filepath.Join(w.etc, "mx1", name), content, 0o600)
		}
		ok(t, w.Adopt(w.entryA))
	},
}

// TestEveryFailure fails each operation of a switch in turn: all is as before,
// but for the old ones' second names, and the next switch does everything.
func TestEveryFailure(t *testing.T) {
	for name, setUp := range scenarios {
		t.Run(name, func(t *testing.T) {
			for n := 0; ; n++ {
				w := newWorld(t)
				setUp(t, w)
				before := asBefore(t, w)
				count := 0
				var failed string
				w.step = func(op operation, path string) error {
					if count++; count == n+1 {
						failed = fmt.Sprintf("%s %s", op, filepath.Base(path))
						return &os.PathError{Op: string(op), Path: path, Err: unix.ENOSPC}
					}
					return nil
				}
				result, err := w.Switch(t.Context(), w.entryB)
				if failed == "" {
					if n < 15 {
						t.Errorf("only %d operations", n)
					}
					return
				}
				if err == nil { // clearing up after the switch may fail
					if wrong := w.holds(w.b, w.entryB); wrong != "" {
						t.Errorf("%s: no error, but %s", failed, wrong)
					}
					continue
				}
				var e *Error
				if !errors.As(err, &e) || e.Step != StepInstall || e.Switched || len(e.Mixed) > 0 || !errors.Is(err, unix.ENOSPC) {
					t.Errorf("%s: got %#v", failed, err)
				}
				if len(result.Changed) > 0 {
					t.Errorf("%s: changed %v, though all was put back", failed, result.Changed)
				}
				kept, err2 := filepath.Glob(w.etc + "/*" + previous)
				ok(t, err2)
				for _, path := range kept {
					if _, err := os.Stat(path); err != nil {
						t.Errorf("%s: %v", failed, err)
					}
				}
				if !strings.HasSuffix(err.Error(), ": no space left on device (hint: make room)") {
					t.Errorf("%s: got %v", failed, err)
				}
				if diff := cmp.Diff(before, asBefore(t, w)); diff != "" {
					t.Fatalf("%s (-before +after):\n%s", failed, diff)
				}
				w.step = nil
				_, err = w.Switch(t.Context(), w.entryB)
				ok(t, err)
				if wrong := w.holds(w.b, w.entryB); wrong != "" {
					t.Errorf("%s, then again: %s", failed, wrong)
				}
				checkStrays(t, w, failed)
			}
		})
	}
}

// asBefore is a snapshot without the old ones' second names.
func asBefore(t testing.TB, w *world) map[string]string {
	t.Helper()
	seen := snapshot(t, w.etc)
	if _, err := os.Lstat(w.state + "/live"); err == nil {
		for path, what := range snapshot(t, w.state+"/live") {
			seen["live/"+path] = what
		}
	}
	maps.DeleteFunc(seen, func(path, _ string) bool { return strings.Contains(path, previous) || path == "." || path == "live/." })
	return seen
}

func checkStrays(t testing.TB, w *world, after string) {
	t.Helper()
	strays := slices.DeleteFunc(w.strays(t), func(name string) bool { return name == "archive" })
	if len(strays) > 0 {
		t.Errorf("after %s: left behind: %v", after, strays)
	}
}

// TestNoWayBack fails an operation and everything that would undo what was done:
// the error names exactly the paths that hold the new pair.
func TestNoWayBack(t *testing.T) {
	for n := 0; ; n++ {
		w := newWorld(t)
		scenarios["A"](t, w)
		count := 0
		failing := false
		w.step = func(op operation, path string) error {
			if count++; count == n+1 {
				failing = true
			}
			if failing {
				return &os.PathError{Op: string(op), Path: path, Err: unix.EIO}
			}
			return nil
		}
		_, err := w.Switch(t.Context(), w.entryB)
		if !failing {
			return
		}
		var e *Error
		if !errors.As(err, &e) {
			if wrong := w.holds(w.b, w.entryB); err != nil || wrong != "" {
				t.Errorf("operation %d: %v, %s", n, err, wrong)
			}
			continue
		}
		for _, at := range w.paths() {
			if now := w.which(t, at); (now == "B") != slices.Contains(e.Mixed, at) {
				t.Errorf("operation %d: %s holds %s, mixed says %v", n, at, now, e.Mixed)
			}
		}
		if len(e.Mixed) > 0 && !strings.HasSuffix(err.Error(), "; could not be put back: "+strings.Join(e.Mixed, ", ")) {
			t.Errorf("operation %d: %v", n, err)
		}
		w.step = nil
		_, err = w.Switch(t.Context(), w.entryA)
		ok(t, err)
		if wrong := w.holds(w.a, w.entryA); wrong != "" {
			t.Errorf("operation %d, then back to A: %s", n, wrong)
		}
	}
}

// which says whose a path is: A, B, or none. Anything else fails the test.
func (w *world) which(t testing.TB, path string) string {
	t.Helper()
	if resolved, err := filepath.EvalSymlinks(path); err == nil {
		path = resolved // as a server that keeps the directory open
	}
	info, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) {
		return "none"
	}
	ok(t, err)
	for name, p := range map[string]pair{"A": w.a, "B": w.b} {
		files := map[string][]byte{fullchainFile: p.chain(), privkeyFile: p.key, combinedFile: p.combined()}
		if !info.IsDir() {
			got, err := os.ReadFile(path)
			ok(t, err)
			if slices.ContainsFunc([][]byte{p.combined(), p.cert, p.ca}, func(want []byte) bool { return bytes.Equal(got, want) }) {
				return name
			}
			continue
		}
		all := true
		for file, want := range files {
			got, err := os.ReadFile(filepath.Join(path, file))
			all = all && err == nil && bytes.Equal(got, want)
		}
		if all {
			return name
		}
	}
	t.Errorf("%s holds neither pair", path)
	return "?"
}

const crashEnv = "SWAP_TEST_CRASH" // STATE:ETC:ENTRY:N

// TestEveryCrash kills the process before each operation of a switch in turn:
// every path holds the old pair or the new one wholly, and the next switch
// finishes and clears up.
func TestEveryCrash(t *testing.T) {
	if spec := os.Getenv(crashEnv); spec != "" {
		crash(t, spec)
		return
	}
	for name, setUp := range scenarios {
		t.Run(name, func(t *testing.T) {
			for n := 0; ; n++ {
				w := newWorld(t)
				setUp(t, w)
				child := exec.Command(os.Args[0], "-test.run=^TestEveryCrash$", "-test.v")
				child.Env = append(os.Environ(), fmt.Sprintf("%s=%s:%s:%s:%d", crashEnv, w.state, w.etc, w.entryB, n))
				out, err := child.Output()
				if err == nil {
					if wrong := w.holds(w.b, w.entryB); wrong != "" || n < 15 {
						t.Errorf("not killed after %d operations: %s", n, wrong)
					}
					return
				}
				var exit *exec.ExitError
				if !errors.As(err, &exit) || exit.ExitCode() != -1 {
					t.Fatalf("child: %v\n%s", err, out)
				}
				last := lastLine(out)
				for _, path := range w.paths() {
					if whose := w.which(t, path); whose == "none" && name != "nothing" {
						t.Errorf("killed before %s: %s is gone", last, path)
					}
				}
				if w.which(t, w.Live) == "B" {
					if wrong := w.holds(w.b, w.entryB); wrong != "" {
						t.Errorf("killed before %s: live says B, but %s", last, wrong)
					}
				}
				_, err = w.Switch(t.Context(), w.entryB)
				ok(t, err)
				if wrong := w.holds(w.b, w.entryB); wrong != "" {
					t.Errorf("killed before %s, then again: %s", last, wrong)
				}
				checkStrays(t, w, "a crash before "+last)
			}
		})
	}
}

func lastLine(out []byte) (last string) {
	for s := bufio.NewScanner(bytes.NewReader(out)); s.Scan(); {
		last = s.Text()
	}
	return last
}

// crash is the child: it switches and kills itself before the nth operation.
func crash(t *testing.T, spec string) {
	parts := strings.Split(spec, ":")
	n, err := strconv.Atoi(parts[3])
	ok(t, err)
	w := &world{state: parts[0], etc: parts[1]}
	h := w.host()
	h.Check, h.Reload = nil, nil
	h.step = func(op operation, path string) error {
		fmt.Println(op, filepath.Base(path))
		if n--; n < 0 {
			ok(t, unix.Kill(os.Getpid(), unix.SIGKILL))
			select {}
		}
		return nil
	}
	_, err = h.Switch(t.Context(), parts[2])
	ok(t, err)
}
