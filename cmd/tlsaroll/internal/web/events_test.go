package web

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
)

// pipes is a listener whose connections are pipes, so that time may be made up.
type pipes struct {
	come chan net.Conn
	end  chan struct{}
}

func (p pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.come:
		return c, nil
	case <-p.end:
		return nil, net.ErrClosed
	}
}
func (p pipes) Close() error { close(p.end); return nil }
func (p pipes) Addr() net.Addr {
	return &net.UnixAddr{Name: "pipe", Net: "unix"}
}

// dial makes a connection.
func (p pipes) dial(t *testing.T) net.Conn {
	t.Helper()
	ours, theirs := net.Pipe()
	select {
	case p.come <- theirs:
	case <-p.end:
		t.Fatal("it listens no more")
	}
	return ours
}

// listener is somebody who has a page open.
type listener struct {
	conn  net.Conn
	lines chan string // closed when the stream ends
	reply string      // the first line
}

func (p pipes) listen(t *testing.T) *listener {
	t.Helper()
	l := &listener{conn: p.dial(t), lines: make(chan string, 10000)}
	if _, err := io.WriteString(l.conn, "GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	reply, err := http.ReadResponse(bufio.NewReader(l.conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	l.reply = reply.Status
	go func() {
		defer close(l.lines)
		for s := bufio.NewScanner(reply.Body); s.Scan(); {
			if s.Text() != "" {
				l.lines <- s.Text()
			}
		}
	}()
	return l
}

// heard is what was said since it was last asked, in one line.
func (l *listener) heard() string {
	synctest.Wait()
	var all []string
	for {
		select {
		case line, ok := <-l.lines:
			if !ok {
				return strings.Join(append(all, "end"), " ")
			}
			all = append(all, line)
		default:
			return strings.Join(all, " ")
		}
	}
}

// stage is a server in made-up time.
type stage struct {
	pipes
	*Metrics
	status atomic.Pointer[[]rollover.LineageStatus]
	asked  atomic.Int64
	end    func() error
}

func newStage(t *testing.T) *stage {
	s := &stage{pipes: pipes{make(chan net.Conn), make(chan struct{})}}
	s.set(site())
	s.Metrics = NewMetrics(Sources{Version: "v1.2.3", Warnings: func() []rollover.Warning { return nil }, Status: func() []rollover.LineageStatus {
		s.asked.Add(1)
		return append([]rollover.LineageStatus(nil), *s.status.Load()...)
	}})
	server := newServer(Config{Metrics: s.Metrics, Now: time.Now, Log: slog.New(slog.DiscardHandler)}, s.pipes)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- server.Run(ctx) }()
	s.end = func() error {
		cancel()
		return <-ended
	}
	return s
}

func (s *stage) set(status []rollover.LineageStatus) { s.status.Store(&status) }

const hint = "event: changed data: now"

// TestEvents listens for an hour, in which something happens now and then.
func TestEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		time.Sleep(time.Hour)
		if s.Passed(nil, noon); s.asked.Load() != 0 {
			t.Errorf("the status is asked for %d times while nobody listens", s.asked.Load())
		}
		time.Sleep(5 * time.Second)
		l := s.listen(t)
		if got := l.heard(); l.reply != "200 OK" || got != "retry: 5000" {
			t.Errorf("%s: %s", l.reply, got)
		}
		s.Passed(nil, noon)
		time.Sleep(10 * time.Second)
		if got := l.heard(); got != hint {
			t.Errorf("at first: %q", got)
		}
		for range 60 { // passes in which nothing changes but when the next look is
			later := site()
			later[0].NextLook = instant(time.Now().Add(time.Minute))
			s.set(later)
			s.Passed(nil, noon)
			time.Sleep(time.Minute)
		}
		if got := l.heard(); strings.Contains(got, "changed") || strings.Count(got, ": still here") != 120 {
			t.Errorf("an hour without news: %q", got)
		}
		changed := site()
		changed[0].Phase = rollover.Ready
		s.set(changed)
		for range 100 { // many hints, one piece of news
			s.Passed(nil, noon)
		}
		time.Sleep(3 * time.Second)
		if got := l.heard(); strings.Count(got, hint) != 1 {
			t.Errorf("something changed: %q", got)
		}
		s.set(site()) // without a hint
		time.Sleep(35 * time.Second)
		if got := l.heard(); strings.Count(got, hint) != 1 {
			t.Errorf("something changed, and nobody said so: %q", got)
		}
		begun := time.Now()
		if err := s.end(); err != nil || time.Since(begun) > time.Second {
			t.Errorf("the end took %s: %v", time.Since(begun), err)
		}
		if got := l.heard(); got != "end" {
			t.Errorf("at the end: %q", got)
		}
		l.conn.Close()
	})
}

// TestListenersLeave has listeners come and go, one that reads nothing any more among
// them, and more than there is room for.
func TestListenersLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		deaf := s.dial(t)
		io.WriteString(deaf, "GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n") // and never reads
		var all []*listener
		for range listeners - 1 {
			all = append(all, s.listen(t))
		}
		more := s.listen(t)
		if got := more.heard(); more.reply != "503 Service Unavailable" || !strings.HasPrefix(got, "too many pages are open") {
			t.Errorf("%s: %s", more.reply, got)
		}
		more.conn.Close()
		all[0].conn.Close()
		time.Sleep(time.Second)
		again := s.listen(t)
		if again.reply != "200 OK" {
			t.Errorf("a place is free: %s", again.reply)
		}
		time.Sleep(time.Minute) // the deaf one is given up
		another := s.listen(t)
		if another.reply != "200 OK" {
			t.Errorf("nobody waits for one that does not read: %s", another.reply)
		}
		for _, l := range append(all[1:], again, another) {
			if got := l.heard(); !strings.HasPrefix(got, "retry: 5000") || strings.Contains(got, "end") {
				t.Errorf("%q", got)
			}
		}
		if err := s.end(); err != nil {
			t.Error(err)
		}
		for _, l := range append(all[1:], again, another) {
			l.conn.Close()
		}
		deaf.Close()
	})
}

// TestPassesWithoutEnd has a thousand lineages be passed over all the time: looking for
// changes takes a bounded part of it.
func TestPassesWithoutEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		var status []rollover.LineageStatus
		for i := range 1000 {
			status = append(status, rollover.LineageStatus{Name: fmt.Sprintf("mx%d", i)})
		}
		s.set(status)
		l := s.listen(t)
		for range 600 {
			s.Passed(nil, noon)
			time.Sleep(100 * time.Millisecond)
		}
		if n := s.asked.Load(); n < 8 || n > 11 {
			t.Errorf("looked for changes %d times in a minute", n)
		}
		if err := s.end(); err != nil {
			t.Error(err)
		}
		l.conn.Close()
	})
}

// TestConnectionsAhead has a browser connect and ask nothing: the end does not wait for it.
func TestConnectionsAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		ahead := s.dial(t)
		synctest.Wait()
		begun := time.Now()
		if err := s.end(); err != nil || time.Since(begun) > time.Second {
			t.Errorf("the end took %s: %v", time.Since(begun), err)
		}
		ahead.Close()
	})
}
