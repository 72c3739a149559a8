package control

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"sync"
	"time"
)

const carryPath = "/v1/carry"

// handler lets in who may come in.
func (s *service) handler() http.Handler {
	paths := http.NewServeMux()
	paths.HandleFunc("POST "+carryPath, s.carry)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, _ := r.Context().Value(callerKey{}).(caller)
		refusal := s.door.refuse(who.Process)
		if who.err != nil {
			refusal = "nobody knows who asks: " + who.err.Error()
		}
		if refusal != "" {
			s.refuse(w, who, http.StatusForbidden, refusal)
			return
		}
		paths.ServeHTTP(w, r)
	})
}

// refuse answers with a sentence, and leaves one in the log.
func (s *service) refuse(w http.ResponseWriter, who caller, status int, sentence string) {
	s.Log.Warn("control request refused", "why", sentence, "peer", who.Process)
	http.Error(w, sentence, status)
}

func (s *service) carry(w http.ResponseWriter, hr *http.Request) {
	who, _ := hr.Context().Value(callerKey{}).(caller)
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	default:
		s.unlessStopping()
		s.refuse(w, who, http.StatusServiceUnavailable, fmt.Sprintf("%d requests are at work already (hint: try again when some have ended)", maxRequests))
		return
	}
	r, status, err := s.read(w, hr)
	if err != nil {
		s.refuse(w, who, status, err.Error())
		return
	}
	s.unlessStopping()
	level := slog.LevelInfo
	if slices.Contains(s.Reads, r.Command) {
		level = slog.LevelDebug
	}
	s.Log.Log(hr.Context(), level, "control request", "command", r.Command, "lineage", r.Lineage, "peer", who.Process)

	ctx, cancel := context.WithCancelCause(context.Background())
	defer context.AfterFunc(hr.Context(), func() { cancel(ErrGone) })()
	defer context.AfterFunc(s.stop, func() { cancel(ErrStopping) })()
	to := &Reply{w: w, limit: s.Pace.Write, gone: func() { cancel(ErrGone) }}
	w.Header().Set("Content-Type", "application/x-ndjson")
	if !to.send(frame{Kind: kindHello, Hello: &hello{wireVersion{protocol, s.Version}, os.Getpid()}}) {
		return
	}

	var beating sync.WaitGroup
	beating.Go(func() { s.beat(ctx, to) })
	defer beating.Wait()
	defer cancel(nil)
	defer to.close()
	to.send(frame{Kind: kindExit, Exit: s.Carry(ctx, r, to)})
}

// unlessStopping cuts the connection without a hello, so that the client knows that
// nothing was done.
func (s *service) unlessStopping() {
	if s.stop.Err() != nil {
		panic(http.ErrAbortHandler)
	}
}

// read takes in the request, or says with what status and sentence to refuse it.
func (s *service) read(w http.ResponseWriter, hr *http.Request) (Request, int, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, hr.Body, maxRequest))
	var long *http.MaxBytesError
	switch {
	case errors.As(err, &long):
		return Request{}, http.StatusRequestEntityTooLarge, errLong
	case err != nil:
		return Request{}, http.StatusBadRequest, errors.New("a request that was cut off")
	}
	// From here on a read means that the client goes, and it may stay for days.
	if err := http.NewResponseController(w).SetReadDeadline(time.Time{}); err != nil {
		return Request{}, http.StatusInternalServerError, err
	}
	r, err := decode(body, s.Version)
	var version errUnlike
	switch {
	case errors.As(err, &version):
		return Request{}, http.StatusConflict, err
	case err != nil:
		return Request{}, http.StatusBadRequest, err
	}
	return r, 0, nil
}

// beat sends signs of life, as long as the scheduler gives them.
func (s *service) beat(ctx context.Context, to *Reply) {
	tick := time.NewTicker(s.Pace.Beat)
	defer tick.Stop()
	silent := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		asking, cancel := context.WithTimeout(ctx, s.Pace.Beat)
		err := s.Alive(asking)
		cancel()
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			to.send(frame{Kind: kindBeat})
		} else if !silent {
			s.Log.Warn("the scheduler does not answer, and control clients are not told that it does", "err", err)
		}
		silent = err != nil
	}
}
