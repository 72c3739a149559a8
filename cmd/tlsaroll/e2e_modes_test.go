package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/lab"
	"github.com/tlsaroll/tlsaroll/rollover"
)

// TestModes: whatever the umask, in a whole rollover and after a swap that failed each
// file, directory and socket has the mode and owner that it is to have, and what is
// temporary was at no moment open to more people than what it becomes.
func TestModes(t *testing.T) {
	t.Parallel()
	for _, umask := range []string{"000", "077"} {
		t.Run("umask "+umask, func(t *testing.T) {
			t.Parallel()
			h := newHost(t, lab.Options{TTL: 2 * time.Second, Resolvers: 1}, short(setting{}))
			m := newModes(t, h)
			s := short(setting{
				staged: staged(h.Lego()),
				top:    "control-group: mail\nnotify: [[cat]]\nnotify-at: info\n",
				check:  "[[" + m.walker + "]]", reload: "[[" + m.walker + "], " + argv(h.Postfix.Reload) + "]",
			})
			s.install = strings.TrimSuffix(h.installs(), "]") + fmt.Sprintf(`, {path: %s/key.pem, content: [key], owner: "daemon:mail", mode: "0640"}, {path: %[1]s/chain.pem, content: [chain], mode: "0644"}, {dir: %[1]s/pair, owner: "root:mail", mode: "0640"}]`, m.installed)
			h.configure(s)
			if err := os.Mkdir(h.path("tlsaroll"), 0o700); err != nil {
				t.Fatal(err)
			}
			// A journal that is none is moved aside.
			if err := os.WriteFile(h.path("tlsaroll/journal.db"), []byte(strings.Repeat("no journal ", 1000)), 0o600); err != nil {
				t.Fatal(err)
			}
			begun := time.Now()
			d := lab.StartDaemon(t, lab.DaemonOptions{Dir: h.Dir, Secrets: h.Secrets()}, "/bin/sh", "-c", `umask `+umask+`; exec "$0" "$@"`, lab.Program(t, "tlsaroll"), "-c", h.config, "run")
			if _, err := d.Line(t.Context(), begun, "tlsaroll runs"); err != nil {
				t.Fatal(err)
			}
			for range 2 { // the second has what the first left as the previous one
				next := h.Certificates().Issue(t, lab.LeafOptions{})
				h.Lego().Renew(t, next)
				h.eventually(time.Minute, "steady", live(next))
			}
			failing := s
			failing.reload = "[[" + m.walker + "], ['false']]"
			h.configure(failing)
			d.Signal(t, syscall.SIGHUP)
			h.Lego().Renew(t, h.Certificates().Issue(t, lab.LeafOptions{}))
			h.eventually(time.Minute, "held", func(s rollover.LineageStatus) bool { return s.Held != nil })
			h.must(exitDone, "freeze", "mx1")
			m.settled(t)
			m.meanwhile(t)
		})
	}
}

// modes looks at all that is written outside the lab's own files.
type modes struct {
	h         *host
	installed string // a directory of files with owners and modes of their own
	walker    string // a command that writes down what is there while it runs
	walked    string // where
	mail      uint32

	stop chan struct{}
	done sync.WaitGroup

	mu   sync.Mutex
	open []string // what was open to too many at some moment
	seen map[string]bool
}

func newModes(t *testing.T, h *host) *modes {
	t.Helper()
	m := &modes{h: h, installed: h.path("installed"), walker: h.path("walk"), walked: h.path("walked"), stop: make(chan struct{}), seen: map[string]bool{}}
	group, err := user.LookupGroup("mail")
	if err != nil {
		t.Fatal(err)
	}
	gid, err := strconv.ParseUint(group.Gid, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	m.mail = uint32(gid)
	script := fmt.Sprintf("#!/bin/sh\numask 077\nexec find %s %s %s -printf '%%m %%G %%y %%p\\n' >>%s\n", h.path("tlsaroll"), m.installed, filepath.Dir(h.Postfix.Combined), m.walked)
	if err := errors.Join(os.Mkdir(m.installed, 0o755), lab.WriteExecutable(m.walker, []byte(script), 0o700)); err != nil {
		t.Fatal(err)
	}
	m.done.Go(func() {
		for {
			select {
			case <-m.stop:
				return
			case <-time.After(time.Millisecond):
				m.look()
			}
		}
	})
	t.Cleanup(func() { m.end() })
	return m
}

func (m *modes) end() {
	select {
	case <-m.stop:
	default:
		close(m.stop)
	}
	m.done.Wait()
}

// most is the widest mode that a path may have at any moment, and the group that may
// have the middle digit of it; ok is false for what is not ours.
func (m *modes) most(path string, kind fs.FileMode) (mode fs.FileMode, gid uint32, ok bool) {
	name := filepath.Base(path)
	name = strings.TrimPrefix(name, ".")
	switch dir := filepath.Dir(path); {
	case kind == fs.ModeSymlink:
		return 0, 0, false
	case path == m.h.path("tlsaroll"), strings.HasPrefix(path, m.h.path("tlsaroll")+"/"):
		if kind.IsDir() {
			return 0o700, 0, true
		}
		return 0o600, 0, true
	case kind == fs.ModeSocket && dir == m.h.Dir:
		return 0o660, m.mail, true
	case dir == m.installed && kind.IsDir():
		return 0o750, m.mail, true
	case strings.HasPrefix(dir, m.installed+"/"), dir == m.installed && strings.HasPrefix(name, "key.pem"):
		return 0o640, m.mail, true
	case dir == m.installed:
		return 0o644, 0, true
	case dir == filepath.Dir(m.h.Postfix.Combined) && strings.HasPrefix(name, filepath.Base(m.h.Postfix.Combined)):
		return 0o600, 0, true
	}
	return 0, 0, false
}

// look goes through everything once.
func (m *modes) look() {
	roots := []string{m.h.path("tlsaroll"), m.installed, filepath.Dir(m.h.Postfix.Combined)}
	sockets, _ := os.ReadDir(m.h.Dir)
	for _, s := range sockets {
		if s.Type() == fs.ModeSocket {
			roots = append(roots, m.h.path(s.Name()))
		}
	}
	for _, root := range roots {
		// What vanishes meanwhile is no longer open to anybody.
		_ = filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
			if err != nil {
				return nil
			}
			if info, err := os.Lstat(path); err == nil {
				m.judge("", path, info.Mode(), info.Sys().(*syscall.Stat_t).Gid)
			}
			return nil
		})
	}
}

