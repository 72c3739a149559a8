package lab

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"
	"time"
)

// sessionLimit is how long a client of a server within the process may take.
const sessionLimit = time.Minute

// serveSessions has each connection of a listener served until the test ends; serve
// leaves when its connection is closed or its context ends.
func serveSessions(t testing.TB, listener net.Listener, serve func(context.Context, net.Conn)) {
	life, end := context.WithCancel(context.Background())
	var sessions sync.WaitGroup
	sessions.Go(func() {
		for {
			conn, err := listener.Accept()
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err != nil {
				continue // as where a client was gone before
			}
			sessions.Go(func() {
				ctx, cancel := context.WithTimeout(life, sessionLimit)
				defer cancel()
				defer context.AfterFunc(ctx, func() { conn.Close() })()
				defer conn.Close()
				serve(ctx, conn)
			})
		}
	})
	t.Cleanup(func() {
		end()
		if err := listener.Close(); err != nil {
			t.Error(err)
		}
		sessions.Wait()
	})
}
