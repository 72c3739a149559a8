package swap

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

func TestSwitchInstallsEverything(t *testing.T) {
	for _, umask := range []int{0, 0o022, 0o077} {
		w := newWorld(t)
		old := unix.Umask(umask)
		result, err := w.Switch(t.Context(), w.entryA)
		unix.Umask(old)
		ok(t, err)
		if wrong := w.holds(w.a, w.entryA); wrong != "" {
			t.Error(wrong)
		}
		want := Result{Changed: []string{w.etc + "/combined.pem", w.etc + "/leaf.pem", w.etc + "/ca.pem", w.etc + "/mx1", w.Live}}
		if diff := cmp.Diff(want, result); diff != "" {
			t.Errorf("result (-want +got):\n%s", diff)
		}
		sibling, err := os.Readlink(w.etc + "/mx1")
		ok(t, err)
		for path, mode := range map[string]os.FileMode{
			"combined.pem": 0o600, "leaf.pem": 0o644, "ca.pem": 0o444,
			sibling: 0o750, "mx1/privkey.pem": 0o640, "mx1/fullchain.pem": 0o640, "mx1/combined.pem": 0o640,
		} {
			if got := modeOf(t, filepath.Join(w.etc, path)); got != mode {
				t.Errorf("umask %04o: %s has mode %04o, want %04o", umask, path, got, mode)
			}
		}
		if link, err := os.Readlink(w.Live); err != nil || link != "../stash/aaaa" {
			t.Errorf("live says %q, %v: want a relative path", link, err)
		}
		if strays := w.strays(t); len(strays) > 0 {
			t.Errorf("left behind: %v", strays)
		}
	}
}

// TestOrder looks at what is installed while the commands run.
func TestOrder(t *testing.T) {
	w := newWorld(t)
	_, err := w.Switch(t.Context(), w.entryA)
	ok(t, err)
	var seen []string
	w.Run = func(_ context.Context, argv []string) ([]byte, error) {
		state := "old"
		if w.holds(w.b, w.entryB) == "" {
			state = "new"
		} else if w.holds(w.a, w.entryA) != "" {
			state = "mixed"
		}
		seen = append(seen, argv[0]+" "+argv[1]+": "+state)
		return nil, nil
	}
	result, err := w.Switch(t.Context(), w.entryB)
	ok(t, err)
	if diff := cmp.Diff([]string{"postfix check: old", "postfix reload: new", "doveadm reload: new"}, seen); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if result.Previous != w.entryA {
		t.Errorf("previous %q, want %q", result.Previous, w.entryA)
	}
}

func TestSwitchAgainAndBack(t *testing.T) {
	w := newWorld(t)
	_, err := w.Switch(t.Context(), w.entryA)
	ok(t, err)
	before := snapshot(t, w.etc)

	w.ran = nil
	result, err := w.Switch(t.Context(), w.entryA)
	ok(t, err)
	if len(result.Changed) > 0 {
		t.Errorf("changed %v, though all was there", result.Changed)
	}
	if diff := cmp.Diff(before, snapshot(t, w.etc)); diff != "" {
		t.Errorf("(-before +after):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"postfix check", "postfix reload", "doveadm reload"}, w.ran); diff != "" {
		t.Errorf("commands (-want +got):\n%s", diff)
	}

	for range 3 {
		result, err = w.Switch(t.Context(), w.entryB)
		ok(t, err)
		if wrong := w.holds(w.b, w.entryB); wrong != "" {
			t.Fatal(wrong)
		}
		result, err = w.Switch(t.Context(), result.Previous)
		ok(t, err)
		if wrong := w.holds(w.a, w.entryA); wrong != "" {
			t.Fatal(wrong)
		}
	}
	if strays := w.strays(t); len(strays) > 0 {
		t.Errorf("left behind: %v", strays)
	}
}

// TestOldOneKept: exactly one old generation, readable by its owner only.
func TestOldOneKept(t *testing.T) {
	w := newWorld(t)
	_, err := w.Switch(t.Context(), w.entryA)
	ok(t, err)
	_, err = w.Switch(t.Context(), w.entryB)
	ok(t, err)
	for path, want := range map[string][]byte{
		"combined.pem.previous":         w.a.combined(),
		"leaf.pem.previous":             w.a.cert,
		"ca.pem.previous":               w.a.ca,
		"mx1.previous/privkey.pem":      w.a.key,
		"mx1.previous/fullchain.pem":    w.a.chain(),
		"mx1.previous/../mx1/../ca.pem": w.b.ca,
	} {
		if got, err := os.ReadFile(filepath.Join(w.etc, path)); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: other content, %v", path, err)
		}
	}
	for _, name := range []string{"combined.pem", "leaf.pem", "ca.pem"} {
		if mode := modeOf(t, filepath.Join(w.etc, name+previous)); mode != 0o600 {
			t.Errorf("%s.previous has mode %04o", name, mode)
		}
	}
	entries, err := os.ReadDir(w.etc)
	ok(t, err)
	if len(entries) != 10 { // three files and the symlink, each with its .previous, two siblings
		t.Errorf("%d entries, want 10: %v", len(entries), entries)
	}
}

