package lab

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// A lag decides when the secondary learns of the primary's changes. The primary
// notifies nobody; a NOTIFY from here is what lets a transfer happen.
type lag struct {
	lab    *Lab
	cancel context.CancelFunc
	done   chan struct{}

	mu    sync.Mutex
	delay time.Duration
	held  bool
	seen  map[string]change // by zone: the newest serial of the primary
}

type change struct {
	serial uint32
	due    time.Time // when the secondary may have it; zero: it has it
}

const lagPoll = 50 * time.Millisecond

func newLag(l *Lab) *lag {
	return &lag{lab: l, seen: map[string]change{}}
}

func (g *lag) start(delay time.Duration) {
	ctx, cancel := context.WithCancel(context.Background())
	g.cancel, g.done, g.delay = cancel, make(chan struct{}), delay
	go g.loop(ctx)
}

func (g *lag) stop() {
	if g.cancel != nil {
		g.cancel()
		<-g.done
	}
}

func (g *lag) loop(ctx context.Context) {
	defer close(g.done)
	tick := time.NewTicker(lagPoll)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		for _, z := range g.lab.zones {
			serial, err := g.lab.serial(ctx, g.lab.Primary, z.name)
			if err != nil || !g.isDue(z.name, serial, time.Now()) {
				continue
			}
			// Of a primary that went back the secondary takes nothing, however often it is told.
			if have, err := g.lab.serial(ctx, g.lab.Secondary, z.name); err == nil && !later(serial, have) {
				g.caughtUp(z.name, serial)
				continue
			}
			// Said again at each poll until it shows: a secondary that is
			// gone for good is the test's to notice.
			_ = g.lab.notify(ctx, z.name)
		}
	}
}

// isDue notes the primary's serial and says whether the secondary may have it now.
func (g *lag) isDue(zone string, serial uint32, now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	c := g.seen[zone]
	switch {
	case c.serial != serial && c.due.IsZero():
		c = change{serial, now.Add(g.delay)}
	case c.serial != serial:
		c.serial = serial // goes along with the change that is on its way
	}
	g.seen[zone] = c
	return !g.held && !c.due.IsZero() && !now.Before(c.due)
}

// caughtUp notes that the secondary has the serial.
func (g *lag) caughtUp(zone string, serial uint32) {
	g.mu.Lock()
	defer g.mu.Unlock()
	c, known := g.seen[zone]
	if !known || !later(c.serial, serial) {
		g.seen[zone] = change{serial: serial}
	}
}

// later says whether serial a comes after b (RFC 1982).
func later(a, b uint32) bool { return int32(a-b) > 0 }

// HoldSecondary stops all transfers to the secondary until [Lab.ReleaseSecondary]
// or [Lab.LagSecondary].
func (l *Lab) HoldSecondary() {
	l.lag.mu.Lock()
	defer l.lag.mu.Unlock()
	l.lag.held = true
}

// LagSecondary makes each change reach the secondary d after the primary had it,
// give or take a tenth of a second; a change that comes while another is on its
// way goes along with that one. It ends a hold; what was held up comes after d.
func (l *Lab) LagSecondary(d time.Duration) {
	l.lag.mu.Lock()
	defer l.lag.mu.Unlock()
	now := time.Now()
	for zone, c := range l.lag.seen {
		if !c.due.IsZero() {
			c.due = now.Add(d)
			l.lag.seen[zone] = c
		}
	}
	l.lag.delay, l.lag.held = d, false
}

// ReleaseSecondary lets one transfer of each zone happen now and returns when the
// secondary serves what the primary serves. A hold stays.
func (l *Lab) ReleaseSecondary(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := l.bringOver(ctx, time.Time{}); err != nil {
		t.Fatal(err)
	}
}

// bringOver notifies, once a second, until the secondary has the primary's serials;
// asked is when it was last told to look. Not more often: one that comes while
// NSD takes a transfer in has it look again seconds later, whatever the lag is by then.
func (l *Lab) bringOver(ctx context.Context, asked time.Time) error {
	for _, z := range l.zones {
		asked := asked
		err := await(ctx, func(ctx context.Context) error {
			if err := l.ended("secondary"); err != nil {
				return err
			}
			err := l.sameSerial(ctx, z.name)
			if err == nil {
				return nil
			}
			if time.Since(asked) >= time.Second {
				asked = time.Now()
				if err := l.notify(ctx, z.name); err != nil {
					return err
				}
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// sameSerial returns an error unless the secondary has the primary's serial.
func (l *Lab) sameSerial(ctx context.Context, zone string) error {
	want, err := l.serial(ctx, l.Primary, zone)
	if err != nil {
		return err
	}
	have, err := l.serial(ctx, l.Secondary, zone)
	if err != nil {
		return err
	}
	if have != want {
		return fmt.Errorf("secondary: %s: has serial %d, the primary %d", zone, have, want)
	}
	l.lag.caughtUp(zone, want)
	return nil
}

// notify tells the secondary to look at the primary (RFC 1996). Without a serial
// in it NSD always looks.
func (l *Lab) notify(ctx context.Context, zone string) error {
	m := new(dns.Msg)
	m.SetNotify(zone)
	client := &dns.Client{Timeout: queryTimeout}
	reply, _, err := client.ExchangeContext(ctx, m, l.Secondary.String())
	if err != nil {
		return fmt.Errorf("secondary: notify %s: %w", zone, err)
	}
	if reply.Rcode != dns.RcodeSuccess {
		return fmt.Errorf("secondary: notify %s: %s", zone, dns.RcodeToString[reply.Rcode])
	}
	return nil
}
