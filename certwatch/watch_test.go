package certwatch

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fsnotify/fsnotify"
)

// A watched is a watcher of some files under test, and of one more, the last, whose
// hints say that those of all that happened before have come.
type watched struct {
	*watcher
	t     *testing.T
	log   bytes.Buffer
	hints chan Files
	last  string
}

// watching watches files until the test ends. Prepare, which may be nil, changes
// the watcher before it begins.
func watching(t *testing.T, prepare func(*watcher), files ...Files) *watched {
	t.Helper()
	w := &watched{t: t, hints: make(chan Files, 1000), last: filepath.Join(t.TempDir(), "last")}
	w.watcher = &watcher{files: append(files, Files{Cert: w.last}), changed: func(f Files) { w.hints <- f },
		log: slog.New(slog.NewTextHandler(&w.log, nil)), open: fsnotify.NewWatcher, add: (*fsnotify.Watcher).Add}
	if prepare != nil {
		prepare(w.watcher)
	}
	ctx, stop := context.WithCancel(t.Context())
	wait := w.begin(ctx)
	t.Cleanup(func() { stop(); wait() })
	return w
}

// during returns the hints that something leads to, without repetitions.
func (w *watched) during(do func()) (hints []Files) {
	w.t.Helper()
	do()
	put(w.t, w.last, time.Now().String())
	for {
		select {
		case f := <-w.hints:
			if f.Cert == w.last {
				return hints
			}
			if !slices.Contains(hints, f) {
				hints = append(hints, f)
			}
		case <-time.After(20 * time.Second):
			w.t.Fatal("not even the last hint came")
		}
	}
}

func must(t testing.TB, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

// put writes in place.
func put(t testing.TB, path, text string) {
	t.Helper()
	must(t, os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600))
}

// turn replaces a link, at once.
func turn(t testing.TB, link, target string) {
	t.Helper()
	must(t, os.Symlink(target, link+"_tmp"), os.Rename(link+"_tmp", link))
}

// TestWatch changes what leads to a file in all ways that clients have. Each is
// noticed, and so is the next change after it, as it is looked up anew where the
// file is.
func TestWatch(t *testing.T) {
	at := func(dir string) string { return dir + "/live/mx1/cert.pem" }
	plain := func(t *testing.T, dir string) { put(t, at(dir), "one") }
	certbot := func(t *testing.T, dir string) {
		put(t, dir+"/archive/mx1/cert1.pem", "one")
		put(t, dir+"/archive/mx1/cert2.pem", "two")
		must(t, os.MkdirAll(dir+"/live/mx1", 0o700), os.Symlink("../../archive/mx1/cert1.pem", at(dir)))
	}
	kubernetes := func(t *testing.T, dir string) {
		put(t, dir+"/live/mx1/..2026_01/cert.pem", "one")
		must(t, os.Symlink("..2026_01", dir+"/live/mx1/..data"), os.Symlink("..data/cert.pem", at(dir)))
	}
	nothing := func(*testing.T, string) {}
	tests := []struct {
		name    string
		prepare func(t *testing.T, dir string)
		change  func(t *testing.T, dir string)
	}{
		{"written in place", plain, func(t *testing.T, dir string) { put(t, at(dir), "two") }},
		{"replaced", plain, func(t *testing.T, dir string) {
			put(t, dir+"/live/mx1/tmp", "two")
			must(t, os.Rename(dir+"/live/mx1/tmp", at(dir)))
		}},
		{"replaced twice", plain, func(t *testing.T, dir string) {
			for _, text := range []string{"two", "three"} {
				put(t, dir+"/tmp", text)
				must(t, os.Rename(dir+"/tmp", at(dir)))
			}
		}},
		{"opened to others", plain, func(t *testing.T, dir string) { must(t, os.Chmod(at(dir), 0o640)) }},
		{"removed", plain, func(t *testing.T, dir string) { must(t, os.Remove(at(dir))) }},
		{"yet to come", func(t *testing.T, dir string) { must(t, os.MkdirAll(dir+"/live/mx1", 0o700)) },
			func(t *testing.T, dir string) { put(t, at(dir), "one") }},
		{"directories yet to come", nothing, func(t *testing.T, dir string) { put(t, at(dir), "one") }},
		{"directory made again", plain, func(t *testing.T, dir string) {
			must(t, os.RemoveAll(dir+"/live/mx1"))
			put(t, at(dir), "two")
		}},
		{"directory moved away and made again", plain, func(t *testing.T, dir string) {
			must(t, os.Rename(dir+"/live/mx1", dir+"/live/mx1.old"))
			put(t, at(dir), "two")
		}},
		{"directory above moved away and replaced", plain, func(t *testing.T, dir string) {
			put(t, dir+"/restored/mx1/cert.pem", "two")
			must(t, os.Rename(dir+"/live", dir+"/live.old"), os.Rename(dir+"/restored", dir+"/live"))
		}},
		{"certbot turns the link", certbot, func(t *testing.T, dir string) {
			must(t, os.Remove(at(dir)), os.Symlink("../../archive/mx1/cert2.pem", at(dir)))
		}},
		{"behind the link", certbot, func(t *testing.T, dir string) { put(t, dir+"/archive/mx1/cert1.pem", "two") }},
		{"behind the link, replaced", certbot, func(t *testing.T, dir string) {
			must(t, os.Rename(dir+"/archive/mx1/cert2.pem", dir+"/archive/mx1/cert1.pem"))
		}},
		{"the link's target is yet to come", func(t *testing.T, dir string) {
			must(t, os.MkdirAll(dir+"/live/mx1", 0o700), os.Symlink("../../archive/mx1/cert1.pem", at(dir)))
		}, func(t *testing.T, dir string) { put(t, dir+"/archive/mx1/cert1.pem", "one") }},
		{"kubernetes turns the directory", kubernetes, func(t *testing.T, dir string) {
			put(t, dir+"/live/mx1/..2026_02/cert.pem", "two")
			turn(t, dir+"/live/mx1/..data", "..2026_02")
			must(t, os.RemoveAll(dir+"/live/mx1/..2026_01"))
		}},
		{"a link to another directory", func(t *testing.T, dir string) {
			put(t, dir+"/one/mx1/cert.pem", "one")
			put(t, dir+"/two/mx1/cert.pem", "two")
			must(t, os.Symlink("one", dir+"/live"))
		}, func(t *testing.T, dir string) { turn(t, dir+"/live", dir+"/two") }},
		{"a link to itself", func(t *testing.T, dir string) {
			must(t, os.MkdirAll(dir+"/live/mx1", 0o700), os.Symlink("cert.pem", at(dir)))
		}, func(t *testing.T, dir string) { must(t, os.Remove(at(dir))) }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			test.prepare(t, dir)
			f := Files{Cert: at(dir), Key: dir + "/key.pem"}
			w := watching(t, nil, f)
			if got := w.during(func() { test.change(t, dir) }); !slices.Equal(got, []Files{f}) {
				t.Errorf("hints: %v", got)
			}
			if got := w.during(func() { put(t, at(dir), "three") }); !slices.Equal(got, []Files{f}) {
				t.Errorf("hints when it was written after that: %v", got)
			}
			if got := w.during(func() { put(t, f.Key, "key") }); !slices.Equal(got, []Files{f}) {
				t.Errorf("hints of the key: %v", got)
			}
			if got, want := kernelWatches(t), directories(t, f.Cert, f.Key, w.last); got != want {
				t.Errorf("%d watches for %d directories", got, want)
			}
			if w.log.Len() > 0 {
				t.Errorf("logged: %s", &w.log)
			}
		})
	}
}

