package sink

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Config says what a sink takes, and for whom.
type Config struct {
	Name  string // by which it greets
	Local string // of the recipients; nobody can guess it
	Cases []Case
	// Certificate is presented to all, whatever their SNI.
	Certificate tls.Certificate
	Now         func() time.Time
	// Seen is told of a visit when it begins to mean something, and when it ends. Safe for
	// concurrent use.
	Seen func(Visit)
}

// A Sink is a mail server that throws away what it takes. It takes mail for the recipients of
// its cases and for nobody else, and passes nothing on.
type Sink struct {
	cfg       Config
	listeners []net.Listener
	round     atomic.Int64
	serial    atomic.Int64
	places    chan struct{}
	life      context.Context
	end       context.CancelFunc
	running   sync.WaitGroup
}

// The most that visitors may take of us: sessions at once, and time for each.
const (
	maxSessions  = 64
	sessionLimit = 5 * time.Minute
)

// Listen begins to take mail at some addresses, in round 0.
func Listen(ctx context.Context, addresses []netip.AddrPort, cfg Config) (*Sink, error) {
	s := &Sink{cfg: cfg, places: make(chan struct{}, maxSessions)}
	for _, a := range addresses {
		l, err := new(net.ListenConfig).Listen(ctx, "tcp", a.String())
		if err != nil {
			for _, l := range s.listeners {
				l.Close()
			}
			return nil, fmt.Errorf("listen at %s: %w%s", a, err, hint(err))
		}
		s.listeners = append(s.listeners, l)
	}
	s.life, s.end = context.WithCancel(context.WithoutCancel(ctx))
	for i, l := range s.listeners {
		s.running.Go(func() { s.accept(l, addresses[i]) })
	}
	return s, nil
}

func hint(err error) string {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return " (hint: who else has it, such as the mail server itself, can leave it out, in Postfix with inet_interfaces; or check from another host)"
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return " (hint: this host has no such address; ip addr lists them)"
	case errors.Is(err, syscall.EACCES):
		return " (hint: port 25 is for root)"
	}
	return ""
}

// Round begins a round.
func (s *Sink) Round(n int) { s.round.Store(int64(n)) }

// Close ends all sessions, and returns when they have ended.
func (s *Sink) Close() {
	s.end()
	for _, l := range s.listeners {
		l.Close()
	}
	s.running.Wait()
}

// accept takes connections until the listener is closed.
func (s *Sink) accept(l net.Listener, at netip.AddrPort) {
	for {
		select {
		case s.places <- struct{}{}:
		case <-s.life.Done():
			return
		}
		conn, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // too many files, or a visitor that is gone already
			<-s.places
			continue
		}
		s.running.Go(func() {
			defer func() { <-s.places }()
			ctx, cancel := context.WithTimeout(s.life, sessionLimit)
			defer cancel()
			stop := context.AfterFunc(ctx, func() { conn.Close() })
			defer stop()
			defer conn.Close()
			s.visit(conn, at)
		})
	}
}

// visit serves one connection.
func (s *Sink) visit(conn net.Conn, at netip.AddrPort) {
	peer, _ := netip.ParseAddrPort(conn.RemoteAddr().String()) // the zero one if it has none
	v := Visit{Serial: int(s.serial.Add(1)), Address: at, Peer: peer.Addr().Unmap(), Begun: s.cfg.Now()}
	if i := slices.IndexFunc(s.cfg.Cases, func(c Case) bool { return c.Kind.Alone() && c.Address == at && c.Round == int(s.round.Load()) }); i >= 0 {
		v.Alone = s.cfg.Cases[i].Kind
	}
	session := newSession(s, conn, v)
	session.serve()
	if session.secure() {
		session.conn.Close() // which says so: some senders complain else
	}
	session.Visit.Ended = s.cfg.Now()
	s.cfg.Seen(session.Visit.clone())
}

// A welcome is what a recipient may expect.
type welcome int

const (
	stranger welcome = iota
	early            // its case is one without STARTTLS, and its round has not come
	expected
)

// recipient finds the case of a recipient.
func (s *Sink) recipient(local, domain string) (Case, welcome) {
	i := slices.IndexFunc(s.cfg.Cases, func(c Case) bool { return c.Domain == domain })
	switch {
	case i < 0 || !strings.EqualFold(local, s.cfg.Local):
		return Case{}, stranger
	case s.cfg.Cases[i].Round > int(s.round.Load()):
		return s.cfg.Cases[i], early
	}
	return s.cfg.Cases[i], expected
}
