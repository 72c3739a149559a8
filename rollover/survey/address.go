package survey

import (
	"context"
	"crypto/x509"
	"slices"

	"github.com/tlsaroll/tlsaroll/rollover/audit"
	"github.com/tlsaroll/tlsaroll/rollover/internal/facts"
	"github.com/tlsaroll/tlsaroll/rollover/internal/probe"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// address takes what one address presents to every kind of client.
func (r *Round) address(ctx context.Context, v visit) audit.Address {
	d, late := r.patience()
	ctx, cancel := context.WithTimeoutCause(ctx, d, late)
	defer cancel()
	results := r.prober.Address(ctx, v.endpoint, v.address)
	out := facts.Address(v.address, results, r.untrusted)
	if slices.ContainsFunc(results, speaksTLS) {
		agreed := audit.TLS(*r.hello.TLS(ctx, v.endpoint, v.address, r.cfg.Thorough))
		out.TLS = &agreed
	}
	return out
}

// speaksTLS reports whether a server came as far as to answer a ClientHello, be it that
// what was offered is too new for it.
func speaksTLS(r probe.Result) bool {
	return r.Outcome == probe.Served || r.Outcome == probe.HandshakeFailed
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
