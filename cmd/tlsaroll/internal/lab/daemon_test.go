package lab

import (
	"context"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

func TestDaemon(t *testing.T) {
	t.Parallel()
	begun := time.Now()
	ctx := within(t, 20*time.Second)
	d := StartDaemon(t, DaemonOptions{Env: []string{"LABD=its environment"}}, Program(t, "labd"), "a", "b c")
	ready, err := d.Notice(ctx, begun, "READY=1")
	if err != nil {
		t.Fatal(err)
	}
	hello, err := d.Line(ctx, time.Time{}, "args")
	if err != nil || hello.Text != "args [a b c] its environment" || hello.Stream != Stdout || hello.At.Before(begun) {
		t.Errorf("it says %+v, %v", hello, err)
	}

	before, err := d.Usage()
	if err != nil || before.RSS < 1<<20 || before.Peak < before.RSS {
		t.Errorf("it uses %+v, %v", before, err)
	}
	hup := time.Now()
	d.Signal(t, syscall.SIGHUP)
	if l, err := d.Line(ctx, hup, "reload"); err != nil || l.Text != "reloaded" || l.Stream != Stderr {
		t.Errorf("told to reload: %+v, %v", l, err)
	}
	again, err := d.Notice(ctx, hup, "READY=1")
	if err != nil || again.At.Before(hup) || ready.At.After(hup) {
		t.Errorf("told to reload: %+v, %v", again, err)
	}
	after, err := d.Usage()
	if err != nil || after.CPU < before.CPU || after.Share(before) < 0 { // a tick of the processor's time is longer than what lies between
		t.Errorf("it uses %+v, %v", after, err)
	}

	d.Signal(t, syscall.SIGTERM)
	if code, err := d.Wait(ctx); code != 3 || err != nil {
		t.Errorf("told to end: exit %d, %v", code, err)
	}
	var states []string
	for _, n := range d.Notices() {
		states = append(states, n.State)
	}
	if diff := cmp.Diff([]string{"READY=1", "STATUS=waiting", "RELOADING=1", "READY=1", "STOPPING=1"}, states); diff != "" {
		t.Errorf("notices: -want +got:\n%s", diff)
	}
	if _, err := d.Line(ctx, hup, "args"); err == nil || !strings.HasPrefix(err.Error(), `daemon: no line with "args": it has ended (exit status 3)`) {
		t.Errorf("waiting for what was said before: %v", err)
	}
}

func TestDaemonIsKilled(t *testing.T) {
	t.Parallel()
	ctx := within(t, 20*time.Second)
	d := StartDaemon(t, DaemonOptions{}, Program(t, "labd"))
	if _, err := d.Notice(ctx, time.Time{}, "READY=1"); err != nil {
		t.Fatal(err)
	}
	soon, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := d.Wait(soon); err == nil {
		t.Error("it has ended by itself")
	}
	d.Signal(t, syscall.SIGKILL)
	if code, err := d.Wait(ctx); code != -1 || err != nil {
		t.Errorf("killed: exit %d, %v", code, err)
	}
}

// A test's end ends its daemon, and tells of children that are left.
func TestDaemonEndsWithTheTest(t *testing.T) {
	t.Parallel()
	var d *Daemon
	t.Run("running", func(t *testing.T) {
		d = StartDaemon(t, DaemonOptions{}, Program(t, "labd"))
		if _, err := d.Notice(within(t, 20*time.Second), time.Time{}, "READY=1"); err != nil {
			t.Fatal(err)
		}
	})
	if code, err := d.Wait(t.Context()); code != 3 || err != nil {
		t.Errorf("at the end of its test: exit %d, %v", code, err)
	}
	d = StartDaemon(t, DaemonOptions{}, Program(t, "labd"))
	if _, err := d.Notice(within(t, 20*time.Second), time.Time{}, "READY=1"); err != nil {
		t.Fatal(err)
	}
	d.Signal(t, syscall.SIGUSR1)
	if _, err := d.Wait(within(t, 20*time.Second)); err != nil {
		t.Fatal(err)
	}
	if err := d.end(); err == nil || !strings.Contains(err.Error(), "daemon: left behind: ") {
		t.Errorf("a child is left: %v", err)
	}
}

func TestUsage(t *testing.T) {
	t.Parallel()
	if cpu, err := cpuOf("7 (a) b) S 1 7 7 0 -1 4194560 100 0 0 0 250 33 9 9 20 0 5 0 1000"); err != nil || cpu != 2830*time.Millisecond {
		t.Errorf("cpu %s, %v", cpu, err)
	}
	if n, err := kilobytesOf("Name:\tx\nVmHWM:\t   2048 kB\nVmRSS:\t    1024 kB\n", "VmRSS:"); err != nil || n != 1<<20 {
		t.Errorf("rss %d, %v", n, err)
	}
	for _, text := range []string{"", "7 (a) S 1", "7 (a) S 1 7 7 0 -1 4194560 100 0 0 0 x 33 9 9"} {
		if cpu, err := cpuOf(text); err == nil {
			t.Errorf("%q: cpu %s", text, cpu)
		}
		if n, err := kilobytesOf(text, "VmRSS:"); err == nil {
			t.Errorf("%q: rss %d", text, n)
		}
	}
	first := Usage{At: time.Unix(100, 0), CPU: time.Second}
	if share := (Usage{At: time.Unix(110, 0), CPU: 2 * time.Second}).Share(first); share != 0.1 {
		t.Errorf("share %v, want 0.1", share)
	}
}
