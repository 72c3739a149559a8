package survey

import (
	"context"
	"crypto/x509"
	"errors"
	"syscall"

	"github.com/tlsaroll/tlsaroll/rollover/audit"
	"github.com/tlsaroll/tlsaroll/rollover/internal/facts"
	"github.com/tlsaroll/tlsaroll/rollover/internal/probe"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// address takes what one address presents to every kind of client.
func (r *Round) address(ctx context.Context, v visit) audit.Address {
	out := audit.Address{Address: v.address}
	results := r.prober.Address(ctx, v.endpoint, v.address)
	if err := results[0].Err; noRoute(err) {
		out.Untested = "this host has no route there: " + err.Error()
	}
	for _, result := range results {
		out.Greeted = max(out.Greeted, result.Greeted)
		out.Handshakes = append(out.Handshakes, r.handshake(result))
	}
	return out
}

// noRoute reports whether it is this host that cannot get there, as with IPv6 where
// it has none.
func noRoute(err error) bool {
	return errors.Is(err, syscall.ENETUNREACH) || errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.EAFNOSUPPORT)
}

func (r *Round) handshake(result probe.Result) audit.Handshake {
	h := audit.Handshake{SNI: result.Offer.SNI, Algorithm: facts.Algorithm(result.Offer), Outcome: facts.Outcome(result), Temporary: result.Temporary,
		Chain: result.Chain, Version: result.Version, ResultType: result.Outcome.ResultType()}
	if result.Err != nil {
		h.Err = result.Err.Error()
	}
	if result.Chain != nil {
		h.Untrusted = r.untrusted(result.Chain)
	}
	return h
}

// untrusted says why no path leads from a chain to a CA that browsers believe, names
// aside; "" if one does.
func (r *Round) untrusted(chain *tlsa.Chain) string {
	certs := chain.Certificates()
	others := x509.NewCertPool()
	for _, c := range certs[1:] {
		others.AddCert(c)
	}
	if _, err := certs[0].Verify(x509.VerifyOptions{Roots: r.cfg.Roots, Intermediates: others, CurrentTime: r.cfg.Now()}); err != nil {
		return err.Error()
	}
	return ""
}
