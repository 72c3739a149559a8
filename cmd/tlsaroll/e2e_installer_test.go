package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/lab"
	"github.com/tlsaroll/tlsaroll/rollover/installer"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// TestInstallerRollover: the daemon is a user without privileges, as with
// tlsaroll-unprivileged.service, and the part that is root a process of its own, which is
// passed its socket, with the capabilities of its unit. A certificate is renewed under load,
// and the part that is root is killed in the middle of the swap: the daemon does not know
// what became of that, asks when somebody answers again, and goes on.
func TestInstallerRollover(t *testing.T) {
	t.Parallel()
	h := newHost(t, lab.Options{TTL: exampleTTL, Resolvers: 2}, setting{})
	s := newSplit(t, h)
	h.must(exitDone, "adopt", "mx1", "--cert", h.Live.Fullchain(), "--key", h.Live.Privkey())
	h.eventually(20*time.Second, "adopted", live(h.Live))

	hammer := h.Hammer(t.Context(), lab.HammerOptions{Rate: 3})
	next := h.Certificates().Issue(t, lab.LeafOptions{})
	h.must(exitWaiting, "rollover", "mx1", "--cert", next.Fullchain(), "--key", next.Privkey())
	ctx, cancel := context.WithTimeout(t.Context(), patience*30*time.Second)
	defer cancel()
	if code, err := s.installer.Wait(ctx); code != -1 || err != nil { // killed by its first check
		t.Fatalf("it ends with %d, %v\n%s", code, err, s.installer)
	}
	if _, err := s.daemon.Line(ctx, time.Time{}, installer.ErrUnknown.Error()); err != nil {
		t.Fatal(err)
	}
	s.startInstaller()
	h.eventually(30*time.Second, "renewed", live(next))
	h.unharmed(hammer, 30)
	h.only(lab.Owner(25), next.TLSA(t, tlsa.EE))
	s.apart()

	s.installer.Signal(t, syscall.SIGTERM)
	if code, err := s.installer.Wait(ctx); code != exitDone || err != nil {
		t.Errorf("it ends with %d, %v\n%s", code, err, s.installer)
	}
}

// killer is a check that kills who runs it, the first time.
const killer = `#!/bin/sh
if mkdir "$(dirname "$0")/killed"; then
	kill -KILL $PPID
fi 2>/dev/null
`

// split is a daemon of a user and an installer that is root.
type split struct {
	*host
	user              *user.User
	program, socket   string
	daemon, installer *lab.Daemon
}

// newSplit makes of a host one whose daemon has no privileges, and starts both parts.
func newSplit(t *testing.T, h *host) *split {
	t.Helper()
	s := &split{host: h, program: filepath.Join(h.Dir, "bin", "tlsaroll"), socket: filepath.Join(h.Dir, "installer.sock")}
	var err error
	if s.user, err = user.Lookup("nobody"); err != nil {
		t.Fatal(err)
	}
	key := h.Key(lab.Domain)
	h.configure(setting{
		key:   "key: " + key.Name + ", secret-credential: tsig",
		check: "[" + argv([]string{h.path("log/killer")}) + ", " + argv([]string{"postfix", "-c", h.Postfix.Config, "check"}) + "]",
		top:   fmt.Sprintf("installer: %s\ninstaller-user: nobody\ncontrol-group: nogroup\n", s.socket),
	})
	h.write(h.config, replaced(t, h.read(h.config), aReplacement{h.Dir + "/control.sock", h.control()}))
	if err := lab.WriteExecutable(h.path("log/killer"), []byte(killer), 0o700); err != nil {
		t.Fatal(err)
	}
	credentials := h.credentials(readUnit(t, "tlsaroll-unprivileged.service"))
	exe, err := os.Executable() // it lies where the user has no way to
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Chmod(h.config, 0o644), os.Mkdir(filepath.Dir(s.program), 0o755), lab.WriteExecutable(s.program, []byte(h.read(exe)), 0o755)); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{h.path("tlsaroll"), filepath.Dir(h.control()), credentials, filepath.Join(credentials, "tsig")} {
		if err := os.MkdirAll(dir, 0o700); err != nil && !errors.Is(err, syscall.ENOTDIR) {
			t.Fatal(err)
		}
		s.give(dir)
	}
	s.startInstaller()
	begun := time.Now()
	s.daemon = lab.StartDaemon(t, lab.DaemonOptions{Dir: "/", Secrets: h.Secrets(), Env: []string{"CREDENTIALS_DIRECTORY=" + credentials}},
		"setpriv", "--reuid", s.user.Uid, "--regid", s.user.Gid, "--clear-groups", "--no-new-privs", "--inh-caps", "-all", "--bounding-set", "-all", s.program, "-c", h.config, "run")
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if _, err := s.daemon.Line(ctx, begun, "tlsaroll runs"); err != nil {
		t.Fatal(err)
	}
	return s
}

