package control

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

const (
	patience  = 10 * time.Second
	exitError = 1 // the exit code that stands beside an error
)

// Client asks the daemon behind a control socket.
type Client struct {
	Path     string
	Patience time.Duration // without a sign of life, until it gives up; 0: 10s
}

// Do carries out a request through the daemon at path, see [Client.Do].
func Do(ctx context.Context, path string, r Request, face Face) (exit int, err error) {
	return Client{Path: path}.Do(ctx, r, face)
}

// Do carries out a request through the daemon, shows what it says, and returns the
// command's exit code; beside an error that is 1. It always returns, and when ctx
// ends the daemon is told. Errors are [ErrNone], [ErrWedged], [ErrDenied], ctx's own, and
// sentences: a daemon of another version, one that ended halfway.
func (c Client) Do(ctx context.Context, r Request, face Face) (exit int, err error) {
	body, err := r.encode()
	if err != nil {
		return exitError, err
	}
	conn, err := c.connect(ctx)
	if err != nil {
		return exitError, err
	}
	return c.talk(ctx, conn, body, &replay{face: face, asks: r})
}

// talk sends the request and shows the answer. It closes conn.
func (c Client) talk(ctx context.Context, conn net.Conn, body []byte, show *replay) (exit int, err error) {
	coming := newQueue()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		coming.put(frame{}, hear(conn, body, coming))
	}()
	hangUp := context.AfterFunc(ctx, func() { conn.Close() }) // at once, even while a line is being shown
	defer func() {
		hangUp()
		conn.Close()
		<-ended
		show.leave()
	}()

	// Silence is counted in ticks, of which a ticker keeps one at most: who was stopped
	// with Ctrl-Z, or printed into a full pipe, does not take that time for the daemon's.
	const ticks = 10
	tick := time.NewTicker(cmp.Or(c.Patience, patience) / ticks)
	defer tick.Stop()
	for silence := 0; silence <= ticks; {
		select {
		case <-ctx.Done():
			return exitError, ctx.Err()
		case <-tick.C:
			silence++
		case <-coming.news:
			silence = 0
			frames, err := coming.take()
			for _, f := range frames {
				if over, err := show.frame(f); over || err != nil {
					return show.exit, c.explain(err, show)
				}
			}
			if err != nil && ctx.Err() == nil {
				return exitError, c.explain(err, show)
			}
		}
	}
	return exitError, at(c.Path, ErrWedged, "see its log and restart it"+show.pid(", its pid is %d"))
}

// explain makes a sentence of why the answer ended, nil if it is complete.
func (c Client) explain(err error, show *replay) error {
	var refused *refusal
	var unlike errUnlike
	switch {
	case err == nil:
		return nil
	case errors.As(err, &refused) && refused.status == http.StatusForbidden:
		return fmt.Errorf("control socket: %w at %s: %s", ErrDenied, c.Path, refused.sentence)
	case errors.As(err, &refused) && refused.status == http.StatusConflict:
		return fmt.Errorf("control socket: %s", refused.sentence)
	case errors.As(err, &refused):
		return fmt.Errorf("control socket: the daemon at %s refuses: %s", c.Path, refused.sentence)
	case errors.As(err, &unlike):
		return fmt.Errorf("control socket: %w", err)
	case !cutOff(err):
		return at(c.Path, err, "does another program listen there?")
	case show.daemon == nil:
		return at(c.Path, ErrNone, "")
	}
	return fmt.Errorf("control socket: the daemon ended before %s did%s (hint: see its log, and tlsaroll status)", show.asks.Command, show.pid(" (pid %d)"))
}

// replay shows frames.
type replay struct {
	face   Face
	asks   Request
	daemon *hello // nil until it has said it
	stuck  bool   // a line sticks
	exit   int
}

// frame shows one, and reports whether it was the last.
func (p *replay) frame(f frame) (over bool, err error) {
	p.exit = exitError
	if (p.daemon == nil) != (f.Kind == kindHello) {
		return false, errFrame
	}
	switch f.Kind {
	case kindHello:
		p.daemon = f.Hello
		if f.Hello.Protocol != protocol {
			return false, unlike(f.Hello.wireVersion, wireVersion{protocol, p.asks.Version})
		}
	case kindResult:
		p.face.Result(f.Text)
	case kindSay:
		p.face.Say(f.Text)
	case kindStick:
		p.stuck = true
		p.face.Stick(f.Text)
	case kindUnstick:
		p.stuck = false
		p.face.Unstick()
	case kindBeat:
	case kindExit:
		p.exit = f.Exit
		return true, nil
	}
	return false, nil
}

// leave takes care that what is printed next does not run into a line that sticks.
func (p *replay) leave() {
	if p.stuck {
		p.face.Unstick()
	}
}

// pid is the daemon's in words, "" before it has said it.
func (p *replay) pid(format string) string {
	if p.daemon == nil {
		return ""
	}
	return fmt.Sprintf(format, p.daemon.PID)
}
