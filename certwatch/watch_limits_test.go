package certwatch

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/fsnotify/fsnotify"
	"golang.org/x/sys/unix"
)

// TestWatchLimits: what cannot be watched is said once; the rest is watched.
func TestWatchLimits(t *testing.T) {
	dir := t.TempDir()
	var files []Files
	for i := range 4 {
		files = append(files, Files{Cert: fmt.Sprintf("%s/%d/cert.pem", dir, i)})
		put(t, files[i].Cert, "one")
	}
	for _, test := range []struct {
		name string
		err  error
		want string
		n    int
	}{
		{"too many", unix.ENOSPC, "fs.inotify.max_user_watches", 1},
		{"not for us", unix.EACCES, "a directory cannot be watched", 3},
		{"just gone", unix.ENOENT, "watched", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := watching(t, func(w *watcher) {
				w.add = func(n *fsnotify.Watcher, at string) error {
					if filepath.Dir(at) == dir && at != dir+"/0" {
						return test.err
					}
					return n.Add(at)
				}
			}, files...)
			for range 2 {
				got := w.during(func() {
					for _, f := range files {
						put(t, f.Cert, "two")
						must(t, os.Chmod(filepath.Dir(f.Cert), 0o700)) // an event above
					}
				})
				if !slices.Equal(got, files) {
					t.Errorf("hints %v", got)
				}
				if got := w.during(func() { put(t, files[0].Cert, "three"); put(t, files[1].Cert, "three") }); !slices.Equal(got, files[:1]) {
					t.Errorf("hints %v", got)
				}
			}
			if n := strings.Count(w.log.String(), test.want); n != test.n {
				t.Errorf("said %d times, want %d: %s", n, test.n, &w.log)
			}
		})
	}
	t.Run("no watcher", func(t *testing.T) {
		var log bytes.Buffer
		w := watcher{files: files, log: slog.New(slog.NewTextHandler(&log, nil)), open: func() (*fsnotify.Watcher, error) { return nil, unix.EMFILE }}
		w.begin(t.Context())() // ends at once
		if n := strings.Count(log.String(), "fs.inotify.max_user_instances"); n != 1 {
			t.Errorf("said %d times: %s", n, &log)
		}
	})
	t.Run("no files", func(t *testing.T) {
		before := kernelWatches(t)
		Watch(t.Context(), nil, nil, nil)()
		if now := kernelWatches(t); now != before {
			t.Errorf("%d watches, were %d", now, before)
		}
	})
}
