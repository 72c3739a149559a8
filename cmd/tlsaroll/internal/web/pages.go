package web

import (
	"bufio"
	"net/http"
	"strings"
	"time"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/page"
	"github.com/tlsaroll/tlsaroll/rollover"
)

const (
	readers = 4               // pages that are written at a time; others wait
	queue   = 5 * time.Second // for so long
)

// all shows all lineages.
func (s *Server) all(w http.ResponseWriter, r *http.Request) {
	s.write(w, r, func() (page.View, int) { return page.All(s.facts()), http.StatusOK })
}

// one shows one lineage.
func (s *Server) one(w http.ResponseWriter, r *http.Request) {
	s.write(w, r, func() (page.View, int) {
		if v, ok := page.One(s.facts(), r.PathValue("name")); ok {
			return v, http.StatusOK
		}
		return page.Missing(s.facts(), base(r)), http.StatusNotFound
	})
}

// missing says that nothing is there.
func (s *Server) missing(w http.ResponseWriter, r *http.Request) {
	s.write(w, r, func() (page.View, int) { return page.Missing(s.facts(), base(r)), http.StatusNotFound })
}

// facts are those of now.
func (s *Server) facts() page.Facts {
	from := s.cfg.Metrics.from
	return page.Facts{Status: rollover.Status{Lineages: from.Status(), Warnings: from.Warnings()}, Host: s.cfg.Host, Version: from.Version, Now: s.cfg.Now(), Unseen: s.cfg.Metrics.unpassed()}
}

// base leads from where a request goes to the first page, also behind a proxy that
// puts something before our paths.
func base(r *http.Request) string {
	if depth := strings.Count(r.URL.EscapedPath(), "/") - 1; depth > 0 {
		return strings.Repeat("../", depth)
	}
	return "./"
}

// write makes a page and writes it while it is made: what many lineages come to is
// nowhere in memory as a whole.
func (s *Server) write(w http.ResponseWriter, r *http.Request, of func() (page.View, int)) {
	late := time.NewTimer(s.wait)
	defer late.Stop()
	select {
	case s.reading <- struct{}{}:
		defer func() { <-s.reading }()
	case <-r.Context().Done():
		return
	case <-late.C:
		w.Header().Set("Retry-After", "10")
		unavailable(w, "too many pages at once; come back in a moment")
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", page.Policy)
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	view, status := of()
	w.WriteHeader(status)
	if r.Method == http.MethodHead {
		return
	}
	buffered := bufio.NewWriterSize(w, 32<<10)
	if err := page.Write(buffered, view); err != nil {
		return // the reader is gone: the template has no errors of its own
	}
	_ = buffered.Flush()
}

// icon is that of a tone.
func (s *Server) icon(w http.ResponseWriter, r *http.Request) {
	tone, svg := strings.CutSuffix(r.PathValue("tone"), ".svg")
	drawn, known := page.Icon(page.Tone(tone))
	if !svg || !known {
		s.missing(w, r)
		return
	}
	w.Header().Set("Content-Type", "image/svg+xml")
	w.Header().Set("Content-Security-Policy", "default-src 'none'")
	w.Header().Set("Cache-Control", "private, max-age=86400")
	_, _ = w.Write([]byte(drawn))
}
