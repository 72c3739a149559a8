package rfc2136

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// TLS has all that goes to the server go over TLS (RFC 7858), as zone transfers may (RFC
// 9103): nobody on the way reads which records are to come. The certificate is always checked;
// there is no way to go on without. Messages are signed all the same: TLS proves who
// the server is, and TSIG that it may be told.
type TLS struct {
	// ServerName is the name that the certificate has to be for. Default: the server's;
	// one that is given as an address, or found, has none.
	ServerName string
	// Roots are the CAs that are believed. Default: those of the host.
	Roots *x509.CertPool
}

// tlsPort is where DNS over TLS is (RFC 7858, section 3.1).
const tlsPort = "853"

// parseTLS makes the configuration of connections to the server, nil where they are plain.
func (p *Provider) parseTLS(c *TLS) (*tls.Config, error) {
	if c == nil {
		return nil, nil
	}
	name := strings.TrimSuffix(c.ServerName, ".")
	if name == "" {
		host, _, err := net.SplitHostPort(p.server)
		if err != nil {
			return nil, errors.New("TLS needs the server, or the name in its certificate (hint: set server)")
		}
		name = host
	}
	if net.ParseIP(withoutScope(name)) == nil {
		var err error
		if name, err = tlsa.CanonicalHost(name); err != nil {
			return nil, fmt.Errorf("the name in the server's certificate: %w", err)
		}
	} else if c.ServerName == "" {
		return nil, fmt.Errorf("the server %s is an address, and certificates are for names (hint: set the name that its certificate is for)", name)
	}
	return &tls.Config{ServerName: name, RootCAs: c.Roots, MinVersion: tls.VersionTLS12, NextProtos: []string{"dot"}, Time: p.now}, nil
}

// port is where the server listens unless another port is configured.
func (c Config) port() string {
	if c.TLS != nil {
		return tlsPort
	}
	return defaultPort
}

// notSecure is why there is no TLS with the server.
type notSecure struct{ err error }

func (e *notSecure) Error() string { return "TLS: " + e.err.Error() }
func (e *notSecure) Unwrap() error { return e.err }

// secure puts TLS on a connection. Without it the connection is closed.
func secure(ctx context.Context, conn net.Conn, c *tls.Config) (net.Conn, error) {
	client := tls.Client(conn, c)
	if err := client.HandshakeContext(ctx); err != nil {
		conn.Close()
		if ctx.Err() != nil {
			err = errNoReply
		}
		return nil, &notSecure{err}
	}
	return client, nil
}

// trouble says what to do about it.
func (e *notSecure) trouble(name string, then leaves) *trouble {
	t := &trouble{kind: dnsprovider.Temporary, err: e, leaves: then, hint: "does the server offer TLS at this port, which is " + tlsPort + " as a rule"}
	var certificate *tls.CertificateVerificationError
	if errors.As(e.err, &certificate) {
		t.kind = dnsprovider.Unauthentic
		t.hint = "the server's certificate has to be valid for the name " + name + ", and from a CA that is believed"
	}
	return t
}
