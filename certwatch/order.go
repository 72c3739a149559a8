package certwatch

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
)

// arrange puts certificates into the order of RFC 5246, section 7.4.2: the leaf,
// which is the one that the key fits, then each the issuer of the one before. A
// certificate that issued one in the chain but is not on that path (a second
// cross-signature) follows behind; one that has nothing to do with the chain is
// left out, because no client needs it and servers would send it with every
// handshake. An order that is right is never changed.
func arrange(where string, found []*x509.Certificate, public spki) ([]*x509.Certificate, []Finding, error) {
	certs, findings := distinct(where, found)
	leaf, err := pickLeaf(where, certs, public)
	if err != nil {
		return nil, nil, err
	}
	chain := []*x509.Certificate{leaf}
	rest := slices.DeleteFunc(slices.Clone(certs), func(c *x509.Certificate) bool { return c == leaf })
	take := func(wanted func(*x509.Certificate) bool) bool {
		i := slices.IndexFunc(rest, wanted)
		if i < 0 {
			return false
		}
		chain, rest = append(chain, rest[i]), slices.Delete(rest, i, i+1)
		return true
	}
	for take(func(c *x509.Certificate) bool { return certifies(c, chain[len(chain)-1]) }) {
	}
	for take(func(c *x509.Certificate) bool {
		return slices.ContainsFunc(chain, func(of *x509.Certificate) bool { return certifies(c, of) })
	}) {
	}
	for _, c := range rest {
		findings = append(findings, Finding{CodeUnrelated, Warning,
			fmt.Sprintf("%s: the certificate of %s issued none of this chain and is left out", where, subject(c))})
	}
	kept := slices.DeleteFunc(certs, func(c *x509.Certificate) bool { return slices.Contains(rest, c) })
	if !slices.Equal(kept, chain) {
		findings = append(findings, Finding{CodeReordered, Info,
			fmt.Sprintf("%s: the certificates were not in order (leaf first, then each one's issuer) and have been put in order", where)})
	}
	if !selfIssued(leaf) && len(chain) == 1 {
		findings = append(findings, Finding{CodeNoIssuer, Warning,
			fmt.Sprintf("%s: the issuer of the certificate, %s, is not in the file (hint: give the full chain)", where, quoteName(leaf.Issuer.CommonName, leaf.Issuer.String()))})
	}
	return chain, findings, nil
}

// distinct drops certificates that are there already.
func distinct(where string, found []*x509.Certificate) ([]*x509.Certificate, []Finding) {
	var certs []*x509.Certificate
	var findings []Finding
	for _, c := range found {
		if slices.ContainsFunc(certs, c.Equal) {
			findings = append(findings, Finding{CodeDoubled, Info,
				fmt.Sprintf("%s: the certificate of %s stands there more than once and is taken once", where, subject(c))})
			continue
		}
		certs = append(certs, c)
	}
	return certs, findings
}

// pickLeaf finds the certificate that the key fits: the first in the file, or
// the only one.
func pickLeaf(where string, certs []*x509.Certificate, public spki) (*x509.Certificate, error) {
	if public.fits(certs[0]) {
		return certs[0], nil
	}
	var fitting []*x509.Certificate
	for _, c := range certs {
		if public.fits(c) {
			fitting = append(fitting, c)
		}
	}
	switch len(fitting) {
	case 1:
		return fitting[0], nil
	case 0:
		return nil, &Error{where, fmt.Sprintf("the private key does not fit the certificate of %s", subject(certs[0])),
			"certificate and key come from different orders; give the files of one order, or issue again", ErrMismatch}
	}
	return nil, &Error{where, fmt.Sprintf("the private key fits %d certificates and none of them is the first", len(fitting)),
		"put the one that is to be served first", ErrAmbiguous}
}

// certifies reports whether issuer signed cert. Where the algorithm is one that
// this program cannot verify, name and key identifiers decide.
func certifies(issuer, cert *x509.Certificate) bool {
	if !bytes.Equal(issuer.RawSubject, cert.RawIssuer) && issuer.Subject.String() != cert.Issuer.String() {
		return false
	}
	err := issuer.CheckSignature(cert.SignatureAlgorithm, cert.RawTBSCertificate, cert.Signature)
	if err == nil {
		return true
	}
	var insecure x509.InsecureAlgorithmError
	if !errors.Is(err, x509.ErrUnsupportedAlgorithm) && !errors.As(err, &insecure) {
		return false
	}
	return len(issuer.SubjectKeyId) == 0 || len(cert.AuthorityKeyId) == 0 || bytes.Equal(issuer.SubjectKeyId, cert.AuthorityKeyId)
}

func selfIssued(c *x509.Certificate) bool {
	return bytes.Equal(c.RawSubject, c.RawIssuer) && certifies(c, c)
}

// subject names a certificate in a sentence.
func subject(c *x509.Certificate) string {
	if len(c.DNSNames) > 0 {
		return quoteName(c.DNSNames[0], "")
	}
	return quoteName(c.Subject.CommonName, fmt.Sprintf("serial number %x", c.SerialNumber))
}

// quoteName quotes the first name that is not empty, shortened: it is whatever
// the file says.
func quoteName(names ...string) string {
	for _, n := range names {
		if n != "" {
			return fmt.Sprintf("%.100q", n)
		}
	}
	return "(no name)"
}
