package web

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// patience is how long the scheduler may take to say that it is alive.
const patience = 5 * time.Second

// healthz says whether the scheduler answers: if it does not, a restart may help.
func (s *Server) healthz(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	if err := s.cfg.Alive(ctx); err != nil {
		unavailable(w, err.Error())
		return
	}
	fmt.Fprintln(w, "alive")
}

// readyz says whether everything is known that there is to know: the journal is in
// its place, and each lineage was looked at since the start.
func (s *Server) readyz(w http.ResponseWriter, _ *http.Request) {
	if err := s.cfg.Journal(); err != nil {
		unavailable(w, err.Error())
		return
	}
	if names := s.cfg.Metrics.unpassed(); len(names) > 0 {
		unavailable(w, "no pass yet: "+strings.Join(names, ", "))
		return
	}
	fmt.Fprintln(w, "ready")
}

// unavailable answers in one line.
func unavailable(w http.ResponseWriter, why string) {
	http.Error(w, strings.Join(strings.Fields(why), " "), http.StatusServiceUnavailable)
}
