package oracle

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// A server is a mail server up to STARTTLS, for all cases at once: the name that a client
// asks for (RFC 6066, section 3) says which chain it presents.
type server struct {
	port   uint16
	listen net.Listener
	mu     sync.Mutex
	chains map[string]*tls.Certificate
}

// startServer listens on a port of its own until the test is over.
func startServer(t *testing.T) *server {
	t.Helper()
	listen, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{listen: listen, port: uint16(listen.Addr().(*net.TCPAddr).Port), chains: map[string]*tls.Certificate{}}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			conn, err := listen.Accept()
			if err != nil {
				return
			}
			running.Go(func() { s.serve(conn) })
		}
	})
	t.Cleanup(func() {
		listen.Close()
		running.Wait()
	})
	return s
}

// present has a host present a chain.
func (s *server) present(host string, chain []party) {
	certificate := &tls.Certificate{PrivateKey: chain[0].key}
	for _, p := range chain {
		certificate.Certificate = append(certificate.Certificate, p.Raw)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.chains[host] = certificate
}

func (s *server) certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.chains[hello.ServerName]; c != nil {
		return c, nil
	}
	return nil, fmt.Errorf("no host %q", hello.ServerName)
}

// serve speaks as much SMTP as clients need to come to TLS and to leave again.
func (s *server) serve(conn net.Conn) {
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(time.Minute))
	fmt.Fprint(conn, "220 mail.example.org ESMTP\r\n")
	lines := bufio.NewReader(conn)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return
		}
		verb, _, _ := strings.Cut(strings.ToUpper(strings.TrimSpace(line)), " ")
		switch verb {
		case "EHLO":
			if _, secure := conn.(*tls.Conn); secure {
				fmt.Fprint(conn, "250 mail.example.org\r\n")
				continue
			}
			fmt.Fprint(conn, "250-mail.example.org\r\n250 STARTTLS\r\n")
		case "STARTTLS":
			fmt.Fprint(conn, "220 go ahead\r\n")
			secure := tls.Server(conn, &tls.Config{GetCertificate: s.certificate, SessionTicketsDisabled: true})
			if secure.Handshake() != nil {
				return
			}
			conn, lines = secure, bufio.NewReader(secure)
		case "QUIT":
			fmt.Fprint(conn, "221 bye\r\n")
			return
		default:
			fmt.Fprint(conn, "250 as you like\r\n")
		}
	}
}
