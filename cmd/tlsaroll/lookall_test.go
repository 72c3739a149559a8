package main

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/audit"
	"github.com/tlsaroll/tlsaroll/rollover/survey"
)

// slow is a sight that takes its time for each domain.
type slow struct {
	takes           func(name string) time.Duration
	at, most, asked atomic.Int64
}

func (s *slow) Trouble(context.Context) error { return nil }

func (s *slow) Domain(ctx context.Context, name string) audit.Domain {
	s.asked.Add(1)
	for n := s.at.Add(1); ; {
		if most := s.most.Load(); n <= most || s.most.CompareAndSwap(most, n) {
			break
		}
	}
	defer s.at.Add(-1)
	select {
	case <-ctx.Done():
	case <-time.After(s.takes(name)):
	}
	return audit.Domain{Name: name}
}

func (s *slow) Host(ctx context.Context, name string) audit.Domain { return s.Domain(ctx, name) }

func (s *slow) Service(context.Context, survey.Service) audit.Host { return audit.Host{} }

func many(n int) (targets []target) {
	for i := range n {
		targets = append(targets, target{name: fmt.Sprintf("d%d.example", i)})
	}
	return targets
}

// TestLookAll: the order is that of the list, so many are under way at a time, and one that
// takes forever holds nobody else up.
func TestLookAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n, forever = 1000, 10 * time.Minute
		begun := time.Now()
		s := &slow{takes: func(name string) time.Duration {
			switch name {
			case "d7.example":
				return forever
			case "d8.example":
				return 3 * time.Second
			}
			return time.Second
		}}
		var got []string
		var lastButOne time.Duration
		lookAll(t.Context(), s, time.Now, many(n), 50, func(known int) {
			if known == n-1 {
				lastButOne = time.Since(begun)
				if len(got) != 7 {
					t.Errorf("%d are shown before the one that takes forever", len(got))
				}
			}
		}, func(r audit.Report) { got = append(got, r.Domain) })
		for i, name := range got {
			if want := fmt.Sprintf("d%d.example", i); name != want {
				t.Fatalf("%s in the place of %s", name, want)
			}
		}
		if len(got) != n || s.most.Load() != 50 {
			t.Errorf("%d reports, %d at a time", len(got), s.most.Load())
		}
		if lastButOne > 30*time.Second || time.Since(begun) != forever {
			t.Errorf("all but one after %s, all after %s", lastButOne, time.Since(begun))
		}
	})
}

// TestLookAllInterrupted: what is known is given, in its order; what was cut short is not,
// and nothing new is begun.
func TestLookAllInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithTimeout(t.Context(), 3500*time.Millisecond)
		defer stop()
		s := &slow{takes: func(name string) time.Duration {
			if name == "d1.example" {
				return time.Hour
			}
			return time.Second
		}}
		var got []string
		lookAll(ctx, s, time.Now, many(100), 2, func(int) {}, func(r audit.Report) { got = append(got, r.Domain) })
		if text := strings.Join(got, " "); text != "d0.example d2.example d3.example" {
			t.Error(text)
		}
		if s.asked.Load() != 5 {
			t.Errorf("%d looks were begun", s.asked.Load())
		}
	})
}

// TestCheckInterrupted: Ctrl-C prints what is known by then, and the exit code says that
// it is not all, unless something is broken.
func TestCheckInterrupted(t *testing.T) {
	for args, want := range map[string]struct {
		code int
		said string
	}{
		"example.org slow.example":                   {exitError, "interrupted: 1 of 2 were looked at"},
		"slow.example example.net":                   {exitPerson, "interrupted: 1 of 2 were looked at"},
		"slow.example":                               {exitError, "interrupted: 0 of 1 were looked at"},
		"--json slow.example example.org":            {exitError, "interrupted: 1 of 2 were looked at"},
		"--csv - --verbose slow.example example.org": {exitError, "interrupted: 1 of 2 were looked at"},
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx, interrupt := context.WithTimeout(t.Context(), time.Minute)
			defer interrupt()
			var out, errs bytes.Buffer
			w := seenWorld()
			w.stdout, w.stderr, w.lookupEnv = &out, &errs, func(string) (string, bool) { return "", false }
			code := run(ctx, append([]string{"check", "--resolver", "127.0.0.1"}, strings.Fields(args)...), w)
			if code != want.code || errs.String() != "tlsaroll: "+want.said+"\n" {
				t.Errorf("%s: exit %d: %s", args, code, errs.String())
			}
			if known := strings.Contains(out.String(), "example.org") || strings.Contains(out.String(), "example.net"); known != !strings.Contains(want.said, " 0 of") {
				t.Errorf("%s: %s", args, out.String())
			}
			if strings.Contains(out.String(), "slow.example") {
				t.Errorf("%s: what was cut short is shown: %s", args, out.String())
			}
		})
	}
}

// TestCheckInterruptedAtOnce: what the resolver makes of the end is nobody's answer.
func TestCheckInterruptedAtOnce(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	interrupt()
	var errs bytes.Buffer
	w := seenWorld()
	w.stdout, w.stderr, w.lookupEnv = &bytes.Buffer{}, &errs, func(string) (string, bool) { return "", false }
	w.look = func(survey.Config) (sight, error) { return few{trouble: context.Canceled}, nil }
	if code := run(ctx, []string{"check", "--resolver", "127.0.0.1", "example.org", "example.net"}, w); code != exitError || errs.String() != "tlsaroll: interrupted: 0 of 2 were looked at\n" {
		t.Errorf("exit %d: %s", code, errs.String())
	}
}

// TestCheckProgress: a line that changes on a terminal, for several; results go above it.
func TestCheckProgress(t *testing.T) {
	var face moving
	p := newProgram(quiet())
	p.ui.face, p.ui.terminal = &face, true
	s := p.newSheets(checkOptions{}, 4)
	s.progress(1)
	s.progress(4)
	if got := strings.Join(face.stuck, "|"); got != "tlsaroll: 1 of 4  [######------------------]|tlsaroll: 4 of 4  [########################]" {
		t.Error(got)
	}
	p.newSheets(checkOptions{}, 1).progress(1)
	p.ui.terminal = false
	s.progress(4)
	if len(face.stuck) != 2 {
		t.Errorf("%d lines", len(face.stuck))
	}
	var out, errs bytes.Buffer
	screen := &screen{stdout: &sink{Writer: &out}, stderr: &errs}
	screen.Stick("1 of 4")
	screen.Result("example.org: clean")
	if out.String() != "example.org: clean\n" || errs.String() != "1 of 4\r\x1b[K1 of 4" {
		t.Errorf("%q %q", out.String(), errs.String())
	}
}

// moving keeps the lines that changed.
type moving struct {
	overheard
	stuck []string
}

func (m *moving) Stick(line string) { m.stuck = append(m.stuck, line) }
