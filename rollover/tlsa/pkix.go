package tlsa

import (
	"crypto/x509"
	"errors"
	"slices"
)

// matchPKIX compares under PKIX-EE and PKIX-TA for a client that trusts ref.Roots: on
// top of the comparison, PKIX verification is required (RFC 7671, section 5.3), and what
// PKIX-TA names may be a CA that only the client holds (section 5.4).
func (c *Chain) matchPKIX(a *Association, ref *Reference) verdict {
	depth := -1
	if a.Usage == PKIXEE {
		if c.data[0].of(a.Params) != a.Data {
			return verdict{kind: KindNoMatch, depth: -1}
		}
		depth = 0
	}
	paths, err := c.trusted(ref)
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		index := slices.IndexFunc(c.certs, invalid.Cert.Equal)
		return verdict{kind: KindDates, depth: depth, path: &hop{cert: invalid.Cert, depth: index}}
	case err != nil:
		return verdict{kind: KindUntrusted, depth: depth, cause: err}
	}
	if a.Usage == PKIXTA {
		if depth = nearestOn(paths, a); depth < 0 {
			return verdict{kind: KindNoAnchor, depth: -1}
		}
	}
	if !c.named(ref.Names) {
		return verdict{kind: KindNames, depth: depth}
	}
	return verdict{depth: depth}
}

// trusted gives the paths from the leaf to CAs that the client trusts. CAs that it trusts
// are also looked at as steps on the way to others: where the nearest one does not match, a
// client MUST go on (RFC 7671, section 5.4).
func (c *Chain) trusted(ref *Reference) ([][]*x509.Certificate, error) {
	roots, between := x509.NewCertPool(), x509.NewCertPool()
	for _, cert := range ref.Roots {
		roots.AddCert(cert)
		between.AddCert(cert)
	}
	for _, cert := range c.certs[1:] {
		between.AddCert(cert)
	}
	return c.Leaf().Verify(x509.VerifyOptions{
		Roots:         roots,
		Intermediates: between,
		CurrentTime:   ref.Time,
		KeyUsages:     []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	})
}

// nearestOn is how far above the leaf the nearest certificate stands that the data
// matches, -1 where there is none.
func nearestOn(paths [][]*x509.Certificate, a *Association) int {
	nearest := -1
	for _, path := range paths {
		for depth, cert := range path {
			if depth == 0 || nearest >= 0 && depth >= nearest {
				continue
			}
			if b, err := Associate(a.Params, cert); err == nil && b.Data == a.Data {
				nearest = depth
			}
		}
	}
	return nearest
}
