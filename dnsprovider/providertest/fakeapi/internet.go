package fakeapi

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// An Internet leads HTTPS connections to servers of this process, by the host's name,
// with certificates of a CA of its own. It is a proxy: whoever has the environment of
// [Internet.Env] goes through it.
type Internet struct {
	dir      string
	listener net.Listener
	server   http.Server
	ca       *x509.Certificate
	key      *ecdsa.PrivateKey

	mu     sync.Mutex
	routes map[string]http.Handler
	leaves map[string]*tls.Certificate
	open   map[net.Conn]bool
	lost   []string
	wg     sync.WaitGroup
}

// NewInternet starts one; dir takes the CA's certificate.
func NewInternet(dir string) (*Internet, error) {
	i := &Internet{dir: dir, routes: map[string]http.Handler{}, leaves: map[string]*tls.Certificate{}, open: map[net.Conn]bool{}}
	var err error
	if i.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Internet for tests"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &i.key.PublicKey, i.key)
	if err != nil {
		return nil, err
	}
	if i.ca, err = x509.ParseCertificate(der); err != nil {
		return nil, err
	}
	if err := os.WriteFile(i.caFile(), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		return nil, err
	}
	if i.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, err
	}
	i.server.Handler = http.HandlerFunc(i.connect)
	i.wg.Go(func() { _ = i.server.Serve(i.listener) })
	return i, nil
}

func (i *Internet) caFile() string { return filepath.Join(i.dir, "internet.pem") }

// Env is the environment of a program that is to use it. Nothing but connections to
// this host goes past it.
func (i *Internet) Env() []string {
	return []string{
		"HTTPS_PROXY=http://" + i.listener.Addr().String(), "https_proxy=", "HTTP_PROXY=", "http_proxy=",
		"NO_PROXY=", "no_proxy=", "ALL_PROXY=", "all_proxy=", "SSL_CERT_FILE=" + i.caFile(), "SSL_CERT_DIR=" + i.dir, "AWS_CA_BUNDLE=" + i.caFile(),
	}
}

// Route leads connections for host, such as "api.example.net", to the handler, until
// they are led elsewhere.
func (i *Internet) Route(host string, h http.Handler) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.routes[host] = h
}

// Lost are the hosts that somebody wanted to reach and that there are not.
func (i *Internet) Lost() []string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return append([]string(nil), i.lost...)
}

// Close ends it, and every connection through it.
func (i *Internet) Close() error {
	err := i.server.Close()
	i.mu.Lock()
	for c := range i.open {
		c.Close()
	}
	i.mu.Unlock()
	i.wg.Wait()
	return err
}

// connect answers CONNECT (RFC 9110, section 9.3.6), and then speaks for the host.
func (i *Internet) connect(w http.ResponseWriter, r *http.Request) {
	host, _, err := net.SplitHostPort(r.Host)
	if r.Method != http.MethodConnect || err != nil {
		http.Error(w, "only CONNECT", http.StatusMethodNotAllowed)
		return
	}
	if !i.knows(host) {
		http.Error(w, "no such host: "+host, http.StatusBadGateway)
		return
	}
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	if _, err := conn.Write([]byte("HTTP/1.1 200 Connection established\r\n\r\n")); err != nil {
		conn.Close()
		return
	}
	i.mu.Lock()
	i.open[conn] = true
	i.mu.Unlock()
	i.wg.Go(func() {
		i.speak(host, conn)
		conn.Close()
		i.mu.Lock()
		delete(i.open, conn)
		i.mu.Unlock()
	})
}

func (i *Internet) knows(host string) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.routes[host] == nil {
		i.lost = append(i.lost, host)
		return false
	}
	return true
}

// speak serves one connection. Which handler it is for is asked with each request, as
// clients keep connections across tests.
func (i *Internet) speak(host string, conn net.Conn) {
	leaf, err := i.leaf(host)
	if err != nil {
		return
	}
	secure := tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{*leaf}, MinVersion: tls.VersionTLS12})
	one := &oneConn{conn: secure, closed: make(chan struct{})}
	server := http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			i.mu.Lock()
			h := i.routes[host]
			i.mu.Unlock()
			h.ServeHTTP(w, r)
		}),
		ConnState: func(_ net.Conn, s http.ConnState) {
			if s == http.StateClosed || s == http.StateHijacked {
				one.close()
			}
		},
	}
	_ = server.Serve(one)
	_ = server.Shutdown(context.Background())
}

func (i *Internet) leaf(host string) (*tls.Certificate, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if leaf := i.leaves[host]; leaf != nil {
		return leaf, nil
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(int64(len(i.leaves) + 2)), Subject: pkix.Name{CommonName: host}, DNSNames: []string{host},
		NotBefore: i.ca.NotBefore, NotAfter: i.ca.NotAfter, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, i.ca, &i.key.PublicKey, i.key)
	if err != nil {
		return nil, fmt.Errorf("a certificate for %s: %w", host, err)
	}
	leaf := &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: i.key}
	i.leaves[host] = leaf
	return leaf, nil
}

// oneConn is a listener that has one connection to give, and ends with it.
type oneConn struct {
	conn   net.Conn
	once   sync.Once
	given  bool
	closed chan struct{}
}

func (l *oneConn) Accept() (net.Conn, error) {
	if !l.given {
		l.given = true
		return l.conn, nil
	}
	<-l.closed
	return nil, errors.New("there was one connection")
}

func (l *oneConn) close()         { l.once.Do(func() { close(l.closed) }) }
func (l *oneConn) Close() error   { return nil }
func (l *oneConn) Addr() net.Addr { return l.conn.LocalAddr() }
