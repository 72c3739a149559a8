package web

import (
	"io"
	"net/http"
	"time"
)

const (
	beat    = 30 * time.Second // keeps proxies from giving the connection up
	sending = 10 * time.Second // may a few octets take, or the listener is gone
)

// events is a stream of server-sent events: one whenever something has changed, upon
// which the page is asked for again.
func (s *Server) events(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodHead {
		w.Header().Set("Content-Type", "text/event-stream")
		return
	}
	if !s.news.enter() {
		w.Header().Set("Retry-After", "60")
		unavailable(w, "too many pages are open, or the program ends")
		return
	}
	defer s.news.leave()
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no") // nginx would keep it until there is more
	c := http.NewResponseController(w)
	say := func(text string) bool {
		if c.SetWriteDeadline(s.cfg.Now().Add(sending)) != nil {
			return false
		}
		_, err := io.WriteString(w, text)
		return err == nil && c.Flush() == nil
	}
	changed, over := s.news.next()
	if over || !say("retry: 5000\n\n") {
		return
	}
	tick := time.NewTicker(beat)
	defer tick.Stop()
	for {
		text := ": still here\n\n"
		select {
		case <-r.Context().Done():
			return
		case <-changed:
			if changed, over = s.news.next(); over {
				return
			}
			text = "event: changed\ndata: now\n\n"
		case <-tick.C:
		}
		if !say(text) {
			return
		}
	}
}
