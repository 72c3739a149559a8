package agent

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tlsaroll/tlsaroll/rollover/installer"
	"github.com/tlsaroll/tlsaroll/rollover/internal/swap"
)

// lossy is a host behind a connection that is lost whenever a pair is installed, for so
// many times: before it is, or afterwards.
type lossy struct {
	Host
	after bool
	times *int
}

func (h lossy) Switch(ctx context.Context, entry string) (swap.Result, error) {
	if *h.times == 0 {
		return h.Host.Switch(ctx, entry)
	}
	*h.times--
	if h.after {
		if r, err := h.Host.Switch(ctx, entry); err != nil {
			return r, err
		}
	}
	return swap.Result{}, fmt.Errorf("mx1: %w", installer.ErrUnknown)
}

// TestSwapOfWhichNothingIsKnown: a swap may have been done or not, and nobody says. What is
// live then is looked at, both records stay, and the renewal goes on.
func TestSwapOfWhichNothingIsKnown(t *testing.T) {
	for _, after := range []bool{false, true} {
		t.Run(fmt.Sprintf("after=%t", after), func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				w.lineage("mx1")
				first, second := w.ca.issue(t, mx1), w.ca.issue(t, mx1)
				w.serve("mx1", first)
				a := w.open()
				defer w.close(a)
				w.goOn(a, time.Hour, isSteady("mx1", first))
				time.Sleep(2 * time.Minute)
				w.stage("mx1", second)
				v, host, times := &witness{w: w}, a.rooms.Host, 2
				a.rooms.Host = func(l Lineage) Host { return lossy{host(l), after, &times} }
				for deadline := time.Now().Add(time.Hour); ; {
					r, err := a.passOver(t.Context(), a.of["mx1"], true)
					if err != nil || r.State.Lineages["mx1"].Held != nil || time.Now().After(deadline) {
						t.Fatalf("%v; %s", err, w.story(r))
					}
					if isSteady("mx1", second)(r) {
						break
					}
					for next := later(r.Again, time.Now().Add(time.Millisecond)); time.Now().Before(next); {
						v.look(t)
						time.Sleep(min(time.Second, time.Until(next)))
					}
				}
				if times != 0 {
					t.Errorf("it was not lost %d times", times)
				}
				w.whole("mx1", second)
				w.served("mx1", second)
			})
		})
	}
}

// TestSite: an installer does what the agent would do, and keeps the live link itself.
func TestSite(t *testing.T) {
	w := newWorld(t, t.TempDir())
	l := w.lineage("mx1")
	l.Install[0].User = "root"
	l.Check = [][]string{{"check"}}
	w.config.Run = nil
	own, ok := w.config.host(*l).(swap.Host)
	if !ok {
		t.Fatalf("%T", w.config.host(*l))
	}
	s := Site(w.config.State, *l)
	own.Live = w.config.State + "-installer/live/mx1"
	if diff := cmp.Diff(own, s.Host, cmp.AllowUnexported(swap.Host{})); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{mx1}, s.Names); diff != "" || s.Host.Live != installer.LiveIn(w.config.State, "mx1") {
		t.Error(diff, s.Host.Live)
	}
	w.config.Installer = "/run/s"
	c, ok := w.config.host(*l).(installer.Client)
	if want := 10 * time.Minute; !ok || c.Patience != want {
		t.Errorf("%T with a patience of %s, want %s", c, c.Patience, want)
	}
	l.Install = nil
	if diff := cmp.Diff([]string{own.Live}, newGroup([]Lineage{*l}, w.config).policy.Lineages["mx1"].Files); diff != "" {
		t.Error(diff)
	}
}
