package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"
	"testing"

	"github.com/miekg/dns"
)

// serve starts a server and keeps it until the lab ends.
func (l *Lab) serve(name string, argv ...string) error {
	p, err := run(name, l.logPath(name), argv...)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.processes = append(l.processes, p)
	return l.guard.over(p.cmd.Process.Pid)
}

func (l *Lab) running() []*process {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]*process(nil), l.processes...)
}

// ended returns an error if the server of that name is no longer there.
func (l *Lab) ended(name string) error {
	for _, p := range l.running() {
		if p.name == name {
			return p.ended()
		}
	}
	return fmt.Errorf("%s: was never started", name)
}

// Pause stops a server of [Lab.PIDs] from running, with its children: it keeps
// its sockets and says nothing, as behind a network that has failed.
func (l *Lab) Pause(t testing.TB, name string) {
	t.Helper()
	l.signal(t, name, syscall.SIGSTOP)
}

// Resume undoes [Lab.Pause].
func (l *Lab) Resume(t testing.TB, name string) {
	t.Helper()
	l.signal(t, name, syscall.SIGCONT)
}

func (l *Lab) signal(t testing.TB, name string, sig syscall.Signal) {
	t.Helper()
	pid, ok := l.PIDs()[name]
	if !ok {
		t.Fatalf("lab: no server %q", name)
	}
	if err := killGroup(pid, sig); err != nil {
		t.Fatalf("lab: %s: signal %s: %v", name, sig, err)
	}
}

// PIDs are the process ids of the lab's servers by name: "primary",
// "secondary", "parents" (the root is among them), "postfix", "dovecot" and
// "resolver-" with an address. Each leads a process group with its children.
func (l *Lab) PIDs() map[string]int {
	out := map[string]int{}
	for _, p := range l.running() {
		out[p.name] = p.cmd.Process.Pid
	}
	return out
}

// awaitSigned returns the DS RRsets by zone.
func (l *Lab) awaitSigned(ctx context.Context) (map[string][]dns.RR, error) {
	out := map[string][]dns.RR{}
	for _, z := range l.zones {
		if z.security == insecure {
			continue
		}
		ds, err := l.signedDS(ctx, z)
		if err != nil {
			return nil, err
		}
		out[z.name] = ds
	}
	return out, nil
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
	if l.lag != nil {
		l.lag.stop()
	}
	for _, s := range l.senders {
		s.end()
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
	for _, p := range l.running() {
		t.Logf("%s, its last lines:\n%s", p.name, p.tail(10))
	}
}
