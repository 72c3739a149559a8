package swap

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/tlsaroll/tlsaroll/rollover/subprocess"
)

// commands makes a host that finds the given shell scripts, and those of the
// system.
func commands(t testing.TB, scripts map[string]string) (h Host, dir string) {
	t.Helper()
	dir = t.TempDir()
	for name, body := range scripts {
		write(t, filepath.Join(dir, name), []byte("#!/bin/sh\n"+body+"\n"), 0o755)
	}
	return Host{Lineage: "mx1", Live: "/var/lib/tlsaroll/live/mx1", Timeout: 20 * time.Second, search: dir + ":" + subprocess.Path}, dir
}

// TestCleanEnvironment: nothing of ours reaches a command.
func TestCleanEnvironment(t *testing.T) {
	t.Setenv("LD_PRELOAD", "")
	t.Setenv("CREDENTIALS_DIRECTORY", "/run/credentials")
	h, dir := commands(t, map[string]string{"show": `
		env | grep -v -e ^PWD= -e ^SHLVL= -e ^_= -e ^OLDPWD= | sort > "${0%/*}/out" || exit 2
		pwd >> "${0%/*}/out"`})
	ok(t, h.run(t.Context(), []string{"show"}, "/var/lib/tlsaroll/stash/aaaa"))
	got, err := os.ReadFile(dir + "/out")
	ok(t, err)
	want := "LC_ALL=C\nPATH=" + dir + ":" + subprocess.Path + "\nTLSAROLL_ENTRY=/var/lib/tlsaroll/stash/aaaa\nTLSAROLL_LINEAGE=mx1\nTLSAROLL_LIVE=/var/lib/tlsaroll/live/mx1\n/\n"
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if (Host{}).searchPath() != subprocess.Path {
		t.Error("a host without a search path does not use the standard one")
	}
}

