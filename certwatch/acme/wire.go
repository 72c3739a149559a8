package acme

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

const (
	// maxBody is more than any reply of a CA has, in octets.
	maxBody = 1 << 20
	// requestTime is how long one request may take with its reply.
	requestTime = time.Minute
)

// wire carries requests to one CA. It gives them the context that the library above
// knows nothing of, reads replies whole and no more than they may be, and remembers
// what the last one was, as the library forgets headers and drowns causes in text.
type wire struct {
	transport *http.Transport
	log       *slog.Logger

	mu   sync.Mutex
	ctx  context.Context
	last exchange
}

// exchange is one request and what came of it.
type exchange struct {
	status     int    // 0: there was no reply
	retryAfter string // the header
	err        error  // why there was none
}

func newWire(roots *x509.CertPool, log *slog.Logger) *wire {
	return &wire{log: log, transport: &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: requestTime / 2}).DialContext,
		TLSHandshakeTimeout: requestTime / 2,
		TLSClientConfig:     &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		ForceAttemptHTTP2:   true,
	}}
}

// during gives the requests to come a context, and forgets the exchange before.
func (w *wire) during(ctx context.Context) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ctx, w.last = ctx, exchange{}
}

func (w *wire) lastExchange() exchange {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.last
}

var errTooLarge = fmt.Errorf("a reply of more than %d octets", maxBody)

// RoundTrip sends one request, see [http.RoundTripper].
func (w *wire) RoundTrip(req *http.Request) (*http.Response, error) {
	w.mu.Lock()
	outer := w.ctx
	w.mu.Unlock()
	ctx, cancel := context.WithTimeoutCause(outer, requestTime, fmt.Errorf("no reply within %s", requestTime))
	defer cancel()
	resp, err := w.transport.RoundTrip(req.WithContext(ctx))
	var body []byte
	if err == nil {
		body, err = io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
		resp.Body.Close()
		if err == nil && len(body) > maxBody {
			err = errTooLarge
		}
	}
	if err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		w.note(outer, exchange{err: err})
		w.log.Debug("no reply from the CA", "method", req.Method, "path", req.URL.Path, "error", err)
		return nil, err
	}
	w.note(outer, exchange{status: resp.StatusCode, retryAfter: resp.Header.Get("Retry-After")})
	w.log.Debug("reply from the CA", "method", req.Method, "path", req.URL.Path, "status", resp.StatusCode)
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

// note remembers the exchange, unless it belongs to a call that nobody waits for any more.
func (w *wire) note(ctx context.Context, e exchange) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ctx == ctx {
		w.last = e
	}
}

func (w *wire) close() { w.transport.CloseIdleConnections() }

// rootCause is the cause of a failed exchange without the names of what it was
// wrapped in.
func rootCause(err error) string {
	var op *net.OpError
	if errors.As(err, &op) && op.Err != nil {
		if op.Addr == nil { // its name was not found
			return op.Err.Error()
		}
		return op.Op + " " + op.Addr.String() + ": " + op.Err.Error()
	}
	var verify *tls.CertificateVerificationError
	if errors.As(err, &verify) {
		return verify.Err.Error()
	}
	return err.Error()
}