// kernelWatches counts the inotify watches of this process.
func kernelWatches(t *testing.T) (n int) {
	t.Helper()
	infos, err := filepath.Glob("/proc/self/fdinfo/*")
	must(t, err)
	for _, info := range infos {
		text, _ := os.ReadFile(info) // the one of the glob is gone
		n += len(regexp.MustCompile(`(?m)^inotify `).FindAll(text, -1))
	}
	return n
}

// directories counts those in which something is looked up on the way to files.
func directories(t *testing.T, paths ...string) int {
	t.Helper()
	dirs := map[string]bool{}
	for _, path := range paths {
		way, err := walk(path)
		must(t, err)
		for _, s := range way {
			dirs[filepath.Dir(s.path)] = true
		}
	}
	return len(dirs)
}

// TestWatchNeighbours: what happens beside the files, or to where they were, is no
// hint, and neither is that somebody reads them.
func TestWatchNeighbours(t *testing.T) {
	h := issue(t)
	f := staged(t, h)
	dir := t.TempDir()
	old := write(t, dir+"/archive/cert1.pem", []byte("one"), 0o600)
	write(t, dir+"/archive/cert2.pem", []byte("two"), 0o600)
	link := Files{Cert: dir + "/cert.pem"}
	must(t, os.Symlink(old, link.Cert))
	w := watching(t, nil, f, link)
	for name, do := range map[string]func(){
		"read": func() {
			_, err := Load(f)
			_, other := os.ReadFile(link.Cert)
			must(t, err, other)
		},
		"beside":  func() { put(t, filepath.Dir(f.Cert)+"/notes", "") },
		"above":   func() { put(t, dir+"/archive.txt", "") },
		"nothing": func() {},
	} {
		if got := w.during(do); len(got) > 0 {
			t.Errorf("%s: hints %v", name, got)
		}
	}
	if got := w.during(func() { turn(t, link.Cert, "archive/cert2.pem") }); !slices.Equal(got, []Files{link}) {
		t.Errorf("hints %v", got)
	}
	if got := w.during(func() { put(t, old, "three") }); len(got) > 0 {
		t.Errorf("hints of where the link has led: %v", got)
	}
}

