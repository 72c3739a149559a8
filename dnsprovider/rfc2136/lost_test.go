package rfc2136_test

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// holds compares what stands in the server's copy.
func (s *server) holds(t *testing.T, owner tlsa.Owner, want tlsa.RRset) {
	t.Helper()
	if got := s.stands(owner); !got.Same(want) {
		t.Errorf("%s holds %v, want %v", owner, got.Associations, want.Associations)
	}
}

func TestReplyLostAfterTheChange(t *testing.T) {
	for _, how := range []string{"closed", "silent"} {
		t.Run(how, func(t *testing.T) {
			s := serve(t)
			c := config(s)
			c.Timeout = 200 * time.Millisecond
			s.once(func(w dns.ResponseWriter, req *dns.Msg) bool {
				if !isUpdate(req) {
					return false
				}
				s.answer(req, new(dns.Msg))
				if how == "closed" {
					w.Close()
				}
				return true
			})
			if err := apply(t, newProvider(t, c), rrset(), rrset("1")); err != nil {
				t.Error(err)
			}
			s.holds(t, owner, rrset("1"))
			if n := s.heard(); n != 1 {
				t.Errorf("%d updates, want 1", n)
			}
		})
	}
}

func TestRequestLostBeforeTheChange(t *testing.T) {
	s := serve(t)
	s.once(func(w dns.ResponseWriter, req *dns.Msg) bool {
		if isUpdate(req) {
			w.Close()
		}
		return isUpdate(req)
	})
	if err := apply(t, newProvider(t, config(s)), rrset(), rrset("1")); err != nil {
		t.Error(err)
	}
	s.holds(t, owner, rrset("1"))
	if n := s.heard(); n != 1 {
		t.Errorf("%d updates arrived, want 1", n)
	}
}

// TestLostTwice: there is one retry and no more.
func TestLostTwice(t *testing.T) {
	s := serve(t)
	var tries atomic.Int32
	s.always(func(w dns.ResponseWriter, req *dns.Msg) bool {
		if !isUpdate(req) {
			return false
		}
		tries.Add(1)
		w.Close()
		return true
	})
	err := apply(t, newProvider(t, config(s)), rrset(), rrset("1"))
	if !errors.Is(err, dnsprovider.ErrTemporary) || !strings.Contains(err.Error(), "to the update, for the second time: whether it was carried out is not known") {
		t.Errorf("error is %v", err)
	}
	if n := tries.Load(); n != 2 {
		t.Errorf("%d tries, want 2", n)
	}
}

// TestLostAndOvertaken: the reply is lost, and somebody else was there.
func TestLostAndOvertaken(t *testing.T) {
	s := serve(t)
	s.once(func(w dns.ResponseWriter, req *dns.Msg) bool {
		if !isUpdate(req) {
			return false
		}
		s.set(owner, "3600 IN TLSA "+record("f").String())
		w.Close()
		return true
	})
	if err := apply(t, newProvider(t, config(s)), rrset(), rrset("1")); !errors.Is(err, dnsprovider.ErrConflict) {
		t.Errorf("error is %v", err)
	}
	s.holds(t, owner, rrset("f"))
}

// TestLostAndNothingToBeRead: then nobody knows, and that is said.
func TestLostAndNothingToBeRead(t *testing.T) {
	s := serve(t)
	deaf := false
	s.always(func(w dns.ResponseWriter, req *dns.Msg) bool {
		deaf = deaf || isUpdate(req)
		if deaf {
			w.Close()
		}
		return deaf
	})
	err := apply(t, newProvider(t, config(s)), rrset(), rrset("1"))
	if !errors.Is(err, dnsprovider.ErrTemporary) || !strings.Contains(err.Error(), "to the update; whether it was carried out cannot be read back: ") {
		t.Errorf("error is %v", err)
	}
}

