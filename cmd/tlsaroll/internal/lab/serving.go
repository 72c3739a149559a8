package lab

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"testing"
)

// A ServerKind is a mail server, or what stands before one, that a test starts on an address
// of its own. It ends with the lab.
type ServerKind string

// Kinds of servers, see [Lab.Serve].
const (
	Dovecot  ServerKind = "dovecot" // with TLS on port 993
	Exim     ServerKind = "exim"
	Sendmail ServerKind = "sendmail"
	HAProxy  ServerKind = "haproxy" // with TLS on ports 465 and 993, and whatever it is told
)

// serverKinds are all there are.
func serverKinds() []ServerKind { return []ServerKind{Dovecot, Exim, HAProxy, Sendmail} }

// start writes what a server needs into its directory, and starts it.
func (s Serving) start(l *Lab, m *MailServer) error {
	switch s.Kind {
	case Dovecot:
		return l.serveDovecot(m, s)
	case Exim:
		return l.startExim(m, s)
	case HAProxy:
		return l.startHAProxy(m, s)
	case Sendmail:
		return l.startSendmail(m, s)
	}
	return errors.New("no kind of server")
}

// A Serving is a server that a test wants.
type Serving struct {
	Kind ServerKind // one of Options.Servers
	Host string     // its name
	At   netip.Addr
	Port uint16 // by which it is seen to be there
	// Config are lines for its configuration. All that does not concern TLS is there already.
	Config string
}

// Serve starts a server, once of each kind, and returns when it takes connections.
func (l *Lab) Serve(t testing.TB, s Serving) *MailServer {
	t.Helper()
	m, err := l.startServing(t.Context(), s)
	if err != nil {
		t.Fatalf("lab: %s: %v", s.Kind, err)
	}
	return m
}

func (l *Lab) startServing(ctx context.Context, s Serving) (*MailServer, error) {
	if !slices.Contains(l.opts.Servers, s.Kind) {
		return nil, errors.New("not among Options.Servers")
	}
	m := &MailServer{Name: string(s.Kind) + "-mx", Addr: netip.AddrPortFrom(s.At, s.Port)}
	dir, err := l.mkdir(m.Name)
	if err != nil {
		return nil, err
	}
	m.Config = dir + "/conf"
	if err := s.start(l, m); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	return m, l.mailReady(ctx, m)
}

// configure writes a server's configuration.
func (s *MailServer) configure(format string, args ...any) error {
	return os.WriteFile(s.Config, fmt.Appendf(nil, format, args...), 0o644)
}
