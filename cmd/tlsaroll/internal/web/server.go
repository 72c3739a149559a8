package web

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	"golang.org/x/net/netutil"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/config"
)

// Config is what a [Server] works with.
type Config struct {
	Listen  netip.AddrPort
	Web     config.Web
	Metrics *Metrics
	Alive   func(context.Context) error // nil while the scheduler answers
	Journal func() error                // nil while the journal is in its place
	Log     *slog.Logger
	Host    string           // that the page names
	Now     func() time.Time // in the time zone in which the page says times
}

// Server shows where everything stands: as a page, as metrics, and whether all is well.
type Server struct {
	cfg      Config
	listener net.Listener
	http     *http.Server
	news     *news
	reading  chan struct{} // one for each page that is written
	wait     time.Duration // of who waits for that
	silent   silent
}

const (
	connections = 64              // at a time; others wait
	scrapes     = 4               // at a time; others are told to come back
	grace       = 5 * time.Second // for answers under way when the program is to end
)

// Listen binds the address, and reads the certificate where there is one.
func Listen(cfg Config) (*Server, error) {
	if !cfg.Listen.Addr().IsLoopback() && cfg.Web.Password.IsZero() && cfg.Web.Token.IsZero() {
		return nil, fmt.Errorf("listen %s: everyone who can reach it could read the status (hint: listen on 127.0.0.1, or configure web: auth)", cfg.Listen)
	}
	var secure *tls.Config
	if cfg.Web.Cert != "" {
		c, err := openCertificate(cfg.Web.Cert, cfg.Web.Key, cfg.Log)
		if err != nil {
			return nil, fmt.Errorf("web: %w", err)
		}
		secure = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: c.get}
	}
	listener, err := net.Listen("tcp", cfg.Listen.String())
	if err != nil {
		return nil, fmt.Errorf("listen %s: %w", cfg.Listen, cause(err))
	}
	listener = netutil.LimitListener(listener, connections)
	if secure != nil {
		listener = tls.NewListener(listener, secure)
	}
	return newServer(cfg, listener), nil
}

func newServer(cfg Config, listener net.Listener) *Server {
	s := &Server{cfg: cfg, listener: listener, news: newNews(cfg.Metrics.from, cfg.Metrics.hint), reading: make(chan struct{}, readers), wait: queue}
	s.http = &http.Server{
		Handler:           s.handler(),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
		ConnState:         s.silent.note,
		ErrorLog:          slog.NewLogLogger(cfg.Log.Handler(), slog.LevelDebug), // of what clients do wrong

		DisableGeneralOptionsHandler: true, // it answers OPTIONS * before the guard
	}
	return s
}

// Addr is where it listens.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// Run serves until ctx ends. Answers under way have a moment to end.
func (s *Server) Run(ctx context.Context) error {
	ctx, end := context.WithCancel(ctx)
	defer end()
	watched, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(watched)
		s.news.watch(ctx)
	}()
	stop := context.AfterFunc(ctx, func() {
		defer close(ended)
		s.news.tell(true) // whoever listens for news goes home now
		s.silent.close()
		limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
		defer cancel()
		if s.http.Shutdown(limited) != nil {
			s.http.Close()
		}
	})
	err := s.http.Serve(s.listener)
	if stop() {
		end()
		<-watched
		s.http.Close()
		return fmt.Errorf("listen %s: %w", s.cfg.Listen, cause(err))
	}
	<-ended
	<-watched
	return nil
}

func (s *Server) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(s.cfg.Metrics.registry, promhttp.HandlerOpts{
		ErrorLog:            errorLog{s.cfg.Log},
		ErrorHandling:       promhttp.ContinueOnError, // what one collector cannot tell does not hide the others
		DisableCompression:  true,                     // it takes more memory than it saves on the way
		MaxRequestsInFlight: scrapes,
	}))
	mux.HandleFunc("GET /{$}", s.all)
	mux.HandleFunc("GET /lineage/{name}", s.one)
	mux.HandleFunc("GET /events", s.events)
	mux.HandleFunc("GET /icon/{tone}", s.icon)
	mux.HandleFunc("GET /", s.missing)
	mux.HandleFunc("GET /healthz", s.healthz)
	mux.HandleFunc("GET /readyz", s.readyz)
	return guard(s.cfg.Web, s.hosts(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		mux.ServeHTTP(w, r)
	})))
}

// errorLog takes what promhttp cannot tell its client.
type errorLog struct{ *slog.Logger }

func (l errorLog) Println(v ...any) { l.Warn("metrics", "err", fmt.Sprint(v...)) }

// cause is what the system says of a socket, with what to do where that is known.
func cause(err error) error {
	system, ok := errors.AsType[*os.SyscallError](err)
	switch {
	case !ok:
		return err
	case errors.Is(system.Err, syscall.EADDRINUSE):
		return fmt.Errorf("%w (hint: another process has it: ss -ltnp shows which)", system.Err)
	case errors.Is(system.Err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("%w (hint: no interface of this host has that address: ip addr lists them)", system.Err)
	case errors.Is(system.Err, syscall.EACCES):
		return fmt.Errorf("%w (hint: ports below 1024 are for root)", system.Err)
	}
	return system.Err
}
