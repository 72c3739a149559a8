package lab

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/miekg/dns"
)

// Stop ends a server of [Lab.PIDs] in good order, as its administrator would:
// connections are refused until [Lab.StartAgain].
func (l *Lab) Stop(t testing.TB, name string) {
	t.Helper()
	l.Resume(t, name) // for one that is paused cannot end
	if s := l.secondary(name); s != nil {
		if err := s.written(t.Context()); err != nil {
			t.Fatalf("lab: stop: %v", err)
		}
	}
	l.takeOut(t, name, (*process).stop)
}

// Kill ends a server of [Lab.PIDs] and its children where they stand: what they
// had not written yet is lost. Connections are refused until [Lab.StartAgain].
func (l *Lab) Kill(t testing.TB, name string) {
	t.Helper()
	l.takeOut(t, name, (*process).kill)
}

// StartAgain starts a server that [Lab.Stop] or [Lab.Kill] ended, and returns when
// it answers. The primary and the secondary go on with what they had, except that
// a secondary that was killed may have lost what came in its last second and asks
// the primary at once, whatever the lag is.
func (l *Lab) StartAgain(t testing.TB, name string) {
	t.Helper()
	if err := l.startAgain(t.Context(), name); err != nil {
		t.Fatalf("lab: start again: %v", err)
	}
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

// takeOut ends a server and notes that this was meant.
func (l *Lab) takeOut(t testing.TB, name string, end func(*process) error) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	p := l.processes[name]
	if p == nil {
		t.Fatalf("lab: no server %q", name)
	}
	delete(l.processes, name)
	l.absent[name] = p
	if err := errors.Join(end(p), l.guardAnew()); err != nil {
		t.Fatalf("lab: %v", err)
	}
}

// guardAnew has a guard over what runs now alone: the ids of processes that have
// ended may come to be others'.
func (l *Lab) guardAnew() error {
	next, err := newGuard()
	if err != nil {
		return err
	}
	for _, p := range l.processes {
		if err := next.over(p.cmd.Process.Pid); err != nil {
			return errors.Join(err, next.dismiss())
		}
	}
	old := l.guard
	l.guard = next
	return old.dismiss()
}

func (l *Lab) startAgain(ctx context.Context, name string) error {
	l.mu.Lock()
	p := l.absent[name]
	delete(l.absent, name)
	l.mu.Unlock()
	if p == nil {
		return fmt.Errorf("%s: was not stopped", name)
	}
	if err := l.serve(name, p.cmd.Args...); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	return l.answers(ctx, name)
}

// answers waits until a server does, whatever the others do: those that it
// depends on may be away.
func (l *Lab) answers(ctx context.Context, name string) error {
	for _, s := range l.mailServers() {
		if s.Name == name {
			return l.mailReady(ctx, s)
		}
	}
	if name == pebbleName {
		return l.Pebble.answers(ctx)
	}
	if at, ok := strings.CutPrefix(name, "resolver-"); ok {
		return l.resolverUp(ctx, at)
	}
	server, zones := l.Primary, l.zoneNames()
	if s := l.secondary(name); s != nil {
		server = s.Addr
	}
	if name == "parents" {
		server, zones = l.Parent, slices.Collect(maps.Keys(l.topLevels))
	}
	return await(ctx, func(ctx context.Context) error {
		if err := l.ended(name); err != nil {
			return err
		}
		for _, zone := range zones {
			if _, err := l.serial(ctx, server, zone); err != nil {
				return err
			}
		}
		return nil
	})
}

// resolverUp asks what Unbound answers without asking others.
func (l *Lab) resolverUp(ctx context.Context, at string) error {
	m := new(dns.Msg)
	m.Id, m.RecursionDesired = dns.Id(), true
	m.Question = []dns.Question{{Name: "id.server.", Qtype: dns.TypeTXT, Qclass: dns.ClassCHAOS}}
	client := &dns.Client{Timeout: queryTimeout}
	return await(ctx, func(ctx context.Context) error {
		if err := l.ended("resolver-" + at); err != nil {
			return err
		}
		_, _, err := client.ExchangeContext(ctx, m, net.JoinHostPort(at, "53"))
		return err
	})
}
