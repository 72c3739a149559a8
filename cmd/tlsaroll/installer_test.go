package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/installer"
)

// installerText is a configuration for an installer; its secret is not there, and not wanted.
func installerText(dir, top string) string {
	return top + "state: " + filepath.Join(dir, "tlsaroll") + `
resolver: 127.0.0.1:53
providers:
  ns1: {type: rfc2136, zone: example.org, key: tlsaroll, secret-credential: tsig}
lineages:
  mx1:
    endpoints: [smtp://mx1.example.org, submissions://mx1.example.org, imaps://imap.example.org]
    install: [{path: /etc/postfix/tls/mx1.pem}]
`
}

// TestInstallerRules: what root's configuration says is read anew when it was changed, and is
// not believed where others may write it.
func TestInstallerRules(t *testing.T) {
	dir := t.TempDir()
	p := newProgram(quiet())
	p.configFile = filepath.Join(dir, "tlsaroll.yaml")
	wrote := time.Date(2026, 11, 5, 12, 0, 0, 0, time.UTC)
	write := func(text string, mode os.FileMode) {
		t.Helper()
		wrote = wrote.Add(time.Second)
		if err := errors.Join(os.WriteFile(p.configFile, []byte(text), 0o600), os.Chmod(p.configFile, mode), os.Chtimes(p.configFile, wrote, wrote)); err != nil {
			t.Fatal(err)
		}
	}
	r := installerRules{program: p}
	const top = "installer: /run/tlsaroll-installer.sock\ninstaller-user: \"4711\"\n"
	for range 2 {
		write(installerText(dir, top), 0o644)
		rules, err := r.now()
		if err != nil {
			t.Fatal(err)
		}
		site := rules.Sites["mx1"]
		if got := strings.Join(site.Names, " "); rules.User != 4711 || len(rules.Sites) != 1 || got != "mx1.example.org imap.example.org" || site.State != filepath.Join(dir, "tlsaroll-installer") || site.Host.Live != installer.LiveIn(filepath.Join(dir, "tlsaroll"), "mx1") {
			t.Errorf("%+v", rules)
		}
	}
	for _, test := range []struct {
		text string
		mode os.FileMode
		want string
	}{
		{installerText(dir, ""), 0o644, "installer: not set, so that the daemon installs itself (hint: write installer: /run/tlsaroll-installer.sock, or disable the unit)"},
		{installerText(dir, top+"x: y\n"), 0o644, "x: unknown key"},
		{installerText(dir, strings.Replace(top, "4711", "nobody-of-that-name", 1)), 0o644, "installer-user: unknown user \"nobody-of-that-name\" (hint: make it with systemd-sysusers, see examples/systemd)"},
		{installerText(dir, top), 0o646, "others than root may write it, and so choose what is run as root"},
		{installerText(filepath.Join(dir, "nowhere"), top), 0o644, "installer: state: "},
	} {
		write(test.text, test.mode)
		if rules, err := r.now(); err == nil || !strings.Contains(err.Error(), test.want) || len(rules.Sites) > 0 {
			t.Errorf("%v\nwant %s", err, test.want)
		}
	}
	open := filepath.Join(dir, "tlsaroll-installer")
	if err := errors.Join(os.Mkdir(open, 0o700), os.Chmod(open, 0o777)); err != nil {
		t.Fatal(err)
	}
	write(installerText(dir, top), 0o644)
	if _, err := r.now(); err == nil || !strings.HasPrefix(err.Error(), "installer: state: "+open+": others than root may write it") {
		t.Error(err)
	}
	if err := os.Chmod(open, 0o755); err != nil {
		t.Fatal(err)
	}
	write(installerText(dir, strings.Replace(top, "4711", "4712", 1)), 0o644)
	if rules, err := r.now(); rules.User != 4712 || err != nil {
		t.Errorf("%+v, %v", rules.User, err)
	}
}

// TestInstallerAlone: without systemd's socket there is nothing to do.
func TestInstallerAlone(t *testing.T) {
	dir := t.TempDir()
	config := filepath.Join(dir, "tlsaroll.yaml")
	for _, test := range []struct {
		top  string
		exit int
		want string
	}{
		{"installer: /run/tlsaroll-installer.sock\ninstaller-user: root\n", exitError, "tlsaroll: installer: systemd passed 0 sockets, and one is wanted (hint: systemctl start tlsaroll-installer.socket)\n"},
		{"", exitUsage, "installer: not set, so that the daemon installs itself"},
	} {
		if err := os.WriteFile(config, []byte(installerText(dir, test.top)), 0o600); err != nil {
			t.Fatal(err)
		}
		said := &output{}
		w := quiet()
		w.stderr = said
		if code := run(t.Context(), []string{"-c", config, "installer"}, w); code != test.exit || !strings.Contains(said.String(), test.want) {
			t.Errorf("exit %d, want %d: %swant %s", code, test.exit, said, test.want)
		}
	}
}

// TestInstallerStays: an installer that systemd starts with a configuration that is no good says
// so to who asks, and is not started over and over until its socket is given up; once that is
// mended it goes on.
func TestInstallerStays(t *testing.T) {
	dir := t.TempDir()
	configFile, path := filepath.Join(dir, "tlsaroll.yaml"), filepath.Join(dir, "s")
	if err := os.WriteFile(configFile, []byte("half a li"), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	passed, err := l.File()
	if err != nil {
		t.Fatal(err)
	}
	defer passed.Close()
	c := exec.Command("sh", "-c", `LISTEN_PID=$$ LISTEN_FDS=1 exec tlsaroll -c "$0" installer`, configFile)
	said := &output{}
	c.ExtraFiles, c.Stderr = []*os.File{passed}, said
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := errors.Join(c.Process.Signal(syscall.SIGTERM), c.Wait()); err != nil {
			t.Errorf("it ends with %v\n%s", err, said)
		}
	}()
	asks := installer.Client{Socket: path, Lineage: "mx1"}
	if _, err := asks.Installed(); err == nil || !strings.HasPrefix(err.Error(), "the installer refuses: "+configFile+":1:1: ") {
		t.Error(err)
	}
	text := installerText(dir, fmt.Sprintf("installer: %s\ninstaller-user: %q\n", path, strconv.Itoa(os.Geteuid())))
	if err := os.WriteFile(configFile, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if live, err := asks.Installed(); live != "" || err != nil {
		t.Error(live, err)
	}
}

// TestInstallerUser: nobody but the daemon's user changes what is the daemon's.
func TestInstallerUser(t *testing.T) {
	dir := t.TempDir()
	config := filepath.Join(dir, "tlsaroll.yaml")
	text := strings.Replace(installerText(dir, "control: "+filepath.Join(dir, "control.sock")+"\ninstaller: /run/tlsaroll-installer.sock\ninstaller-user: \"4711\"\n"), "secret-credential: tsig", "secret-env: TSIG", 1)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TSIG", "c2VjcmV0")
	for _, command := range []string{"once", "run"} {
		said := &output{}
		w := quiet()
		w.stderr, w.hangups = said, hangups
		code := run(t.Context(), []string{"-c", config, command}, w)
		if want := fmt.Sprintf("installer-user: %s/tlsaroll belongs to 4711, and this is uid %d (hint: ", dir, os.Geteuid()); code != exitUsage || !strings.Contains(said.String(), want) {
			t.Errorf("%s: exit %d, %s\nwant %s", command, code, said, want)
		}
	}
	if left, err := filepath.Glob(filepath.Join(dir, "*")); len(left) != 1 || err != nil {
		t.Errorf("left are %q: %v", left, err)
	}
}
