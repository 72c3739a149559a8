package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A Daemon is a program that runs as a process of its own, as under systemd: what
// it says, by line and to its service manager, is kept with the time at which it
// came. Its methods may be called from several goroutines.
type Daemon struct {
	process *process
	done    chan struct{} // closed when it has ended and all that it said is there

	mu      sync.Mutex
	moved   chan struct{} // closed and replaced when something is said
	lines   []Line
	notices []Notice
}

// A Line is one that a [Daemon] wrote.
type Line struct {
	At     time.Time
	Stream Stream
	Text   string // without its end
}

// A Stream is one of those that a process writes to.
type Stream string

// Streams.
const (
	Stdout Stream = "stdout"
	Stderr Stream = "stderr"
)

// DaemonOptions say how a program is started.
type DaemonOptions struct {
	Dir string // in which it runs; default a temporary one
	// Env is added to PATH, LC_ALL, TZ and NOTIFY_SOCKET, which are all it has.
	Env []string
	// Secrets are what it may not say; nil: nobody minds.
	Secrets *Secrets
}

// StartDaemon starts a program that ends with the test. One that then still runs is
// asked to end, and it is an error if it does not, or leaves children behind, or if
// it has said a secret. How it ends before is for [Daemon.Wait].
func StartDaemon(t testing.TB, opts DaemonOptions, argv ...string) *Daemon {
	t.Helper()
	d := &Daemon{moved: make(chan struct{}), done: make(chan struct{})}
	socket, err := d.listen(t)
	if err != nil {
		t.Fatalf("daemon: %v", err)
	}
	if opts.Dir == "" {
		opts.Dir = t.TempDir()
	}
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir = opts.Dir
	cmd.Env = append([]string{"PATH=" + searchPath, "LC_ALL=C", "TZ=UTC", "NOTIFY_SOCKET=" + socket}, opts.Env...)
	cmd.Stdout, cmd.Stderr = &lineWriter{d: d, stream: Stdout}, &lineWriter{d: d, stream: Stderr}
	cmd.WaitDelay = groupPatience // where a child of it holds its output open
	guard, err := newGuard()
	if err != nil {
		t.Fatal(err)
	}
	d.process = &process{name: "daemon", cmd: cmd}
	if err := d.process.start(); err != nil {
		t.Fatal(errors.Join(err, guard.dismiss()))
	}
	go d.conclude(socket)
	t.Cleanup(func() {
		if err := errors.Join(d.end(), guard.dismiss()); err != nil {
			t.Errorf("%v\n%s", err, d)
		}
		<-d.done
		if opts.Secrets == nil {
			return
		}
		for _, leak := range opts.Secrets.Find([]byte(d.String())) {
			t.Errorf("the daemon said %s", leak)
		}
	})
	if err := guard.over(d.PID()); err != nil {
		t.Fatal(err)
	}
	return d
}

// end ends the daemon if it has not ended.
func (d *Daemon) end() error {
	select {
	case <-d.process.done:
		return d.process.endGroup()
	default:
		return d.process.stop()
	}
}

// PID is its process id.
func (d *Daemon) PID() int { return d.process.cmd.Process.Pid }

// Signal sends it a signal, and not its children.
func (d *Daemon) Signal(t testing.TB, sig syscall.Signal) {
	t.Helper()
	if err := d.process.cmd.Process.Signal(sig); err != nil {
		t.Fatalf("daemon: signal %s: %v", sig, err)
	}
}

// Ended is closed when it has ended and all that it said is there.
func (d *Daemon) Ended() <-chan struct{} { return d.done }

// Kill ends it at once, as the kernel does when memory is short. It may have ended by
// itself: then nobody is killed, whoever has its process id by now.
func (d *Daemon) Kill() { _ = d.process.cmd.Process.Kill() }

// Wait waits until it has ended and all that it said is there, or ctx is done, which
// is an error. The exit code is -1 where a signal ended it.
func (d *Daemon) Wait(ctx context.Context) (code int, err error) {
	select {
	case <-d.done:
		return d.process.cmd.ProcessState.ExitCode(), nil
	case <-ctx.Done():
		return 0, fmt.Errorf("daemon: it still runs: %w", ctx.Err())
	}
}

// CoreDumped says that the kernel wrote a core when a signal ended it. It is for
// after [Daemon.Wait].
func (d *Daemon) CoreDumped() bool {
	status, ok := d.process.cmd.ProcessState.Sys().(syscall.WaitStatus)
	return ok && status.CoreDump()
}

// Lines returns what it wrote so far.
func (d *Daemon) Lines() []Line {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.lines[:len(d.lines):len(d.lines)]
}

// String is what it wrote so far, with the times.
func (d *Daemon) String() string {
	var b strings.Builder
	for _, l := range d.Lines() {
		fmt.Fprintf(&b, "%s %s: %s\n", l.At.Format("15:04:05.000"), l.Stream, l.Text)
	}
	return b.String()
}

// Line waits for the first line since a moment that has text in it. That the
// program ends without it, or that ctx is done, is an error.
func (d *Daemon) Line(ctx context.Context, since time.Time, text string) (Line, error) {
	var found Line
	err := d.await(ctx, func() bool {
		for _, l := range d.Lines() {
			if !l.At.Before(since) && strings.Contains(l.Text, text) {
				found = l
				return true
			}
		}
		return false
	})
	if err != nil {
		err = fmt.Errorf("daemon: no line with %q: %w\n%s", text, err, d)
	}
	return found, err
}

// await waits until there is what is looked for.
func (d *Daemon) await(ctx context.Context, found func() bool) error {
	for {
		d.mu.Lock()
		moved := d.moved
		d.mu.Unlock()
		if found() {
			return nil
		}
		select {
		case <-moved:
		case <-d.done:
			if found() {
				return nil
			}
			return fmt.Errorf("it has ended (%s)", exitText(d.process.err))
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// said notes something with the time.
func (d *Daemon) said(note func(now time.Time)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	note(time.Now())
	close(d.moved)
	d.moved = make(chan struct{})
}

// A lineWriter takes a stream apart into lines. One that never ends is not kept.
type lineWriter struct {
	d      *Daemon
	stream Stream
	rest   []byte
}

// Write keeps an unfinished line until its end comes.
func (w *lineWriter) Write(p []byte) (int, error) {
	w.rest = append(w.rest, p...)
	for {
		line, rest, whole := bytes.Cut(w.rest, []byte("\n"))
		if !whole {
			return len(p), nil
		}
		w.d.said(func(now time.Time) {
			w.d.lines = append(w.d.lines, Line{now, w.stream, string(line)})
		})
		w.rest = rest
	}
}
