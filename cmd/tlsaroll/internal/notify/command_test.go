package notify

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/subprocess"
)

// script writes a program.
func script(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "script")
	syscall.ForkLock.RLock() // what is forked while the file is open would keep it busy
	defer syscall.ForkLock.RUnlock()
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestCommandGetsTheMessageAndNothingElse(t *testing.T) {
	t.Setenv("TLSAROLL_SECRET", "geheim")
	out := filepath.Join(t.TempDir(), "out")
	program := script(t, `{ echo "$0 $*"; pwd; env; cat; cut -d" " -f5 /proc/$$/stat; echo $$; } >"`+out+`"`)
	_, messages := Told{}.Next([]Notice{notice("a", "warning")}, daily, start)
	c := command{[]string{program, "a b", "$(date)"}, execute}
	if err := c.send(t.Context(), []letter{{Message: messages[0]}}); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	line, _ := messages[0].line()
	for _, want := range []string{program + " a b $(date)", "/", "LC_ALL=C", "PATH=" + subprocess.Path, strings.TrimSpace(string(line))} {
		if !strings.Contains("\n"+string(text), "\n"+want+"\n") {
			t.Errorf("%s lacks %s", text, want)
		}
	}
	if strings.Contains(string(text), "geheim") {
		t.Error("our environment is in its")
	}
	if n := len(lines); lines[n-2] != lines[n-1] {
		t.Errorf("process %s is in group %s", lines[n-1], lines[n-2])
	}
}

func TestCommandThatFails(t *testing.T) {
	for name, test := range map[string]struct{ program, want string }{
		"says why":     {script(t, "echo one; echo two; echo three; printf '\\033[2Jfour\\n' >&2; exit 75"), "exit status 75: two; three; [2Jfour"},
		"says nothing": {script(t, "exit 1"), "exit status 1"},
		"says much":    {script(t, "yes ä | head -c 99999 | tr -d '\\n'; exit 1"), "exit status 1: …" + strings.Repeat("ä", subprocess.MaxQuoted/2)},
		"says a key":   {script(t, "echo '-----BEGIN PRIVATE KEY-----'; exit 1"), "exit status 1: (its output holds a private key and is not shown)"},
		"reads not":    {script(t, "exec <&-; exit 0"), ""},
		"is not there": {"/nowhere/mail-root", "no such file or directory"},
		"is not found": {"mail-root", "not found in " + subprocess.Path + " (hint: install it, or write its whole path)"},
		"is no script": {filepath.Dir(script(t, "")), "permission denied"},
		"is found":     {"true", ""},
	} {
		t.Run(name, func(t *testing.T) {
			err := run(execute).quoting(t.Context(), []string{test.program}, make([]byte, 1<<20))
			if got := errorText(err); got != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestCommandThatHangsIsKilledWithAllItStarted(t *testing.T) {
	pid := filepath.Join(t.TempDir(), "pid")
	program := script(t, "sleep 300 & echo $! >"+pid+"; echo waiting; wait")
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	err := run(execute).quoting(ctx, []string{program}, nil)
	if want := "not done after 1m0s, killed with all it started: waiting"; errorText(err) != want {
		t.Errorf("%q, want %q", errorText(err), want)
	}
	text, err := os.ReadFile(pid)
	if err != nil {
		t.Fatal(err)
	}
	child, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	for range 100 {
		if gone(child) {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Errorf("process %d lives on", child)
}

// gone reports whether a process has ended, be it that nobody has waited for it.
func gone(pid int) bool {
	if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
		return true
	}
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	return err != nil || strings.Contains(string(stat), ") Z ")
}

func TestCommandMayLeaveSomethingBehind(t *testing.T) {
	began := time.Now()
	if err := run(execute).quoting(t.Context(), []string{script(t, "sleep 3 & exit 0")}, nil); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > 2500*time.Millisecond {
		t.Errorf("waited %v for what it left", took)
	}
}
