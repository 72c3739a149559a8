package certwatch

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
	"golang.org/x/sys/unix"
)

const (
	// calm is for how long nothing must have happened before it is told: writing
	// a file makes many events.
	calm = 30 * time.Millisecond
	// overdue is for how long it is held back at most.
	overdue = time.Second
	// rounds bounds how often links are followed that turn meanwhile.
	rounds = 5
)

// Watch tells changed, until ctx ends, which of the files may have been changed.
// That is a hint to read them, never more: network file systems send no events of
// what other hosts do, so that the caller must look now and then in any case.
//
// Every directory in which something is looked up on the way to a file is watched,
// so that links that turn, directories that go and come back, and files that are
// yet to come are noticed; that files are read is not. Where something cannot be
// watched, this is logged, and the caller's looks must do.
//
// When Watch returns, what can be watched is. From then on changed is called by one
// goroutine, once for all that happens in a moment; wait waits for its end.
func Watch(ctx context.Context, files []Files, changed func(Files), log *slog.Logger) (wait func()) {
	w := watcher{files: files, changed: changed, log: log, open: fsnotify.NewWatcher, add: (*fsnotify.Watcher).Add}
	return w.begin(ctx)
}

// watcher follows the files of a call of [Watch].
type watcher struct {
	files   []Files
	changed func(Files)
	log     *slog.Logger
	open    func() (*fsnotify.Watcher, error)
	add     func(w *fsnotify.Watcher, dir string) error

	notify *fsnotify.Watcher
	ways   [][]string       // by file: the entries that are looked up on the way to it
	along  map[string][]int // by entry: the files on whose way it lies
	dirs   map[string]inode // that are watched
	said   map[string]bool  // of which directories it was said that they are not
}

// inode tells whether a path still leads to the same directory.
type inode struct{ device, number uint64 }

func (w *watcher) begin(ctx context.Context) (wait func()) {
	if len(w.files) == 0 {
		return func() {}
	}
	var err error
	if w.notify, err = w.open(); err != nil {
		w.log.Warn("files cannot be watched: only the poll notices changes (hint: raise fs.inotify.max_user_instances, or the limit of open files)", "err", err)
		return func() {}
	}
	w.ways, w.along, w.dirs, w.said = make([][]string, len(w.files)), map[string][]int{}, map[string]inode{}, map[string]bool{}
	touched := map[int]bool{}
	w.touchAll(touched)
	w.follow(touched)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer w.notify.Close()
		w.run(ctx)
	}()
	return func() { <-ended }
}

// run tells what happens. Events that come together are told at once.
func (w *watcher) run(ctx context.Context) {
	touched := map[int]bool{}
	var isCalm, isOverdue <-chan time.Time // nil: nothing is to be told
	hold := func() {
		isCalm = time.After(calm)
		if isOverdue == nil {
			isOverdue = time.After(overdue)
		}
	}
	tell := func() {
		w.tell(touched)
		isCalm, isOverdue = nil, nil
	}
	for {
		select {
		case <-ctx.Done():
			return
		case e := <-w.notify.Events:
			if w.touch(e, touched) {
				hold()
			}
		case err := <-w.notify.Errors:
			w.log.Debug("events of files were lost: all are looked at", "err", err)
			w.touchAll(touched)
			hold()
		case <-isCalm:
			tell()
		case <-isOverdue:
			tell()
		}
	}
}

// touch enters the files on whose way something happened, and reports whether
// there are any.
func (w *watcher) touch(e fsnotify.Event, touched map[int]bool) bool {
	entry := filepath.Clean(e.Name) // of the root's entries it has two slashes
	if e.Has(fsnotify.Remove) || e.Has(fsnotify.Rename) {
		delete(w.dirs, entry) // its watch went with it
	}
	for _, i := range w.along[entry] {
		touched[i] = true
	}
	return len(w.along[entry]) > 0
}

// touchAll enters all files, and watches anew.
func (w *watcher) touchAll(touched map[int]bool) {
	for dir := range w.dirs {
		w.unwatch(dir)
	}
	for i := range w.files {
		touched[i] = true
	}
}

// tell follows the files that were touched, and then tells of them: what changes
// from now on is another event.
func (w *watcher) tell(touched map[int]bool) {
	w.follow(touched)
	for i := range w.files {
		if touched[i] {
			w.changed(w.files[i])
		}
	}
	clear(touched)
}

// follow works out anew which directories are on the way to some of the files,
// and watches these. What was not watched before may have changed before it was:
// the way is followed once more then.
func (w *watcher) follow(touched map[int]bool) {
	for range rounds {
		found := false
		for i := range touched {
			w.ways[i] = nil
			for _, path := range w.files[i].paths() {
				found = w.followOne(i, path) || found
			}
		}
		if !found {
			break
		}
	}
	clear(w.along)
	wanted := map[string]bool{}
	for i, way := range w.ways {
		for _, entry := range way {
			w.along[entry] = append(w.along[entry], i)
			wanted[filepath.Dir(entry)] = true
		}
	}
	for dir := range w.dirs {
		if !wanted[dir] {
			w.unwatch(dir)
		}
	}
}

// followOne enters what is looked up on the way to one path, as far as it goes, and
// reports whether a directory on it was not watched before.
func (w *watcher) followOne(i int, path string) (found bool) {
	way, err := walk(path)
	at := map[string]inode{}
	enter := func(entry string) {
		dir, known := at[filepath.Dir(entry)]
		if !known {
			return // the way ends because of something else
		}
		w.ways[i] = append(w.ways[i], entry)
		found = w.watch(filepath.Dir(entry), dir) || found
	}
	for _, s := range way {
		at[s.path] = inode{s.device, s.inode}
		enter(s.path)
	}
	if err != nil {
		enter(pathOf(err)) // it may come
	}
	return found
}

// watch watches a directory, and reports whether it was not watched before.
func (w *watcher) watch(dir string, at inode) bool {
	known, watched := w.dirs[dir]
	if watched && known != at {
		w.unwatch(dir) // another one, which had this name
		watched = false
	}
	// Asked for a directory that is watched, the kernel changes nothing.
	if err := w.add(w.notify, dir); err != nil {
		delete(w.dirs, dir)
		w.sayUnwatched(dir, err)
		return false
	}
	w.dirs[dir] = at
	return !watched
}

func (w *watcher) unwatch(dir string) {
	_ = w.notify.Remove(dir) // it fails where the directory is gone, and its watch with it
	delete(w.dirs, dir)
}

// sayUnwatched says once what only the poll notices.
func (w *watcher) sayUnwatched(dir string, err error) {
	full := errors.Is(err, unix.ENOSPC)
	if full {
		dir = "" // one word for all
	}
	switch {
	case w.said[dir], errors.Is(err, fs.ErrNotExist), errors.Is(err, unix.ENOTDIR):
		return // what went a moment ago is an event of the directory above
	case full:
		w.log.Warn("not all files can be watched: only the poll notices changes of the others (hint: raise fs.inotify.max_user_watches)", "err", err)
	default:
		w.log.Info("a directory cannot be watched: only the poll notices changes in it", "dir", dir, "err", err)
	}
	w.said[dir] = true
}