// TestLateCommit: a request that was thought lost is carried out after the reading, so
// that the retry meets a conflict with itself.
func TestLateCommit(t *testing.T) {
	s := serve(t)
	var late *dns.Msg
	s.always(func(w dns.ResponseWriter, req *dns.Msg) bool {
		switch {
		case !isUpdate(req):
			return false
		case late == nil:
			late = req
			w.Close()
			return true
		}
		s.answer(late, new(dns.Msg))
		return false
	})
	if err := apply(t, newProvider(t, config(s)), rrset(), rrset("1")); err != nil {
		t.Error(err)
	}
	s.holds(t, owner, rrset("1"))
}

// TestChangeThatIsSeenLate: a server that signs in the background shows the old RRset
// for a while after NOERROR.
func TestChangeThatIsSeenLate(t *testing.T) {
	s := serve(t)
	c := config(s)
	c.ReadBack = 5 * time.Second
	var looks atomic.Int32
	s.always(func(w dns.ResponseWriter, req *dns.Msg) bool {
		if isUpdate(req) || s.count() == 0 || looks.Load() >= 3 {
			return false
		}
		looks.Add(1)
		m := new(dns.Msg).SetRcode(req, dns.RcodeNameError) // as before
		m.Authoritative = true
		s.write(w, req, m)
		return true
	})
	if err := apply(t, newProvider(t, c), rrset(), rrset("1")); err != nil {
		t.Error(err)
	}
	if n := looks.Load(); n != 3 {
		t.Errorf("%d looks that were too early, want 3", n)
	}
}

// TestServerIgnoresTheAddition: NOERROR, and nothing has changed.
func TestServerIgnoresTheAddition(t *testing.T) {
	s := serve(t)
	s.ignore = func(dns.RR) bool { return true }
	err := apply(t, newProvider(t, config(s)), rrset(), rrset("1"))
	want := "change _25._tcp.mx.example.org.: rfc2136 " + s.address + ": NOERROR, and yet nothing has changed: the server ignores the update " +
		"(hint: its log may say why; does its policy drop what it does not allow for _25._tcp.mx.example.org., is it a secondary that passes updates on (then configure the primary), or does another copy of the zone answer queries)"
	if !errors.Is(err, dnsprovider.ErrIgnored) || err.Error() != want {
		t.Errorf("error is\n%v, want\n%s", err, want)
	}
}

// TestServerIgnoresPart: what stands then is neither Before nor After.
func TestServerIgnoresPart(t *testing.T) {
	s := serve(t, line(owner, "1"))
	s.ignore = func(rr dns.RR) bool { return rr.Header().Class == dns.ClassNONE }
	err := apply(t, newProvider(t, config(s)), rrset("1"), rrset("2"))
	if !errors.Is(err, dnsprovider.ErrConflict) || !strings.Contains(err.Error(), "the change was made, and something else stands there now") {
		t.Errorf("error is %v", err)
	}
}

// TestCancelledOnTheWay: the caller gives up while the reply is awaited.
func TestCancelledOnTheWay(t *testing.T) {
	s := serve(t)
	ctx, cancel := context.WithCancel(t.Context())
	s.always(func(_ dns.ResponseWriter, req *dns.Msg) bool {
		if isUpdate(req) {
			cancel()
		}
		return isUpdate(req)
	})
	err := newProvider(t, config(s)).Apply(ctx, zone, []dnsprovider.Change{{Owner: owner, After: rrset("1")}})[0]
	if !errors.Is(err, context.Canceled) || !errors.Is(err, dnsprovider.ErrTemporary) || !strings.Contains(err.Error(), "whether it was carried out is not known") {
		t.Errorf("error is %v", err)
	}
}

func TestNobodyThere(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	p := newProvider(t, config(&server{address: address}))
	_, err = p.RRset(t.Context(), zone, owner)
	if !errors.Is(err, dnsprovider.ErrTemporary) || !strings.Contains(err.Error(), "connection refused (hint: is the server up, and does it take TCP from here)") {
		t.Errorf("error is %v", err)
	}
}

