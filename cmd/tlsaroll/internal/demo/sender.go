package demo

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/smtp"
	"time"

	"github.com/miekg/dns"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// A sender enforces DANE for SMTP (RFC 7672) by what its resolver says.
type sender struct {
	resolver netip.AddrPort
	network  network
	now      func() time.Time
}

const (
	// patience is what a delivery may take up to TLS.
	patience = 20 * time.Second
	// tries is how often a resolver is asked one question.
	tries = 3
)

// handshake is a delivery up to TLS; nil says that the mail would have gone out.
func (s sender) handshake(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	where, err := s.look(ctx, question{host + ".", dns.TypeA})
	if err != nil {
		return err
	}
	records, err := s.look(ctx, question{string(owner), dns.TypeTLSA})
	if err != nil {
		return err
	}
	rrset, err := rrsetOf(records.Answer)
	if err != nil {
		return err
	}
	at, err := addressIn(where.Answer)
	if err != nil {
		return err
	}
	chain, err := s.startTLS(ctx, at)
	if err != nil {
		return err
	}
	return judge(rrset, chain, s.now())
}

var errInsecure = errors.New("the answer is not secure, so DANE does not apply")

// look asks the resolver. An answer without AD is none: all of the world is signed.
func (s sender) look(ctx context.Context, q question) (*dns.Msg, error) {
	m := new(dns.Msg).SetQuestion(q.name, q.rtype)
	m.AuthenticatedData = true // RFC 6840, section 5.7
	var err error
	for range tries {
		var r *dns.Msg
		if r, err = s.network.exchange(ctx, m, "udp", s.resolver); err != nil {
			continue
		}
		switch {
		case r.Rcode != dns.RcodeSuccess:
			return nil, fmt.Errorf("%s: %s", q, dns.RcodeToString[r.Rcode])
		case !r.AuthenticatedData:
			return nil, fmt.Errorf("%s: %w", q, errInsecure)
		}
		return r, nil
	}
	return nil, err
}

func addressIn(answer []dns.RR) (string, error) {
	for _, rr := range answer {
		if a, ok := rr.(*dns.A); ok {
			return net.JoinHostPort(a.A.String(), "25"), nil
		}
	}
	return "", errors.New("the host has no address")
}

// startTLS returns the chain that the server presents.
func (s sender) startTLS(ctx context.Context, at string) (*tlsa.Chain, error) {
	conn, err := s.network.dial(ctx, "tcp", at)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	client, err := smtp.NewClient(conn, host)
	if err != nil {
		return nil, err
	}
	// The chain is judged by the TLSA records and by nothing else.
	if err := client.StartTLS(&tls.Config{ServerName: host, InsecureSkipVerify: true}); err != nil {
		return nil, err
	}
	state, _ := client.TLSConnectionState()
	_ = client.Quit() // the handshake is made
	return tlsa.NewChain(state.PeerCertificates...)
}

// judge says why a sender does not deliver: no record that it can use vouches for
// the chain. A real one would deliver without DANE where there are no records at
// all (RFC 7672, section 2.2); here there always are some, so that is a failure too.
func judge(records tlsa.RRset, chain *tlsa.Chain, now time.Time) error {
	_, _, err := records.MatchedBy(chain, tlsa.Reference{Names: []string{host}, Time: now, SMTP: true})
	return err
}
