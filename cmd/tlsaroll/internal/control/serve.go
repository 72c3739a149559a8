package control

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/peer"
)

// maxRequests are carried out at once. Those that wait for a rollover to end count.
const maxRequests = 64

// Server carries out requests in a daemon.
type Server struct {
	// Version is the program's, for messages.
	Version string
	// Carry carries out one command and returns its exit code. Its context ends with
	// cause [ErrGone] when the client has gone, and with [ErrStopping] when the daemon
	// stops; then a last word still gets through. It must return soon after.
	Carry func(ctx context.Context, r Request, to *Reply) (exit int)
	// Alive asks the scheduler whether it works, and must return when its context
	// ends. While it fails clients get no sign of life.
	Alive func(ctx context.Context) error
	Log   *slog.Logger // nil: nowhere
	Reads []string     // commands that change nothing, and go to the log at debug alone
	Pace  Pace
}

// Pace is how long things may take; 0 is the default.
type Pace struct {
	Beat  time.Duration // between two signs of life, and for Alive to answer; 2s
	Read  time.Duration // for a request to come in; 5s
	Write time.Duration // for the client to take in a line; 10s
	Grace time.Duration // for last words, when the daemon stops; 3s
}

func (p Pace) orDefault() Pace {
	return Pace{
		Beat:  cmp.Or(p.Beat, 2*time.Second),
		Read:  cmp.Or(p.Read, 5*time.Second),
		Write: cmp.Or(p.Write, 10*time.Second),
		Grace: cmp.Or(p.Grace, 3*time.Second),
	}
}

// service is a server at work.
type service struct {
	Server
	door  door
	stop  context.Context // ends when the daemon stops
	slots chan struct{}   // one for each request that is carried out
}

// Serve answers until ctx ends, and returns when no command is carried out any more. It
// closes l.
func (s Server) Serve(ctx context.Context, l *Listener) error {
	s.Pace = s.Pace.orDefault()
	if s.Log == nil {
		s.Log = slog.New(slog.DiscardHandler)
	}
	stop, end := context.WithCancel(ctx)
	defer end()
	sv := &service{s, l.door, stop, make(chan struct{}, maxRequests)}
	web := &http.Server{
		Handler:           sv.handler(),
		ConnContext:       withCaller,
		ReadHeaderTimeout: s.Pace.Read,
		ReadTimeout:       s.Pace.Read,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(s.Log.Handler(), slog.LevelWarn),
	}
	web.SetKeepAlivesEnabled(false)
	ended := make(chan struct{})
	var failed error
	go func() {
		defer close(ended)
		failed = web.Serve(l.listener)
	}()

	select {
	case <-ctx.Done():
	case <-ended:
	}
	asked := ctx.Err() != nil
	l.Close()
	<-ended
	end()
	sv.drain(web)
	if asked {
		return nil
	}
	return fmt.Errorf("control socket: %w", failed)
}

// drain waits for the commands that are carried out: with all slots taken there are none, and
// none begins. Clients of those that do not end within the grace are cut off.
func (s *service) drain(web *http.Server) {
	grace := time.NewTimer(s.Pace.Grace)
	defer grace.Stop()
	for range maxRequests {
		select {
		case s.slots <- struct{}{}:
			continue
		case <-grace.C:
			web.Close()
		}
		s.slots <- struct{}{}
	}
	web.Close()
}

// caller is who connected, or why that is not known.
type caller struct {
	peer.Process
	err error
}

type callerKey struct{}

func withCaller(ctx context.Context, c net.Conn) context.Context {
	p, err := peer.Of(c)
	return context.WithValue(ctx, callerKey{}, caller{p, err})
}
