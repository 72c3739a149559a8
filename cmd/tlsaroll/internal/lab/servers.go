package lab

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"sync"
	"testing"
)

// serve starts a server and keeps it until the lab ends.
func (l *Lab) serve(name string, argv ...string) error {
	return l.serveBy((*exec.Cmd).Start, name, argv...)
}

// serveBy is serve with another way to start a process.
func (l *Lab) serveBy(start func(*exec.Cmd) error, name string, argv ...string) error {
	p, err := runBy(start, name, l.logPath(name), argv...)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.processes[name] = p
	return l.guard.over(p.cmd.Process.Pid)
}

func (l *Lab) running() []*process {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Collect(maps.Values(l.processes))
}

// ended returns an error if the server of that name is no longer there.
func (l *Lab) ended(name string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if p := l.processes[name]; p != nil {
		return p.ended()
	}
	return fmt.Errorf("%s: does not run", name)
}

// PIDs are the process ids of the lab's servers by name: "primary",
// "secondary", "parents" (the root is among them), "postfix", "postfix-2",
// "dovecot", "pebble", "resolver-" with an address, and the Name of each added [Secondary].
// Each leads a process group with its children. Those that [Lab.Stop] or [Lab.Kill]
// ended are not among them.
func (l *Lab) PIDs() map[string]int {
	out := map[string]int{}
	for _, p := range l.running() {
		out[p.name] = p.cmd.Process.Pid
	}
	return out
}

// awaitSigned waits until the primary has signed the zones.
func (l *Lab) awaitSigned(ctx context.Context) (err error) {
	for _, z := range l.zones {
		if z.security == insecure {
			continue
		}
		if z.ds, err = l.signedDS(ctx, z); err != nil {
			return err
		}
	}
	return nil
}

// stop ends all, senders first, and reports what did not end as it should.
func (l *Lab) stop() error {
	var errs []error
	l.mu.Lock()
	tallies := l.tallies
	l.mu.Unlock()
	for _, t := range tallies {
		t.Stop()
	}
	for _, s := range l.secondaries() {
		s.unfollow()
	}
	for _, s := range l.senders {
		s.end()
	}
	if l.host != nil {
		l.host.end()
	}
	var wait sync.WaitGroup
	results := make(chan error)
	for _, p := range l.running() {
		wait.Go(func() { results <- p.stop() })
	}
	go func() {
		wait.Wait()
		close(results)
	}()
	for err := range results {
		errs = append(errs, err)
	}
	for _, s := range l.crafted {
		errs = append(errs, s.end())
	}
	if l.guard != nil {
		errs = append(errs, l.guard.dismiss())
	}
	if l.block != nil {
		errs = append(errs, l.block.release(context.Background()))
	}
	if l.Dir != "" && os.Getenv("TLSAROLL_LAB_KEEP") == "" {
		errs = append(errs, os.RemoveAll(l.Dir))
	}
	return errors.Join(errs...)
}

// logTails shows what the servers said last, of a test that failed.
func (l *Lab) logTails(t testing.TB) {
	l.mu.Lock()
	absent := slices.Collect(maps.Values(l.absent))
	l.mu.Unlock()
	for _, p := range append(l.running(), absent...) {
		t.Logf("%s, its last lines:\n%s", p.name, p.tail(10))
	}
	if l.opts.MTAs {
		t.Logf("exim, its last lines:\n%s", (&process{log: l.path("log") + "/exim-mainlog"}).tail(30))
	}
}
