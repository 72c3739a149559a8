package lab

import (
	"context"
	"fmt"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// A Secondary is an NSD that takes zones over from the primary some time after
// they have changed. The primary notifies nobody; a NOTIFY from here is what lets
// a transfer happen.
type Secondary struct {
	Name string // of its process: "secondary" of ns2, "secondary-3" of ns3
	Host string // as in NS records, "ns2.example.org."
	Addr netip.AddrPort

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
	told   time.Time // when it was last told to look
}

const lagPoll = 50 * time.Millisecond

// tellAgain is how long a secondary has to take a change in before it is told again. An NSD
// that is told while it does, or that finds nothing new, looks each second until
// something comes, whatever the lag is by then.
const tellAgain = 2 * time.Second

// firstTransfer is how long a secondary has for the transfers that it begins with by itself.
const firstTransfer = 5 * time.Second

// newSecondary is one that is not started yet, the i-th of nameServers.
func newSecondary(l *Lab, i int) *Secondary {
	s := &Secondary{
		Name: "secondary", Host: nameServer(i), Addr: netip.AddrPortFrom(l.block.addr(nameServers[i]), 53),
		lab: l, seen: map[string]change{},
	}
	if i > 1 {
		s.Name = fmt.Sprintf("secondary-%d", i+1)
	}
	return s
}

// follow has the secondary follow the primary from now on.
func (s *Secondary) follow(delay time.Duration) {
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel, s.done, s.delay = cancel, make(chan struct{}), delay
	go s.loop(ctx)
}

func (s *Secondary) unfollow() {
	if s.cancel != nil {
		s.cancel()
		<-s.done
	}
}

func (s *Secondary) loop(ctx context.Context) {
	defer close(s.done)
	tick := time.NewTicker(lagPoll)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		for _, z := range s.lab.zones {
			serial, err := s.lab.serial(ctx, s.lab.Primary, z.name)
			if err != nil || !s.isDue(z.name, serial, time.Now()) {
				continue
			}
			// Of a primary that went back it takes nothing, however often it is told.
			if have, err := s.lab.serial(ctx, s.Addr, z.name); err == nil && !later(serial, have) {
				s.caughtUp(z.name, serial)
				continue
			}
			// Said again until it shows: a secondary that is gone for good is
			// the test's to notice.
			if s.toTell(z.name, time.Now()) {
				_ = s.notify(ctx, z.name)
			}
		}
	}
}

// isDue notes the primary's serial and says whether the secondary may have it now.
func (s *Secondary) isDue(zone string, serial uint32, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.seen[zone]
	switch {
	case c.serial != serial && c.due.IsZero():
		c = change{serial: serial, due: now.Add(s.delay)}
	case c.serial != serial:
		c.serial = serial // goes along with the change that is on its way
	}
	s.seen[zone] = c
	return !s.held && !c.due.IsZero() && !now.Before(c.due)
}

// toTell says whether it is time to tell the secondary, and notes that it is told.
func (s *Secondary) toTell(zone string, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.seen[zone]
	if now.Sub(c.told) < tellAgain {
		return false
	}
	c.told = now
	s.seen[zone] = c
	return true
}

// caughtUp notes that the secondary has the serial.
func (s *Secondary) caughtUp(zone string, serial uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, known := s.seen[zone]
	if !known || !later(c.serial, serial) {
		s.seen[zone] = change{serial: serial}
	}
}

// later says whether serial a comes after b (RFC 1982).
func later(a, b uint32) bool { return int32(a-b) > 0 }

// Hold stops all transfers until [Secondary.Release] or [Secondary.Lag].
func (s *Secondary) Hold() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held = true
}

// Lag makes each change reach the secondary d after the primary had it, give or
// take a tenth of a second; a change that comes while another is on its way goes
// along with that one. It ends a hold; what was held up comes after d.
func (s *Secondary) Lag(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	for zone, c := range s.seen {
		if !c.due.IsZero() {
			c.due = now.Add(d)
			s.seen[zone] = c
		}
	}
	s.delay, s.held = d, false
}

// Release lets one transfer of each zone happen now and returns when the
// secondary serves what the primary serves. A hold stays.
func (s *Secondary) Release(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := s.bringOver(ctx, time.Time{}); err != nil {
		t.Fatal(err)
	}
}

// HoldSecondary is [Secondary.Hold] of ns2.example.org.
func (l *Lab) HoldSecondary() { l.second.Hold() }

// LagSecondary is [Secondary.Lag] of ns2.example.org.
func (l *Lab) LagSecondary(d time.Duration) { l.second.Lag(d) }

// ReleaseSecondary is [Secondary.Release] of ns2.example.org.
func (l *Lab) ReleaseSecondary(t testing.TB) {
	t.Helper()
	l.second.Release(t)
}

// bringOver notifies, from then on and once in tellAgain, until the secondary has the
// primary's serials.
func (s *Secondary) bringOver(ctx context.Context, begin time.Time) error {
	for _, z := range s.lab.zones {
		tell := begin
		err := await(ctx, func(ctx context.Context) error {
			if err := s.lab.ended(s.Name); err != nil {
				return err
			}
			err := s.sameSerial(ctx, z.name)
			if err == nil {
				return nil
			}
			if now := time.Now(); !now.Before(tell) {
				tell = now.Add(tellAgain)
				if err := s.notify(ctx, z.name); err != nil {
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
func (s *Secondary) sameSerial(ctx context.Context, zone string) error {
	want, err := s.lab.serial(ctx, s.lab.Primary, zone)
	if err != nil {
		return err
	}
	have, err := s.lab.serial(ctx, s.Addr, zone)
	if err != nil {
		return err
	}
	if have != want {
		return fmt.Errorf("%s: %s: has serial %d, the primary %d", s.Name, zone, have, want)
	}
	s.caughtUp(zone, want)
	return nil
}

// notify tells the secondary to look at the primary (RFC 1996). Without a serial
// in it NSD always looks.
func (s *Secondary) notify(ctx context.Context, zone string) error {
	m := new(dns.Msg)
	m.SetNotify(zone)
	client := &dns.Client{Timeout: queryTimeout}
	reply, _, err := client.ExchangeContext(ctx, m, s.Addr.String())
	if err != nil {
		return fmt.Errorf("%s: notify %s: %w", s.Name, zone, err)
	}
	if reply.Rcode != dns.RcodeSuccess {
		return fmt.Errorf("%s: notify %s: %s", s.Name, zone, dns.RcodeToString[reply.Rcode])
	}
	return nil
}