// TestArguments: what looks like shell is an argument like any other.
func TestArguments(t *testing.T) {
	h, dir := commands(t, map[string]string{"say": `printf '%s\n' "$0" "$@" > "${0%/*}/out"; read line && exit 9; exit 0`})
	ok(t, h.run(t.Context(), []string{"say", "a b", "$(id)", "; rm -rf /", "*", ""}, ""))
	got, err := os.ReadFile(dir + "/out")
	ok(t, err)
	if want := dir + "/say\na b\n$(id)\n; rm -rf /\n*\n\n"; string(got) != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestCommandErrors has the exact sentence for each way in which a command fails.
func TestCommandErrors(t *testing.T) {
	h, dir := commands(t, map[string]string{
		"fail":     `echo one; echo two >&2; echo three; printf '\033[31mfour\033[0m\n\n'; exit 3`,
		"silent":   `exit 1`,
		"crash":    `kill -SEGV $$`,
		"long":     `i=0; while [ $i -lt 5000 ]; do echo "line $i of very many"; i=$((i+1)); done; printf '%0400d\n' 7; exit 1`,
		"leak":     `/bin/cat "$1"; exit 1`,
		"encoding": `printf 'gr\374n\n'; exit 1`,
	})
	h.search = dir
	write(t, dir+"/data", []byte("x"), 0o644)
	write(t, dir+"/garbage", []byte("\x00\x01"), 0o755)
	key := write(t, dir+"/key.pem", newPair(t, "mx1.example.org").key, 0o600)
	tests := []struct {
		argv []string
		want string
	}{
		{[]string{"fail", "now"}, "fail now: exit status 3: two; three; [31mfour [0m"},
		{[]string{"silent"}, "silent: exit status 1"},
		{[]string{"crash"}, "crash: signal: segmentation fault"},
		{[]string{"long"}, "long: exit status 1: …" + strings.Repeat("0", 299) + "7"},
		{[]string{"leak", key}, "leak " + key + ": exit status 1: (its output holds a private key and is not shown)"},
		{[]string{"encoding"}, "encoding: exit status 1: gr?n"},
		{[]string{"postfixx", "reload"}, "postfixx reload: not found in " + dir + " (hint: install it, or write its whole path)"},
		{[]string{"data"}, "data: not found in " + dir + " (hint: install it, or write its whole path)"},
		{[]string{"./postfix"}, `./postfix: "./postfix" is a relative path (hint: write it whole)`},
		{[]string{"/nonexistent/postfix", "reload"}, "/nonexistent/postfix reload: no such file or directory"},
		{[]string{dir + "/data"}, dir + "/data: not a program"},
		{[]string{dir}, dir + ": not a program"},
		{[]string{dir + "/garbage"}, dir + "/garbage: exec format error"},
		{[]string{""}, ": an empty command"},
		{nil, ": an empty command"},
	}
	for _, tt := range tests {
		t.Run(strings.Join(tt.argv, "_"), func(t *testing.T) {
			err := h.run(t.Context(), tt.argv, "")
			if err == nil || err.Error() != tt.want {
				t.Errorf("got\n %v\nwant\n %s", err, tt.want)
			}
			if !errors.Is(err, ErrCommand) {
				t.Errorf("%#v is no ErrCommand", err)
			}
		})
	}
}

// TestCommandSaysKey: no part of the keys that a command may read is quoted, even where
// nothing beside it says that it is one.
func TestCommandSaysKey(t *testing.T) {
	h, dir := commands(t, map[string]string{
		"line": `/usr/bin/sed -n 2p "$TLSAROLL_ENTRY/privkey.pem"; exit 1`,
		"part": `/usr/bin/sed -n 2p "$TLSAROLL_ENTRY/privkey.pem" | /usr/bin/cut -c 30-55; exit 1`,
		"live": `/usr/bin/sed -n 3p "$TLSAROLL_LIVE/privkey.pem"; exit 1`,
		"slow": `/usr/bin/sed -n 2p "$TLSAROLL_ENTRY/privkey.pem"; exec /bin/sleep 60`,
		"text": `echo 'Private-Key: (4096 bit, 2 primes)'; i=0; while [ $i -lt 5000 ]; do echo '    00:bf:01:23'; i=$((i+1)); done; exit 1`,
	})
	h.search = dir
	entry := dir + "/an-entry"
	h.Live = dir + "/live-entry"
	for _, d := range []string{entry, h.Live} {
		ok(t, os.Mkdir(d, 0o700))
		write(t, d+"/privkey.pem", newPair(t, "mx1.example.org").key, 0o600)
	}
	for name, want := range map[string]string{
		"line": "line: exit status 1", "part": "part: exit status 1", "live": "live: exit status 1", "text": "text: exit status 1",
		"slow": "slow: not done after 1s, killed with all it started",
	} {
		if h.Timeout = 0; name == "slow" {
			h.Timeout = time.Second
		}
		err := h.run(t.Context(), []string{name}, entry)
		if want += ": (its output holds a private key and is not shown)"; err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got\n %v\nwant\n %s", err, want)
		}
	}
}

// TestHangingCommand ends at the timeout with all that it started, however deaf.
func TestHangingCommand(t *testing.T) {
	h, dir := commands(t, map[string]string{"hang": `
		trap '' TERM INT HUP
		echo waiting for the lock
		(trap '' TERM; echo $$ > "${0%/*}/parent"; sh -c 'echo $$ > "'"${0%/*}"'/child"; exec sleep 600') &
		wait; sleep 600`})
	h.Timeout = 500 * time.Millisecond
	start := time.Now()
	err := h.run(t.Context(), []string{"hang"}, "")
	want := "hang: not done after 500ms, killed with all it started: waiting for the lock (hint: raise timeout, or find out what it waits for)"
	if err == nil || err.Error() != want || !errors.Is(err, ErrTimeout) || errors.Is(err, ErrCommand) {
		t.Errorf("got\n %v\nwant\n %s", err, want)
	}
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("took %v", took)
	}
	for _, name := range []string{"parent", "child"} {
		assertGone(t, dir+"/"+name)
	}
}

func TestCommandIsStoppedWithTheContext(t *testing.T) {
	h, dir := commands(t, map[string]string{"hang": `echo $$ > "${0%/*}/pid"; sleep 600`})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for ctx.Err() == nil {
			if b, err := os.ReadFile(dir + "/pid"); err == nil && len(b) > 0 {
				cancel()
			}
			time.Sleep(time.Millisecond)
		}
	}()
	err := h.run(ctx, []string{"hang"}, "")
	if !errors.Is(err, context.Canceled) || err.Error() != "hang: stopped: context canceled" {
		t.Errorf("got %v", err)
	}
	assertGone(t, dir+"/pid")
}

