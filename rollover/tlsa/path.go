package tlsa

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"time"
)

// A hop is a certificate as the end of one path from the leaf. The hops of a
// chain form a tree with the leaf as its root: where several certificates
// could have issued one (cross-certificates), it branches.
type hop struct {
	cert   *x509.Certificate
	index  int // in the chain as presented
	depth  int // steps from the leaf
	below  *hop
	issuer []*hop // in the order presented
	broken error  // a constraint that the path up to here violates
}

const (
	// maxHops bounds the tree, maxSignatures the work for it: what a server
	// presents is not ours to choose. Honest chains stay far below.
	maxHops       = 64
	maxSignatures = 128
)

// A pathFinder builds the tree of hops.
type pathFinder struct {
	certs      []*x509.Certificate
	issued     map[[2]int]bool
	hops       int
	signatures int
}

// paths finds every path from the leaf through the presented certificates,
// whatever their order (RFC 5246, section 7.4.2 demands one, servers differ).
// Duplicates count once, so the leaf is never its own issuer.
func paths(certs []*x509.Certificate) *hop {
	f := &pathFinder{certs: certs, issued: make(map[[2]int]bool)}
	return f.extend(nil, 0)
}

func (f *pathFinder) extend(below *hop, index int) *hop {
	h := below.extend(f.certs[index], index)
	f.hops++
	if h.selfSigned() {
		return h
	}
	for i, cert := range f.certs {
		if f.hops >= maxHops {
			break
		}
		if i == 0 || h.passes(cert) || f.duplicate(i) || !f.issues(i, index) {
			continue
		}
		h.issuer = append(h.issuer, f.extend(h, i))
	}
	return h
}

func (f *pathFinder) duplicate(index int) bool {
	for _, earlier := range f.certs[:index] {
		if earlier.Equal(f.certs[index]) {
			return true
		}
	}
	return false
}

func (f *pathFinder) issues(issuer, index int) bool {
	key := [2]int{issuer, index}
	if known, ok := f.issued[key]; ok {
		return known
	}
	if !mayIssue(f.certs[issuer], f.certs[index]) || f.signatures >= maxSignatures {
		return false
	}
	f.signatures++
	ok := signed(f.certs[issuer], f.certs[index])
	f.issued[key] = ok
	return ok
}

// extend makes the path one certificate longer.
func (h *hop) extend(cert *x509.Certificate, index int) *hop {
	if h == nil {
		return &hop{cert: cert, index: index}
	}
	return &hop{cert: cert, index: index, depth: h.depth + 1, below: h, broken: constraints(h, cert)}
}

// passes reports whether cert is on the path to h.
func (h *hop) passes(cert *x509.Certificate) bool {
	for ; h != nil; h = h.below {
		if h.cert.Equal(cert) {
			return true
		}
	}
	return false
}

// next is the issuer that a client tries, at that moment: the first one
// presented that is in date, else the one that ends last. It does not come
// back for another, as OpenSSL does not.
func (h *hop) next(at time.Time) *hop {
	var best *hop
	for _, i := range h.issuer {
		if inDate(i.cert, at) {
			return i
		}
		if best == nil || i.cert.NotAfter.After(best.cert.NotAfter) {
			best = i
		}
	}
	return best
}

// inDate reports whether every certificate of the path is (RFC 5280, section 6.1.3).
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

func signed(issuer, cert *x509.Certificate) bool {
	return issuer.CheckSignature(cert.SignatureAlgorithm, cert.RawTBSCertificate, cert.Signature) == nil
}

// mayIssue says whether issuer may have signed cert: names chain (RFC 5280, section
// 6.1.3 (a)(4)), key identifiers do not contradict, and issuer is a CA that may
// sign certificates (section 6.1.4 (k) to (n)).
func mayIssue(issuer, cert *x509.Certificate) bool {
	return bytes.Equal(cert.RawIssuer, issuer.RawSubject) &&
		(len(cert.AuthorityKeyId) == 0 || len(issuer.SubjectKeyId) == 0 || bytes.Equal(cert.AuthorityKeyId, issuer.SubjectKeyId)) &&
		isCA(issuer)
}

// isCA accepts a self-issued certificate of version 1, which cannot say what it is.
func isCA(cert *x509.Certificate) bool {
	if cert.Version < 3 {
		return bytes.Equal(cert.RawIssuer, cert.RawSubject)
	}
	return cert.BasicConstraintsValid && cert.IsCA && (cert.KeyUsage == 0 || cert.KeyUsage&x509.KeyUsageCertSign != 0)
}

// selfSigned certificates end a path.
func (h *hop) selfSigned() bool {
	return bytes.Equal(h.cert.RawIssuer, h.cert.RawSubject) && signed(h.cert, h.cert)
}

// constraints checks the path through h up to anchor for what concerns it as a
// whole: path length, name constraints, extended key usage, critical extensions
// that nobody knows. Those of the trust anchor's certificate count too (RFC 7671,
// section 5.2.1).
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
		CurrentTime:   later(at, h.cert.NotBefore), // dates are judged by the match
		KeyUsages:     []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	})
	var invalid x509.CertificateInvalidError
	if errors.As(err, &invalid) && invalid.Reason == x509.Expired {
		return nil // never all in date: no match gets past the dates
	}
	return err
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// A pathEnd is the error that a path goes no further.
type pathEnd hop

func (e *pathEnd) Error() string {
	if (*hop)(e).selfSigned() {
		return fmt.Sprintf("the path ends at the self-signed %q", e.cert.Subject)
	}
	return fmt.Sprintf("the issuer of %q is not in the chain", e.cert.Subject)
}
