package tlsa

import (
	"bytes"
	"crypto/x509"
	"errors"
	"time"
)

// A hop is a certificate as the end of one path from the leaf. The hops of a
// chain form a tree with the leaf as its root; it branches where several
// certificates could have issued one, as cross-certificates do.
type hop struct {
	cert    *x509.Certificate
	index   int // as presented; -1 where the certificate comes from a record
	depth   int // steps from the leaf
	below   *hop
	issuers []*hop // in the order presented
	broken  error  // the constraint that the path up to here violates
}

// maxHops bounds the tree: what a server presents is not ours to choose. Honest
// chains stay far below it.
const maxHops = 24

// paths finds the paths from the leaf through the presented certificates, in
// whatever order they are: TLS 1.2 asked for one (RFC 5246, section 7.4.2), servers
// get it wrong, clients put up with it.
func paths(certs []*x509.Certificate) *hop {
	root, hops := &hop{cert: certs[0]}, 1
	root.grow(certs, &hops)
	return root
}

// grow finds all that could come after h, counting. Nothing comes after a
// self-signed certificate.
func (h *hop) grow(certs []*x509.Certificate, hops *int) {
	if h.selfSigned() {
		return
	}
	for i, cert := range certs {
		if *hops < maxHops && !h.passes(cert) && mayIssue(cert, h.cert) && checkSignature(cert, h.cert) == nil {
			*hops++
			issuer := h.extend(cert, i)
			h.issuers = append(h.issuers, issuer)
			issuer.grow(certs, hops)
		}
	}
}

// extend makes the path one certificate longer.
func (h *hop) extend(cert *x509.Certificate, index int) *hop {
	return &hop{cert: cert, index: index, depth: h.depth + 1, below: h, broken: constraints(h, cert)}
}

// passes reports whether cert, or a copy of it, is on the path to h.
func (h *hop) passes(cert *x509.Certificate) bool {
	for ; h != nil; h = h.below {
		if h.cert.Equal(cert) {
			return true
		}
	}
	return false
}

// next is the issuer that a client takes at that moment: the first one presented
// that is in date, else the one that ends last. Like OpenSSL it does not come back to
// try another.
func (h *hop) next(at time.Time) (chosen *hop) {
	for _, issuer := range h.issuers {
		if inDate(issuer.cert, at) {
			return issuer
		}
		if chosen == nil || issuer.cert.NotAfter.After(chosen.cert.NotAfter) {
			chosen = issuer
		}
	}
	return chosen
}

// inDate reports whether the whole path is (RFC 5280, section 6.1.3 (a)(2)). The
// trust anchor's certificate is asked too, as no client can be counted on to
// overlook it: OpenSSL does so only where it is not self-signed.
func (h *hop) inDate(at time.Time) bool {
	for ; h != nil; h = h.below {
		if !inDate(h.cert, at) {
			return false
		}
	}
	return true
}

func inDate(cert *x509.Certificate, at time.Time) bool {
	return !at.Before(cert.NotBefore) && !at.After(cert.NotAfter)
}

// selfSigned does not care how strong the signature is, since it proves nothing.
func (h *hop) selfSigned() bool {
	return bytes.Equal(h.cert.RawIssuer, h.cert.RawSubject) &&
		h.cert.CheckSignature(h.cert.SignatureAlgorithm, h.cert.RawTBSCertificate, h.cert.Signature) == nil
}

// checkSignature refuses what is too weak along with what is forged;
// [x509.Certificate.CheckSignature] does so for MD5, but not for SHA-1.
func checkSignature(issuer, subject *x509.Certificate) error {
	switch subject.SignatureAlgorithm {
	case x509.SHA1WithRSA, x509.ECDSAWithSHA1:
		return x509.InsecureAlgorithmError(subject.SignatureAlgorithm)
	}
	return issuer.CheckSignature(subject.SignatureAlgorithm, subject.RawTBSCertificate, subject.Signature)
}

// mayIssue says whether issuer, going by all but the signature, issued subject:
// names chain (RFC 5280, section 6.1.3 (a)(4)), key identifiers do not contradict
// (section 4.2.1.1), and issuer may sign certificates (section 6.1.4 (k) and (n)).
func mayIssue(issuer, subject *x509.Certificate) bool {
	return bytes.Equal(subject.RawIssuer, issuer.RawSubject) &&
		(len(subject.AuthorityKeyId) == 0 || len(issuer.SubjectKeyId) == 0 || bytes.Equal(subject.AuthorityKeyId, issuer.SubjectKeyId)) &&
		isCA(issuer)
}

// isCA takes a self-issued certificate older than version 3 at its word: it has
// no way to say that it is a CA.
func isCA(cert *x509.Certificate) bool {
	if cert.Version < 3 {
		return bytes.Equal(cert.RawIssuer, cert.RawSubject)
	}
	return cert.BasicConstraintsValid && cert.IsCA && (cert.KeyUsage == 0 || cert.KeyUsage&x509.KeyUsageCertSign != 0)
}

// constraints checks what concerns the path through h up to anchor as a whole:
// path lengths, name constraints, extended key usages, critical extensions that
// are not understood. Those of the trust anchor's certificate count as well (RFC
// 7671, section 5.2.1).
func constraints(h *hop, anchor *x509.Certificate) error {
	roots, between := x509.NewCertPool(), x509.NewCertPool()
	roots.AddCert(anchor)
	at := anchor.NotBefore
	for ; h.below != nil; h = h.below {
		between.AddCert(h.cert)
		at = later(at, h.cert.NotBefore)
	}
	_, err := h.cert.Verify(x509.VerifyOptions{
		Roots:         roots,
		Intermediates: between,
		CurrentTime:   later(at, h.cert.NotBefore), // the dates are a question of the match
		KeyUsages:     []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	})
	var invalid x509.CertificateInvalidError
	if errors.As(err, &invalid) && invalid.Reason == x509.Expired {
		return nil // never all in date at once, so the dates will stop any match
	}
	return err
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
