package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.etcd.io/bbolt"
	"golang.org/x/sys/unix"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/lab"
)

// TestNoCore: a daemon that crashes, whatever by and however much of a traceback it
// was told to give, leaves no core, and says none of the secrets that it has read.
func TestNoCore(t *testing.T) {
	t.Parallel()
	allowCores(t)
	for _, sig := range []syscall.Signal{syscall.SIGABRT, syscall.SIGQUIT, syscall.SIGSEGV} {
		t.Run(unix.SignalName(sig), func(t *testing.T) {
			d, other := waitingDaemon(t, "GOTRACEBACK=crash")
			dir := filepath.Dir(filepath.Dir(other.Path()))
			limits, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", d.PID()))
			if err != nil {
				t.Fatal(err)
			}
			if fields := coreLimit(string(limits)); len(fields) < 2 || fields[0] != "0" || fields[1] == "0" {
				t.Errorf("limits of the core: %q, want the soft one 0 and the hard one as it was", fields)
			}
			// The limit alone would not hold where cores go to a pipe.
			any := unix.Rlimit{Cur: unix.RLIM_INFINITY, Max: unix.RLIM_INFINITY}
			if err := unix.Prlimit(d.PID(), unix.RLIMIT_CORE, &any, nil); err != nil && os.Geteuid() == 0 {
				t.Fatal(err)
			}
			d.Signal(t, sig)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			if code, err := d.Wait(ctx); err != nil || code == exitDone {
				t.Fatalf("exit %d, %v\n%s", code, err, d)
			}
			if d.CoreDumped() {
				t.Error("the kernel wrote a core")
			}
			cores, err := filepath.Glob(filepath.Join(dir, "core*"))
			if err != nil || len(cores) > 0 {
				t.Errorf("left behind: %v, %v", cores, err)
			}
			if text := d.String(); !strings.Contains(text, "goroutine ") || strings.Contains(text, waitingSecret) {
				t.Errorf("no traceback, or one with the secret:\n%s", text)
			}
		})
	}
}

// allowCores raises this process's limit, so that it is the program that forbids
// cores, and makes sure that one would be written here.
func allowCores(t *testing.T) {
	t.Helper()
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_CORE, &limit); err != nil {
		t.Fatal(err)
	}
	if limit.Max == 0 {
		t.Log("LEFT OUT: the hard limit of cores is 0 here: that one would be written cannot be shown")
		return
	}
	raised := unix.Rlimit{Cur: limit.Max, Max: limit.Max}
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &raised); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Setrlimit(unix.RLIMIT_CORE, &limit); err != nil {
			t.Error(err)
		}
	})
	crash := exec.Command("sleep", "60")
	crash.Dir = t.TempDir()
	if err := crash.Start(); err != nil {
		t.Fatal(err)
	}
	if err := crash.Process.Signal(syscall.SIGABRT); err != nil {
		t.Fatal(err)
	}
	_ = crash.Wait() // by a signal: always an error
	if !crash.ProcessState.Sys().(syscall.WaitStatus).CoreDump() {
		t.Log("LEFT OUT: this kernel writes no cores at all: that one would be written cannot be shown")
	}
}

// coreLimit are the soft and the hard limit in a file of /proc/PID/limits.
func coreLimit(limits string) []string {
	for line := range strings.Lines(limits) {
		if rest, ok := strings.CutPrefix(line, "Max core file size"); ok {
			return strings.Fields(rest)
		}
	}
	return nil
}

// waitingSecret is the TSIG secret of a [waitingDaemon], in base64.
const waitingSecret = "cGxhbnRlZCBpbiBhIGRhZW1vbiB0aGF0IHdhaXRzLi4u"

// waitingDaemon is one that has read its configuration, its secret among it, and waits
// for the journal, which another process holds: no server is needed.
func waitingDaemon(t *testing.T, env ...string) (d *lab.Daemon, other *bbolt.DB) {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "tlsaroll.yaml")
	text := "state: " + dir + "/state\ncontrol: " + dir + "/control.sock\ncontrol-group: " + strconv.Itoa(os.Getegid()) + "\nresolver: 127.0.0.1:1\n" +
		"providers: {ns1: {type: rfc2136, server: \"127.0.0.1:1\", key: k., algorithm: hmac-sha256, secret-env: SECRET}}\n" +
		"lineages: {mx1: {provider: ns1, hook: true, endpoints: [smtp://mx1.example.org], install: [{path: " + dir + "/mx1.pem, content: [key, chain]}], reload: [[/bin/true]]}}\n"
	if err := errors.Join(os.WriteFile(file, []byte(text), 0o600), os.Mkdir(dir+"/state", 0o700)); err != nil {
		t.Fatal(err)
	}
	other, err := bbolt.Open(dir+"/state/journal.db", 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { other.Close() })
	d = lab.StartDaemon(t, lab.DaemonOptions{Dir: dir, Env: append(env, "SECRET="+waitingSecret)}, lab.Program(t, "tlsaroll"), "-c", file, "run")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if _, err := d.Line(ctx, time.Time{}, "waiting for the journal"); err != nil {
		t.Fatal(err)
	}
	return d, other
}
