package demo

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A mailServer is SMTP with STARTTLS (RFC 3207), as far as a handshake goes. It
// reads its file when it is reloaded, and at no other time.
type mailServer struct {
	file string // key and chain in one

	listener net.Listener
	pair     atomic.Pointer[tls.Certificate]
	life     context.Context
	end      context.CancelFunc
	sessions sync.WaitGroup
}

// sessionLimit is how long a client may take.
const sessionLimit = 30 * time.Second

func serveMail(file string) (*mailServer, error) {
	s := &mailServer{file: file}
	if err := s.reload(); err != nil {
		return nil, err
	}
	var err error
	if s.listener, err = net.Listen("tcp", loopback); err != nil {
		return nil, noSocket(err)
	}
	s.life, s.end = context.WithCancel(context.Background())
	s.sessions.Go(s.accept)
	return s, nil
}

// reload reads the file; what does not fit changes nothing.
func (s *mailServer) reload() error {
	text, err := os.ReadFile(s.file)
	if err != nil {
		return err
	}
	pair, err := tls.X509KeyPair(text, text)
	if err != nil {
		return fmt.Errorf("%s: %w", s.file, err)
	}
	s.pair.Store(&pair)
	return nil
}

func (s *mailServer) accept() {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return // closed
		}
		s.sessions.Go(func() {
			ctx, cancel := context.WithTimeout(s.life, sessionLimit)
			defer cancel()
			stop := context.AfterFunc(ctx, func() { conn.Close() })
			defer stop()
			defer conn.Close()
			_ = s.serve(conn) // what a client makes of it is its affair
		})
	}
}

// close ends all sessions.
func (s *mailServer) close() error {
	s.end()
	err := s.listener.Close()
	s.sessions.Wait()
	return err
}

// serve is one session.
func (s *mailServer) serve(conn net.Conn) error {
	pair := s.pair.Load()
	lines := bufio.NewReader(conn)
	if _, err := io.WriteString(conn, "220 "+host+" ESMTP\r\n"); err != nil {
		return err
	}
	for {
		line, err := lines.ReadSlice('\n')
		if err != nil {
			return err
		}
		_, secure := conn.(*tls.Conn)
		verb, _, _ := strings.Cut(strings.ToUpper(strings.TrimSpace(string(line))), " ")
		answer := "502 this is but a demo"
		switch {
		case verb == "EHLO" && !secure:
			answer = "250-" + host + "\r\n250 STARTTLS"
		case verb == "EHLO":
			answer = "250 " + host
		case verb == "STARTTLS" && !secure:
			answer = "220 go ahead"
		case verb == "QUIT":
			answer = "221 bye"
		}
		if _, err := io.WriteString(conn, answer+"\r\n"); err != nil || verb == "QUIT" {
			return err
		}
		if verb == "STARTTLS" && !secure {
			over := tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{*pair}})
			if err := over.Handshake(); err != nil {
				return err
			}
			conn, lines = over, bufio.NewReader(over)
		}
	}
}
