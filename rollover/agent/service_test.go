package agent

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"
)

// A service is a mail server on one address. It presents the pair that it read
// when it was last reloaded.
type service struct {
	path string // of the file with key and chain that it reads
	more string // another one; "": none

	mu     sync.Mutex
	cert   *tls.Certificate // nil: no STARTTLS
	second *tls.Certificate // of another algorithm
	banner time.Duration    // how long it holds back its greeting
	stuck  bool             // it ignores reloads
	down   bool
	served int // connections
}

func (s *service) reload() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stuck {
		return nil
	}
	for path, into := range map[string]**tls.Certificate{s.path: &s.cert, s.more: &s.second} {
		text, err := os.ReadFile(path)
		if path == "" || path == s.more && errors.Is(err, fs.ErrNotExist) {
			continue
		} else if err != nil {
			return err
		}
		cert, err := tls.X509KeyPair(text, text)
		if err != nil {
			return err
		}
		*into = &cert
	}
	return nil
}

// certificates are those that it presents, by what the client can do with them.
func (s *service) certificates() []tls.Certificate {
	var all []tls.Certificate
	for _, c := range []*tls.Certificate{s.cert, s.second} {
		if c != nil {
			all = append(all, *c)
		}
	}
	return all
}

func (s *service) set(how func(*service)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	how(s)
}

func (s *service) connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.served
}

// dial connects to the service at an address, as [net.Dialer.DialContext] does.
func (w *world) dial(ctx context.Context, _, address string) (net.Conn, error) {
	w.mu.Lock()
	s := w.services[address]
	w.mu.Unlock()
	if s == nil {
		return nil, &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.served++
	if s.down {
		return nil, &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	}
	client, server := net.Pipe()
	certs, banner := s.certificates(), s.banner
	w.serving.Go(func() {
		defer server.Close()
		_ = speak(server, certs, banner) // what a client makes of it is its affair
	})
	return client, nil
}

// speak is SMTP with STARTTLS, as far as a probe goes.
func speak(conn net.Conn, certs []tls.Certificate, banner time.Duration) error {
	if err := conn.SetDeadline(time.Now().Add(5 * time.Minute)); err != nil {
		return err
	}
	time.Sleep(banner)
	if _, err := fmt.Fprint(conn, "220 mx ESMTP\r\n"); err != nil {
		return err
	}
	lines := bufio.NewReader(conn)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return err
		}
		reply := "502 what\r\n"
		switch verb, _, _ := strings.Cut(strings.ToUpper(strings.TrimSpace(line)), " "); {
		case verb == "EHLO" && certs != nil:
			reply = "250-mx\r\n250 STARTTLS\r\n"
		case verb == "EHLO":
			reply = "250 mx\r\n"
		case verb == "QUIT":
			_, err := fmt.Fprint(conn, "221 bye\r\n")
			return err
		case verb == "STARTTLS" && certs != nil:
			if _, err := fmt.Fprint(conn, "220 go\r\n"); err != nil {
				return err
			}
			secure := tls.Server(conn, &tls.Config{Certificates: certs})
			if err := secure.Handshake(); err != nil {
				return err
			}
			conn, lines, certs = secure, bufio.NewReader(secure), nil
			continue
		}
		if _, err := fmt.Fprint(conn, reply); err != nil {
			return err
		}
	}
}

var errReload = errors.New("exit status 1")

// run carries out the commands of lineages: "reload NAME" and "check NAME".
func (w *world) run(_ context.Context, argv []string) ([]byte, error) {
	w.mu.Lock()
	w.commands = append(w.commands, strings.Join(argv, " "))
	fails := w.failing[argv[0]] > 0
	if fails {
		w.failing[argv[0]]--
	}
	var services []*service
	for _, s := range w.services {
		services = append(services, s)
	}
	path := w.paths[argv[1]]
	w.mu.Unlock()
	if fails {
		return []byte("it does not want to\n"), errReload
	}
	if argv[0] != "reload" {
		return nil, nil
	}
	for _, s := range services {
		if path == s.path || path == s.more {
			if err := s.reload(); err != nil {
				return nil, err
			}
		}
	}
	return nil, nil
}
