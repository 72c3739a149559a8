package lab

import (
	"bufio"
	"context"
	"crypto/rsa"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A MailServer is Postfix or Dovecot with a configuration folder of its own.
type MailServer struct {
	Name   string // as in [Lab.PIDs]
	Addr   netip.AddrPort
	Config string   // folder (Postfix) or file (Dovecot)
	Reload []string // the argument list that has it read its certificate again
	Check  []string // of a [Serving] that needs more than its program for it: the one that looks at its configuration

	// Combined is the file with key and chain that Postfix reads, "" with Lego.
	Combined string
	// CombinedRSA is one more with an RSA pair, "" without Options.RSA.
	CombinedRSA string
	// Lego are the files that Postfix reads with Options.LegoFiles.
	Lego *Lego
	// TLS is the symlink to the directory with fullchain.pem and privkey.pem that
	// Dovecot reads.
	TLS string
}

func (l *Lab) mailServers() []*MailServer {
	var servers []*MailServer
	for _, s := range []*MailServer{l.Postfix, l.SecondPostfix, l.Dovecot} {
		if s != nil {
			servers = append(servers, s)
		}
	}
	return servers
}

// mailReady waits until the server takes connections; Postfix also greets.
func (l *Lab) mailReady(ctx context.Context, s *MailServer) error {
	return await(ctx, func(ctx context.Context) error {
		if err := l.ended(s.Name); err != nil {
			return err
		}
		conn, err := (&net.Dialer{Timeout: queryTimeout}).DialContext(ctx, "tcp", s.Addr.String())
		if err != nil {
			return err
		}
		defer conn.Close()
		if s.Addr.Port() != 25 {
			return nil
		}
		if deadline, ok := ctx.Deadline(); ok {
			if err := conn.SetReadDeadline(deadline); err != nil {
				return err
			}
		}
		line, err := bufio.NewReader(conn).ReadString('\n')
		if err != nil || !strings.HasPrefix(line, "220 ") {
			return fmt.Errorf("%s: greeting %q: %w", s.Name, line, err)
		}
		_, err = conn.Write([]byte("QUIT\r\n"))
		return err
	})
}

// Install puts a pair where the server reads it, in one step, and does nothing
// else: what an ACME client's deploy hook does before it reloads. An RSA pair takes
// the place of the RSA pair where the server has two.
func (s *MailServer) Install(t testing.TB, p *Pair) {
	t.Helper()
	if err := s.install(p); err != nil {
		t.Fatal(err)
	}
}

func (s *MailServer) install(p *Pair) error {
	key, chain, err := p.pem()
	if err != nil {
		return err
	}
	if s.Lego != nil {
		return s.Lego.write(p)
	}
	if _, rsa := p.Key.(*rsa.PrivateKey); rsa && s.CombinedRSA != "" {
		return replaceFile(s.CombinedRSA, append(key, chain...), 0o600)
	}
	if s.Combined != "" {
		return replaceFile(s.Combined, append(key, chain...), 0o600)
	}
	dir := s.TLS + "-" + filepath.Base(p.Dir)
	if err := p.writeTo(dir); err != nil {
		return err
	}
	tmp := s.TLS + ".new"
	if err := os.Symlink(filepath.Base(dir), tmp); err != nil {
		return err
	}
	return os.Rename(tmp, s.TLS)
}

// RunReload runs the server's reload command.
func (s *MailServer) RunReload(t testing.TB) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), s.Reload[0], s.Reload[1:]...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: reload: %v: %s", s.Name, err, out)
	}
}