// assertGone waits for the end of the process whose id is in a file.
func assertGone(t *testing.T, file string) {
	t.Helper()
	content, err := os.ReadFile(file)
	ok(t, err)
	pid, err := strconv.Atoi(strings.TrimSpace(string(content)))
	ok(t, err)
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		if errors.Is(err, fs.ErrNotExist) || strings.Contains(string(stat), ") Z ") {
			return
		}
	}
	t.Errorf("process %d still runs", pid)
	ok(t, unix.Kill(pid, unix.SIGKILL))
}

// TestServerKeepsThePipe: a command that ends well has done its work, even if
// the server it started holds its output open; the server lives on.
func TestServerKeepsThePipe(t *testing.T) {
	h, dir := commands(t, map[string]string{"start": `sleep 600 & echo $! > "${0%/*}/pid"; exit 0`})
	start := time.Now()
	ok(t, h.run(t.Context(), []string{"start"}, ""))
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("took %v", took)
	}
	content, err := os.ReadFile(dir + "/pid")
	ok(t, err)
	pid, err := strconv.Atoi(strings.TrimSpace(string(content)))
	ok(t, err)
	if err := unix.Kill(pid, unix.SIGKILL); err != nil {
		t.Errorf("the server did not live on: %v", err)
	}
}

// TestPreflightOfCommands says which commands could not be run.
func TestPreflightOfCommands(t *testing.T) {
	h, dir := commands(t, map[string]string{"postfix": ""})
	h.search = dir
	h.Live = dir + "/live-entry"
	h.Check = [][]string{{"postfix", "check"}, {"doveconf", "-n"}}
	h.Reload = [][]string{{dir + "/postfix", "reload"}, {"systemctl", "reload", "dovecot"}, {}}
	var got []string
	for _, p := range h.Preflight() {
		if p.Code != CodeCommand || p.Severity != Critical {
			t.Errorf("%+v", p)
		}
		got = append(got, p.Text)
	}
	hint := ": not found in " + dir + " (hint: install it, or write its whole path)"
	want := []string{"check: doveconf -n" + hint, "reload: systemctl reload dovecot" + hint, "reload: : an empty command"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestRelabel: where there is a restorecon it gets the new files before and after
// their rename; that it fails is a warning.
func TestRelabel(t *testing.T) {
	w := newWorld(t)
	dir := t.TempDir()
	write(t, dir+"/restorecon", []byte("#!/bin/sh\n"+`
		for path; do test -e "$path" || exit 7; echo "$path" >> "${0%/*}/labels"; done
		test -e "${0%/*}/broken" || exit 0
		echo no such context; exit 1`), 0o755)
	w.search = dir + ":" + subprocess.Path
	w.Run = nil
	w.Check, w.Reload = nil, nil
	result, err := w.Switch(t.Context(), w.entryA)
	ok(t, err)
	if len(result.Warnings) > 0 {
		t.Errorf("warnings %v", result.Warnings)
	}
	labels, err := os.ReadFile(dir + "/labels")
	ok(t, err)
	sibling, err := os.Readlink(w.etc + "/mx1")
	ok(t, err)
	for _, path := range []string{"combined.pem", "leaf.pem", "ca.pem", sibling + "/privkey.pem", sibling} {
		if !strings.Contains(string(labels), filepath.Join(w.etc, path)+"\n") {
			t.Errorf("%s was not labelled", path)
		}
	}
	if strings.Count(string(labels), "/.combined.pem") != 1 {
		t.Errorf("the pending file was not labelled:\n%s", labels)
	}

	write(t, dir+"/broken", nil, 0o600)
	result, err = w.Switch(t.Context(), w.entryB)
	ok(t, err)
	if len(result.Warnings) != 2 || result.Warnings[0].Code != CodeLabel || !strings.HasSuffix(result.Warnings[0].Text, ": exit status 1: no such context") {
		t.Errorf("warnings %v", result.Warnings)
	}
	if wrong := w.holds(w.b, w.entryB); wrong != "" {
		t.Error(wrong)
	}
}