// TestWatchLostEvents: where events were lost, all files are told of, and what
// happens after that is noticed.
func TestWatchLostEvents(t *testing.T) {
	one, two := Files{Cert: t.TempDir() + "/a/cert.pem"}, Files{Cert: t.TempDir() + "/cert.pem"}
	w := watching(t, nil, one, two)
	if got := w.during(func() { w.notify.Errors <- fsnotify.ErrEventOverflow }); !slices.Equal(got, []Files{one, two}) {
		t.Errorf("hints %v", got)
	}
	if got := w.during(func() { put(t, one.Cert, "one") }); !slices.Equal(got, []Files{one}) {
		t.Errorf("hints %v", got)
	}
}

// TestWatchMeanwhile: a directory that appears after its parent was looked at and
// before that is watched makes no event, and is watched all the same.
func TestWatchMeanwhile(t *testing.T) {
	dir := t.TempDir()
	parent, f := dir+"/mx1", Files{Cert: dir + "/mx1/new/cert.pem"}
	must(t, os.Mkdir(parent, 0o700))
	var meanwhile atomic.Bool
	meanwhile.Store(true)
	w := watching(t, func(w *watcher) {
		w.add = func(n *fsnotify.Watcher, at string) error {
			if at == parent && meanwhile.Swap(false) {
				must(t, os.Mkdir(filepath.Dir(f.Cert), 0o700))
			}
			return n.Add(at)
		}
	}, f)
	for _, step := range []struct {
		name string
		do   func()
	}{
		{"at the beginning", func() {}},
		{"moved away and back", func() { must(t, os.Rename(parent, dir+"/away"), os.Rename(dir+"/away", parent)) }},
		{"events were lost", func() {
			must(t, w.notify.Remove(parent)) // one of them said that the kernel watches it no more
			w.notify.Errors <- fsnotify.ErrEventOverflow
		}},
	} {
		w.during(step.do)
		if meanwhile.Load() {
			t.Errorf("%s: nothing was watched anew", step.name)
		}
		if got := w.during(func() { put(t, f.Cert, "one") }); !slices.Equal(got, []Files{f}) {
			t.Errorf("%s: hints %v", step.name, got)
		}
		w.during(func() { must(t, os.RemoveAll(filepath.Dir(f.Cert))) })
		meanwhile.Store(true)
	}
}

// TestWatchBurst: events that come together are one hint, as soon as it is calm, and
// no later than after a second.
func TestWatchBurst(t *testing.T) {
	f := Files{Cert: write(t, t.TempDir()+"/cert.pem", nil, 0o600)}
	synctest.Test(t, func(t *testing.T) {
		events := make(chan fsnotify.Event)
		var hints atomic.Int32
		w := watcher{files: []Files{f}, changed: func(Files) { hints.Add(1) }, add: func(*fsnotify.Watcher, string) error { return nil },
			notify: &fsnotify.Watcher{Events: events}, ways: make([][]string, 1), along: map[string][]int{}, dirs: map[string]inode{}}
		w.follow(map[int]bool{0: true})
		ctx, stop := context.WithCancel(t.Context())
		go w.run(ctx)
		for range 3 {
			events <- fsnotify.Event{Name: "/" + f.Cert, Op: fsnotify.Write} // as in the root's directory
		}
		time.Sleep(calm - 1)
		events <- fsnotify.Event{Name: f.Cert + "~", Op: fsnotify.Write} // nobody waits for this to end
		synctest.Wait()
		if n := hints.Swap(0); n > 0 {
			t.Errorf("%d hints before it was calm", n)
		}
		time.Sleep(2 * time.Nanosecond)
		synctest.Wait()
		if n := hints.Swap(0); n != 1 {
			t.Errorf("%d hints of one burst", n)
		}
		for range int(10*overdue/calm) * 2 { // ten seconds without calm
			events <- fsnotify.Event{Name: f.Cert, Op: fsnotify.Write}
			time.Sleep(calm / 2)
		}
		synctest.Wait()
		if n := hints.Load(); n < 8 || n > 10 {
			t.Errorf("%d hints in ten seconds", n)
		}
		stop()
		synctest.Wait()
	})
}

// TestWatchEnds: nobody is told of anything after it has ended.
func TestWatchEnds(t *testing.T) {
	f := Files{Cert: t.TempDir() + "/cert.pem"}
	ctx, stop := context.WithCancel(t.Context())
	hints := make(chan Files, 10)
	wait := Watch(ctx, []Files{f}, func(f Files) { hints <- f }, slog.New(slog.DiscardHandler))
	put(t, f.Cert, "one")
	if got := <-hints; got != f {
		t.Errorf("hint %v", got)
	}
	stop()
	wait()
	if n := kernelWatches(t); n != 0 {
		t.Errorf("%d watches are left", n)
	}
}
