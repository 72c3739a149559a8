package rfc2136_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// allDone checks that all changes were made.
func allDone(t *testing.T, s *server, changes []dnsprovider.Change, errs []error) {
	t.Helper()
	for i, c := range changes {
		if errs[i] != nil {
			t.Errorf("change %d: %v", i, errs[i])
		}
		s.holds(t, c.Owner, c.After)
	}
}

// TestUpdatesArePipelined: a few are on their way at once and may be answered in any order.
// They were all signed at the same moment, whatever the clock says in between: a server may
// refuse what was signed before what it has seen (RFC 8945, section 5.2.3).
func TestUpdatesArePipelined(t *testing.T) {
	s := serve(t)
	var held []*dns.Msg
	came := 0
	s.always(func(w dns.ResponseWriter, req *dns.Msg) bool {
		if !isUpdate(req) {
			return false
		}
		came++
		held = append(held, req)
		if len(held) < 4 && came > 2 && came != 7 && came != 12 { // the first one comes alone
			return true
		}
		slices.Reverse(held)
		for _, h := range held {
			if first, this := held[0].IsTsig().TimeSigned, h.IsTsig().TimeSigned; this != first {
				t.Errorf("signed at %d and at %d, and on their way at once", first, this)
			}
			reply := new(dns.Msg).SetReply(h)
			s.answer(h, reply)
			w.Write(signedFor(t, h, reply))
		}
		held = nil
		return true
	})
	c := config(s)
	c.MaxBatch = 10
	var ticks atomic.Int64
	begin := time.Now()
	c.Now = func() time.Time { return begin.Add(time.Duration(ticks.Add(1)) * 500 * time.Millisecond) }
	changes := additions(60)
	allDone(t, s, changes, newProvider(t, c).Apply(t.Context(), zone, changes))
	if n := s.heard(); n != 12 {
		t.Errorf("%d updates, want 6 and 6 that ask", n)
	}
}

// TestServerThatSignsAtASide gets one message after the other, each when the one before is seen.
func TestServerThatSignsAtASide(t *testing.T) {
	s := serve(t)
	var late atomic.Bool
	var looks atomic.Int32
	s.always(func(w dns.ResponseWriter, req *dns.Msg) bool {
		switch {
		case isUpdate(req) && len(req.Ns) > 0:
			if late.Swap(true) {
				t.Error("an update comes before the last one is shown")
			}
		case !isUpdate(req) && late.Load():
			if looks.Add(1)%6 != 0 { // two queries a look
				m := new(dns.Msg).SetRcode(req, dns.RcodeNameError) // as before
				m.Authoritative = true
				s.write(w, req, m)
				return true
			}
			late.Store(false)
		}
		return false
	})
	c := config(s)
	c.MaxBatch, c.ReadBack = 10, 10*time.Second
	changes := additions(60)
	allDone(t, s, changes, newProvider(t, c).Apply(t.Context(), zone, changes))
	if n := s.heard(); n != 12 {
		t.Errorf("%d updates, want 6 and 6 that ask", n)
	}
}

// TestOldSignatureIsNotUsedOn: when the moment is long ago, what is under way is waited for.
func TestOldSignatureIsNotUsedOn(t *testing.T) {
	s := serve(t)
	var skew atomic.Int64
	s.always(func(_ dns.ResponseWriter, req *dns.Msg) bool {
		if apart := time.Now().Unix() + skew.Load() - int64(req.IsTsig().TimeSigned); apart > 70 {
			t.Errorf("signed %d s ago", apart)
		}
		skew.Add(1)
		return false
	})
	c := config(s)
	c.MaxBatch = 1 // 140 requests, a second each; 32 at most are on their way
	c.Now = func() time.Time { return time.Now().Add(time.Duration(skew.Load()) * time.Second) }
	changes := additions(70)
	allDone(t, s, changes, newProvider(t, c).Apply(t.Context(), zone, changes))
}

// TestConnectionLostInTheMiddle: updates under way were carried out or were not; all
// are settled by reading, and none is carried out twice.
func TestConnectionLostInTheMiddle(t *testing.T) {
	for name, carriedOut := range map[string]bool{"carried out": true, "not carried out": false} {
		t.Run(name, func(t *testing.T) {
			s := serve(t)
			var updates atomic.Int32
			s.always(func(w dns.ResponseWriter, req *dns.Msg) bool {
				if !isUpdate(req) || updates.Add(1) != 3 {
					return false
				}
				if carriedOut {
					s.answer(req, new(dns.Msg))
				}
				w.Close()
				return true
			})
			c := config(s)
			c.MaxBatch = 10
			changes := additions(60)
			allDone(t, s, changes, newProvider(t, c).Apply(t.Context(), zone, changes))
		})
	}
}