// give gives the daemon's user a file or directory.
func (s *split) give(path string) {
	s.t.Helper()
	uid, err := strconv.Atoi(s.user.Uid)
	gid, err2 := strconv.Atoi(s.user.Gid)
	if err := errors.Join(err, err2, os.Chown(path, uid, gid)); err != nil {
		s.t.Fatal(err)
	}
}

// startInstaller has the socket listened on, as systemd does it, until somebody connects.
func (s *split) startInstaller() {
	s.t.Helper()
	begun := time.Now()
	if err := os.Remove(s.socket); err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.t.Fatal(err)
	}
	writable := []string{
		s.path("tlsaroll-installer"), filepath.Dir(s.Postfix.Combined), s.path("postfix/queue"), // as the unit says
		s.path("postfix/data"), s.path("log"), // of the reload, which systemd carries out outside
	}
	if err := os.MkdirAll(writable[0], 0o700); err != nil {
		s.t.Fatal(err)
	}
	sandbox := s.confined(readUnit(s.t, "tlsaroll-installer.service"), writable, []string{s.program, "-c", s.config, "installer"})
	s.installer = lab.StartDaemon(s.t, lab.DaemonOptions{Dir: "/", Secrets: s.Secrets()}, append([]string{"systemd-socket-activate", "-l", s.socket}, sandbox...)...)
	ctx, cancel := context.WithTimeout(s.t.Context(), 20*time.Second)
	defer cancel()
	if _, err := s.installer.Line(ctx, begun, "Listening on "); err != nil {
		s.t.Fatal(err)
	}
	s.give(s.socket)
}

// apart wants that the daemon had no right, and that each part has its own files and none of
// the other's.
func (s *split) apart() {
	s.t.Helper()
	const five = "CapBnd:\t00000000000000cb\n" // those of its unit, see capability.h
	for d, lines := range map[*lab.Daemon][]string{
		s.daemon:    {"Uid:\t" + s.user.Uid + "\t", "CapPrm:\t0000000000000000\n", "CapBnd:\t0000000000000000\n"},
		s.installer: {"Name:\ttlsaroll\n", "Uid:\t0\t", five},
	} {
		status := s.read(filepath.Join("/proc", strconv.Itoa(d.PID()), "status"))
		for _, line := range lines {
			if !strings.Contains(status, line) {
				s.t.Errorf("its status lacks %q:\n%s", line, status)
			}
		}
	}
	for dir, uid := range map[string]string{s.path("tlsaroll"): s.user.Uid, s.path("tlsaroll-installer"): "0", s.Postfix.Combined: "0"} {
		files := 0
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := d.Info()
			if err != nil {
				return err
			}
			files++
			if owner := info.Sys().(*syscall.Stat_t).Uid; fmt.Sprint(owner) != uid || info.Mode().Type() != fs.ModeSymlink && info.Mode().Perm()&0o077 != 0 {
				s.t.Errorf("%s is %s of uid %d, want %s", path, info.Mode(), owner, uid)
			}
			return nil
		})
		if err != nil || files == 0 {
			s.t.Errorf("%s: %d files, %v", dir, files, err)
		}
	}
	if _, err := os.Lstat(s.path("tlsaroll/live")); !errors.Is(err, fs.ErrNotExist) {
		s.t.Errorf("the daemon has a live link of its own: %v", err)
	}
	if got := s.read(s.path("tlsaroll-installer/live/mx1/combined.pem")); got != s.read(s.Postfix.Combined) {
		s.t.Error("what is installed is not what is live")
	}
}
