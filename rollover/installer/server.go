package installer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/peer"
)

// patience is how long a peer may take to say what it wants, and to take the answer.
const patience = 10 * time.Second

// Rules are what root's configuration says.
type Rules struct {
	User  uint32          // who may ask, besides root
	Sites map[string]Site // by lineage
}

// Server carries out requests.
type Server struct {
	Rules func() (Rules, error) // as they are now
	Now   func() time.Time
	Log   *slog.Logger

	peer     func(net.Conn) (peer.Process, error) // for tests; nil: the kernel is asked
	patience time.Duration                        // likewise; 0: ten seconds
}

// Serve carries out requests, one after the other, until ctx ends. One that is under way is
// carried out to its end. It closes l.
func (s Server) Serve(ctx context.Context, l net.Listener) error {
	defer l.Close()
	defer context.AfterFunc(ctx, func() { l.Close() })()
	if s.peer == nil {
		s.peer = peer.Of
	}
	if s.patience == 0 {
		s.patience = patience
	}
	done := allowance{}
	for {
		conn, err := l.Accept()
		switch {
		case ctx.Err() != nil:
			if err == nil {
				conn.Close()
			}
			return nil
		case err != nil:
			return fmt.Errorf("installer: %w", err)
		}
		s.receive(context.WithoutCancel(ctx), conn, done)
		conn.Close()
	}
}

// receive answers one connection.
func (s Server) receive(ctx context.Context, conn net.Conn, done allowance) {
	rules, err := s.Rules()
	who, unknown := s.peer(conn)
	switch {
	case unknown != nil:
		err = fmt.Errorf("nobody knows who asks: %w", unknown)
	case err == nil && who.UID != 0 && who.UID != rules.User:
		err = fmt.Errorf("uid %d may not ask (hint: set installer-user to the daemon's user)", who.UID)
	}
	if err != nil {
		s.Log.Warn("installer: request refused", "why", err, "peer", who)
		s.answer(conn, refused(err))
		return
	}
	stuck := time.AfterFunc(s.patience, func() { _ = conn.SetReadDeadline(longAgo) })
	q, err := readRequest(conn)
	stuck.Stop()
	if err != nil {
		s.Log.Warn("installer: request refused", "why", err, "peer", who)
		s.answer(conn, refused(err))
		return
	}
	log := s.Log.With("verb", string(q.Verb), "lineage", q.Lineage, "peer", who)
	r := s.carry(ctx, conn, rules.Sites, q, done)
	switch {
	case r.Refused != "":
		log.Warn("installer: request refused", "why", r.Refused)
	case r.Failed != nil:
		log.Error("installer: failed", "pair", q.Entry.Short(), "step", string(r.Failed.Step), "err", r.Failed.Text)
	case q.acts():
		log.Info("installer: done", "pair", q.Entry.Short(), "changed", strings.Join(r.Changed, " "))
	}
	s.answer(conn, r)
}

var (
	errGone  = errors.New("who asked has gone, so that nothing was begun")
	errOften = fmt.Errorf("asked for too often: %d times in a row, then once in %s (hint: the daemon's log says why)", burst, every)
)

// carry carries out a request.
func (s Server) carry(ctx context.Context, conn net.Conn, sites map[string]Site, q request, done allowance) reply {
	site, known := sites[q.Lineage]
	switch {
	case !known:
		return refused(fmt.Errorf("no lineage %q (hint: the configuration has: %s)", q.Lineage, names(sites)))
	case !q.acts():
		return site.installed()
	case peer.Gone(conn):
		return refused(errGone)
	case !done.take(q.Lineage, s.Now()):
		return refused(errOften)
	}
	return site.act(ctx, q)
}

func names(sites map[string]Site) string {
	var all []string
	for name := range sites {
		all = append(all, name)
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

// answer sends the answer, if the other end takes it.
func (s Server) answer(conn net.Conn, r reply) {
	stuck := time.AfterFunc(s.patience, func() { _ = conn.SetWriteDeadline(longAgo) })
	defer stuck.Stop()
	if _, err := conn.Write(encode(r)); err != nil {
		s.Log.Warn("installer: nobody takes the answer", "err", err)
	}
}