func (m *modes) judge(when, path string, mode fs.FileMode, gid uint32) {
	most, group, ok := m.most(path, mode.Type())
	if !ok {
		return
	}
	perm := mode.Perm()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.seen[path] = true
	if perm&^most != 0 || perm&0o070 != 0 && gid != group {
		complaint := fmt.Sprintf("%s%s had mode %04o and group %d, want %04o at most", when, path, perm, gid, most)
		if !slices.Contains(m.open, complaint) {
			m.open = append(m.open, complaint)
		}
	}
}

// meanwhile ends the looks and says what was open at some moment.
func (m *modes) meanwhile(t *testing.T) {
	m.end()
	text, err := os.ReadFile(m.walked)
	if err != nil {
		t.Fatal(err)
	}
	lines := 0
	for line := range strings.Lines(string(text)) {
		var perm fs.FileMode
		var gid uint32
		var kind, path string
		if _, err := fmt.Sscanf(line, "%o %d %s %s", &perm, &gid, &kind, &path); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if kind != "f" && kind != "d" {
			continue
		}
		if kind == "d" {
			perm |= fs.ModeDir
		}
		lines++
		m.judge("while a command ran ", path, perm, gid)
	}
	temporary := 0
	for path := range m.seen {
		if strings.HasPrefix(filepath.Base(path), ".") {
			temporary++
		}
	}
	t.Logf("%d paths, %d of them temporary; %d lines of commands", len(m.seen), temporary, lines)
	if temporary == 0 || lines < 30 {
		t.Errorf("%d temporary paths were seen, and %d lines of commands: this is not the whole rollover", temporary, lines)
	}
	for _, complaint := range m.open {
		t.Error(complaint)
	}
}

// settled wants exact modes and owners in the end.
func (m *modes) settled(t *testing.T) {
	t.Helper()
	type want struct {
		mode fs.FileMode
		uid  string
		gid  string
	}
	root := want{0o600, "root", "root"}
	wants := map[string]want{}
	add := func(pattern string, w want) {
		paths, err := filepath.Glob(pattern)
		if err != nil || len(paths) == 0 {
			t.Errorf("nothing is at %s: %v", pattern, err)
		}
		for _, path := range paths {
			if info, err := os.Lstat(path); err == nil && info.Mode().Type() != fs.ModeSymlink {
				wants[path] = w
			}
		}
	}
	state := m.h.path("tlsaroll")
	for _, dir := range []string{state, state + "/stash", state + "/live", state + "/stash/*"} {
		add(dir, want{0o700, "root", "root"})
	}
	for _, file := range []string{state + "/journal.db", state + "/journal.db.corrupt-1", state + "/stash/*/*", m.h.Postfix.Combined, m.h.Postfix.Combined + ".previous", m.installed + "/key.pem.previous", m.installed + "/chain.pem.previous"} {
		add(file, root)
	}
	add(m.installed+"/key.pem", want{0o640, "daemon", "mail"})
	add(m.installed+"/key.pem.previous", want{0o600, "daemon", "mail"})
	add(m.installed+"/chain.pem", want{0o644, "root", "root"})
	add(m.installed+"/pair.pair-*", want{0o750, "root", "mail"})
	add(m.installed+"/pair.pair-*/*", want{0o640, "root", "mail"})
	add(m.h.path("control.sock"), want{0o660, "root", "mail"})
	for _, dir := range []string{state, m.installed} {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if _, known := wants[path]; !known && err == nil && d.Type() != fs.ModeSymlink && path != m.installed {
				if strings.HasPrefix(path, state) && !d.IsDir() {
					wants[path] = root
				} else {
					t.Errorf("%s is written, and nobody expects it", path)
				}
			}
			if errors.Is(err, fs.ErrNotExist) && path != dir {
				return nil
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
	for path, w := range wants {
		info, err := os.Lstat(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue // a temporary file, which has got its name since
		}
		if err != nil {
			t.Error(err)
			continue
		}
		st := info.Sys().(*syscall.Stat_t)
		owner, err := user.LookupId(strconv.Itoa(int(st.Uid)))
		if err != nil {
			t.Fatal(err)
		}
		group, err := user.LookupGroupId(strconv.Itoa(int(st.Gid)))
		if err != nil {
			t.Fatal(err)
		}
		if got := (want{info.Mode().Perm(), owner.Username, group.Name}); got != w {
			t.Errorf("%s: %04o %s:%s, want %04o %s:%s", path, got.mode, got.uid, got.gid, w.mode, w.uid, w.gid)
		}
	}
}