// TestSwitchMends what somebody changed, and nothing else.
func TestSwitchMends(t *testing.T) {
	changes := map[string]func(w *world){
		"combined.pem": func(w *world) { write(t, w.etc+"/combined.pem", w.b.combined(), 0o600) },
		"leaf.pem":     func(w *world) { ok(t, os.Chmod(w.etc+"/leaf.pem", 0o666)) },
		"ca.pem":       func(w *world) { ok(t, os.Remove(w.etc+"/ca.pem")) },
		"mx1":          func(w *world) { write(t, w.etc+"/mx1/privkey.pem", []byte("x"), 0o640) },
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			_, err := w.Switch(t.Context(), w.entryA)
			ok(t, err)
			if problems, err := w.Matches(w.entryA); err != nil || len(problems) > 0 {
				t.Fatalf("matches: %v, %v", problems, err)
			}
			change(w)
			problems, err := w.Matches(w.entryA)
			ok(t, err)
			want := []Problem{{CodeDiffers, Warning, w.etc + "/" + name + ": not what was installed there (hint: somebody changed it; rollover installs it again)"}}
			if diff := cmp.Diff(want, problems); diff != "" {
				t.Errorf("matches (-want +got):\n%s", diff)
			}
			result, err := w.Switch(t.Context(), w.entryA)
			ok(t, err)
			if diff := cmp.Diff([]string{w.etc + "/" + name}, result.Changed); diff != "" {
				t.Errorf("changed (-want +got):\n%s", diff)
			}
			if wrong := w.holds(w.a, w.entryA); wrong != "" {
				t.Error(wrong)
			}
		})
	}
}

func TestAdopt(t *testing.T) {
	w := newWorld(t)
	if entry, err := w.Installed(); err != nil || entry != "" {
		t.Errorf("before: %q, %v", entry, err)
	}
	ok(t, w.Adopt(w.entryA))
	if entry, err := w.Installed(); err != nil || entry != w.entryA {
		t.Errorf("after: %q, %v", entry, err)
	}
	if entries, err := os.ReadDir(w.etc); err != nil || len(entries) > 0 || len(w.ran) > 0 {
		t.Errorf("adopting installed %v and ran %v, %v", entries, w.ran, err)
	}
}

func TestPairs(t *testing.T) {
	w := newWorld(t)
	w.Install = append(w.Install,
		Target{Path: "/etc/exim4/key.pem", Content: []Part{Key}},
		Target{Path: "/etc/exim4/leaf.pem", Content: []Part{Cert}},
		Target{Path: "/etc/exim4/chain.pem", Content: []Part{Chain}})
	want := []Files{
		{w.etc + "/combined.pem", w.etc + "/combined.pem"},
		{w.etc + "/mx1/fullchain.pem", w.etc + "/mx1/privkey.pem"},
		{"/etc/exim4/chain.pem", "/etc/exim4/key.pem"},
	}
	if diff := cmp.Diff(want, w.Pairs()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestReloadFails: all reload commands are tried, the new pair stays.
func TestReloadFails(t *testing.T) {
	w := newWorld(t)
	var ran []string
	w.Run = func(_ context.Context, argv []string) ([]byte, error) {
		ran = append(ran, argv[0]+" "+argv[1])
		if argv[1] == "reload" {
			return []byte("starting\nfatal: " + argv[0] + " is not running\n\n"), errors.New("exit status 1")
		}
		return nil, nil
	}
	result, err := w.Switch(t.Context(), w.entryA)
	var e *Error
	if !errors.As(err, &e) || e.Step != StepReload || !e.Switched || !errors.Is(err, ErrCommand) {
		t.Fatalf("got %#v", err)
	}
	want := "mx1: reload: postfix reload: exit status 1: starting; fatal: postfix is not running; " +
		"doveadm reload: exit status 1: starting; fatal: doveadm is not running"
	if err.Error() != want {
		t.Errorf("got\n %s\nwant\n %s", err, want)
	}
	if len(ran) != 3 || len(result.Changed) != 5 {
		t.Errorf("ran %v, changed %v", ran, result.Changed)
	}
	if wrong := w.holds(w.a, w.entryA); wrong != "" {
		t.Error(wrong)
	}
}

// TestCheckFails: the first failure ends it, nothing is touched.
func TestCheckFails(t *testing.T) {
	w := newWorld(t)
	w.Check = append(w.Check, []string{"doveconf", "-n"})
	runs := 0
	w.Run = func(context.Context, []string) ([]byte, error) {
		runs++
		return []byte("bad parameter\n"), errors.New("exit status 1")
	}
	_, err := w.Switch(t.Context(), w.entryA)
	var e *Error
	if !errors.As(err, &e) || e.Step != StepCheck || e.Switched || runs != 1 {
		t.Fatalf("got %#v after %d runs", err, runs)
	}
	if want := "mx1: check: postfix check: exit status 1: bad parameter"; err.Error() != want {
		t.Errorf("got\n %s\nwant\n %s", err, want)
	}
	if entries, err := os.ReadDir(w.etc); err != nil || len(entries) > 0 {
		t.Errorf("installed: %v, %v", entries, err)
	}
}

// TestStopped: when the context ends during the checks, nothing is installed.
func TestStopped(t *testing.T) {
	w := newWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	w.Run = func(context.Context, []string) ([]byte, error) { cancel(); return nil, nil }
	_, err := w.Switch(ctx, w.entryA)
	if !errors.Is(err, context.Canceled) || err.Error() != "mx1: install: stopped before anything was installed: context canceled" {
		t.Errorf("got %v", err)
	}
	if entries, err := os.ReadDir(w.etc); err != nil || len(entries) > 0 {
		t.Errorf("left: %v, %v", entries, err)
	}
}
