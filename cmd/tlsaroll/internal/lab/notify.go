package lab

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A Notice is one that a [Daemon] gave its service manager (sd_notify(3)).
type Notice struct {
	At    time.Time
	State string // as "READY=1"; a message of several lines is several
}

// listen plays the service manager at a socket.
func (d *Daemon) listen(t testing.TB) (path string, err error) {
	dir, err := os.MkdirTemp("", "tlsaroll-notify-") // a test's own may be too long for a socket
	if err != nil {
		return "", err
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	path = filepath.Join(dir, "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		return "", err
	}
	go d.receive(conn)
	t.Cleanup(func() {
		conn.Close()
		<-d.done
	})
	return path, nil
}

// last follows what a program said to its service manager when it has ended.
const last = "the last"

// conclude says that no more comes, when the program has ended.
func (d *Daemon) conclude(socket string) {
	<-d.process.done
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		return // the test is over, and nobody reads
	}
	defer conn.Close()
	_, _ = conn.Write([]byte(last)) // as above
}

// receive keeps what the program says until it has ended, or the test has.
func (d *Daemon) receive(conn *net.UnixConn) {
	defer close(d.done)
	message := make([]byte, 4096)
	for {
		n, err := conn.Read(message)
		if err != nil || string(message[:n]) == last {
			return
		}
		d.said(func(now time.Time) {
			for state := range strings.Lines(string(message[:n])) {
				d.notices = append(d.notices, Notice{now, strings.TrimSuffix(state, "\n")})
			}
		})
	}
}

// Notices returns what it said to its service manager so far.
func (d *Daemon) Notices() []Notice {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.notices[:len(d.notices):len(d.notices)]
}

// Notice waits for the first notice since a moment that begins with state, as
// "READY=1" or "STATUS=". That the program ends without it, or that ctx is done, is
// an error.
func (d *Daemon) Notice(ctx context.Context, since time.Time, state string) (Notice, error) {
	var found Notice
	err := d.await(ctx, func() bool {
		for _, n := range d.Notices() {
			if !n.At.Before(since) && strings.HasPrefix(n.State, state) {
				found = n
				return true
			}
		}
		return false
	})
	if err != nil {
		err = fmt.Errorf("daemon: no notice %s: %w; it said %v\n%s", state, err, d.Notices(), d)
	}
	return found, err
}
