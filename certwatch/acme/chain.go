package acme

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"strings"

	"github.com/tlsaroll/tlsaroll/certwatch"
)

// collect downloads the certificate and makes sure that it is what was ordered. A chain
// that is not the preferred one is used, with a finding: a certificate in hand is worth
// more than its way to a root, and the 2 1 1 record is made of the chain that was
// received, whichever it is.
func (i *Issuer) collect(ctx context.Context, s *session, ca CA, o order, r certwatch.Request) (certwatch.Pair, error) {
	if o.certificate == "" {
		return certwatch.Pair{}, &Error{CA: s.ca, Step: stepCertificate, Text: fmt.Sprintf("the order is %s and has no certificate", printable(o.status))}
	}
	chains, err := s.chains(ctx, o.certificate, ca.PreferredChain != "")
	if err != nil {
		return certwatch.Pair{}, err
	}
	chosen, finding := choose(s.ca, chains, ca.PreferredChain)
	pair, err := check(chosen, r)
	if err == nil && i.cfg.Now().After(pair.Chain.Leaf().NotAfter) {
		err = pair.InDate(i.cfg.Now())
	}
	if err != nil {
		return certwatch.Pair{}, &Error{CA: s.ca, Step: stepCertificate, Text: "not what was ordered: " + err.Error(), Err: err}
	}
	for _, f := range finding {
		i.log.Warn(f.Text)
	}
	pair.Findings = append(pair.Findings, finding...)
	leaf := pair.Chain.Leaf()
	i.log.Info("certificate from the CA", "ca", s.ca, "issuer", printable(leaf.Issuer.CommonName), "not_after", leaf.NotAfter.UTC())
	return pair, nil
}

// check holds what came to what was ordered: the key, the names, the order of the chain.
func check(chain []byte, r certwatch.Request) (certwatch.Pair, error) {
	pair, err := certwatch.FromPEM(chain, r.Key.PEM())
	if err != nil {
		return certwatch.Pair{}, err
	}
	names := map[string]bool{}
	for _, name := range pair.Chain.Names() {
		names[name] = true
	}
	for _, name := range r.Names { // some CAs add others of their own
		if !names[name] {
			return certwatch.Pair{}, fmt.Errorf("the certificate is not for %q", printable(name))
		}
	}
	return pair, nil
}

// choose returns the chain whose topmost certificate was issued by the preferred name,
// else the CA's choice, which is the first.
func choose(ca string, chains [][]byte, preferred string) ([]byte, []certwatch.Finding) {
	if preferred == "" {
		return chains[0], nil
	}
	var offered []string
	for _, chain := range chains {
		name := topIssuer(chain)
		if name == preferred {
			return chain, nil
		}
		offered = append(offered, fmt.Sprintf("%q", printable(name)))
	}
	return chains[0], []certwatch.Finding{{Code: certwatch.CodeOtherChain, Severity: certwatch.Warning,
		Text: fmt.Sprintf("%s offers no chain of %q, and its own choice is used (hint: it offers chains of %s)", ca, printable(preferred), strings.Join(offered, ", "))}}
}

// topIssuer is the common name of who issued the last certificate of a chain, "" if there
// is none.
func topIssuer(chain []byte) string {
	name := ""
	for {
		block, rest := pem.Decode(chain)
		if block == nil {
			return name
		}
		if cert, err := x509.ParseCertificate(block.Bytes); err == nil {
			name = cert.Issuer.CommonName
		}
		chain = rest
	}
}