func TestSilence(t *testing.T) {
	s := serve(t)
	c := config(s)
	c.Timeout = 50 * time.Millisecond
	s.always(func(dns.ResponseWriter, *dns.Msg) bool { return true })
	_, err := newProvider(t, c).RRset(t.Context(), zone, owner)
	want := "read _25._tcp.mx.example.org.: rfc2136 " + s.address + ": no reply within 50ms (hint: is the server up, and does it take TCP from here)"
	if err == nil || err.Error() != want {
		t.Errorf("error is\n%v, want\n%s", err, want)
	}
}

// TestSlowServer: the time-out is for each reply, however many there are to come.
func TestSlowServer(t *testing.T) {
	s := serve(t)
	s.always(func(dns.ResponseWriter, *dns.Msg) bool {
		time.Sleep(30 * time.Millisecond)
		return false
	})
	c := config(s)
	c.Timeout = 200 * time.Millisecond
	for i, err := range newProvider(t, c).Apply(t.Context(), zone, additions(10)) {
		if err != nil {
			t.Errorf("change %d: %v", i, err)
		}
	}
}

// TestReplyToNobodysRequest: an ID that was not given out ends the connection; what was
// done is found out by reading.
func TestReplyToNobodysRequest(t *testing.T) {
	s := serve(t)
	s.once(func(w dns.ResponseWriter, req *dns.Msg) bool {
		if !isUpdate(req) {
			return false
		}
		m := s.reply(req)
		m.Id++
		s.write(w, req, m)
		return true
	})
	if err := apply(t, newProvider(t, config(s)), rrset(), rrset("1")); err != nil {
		t.Error(err)
	}
	s.always(func(w dns.ResponseWriter, req *dns.Msg) bool {
		m := s.reply(req)
		m.Id++
		s.write(w, req, m)
		return true
	})
	_, err := newProvider(t, config(s)).RRset(t.Context(), zone, owner)
	if err == nil || !strings.Contains(err.Error(), "a reply to a request that was not made (wrong ID)") {
		t.Errorf("error is %v", err)
	}
}

// TestServerClosesAfterEachReply: some do; reading goes on over another connection.
func TestServerClosesAfterEachReply(t *testing.T) {
	s := serve(t)
	s.always(func(w dns.ResponseWriter, req *dns.Msg) bool {
		s.behave(w, req)
		w.Close()
		return true
	})
	changes := make([]dnsprovider.Change, 0, 40)
	for i := range 40 {
		changes = append(changes, dnsprovider.Change{Owner: numbered(i), After: rrset("1")})
	}
	for i, err := range newProvider(t, config(s)).Apply(t.Context(), zone, changes) {
		if err != nil {
			t.Errorf("change %d: %v", i, err)
		}
	}
}

// TestRepliesInAnyOrder: RFC 7766, section 7 lets a server answer what it can first.
func TestRepliesInAnyOrder(t *testing.T) {
	s := serve(t)
	type pending struct {
		w   dns.ResponseWriter
		req *dns.Msg
	}
	var held []pending
	s.always(func(w dns.ResponseWriter, req *dns.Msg) bool {
		if isUpdate(req) {
			return false
		}
		held = append(held, pending{w, req})
		if len(held) == 5 {
			slices.Reverse(held)
			for _, h := range held {
				h.w.Write(signedFor(t, h.req, s.reply(h.req)))
			}
			held = nil
		}
		return true
	})
	changes := make([]dnsprovider.Change, 0, 5)
	for i := range 5 {
		s.set(numbered(i), "3600 IN TLSA "+record("1").String())
		changes = append(changes, dnsprovider.Change{Owner: numbered(i), Before: rrset("1"), After: rrset("1", "2")})
	}
	for i, err := range newProvider(t, config(s)).Apply(t.Context(), zone, changes) {
		if err != nil {
			t.Errorf("change %d: %v", i, err)
		}
		s.holds(t, numbered(i), rrset("1", "2"))
	}
}
