package main

import (
	"context"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/lab"
)

// The program as a process of its own is this test binary, called tlsaroll.
func TestProgramAsProcess(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	d := lab.StartDaemon(t, lab.DaemonOptions{}, lab.Program(t, "tlsaroll"), "version")
	if code, err := d.Wait(ctx); code != exitDone || err != nil {
		t.Errorf("exit %d, %v", code, err)
	}
	lines := d.Lines()
	if len(lines) != 1 || lines[0].Stream != lab.Stdout || !strings.HasPrefix(lines[0].Text, "tlsaroll ") {
		t.Errorf("it says\n%s", d)
	}
}

// A build of its own is what is measured: without a test in it, or the race detector.
func TestBuiltProgram(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("LEFT OUT with -short: what takes a build")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	d := lab.StartDaemon(t, lab.DaemonOptions{}, lab.BuildProgram(t, "github.com/tlsaroll/tlsaroll/cmd/tlsaroll"), "version")
	if _, err := d.Line(ctx, time.Time{}, "tlsaroll "); err != nil {
		t.Error(err)
	}
	if code, err := d.Wait(ctx); code != exitDone || err != nil {
		t.Errorf("exit %d, %v", code, err)
	}
}

// TestEarlyHangup: a signal that wants the configuration read anew does not end a
// daemon that still waits for the journal.
func TestEarlyHangup(t *testing.T) {
	t.Parallel()
	d, other := waitingDaemon(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	d.Signal(t, syscall.SIGHUP)
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Line(ctx, time.Time{}, "the configuration was read again"); err != nil {
		t.Fatal(err)
	}
	d.Signal(t, syscall.SIGTERM)
	if code, err := d.Wait(ctx); code != exitDone || err != nil {
		t.Errorf("exit %d, %v\n%s", code, err, d)
	}
}
