package web

import (
	"net"
	"net/http"
	"sync"
)

// silent are the connections on which nothing was asked yet. Browsers open some ahead,
// and [http.Server.Shutdown] would wait seconds for what may come on them.
type silent struct {
	mu    sync.Mutex
	conns map[net.Conn]struct{}
	over  bool
}

// note is told of each connection what becomes of it.
func (s *silent) note(c net.Conn, state http.ConnState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if state != http.StateNew {
		delete(s.conns, c)
		return
	}
	if s.over {
		c.Close()
		return
	}
	if s.conns == nil {
		s.conns = map[net.Conn]struct{}{}
	}
	s.conns[c] = struct{}{}
}

// close ends them, and those that come later.
func (s *silent) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over = true
	for c := range s.conns {
		c.Close()
	}
}
