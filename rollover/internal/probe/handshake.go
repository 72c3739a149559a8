package probe

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"syscall"
)

// Alerts (RFC 8446, section 6.2; RFC 5246, section 7.2.2).
const (
	alertHandshakeFailure     tls.AlertError = 40
	alertProtocolVersion      tls.AlertError = 70
	alertInsufficientSecurity tls.AlertError = 71
)

// errHungUp: the server answered a ClientHello by closing the connection, or by
// resetting it: which of the two is chance.
var errHungUp = errors.New("the server hung up on the ClientHello")

// handshake makes the offer of r and takes into r what the server presents.
func (s *session) handshake(e Endpoint, r *Result) (*tls.Conn, error) {
	config := r.Offer.config(e)
	config.VerifyConnection = func(state tls.ConnectionState) error {
		r.Version = state.Version
		return r.present(state.PeerCertificates)
	}
	secure := tls.Client(s.raw, config)
	return secure, s.within(s.timeout, "TLS handshake ("+r.Offer.String()+")", func() error {
		return judge(r, plain(secure.Handshake()))
	})
}

// judge says what a handshake that ended with err tells of the server.
func judge(r *Result, err error) error {
	var timeout interface{ Timeout() bool }
	var errno syscall.Errno
	var record tls.RecordHeaderError
	choosy := r.Offer.Algorithm != "" && r.Chain == nil
	switch {
	case err == nil, errors.As(err, &timeout) && timeout.Timeout(), errors.As(err, &errno) && !hungUp(err):
		return err // the network, not the server
	case choosy && isAlert(err, alertHandshakeFailure, alertInsufficientSecurity):
		return &failure{NotOffered, err}
	case choosy && isAlert(err, alertProtocolVersion):
		return failed(AlgorithmUntested, "%w (hint: TLS 1.2 is off, and in TLS 1.3 no algorithm can be asked for)", err)
	case unreadable(err):
		return failed(AlgorithmUntested, "%w (hint: other clients may take this certificate)", err)
	case isAlert(err, alertProtocolVersion), strings.Contains(err.Error(), "unsupported protocol version"):
		return failed(HandshakeFailed, "%w (hint: TLS 1.2 or 1.3 is wanted, RFC 8996)", err)
	case errors.As(err, &record):
		return garbled("%w: %s", err, said(string(record.RecordHeader[:])))
	case r.Chain == nil && hungUp(err):
		return &failure{HandshakeFailed, errHungUp}
	}
	return &failure{HandshakeFailed, err}
}

func hungUp(err error) bool {
	for _, e := range []error{io.EOF, io.ErrUnexpectedEOF, io.ErrClosedPipe, syscall.ECONNRESET, syscall.EPIPE} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// isAlert reports whether err is an alert that the server sent: one of those
// named, any if none is. crypto/tls keeps the type of its alerts to itself and
// exports the words for them only.
func isAlert(err error, named ...tls.AlertError) bool {
	var op *net.OpError
	if !errors.As(err, &op) || op.Op != "remote error" {
		return false
	}
	return len(named) == 0 || slices.ContainsFunc(named, func(a tls.AlertError) bool { return op.Err.Error() == a.Error() })
}

// unreadable reports whether crypto/tls refused the certificate for reasons of its
// own, which other clients may not share. It has no errors of a type for that.
func unreadable(err error) bool {
	for _, s := range []string{
		"failed to parse certificate from server",
		"unsupported type of public key",
		"certificate containing RSA key larger than",
	} {
		if strings.Contains(err.Error(), s) {
			return true
		}
	}
	return false
}
