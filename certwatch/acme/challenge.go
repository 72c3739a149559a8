package acme

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// A proof is a challenge to be met: what is to be shown for a name.
type proof struct {
	name  string // without "*."
	url   string // where the CA is told that it is shown
	token string
	text  string // the key authorization
}

// A stage is where proofs are shown.
type stage interface {
	// up shows them; when it returns nil the CA may come and look.
	up(ctx context.Context, proofs []proof) error
	// down takes them away, also where up failed or ctx has ended.
	down(ctx context.Context)
}

func (i *Issuer) stage(ca CA) stage {
	switch ca.Challenge {
	case HTTP01:
		return &listening{address: ca.Address, serve: serveHTTP, log: i.log}
	case TLSALPN01:
		return &listening{address: ca.Address, serve: serveALPN, log: i.log}
	}
	return &inDNS{i: i}
}

// listening shows proofs on a socket that is open only as long as that takes.
type listening struct {
	address string
	serve   func(net.Listener, []proof, *slog.Logger) (stop func(), err error)
	log     *slog.Logger
	stop    func()
}

// patienceForPort is how long another order, of another lineage, may keep the address.
const patienceForPort = 2 * time.Minute

func (l *listening) up(ctx context.Context, proofs []proof) error {
	listener, err := l.listen(ctx)
	if err != nil {
		return err
	}
	if l.stop, err = l.serve(listener, proofs, l.log); err != nil {
		listener.Close()
	}
	return err
}

func (l *listening) down(context.Context) {
	if l.stop != nil {
		l.stop()
	}
}

func (l *listening) listen(ctx context.Context) (net.Listener, error) {
	patience, cancel := context.WithTimeout(ctx, patienceForPort)
	defer cancel()
	for {
		listener, err := new(net.ListenConfig).Listen(ctx, "tcp", l.address)
		if err == nil {
			return listener, nil
		}
		if !errors.Is(err, syscall.EADDRINUSE) {
			return nil, fmt.Errorf("listen on %s: %s%s", l.address, plainCause(err), listenHint(err))
		}
		timer := time.NewTimer(time.Second)
		select {
		case <-timer.C:
			continue
		case <-patience.Done():
			timer.Stop()
		}
		return nil, fmt.Errorf("listen on %s: another program has the address (hint: give acme an address of its own, and have that program pass on what comes for the CA's look)", l.address)
	}
}

func plainCause(err error) string {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return errno.Error()
	}
	return err.Error()
}

func listenHint(err error) string {
	switch {
	case errors.Is(err, syscall.EACCES):
		return " (hint: ports below 1024 need CAP_NET_BIND_SERVICE, in a unit of systemd in CapabilityBoundingSet=)"
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return " (hint: is that an address of this host?)"
	}
	return ""
}

// wellKnown is where the CA looks (RFC 8555, section 8.3).
const wellKnown = "/.well-known/acme-challenge/"

// slow is how long a visitor may take.
const slow = 10 * time.Second

func serveHTTP(listener net.Listener, proofs []proof, log *slog.Logger) (func(), error) {
	texts := map[string]string{}
	for _, p := range proofs {
		texts[wellKnown+p.token] = p.text
	}
	server := &http.Server{
		ReadTimeout: slow, WriteTimeout: slow, IdleTimeout: slow, MaxHeaderBytes: 16 << 10,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			text, ok := texts[r.URL.Path]
			if !ok || r.Method != http.MethodGet {
				http.NotFound(w, r)
				return
			}
			w.Header().Set("Content-Type", "application/octet-stream")
			w.Header().Set("Connection", "close")
			w.Write([]byte(text)) //nolint:errcheck // the visitor has gone
		}),
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			log.Warn("the listener for http-01 ended", "error", err)
		}
	})
	return func() {
		server.Close()
		wg.Wait()
	}, nil
}

// alpnProtocol is what the CA offers, alone (RFC 8737, section 4).
const alpnProtocol = "acme-tls/1"

func serveALPN(listener net.Listener, proofs []proof, log *slog.Logger) (func(), error) {
	certs := map[string]*tls.Certificate{}
	for _, p := range proofs {
		cert, err := alpnCertificate(p.name, p.text)
		if err != nil {
			return nil, fmt.Errorf("certificate for %s: %w", p.name, err)
		}
		certs[p.name] = cert
	}
	config := &tls.Config{
		MinVersion: tls.VersionTLS12, NextProtos: []string{alpnProtocol},
		GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			cert := certs[strings.ToLower(hello.ServerName)]
			if cert == nil || !slices.Contains(hello.SupportedProtos, alpnProtocol) {
				return nil, errors.New("no visitor of a CA")
			}
			return cert, nil
		},
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	visits := make(chan struct{}, 16) // at once; a CA comes a few times
	wg.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			visits <- struct{}{}
			wg.Go(func() {
				defer func() { <-visits }()
				defer conn.Close()
				visit, done := context.WithTimeout(ctx, slow)
				defer done()
				if err := tls.Server(conn, config).HandshakeContext(visit); err != nil {
					log.Debug("a visitor of the listener for tls-alpn-01", "from", conn.RemoteAddr().String(), "error", err)
				}
			})
		}
	})
	return func() {
		listener.Close()
		cancel()
		wg.Wait()
	}, nil
}
