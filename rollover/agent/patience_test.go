package agent

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/dnsprovider/memory"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// refusing is a provider that lets nobody read, or nobody change.
type refusing struct {
	*memory.Zone
	read, change   error
	reads, applies int
}

func (p *refusing) RRset(ctx context.Context, zone string, owner tlsa.Owner) (tlsa.RRset, error) {
	p.reads++
	if p.read != nil {
		return tlsa.RRset{}, p.read
	}
	return p.Zone.RRset(ctx, zone, owner)
}

func (p *refusing) Apply(ctx context.Context, zone string, changes []dnsprovider.Change) []error {
	p.applies++
	if p.change == nil {
		return p.Zone.Apply(ctx, zone, changes)
	}
	errs := make([]error, len(changes))
	for i, c := range changes {
		errs[i] = &dnsprovider.Error{Op: "change", Owner: c.Owner, Kind: dnsprovider.KindOf(p.change), Err: p.change, Pause: dnsprovider.PauseOf(p.change)}
	}
	return errs
}

// TestProviderIsNotHammered: hosts count how often they are asked, and block who asks too
// often. Who did what it takes is not kept waiting for long either.
func TestProviderIsNotHammered(t *testing.T) {
	limited := &dnsprovider.Error{Kind: dnsprovider.Temporary, Err: errors.New("429"), Pause: 3 * time.Hour}
	for name, test := range map[string]struct {
		refusing
		first, most, rest int // how often the host is asked in the first hour, and in those to come
		back              time.Duration
	}{
		"reads fail":             {refusing{read: &dnsprovider.Error{Kind: dnsprovider.Temporary, Err: errors.New("503")}}, 15, 24, 13, 5 * time.Minute},
		"changes fail":           {refusing{change: &dnsprovider.Error{Kind: dnsprovider.Refused, Err: errors.New("403")}}, 30, 65, 35, 5 * time.Minute},
		"a person is waited for": {refusing{change: &dnsprovider.Error{Kind: dnsprovider.Temporary, Err: &dnsprovider.ByHandError{}}}, 100, 170, 150, time.Minute},
		"reads are limited":      {refusing{read: limited}, 1, 2, 2, time.Hour},
		"changes are limited":    {refusing{change: limited}, 1, 4, 2, time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				p := &refusing{Zone: w.zone}
				w.config.Providers[0].Provider = p
				a, first := adopted(w)
				defer w.close(a)
				second := w.ca.issue(t, mx1)
				p.read, p.change, p.reads, p.applies = test.read, test.change, 0, 0
				w.stage("mx1", second)
				at := time.Now()
				for hour := 1; hour <= 2; hour++ {
					w.goOn(a, 2*time.Hour, func(r Report) bool { return !r.At.Before(at.Add(time.Duration(hour) * time.Hour)) })
					asked := p.reads + p.applies
					if least, most := test.first, test.most; hour == 1 && (asked < least || asked > most) {
						t.Errorf("asked %d times in the first hour, want %d to %d", asked, least, most)
					}
					if hour > 1 && asked > test.rest {
						t.Errorf("asked %d times in hour %d, want %d at most", asked, hour, test.rest)
					}
					p.reads, p.applies = 0, 0
				}
				w.served("mx1", first)
				p.read, p.change = nil, nil
				at = time.Now()
				w.goOn(a, 2*time.Hour, func(r Report) bool { return p.applies > 0 })
				if took := time.Since(at); took > test.back+5*time.Minute {
					t.Errorf("the host was asked again after %s", took)
				}
			})
		})
	}
}

// TestProviderMarginIsWaited: the swap comes later by it, and status says so before.
func TestProviderMarginIsWaited(t *testing.T) {
	const margin = 15 * time.Minute
	var took, foretold []time.Duration
	for _, m := range []time.Duration{0, margin} {
		inWorld(t, func(t *testing.T, w *world) {
			w.config.Providers[0].Margin = m
			a, _ := adopted(w)
			defer w.close(a)
			second := w.ca.issue(t, mx1)
			begun := time.Now()
			w.stage("mx1", second)
			var ready time.Time
			w.goOn(a, 3*time.Hour, func(r Report) bool {
				l := r.State.Lineages["mx1"]
				if s := rollover.Describe(r.State, r.Policy, r.At)[0].Successor; s != nil && s.ReadyAt != nil {
					ready = *s.ReadyAt
				}
				return l.Live == second.ID()
			})
			took, foretold = append(took, time.Since(begun)), append(foretold, ready.Sub(begun))
		})
	}
	for what, d := range map[string]time.Duration{"the swap": took[1] - took[0], "ready_at": foretold[1] - foretold[0]} {
		if d < margin-time.Second || d > margin+time.Minute {
			t.Errorf("%s is later by %s, want %s", what, d, margin)
		}
	}
}