// TestServerClosesAfterEachUpdate: the rest goes over other connections.
func TestServerClosesAfterEachUpdate(t *testing.T) {
	s := serve(t)
	s.always(func(w dns.ResponseWriter, req *dns.Msg) bool {
		if isUpdate(req) {
			s.behave(w, req)
			w.Close()
		}
		return isUpdate(req)
	})
	c := config(s)
	c.MaxBatch = 10
	changes := additions(100)
	allDone(t, s, changes, newProvider(t, c).Apply(t.Context(), zone, changes))
}

// TestManyChangesOfSomeOwners are made in their order, whichever can be made at one go.
func TestManyChangesOfSomeOwners(t *testing.T) {
	s := serve(t)
	changes := additions(60)
	for i := range 5 {
		before := rrset("1")
		longer := tlsa.NewRRset(2*time.Hour, record("1"))
		s.set(numbered(i), "3600 IN TLSA "+record("1").String())
		changes[i] = dnsprovider.Change{Owner: numbered(i), Before: before, After: longer}
		changes = append(changes, dnsprovider.Change{Owner: numbered(i), Before: longer, After: longer.With(record("2"))})
	}
	errs := newProvider(t, config(s)).Apply(t.Context(), zone, changes)
	for i, err := range errs {
		if err != nil {
			t.Errorf("change %d: %v", i, err)
		}
	}
	for i := range 5 {
		if got := s.stands(numbered(i)); !got.Same(rrset("1", "2")) || got.TTL != 2*time.Hour {
			t.Errorf("%s: %v", numbered(i), got)
		}
	}
}

// TestTTLThatWasNotRead: without one in Before, what stands there keeps its own.
func TestTTLThatWasNotRead(t *testing.T) {
	for _, digits := range [][]string{{"1", "2", "3"}, {"1"}, {"2"}} {
		s := serve(t)
		changes := additions(60)
		for i := range changes {
			s.set(changes[i].Owner, "7200 IN TLSA "+record("1").String(), "7200 IN TLSA "+record("2").String())
			changes[i].Before, changes[i].After = tlsa.NewRRset(0, record("1"), record("2")), rrset(digits...)
		}
		allDone(t, s, changes, newProvider(t, config(s)).Apply(t.Context(), zone, changes))
		for _, c := range changes {
			if got := s.stands(c.Owner); got.TTL != 2*time.Hour {
				t.Fatalf("%s has the TTL %s", c.Owner, got.TTL)
			}
		}
	}
}

// TestLargeMessagesGoAtOnce, too: no more goes into one than has room.
func TestLargeMessagesGoAtOnce(t *testing.T) {
	whole := tlsa.Association{Params: tlsa.Params{Usage: tlsa.DANEEE}, Data: strings.Repeat("30", 4000)}
	for name, test := range map[string]struct {
		after tlsa.RRset
		host  string
	}{
		"whole certificates": {rrset("1").With(whole), ""},
		"many labels":        {rrset("1"), strings.Repeat("a.b.c.d.", 12)},
		"long labels":        {rrset("1", "2", "3"), strings.Repeat(strings.Repeat("x", 60)+".", 3)},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t)
			c := config(s)
			c.ReadBack = 10 * time.Second
			var log bytes.Buffer
			c.Log = slog.New(slog.NewTextHandler(&log, nil))
			p := newProvider(t, c)
			for _, step := range [][2]tlsa.RRset{{{}, test.after}, {test.after, test.after.With(record("e"))}, {test.after.With(record("e")), test.after}, {test.after, {}}} {
				changes := make([]dnsprovider.Change, 120)
				for i := range changes {
					changes[i] = dnsprovider.Change{
						Owner:  tlsa.Owner(fmt.Sprintf("_25._tcp.mx%d.%sexample.org.", i, test.host)),
						Before: step[0], After: step[1],
					}
				}
				allDone(t, s, changes, p.Apply(t.Context(), zone, changes))
			}
			if log.Len() > 0 {
				t.Errorf("not at one go: %s", log.String())
			}
		})
	}
}
