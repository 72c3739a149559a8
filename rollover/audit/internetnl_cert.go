package audit

import (
	"cmp"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"slices"
	"strings"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// nlCertificate judges the certificates that a server presents.
func nlCertificate(g grades, h Host, a *Address) {
	shown := nlHandshake(*a)
	if shown == nil || shown.Chain == nil {
		why := "no chain was seen"
		if shown != nil {
			why = cmp.Or(shown.Err, why)
		}
		g["cert_trust"] = grade{status: StatusNotTested, verdict: "could-not-test", text: why}
		for _, name := range []string{"cert_pubkey", "cert_signature", "cert_hostmatch"} {
			g[name] = untested("%s", why)
		}
		return
	}
	sent := nlSent(shown.Chain, shown.Untrusted == "")
	g["cert_trust"] = grade{status: StatusPassed, verdict: "good", text: "leads to a CA that browsers believe"}
	if shown.Untrusted != "" {
		g["cert_trust"] = grade{status: StatusFailed, verdict: "bad", text: shown.Untrusted}
	}
	g["cert_pubkey"] = nlRanked(sent, keyRank)
	g["cert_signature"] = nlRanked(sent, signatureRank)
	g["cert_hostmatch"] = nlHostMatch(h, shown.Chain)
}

// nlSent are the certificates that count: all but roots. Which of the self-signed ones are
// roots is known only where the chain leads to one.
func nlSent(c *tlsa.Chain, trusted bool) (sent []*x509.Certificate) {
	for i, cert := range c.Certificates() {
		if i == 0 || !trusted || !slices.Equal(cert.RawSubject, cert.RawIssuer) {
			sent = append(sent, cert)
		}
	}
	return sent
}

// nlRanked judges all certificates by the worst.
func nlRanked(sent []*x509.Certificate, rank func(*x509.Certificate) (int, string)) grade {
	var all, old, bad []string
	for _, cert := range sent {
		r, what := rank(cert)
		what = fmt.Sprintf("%s (%s)", what, nlCommonName(cert))
		switch all = append(all, what); r {
		case suitePhaseOut:
			old = append(old, what)
		case suiteBad:
			bad = append(bad, what)
		}
	}
	switch {
	case len(bad) > 0:
		return grade{status: StatusFailed, verdict: "bad", text: strings.Join(bad, ", ")}
	case len(old) > 0:
		return grade{status: StatusWarning, verdict: "phase-out", text: strings.Join(old, ", ")}
	}
	return grade{status: StatusPassed, verdict: "good", text: strings.Join(all, ", ")}
}

func nlCommonName(cert *x509.Certificate) string {
	name := cert.Subject.CommonName
	if name == "" && len(cert.DNSNames) > 0 {
		name = cert.DNSNames[0]
	}
	return cmp.Or(name, "without a name")
}

// keyRank judges the key of a certificate (NCSC-NL, version 2025-05, section 3.3.2.1).
// The curves of RFC 5639 are good as well, but no certificate with one gets here.
func keyRank(cert *x509.Certificate) (rank int, what string) {
	switch key := cert.PublicKey.(type) {
	case *rsa.PublicKey:
		switch bits := key.N.BitLen(); {
		case bits >= 3072:
			return suiteGood, fmt.Sprintf("RSA %d", bits)
		case bits >= 2048:
			return suitePhaseOut, fmt.Sprintf("RSA %d", bits)
		default:
			return suiteBad, fmt.Sprintf("RSA %d", bits)
		}
	case *ecdsa.PublicKey:
		what = "ECDSA " + key.Curve.Params().Name
		if key.Curve == elliptic.P224() {
			return suitePhaseOut, what
		}
		return suiteGood, what
	}
	switch algorithm := keyAlgorithm(cert); algorithm {
	case "1.3.101.112":
		return suiteGood, "Ed25519"
	case "1.3.101.113":
		return suiteGood, "Ed448"
	default:
		return suiteBad, "key algorithm " + cmp.Or(algorithm, "unknown")
	}
}

// keyAlgorithm is the OID of the key's algorithm, "" where that cannot be read.
func keyAlgorithm(cert *x509.Certificate) string {
	var spki struct {
		Algorithm pkix.AlgorithmIdentifier
		Key       asn1.BitString
	}
	if _, err := asn1.Unmarshal(cert.RawSubjectPublicKeyInfo, &spki); err != nil {
		return ""
	}
	return spki.Algorithm.Algorithm.String()
}

// signatureRank judges the signature on a certificate (NCSC-NL, version 2025-05, sections
// 3.3.2 and 3.3.5). It goes by OIDs, as crypto/x509 has no names for all; RSASSA-PSS is
// in no list of Internet.nl's.
func signatureRank(cert *x509.Certificate) (rank int, what string) {
	var whole struct {
		TBS       asn1.RawValue
		Algorithm pkix.AlgorithmIdentifier
		Signature asn1.BitString
	}
	if _, err := asn1.Unmarshal(cert.Raw, &whole); err != nil {
		return suiteBad, "unknown"
	}
	switch oid := whole.Algorithm.Algorithm.String(); oid {
	case "1.2.840.113549.1.1.11":
		return suiteGood, "RSA with SHA-256"
	case "1.2.840.113549.1.1.12":
		return suiteGood, "RSA with SHA-384"
	case "1.2.840.113549.1.1.13":
		return suiteGood, "RSA with SHA-512"
	case "1.2.840.10045.4.3.2":
		return suiteGood, "ECDSA with SHA-256"
	case "1.2.840.10045.4.3.3":
		return suiteGood, "ECDSA with SHA-384"
	case "1.2.840.10045.4.3.4":
		return suiteGood, "ECDSA with SHA-512"
	case "1.3.101.112":
		return suiteGood, "Ed25519"
	case "1.3.101.113":
		return suiteGood, "Ed448"
	case "1.2.840.113549.1.1.14":
		return suitePhaseOut, "RSA with SHA-224"
	case "1.2.840.10045.4.3.1":
		return suitePhaseOut, "ECDSA with SHA-224"
	case "1.2.840.113549.1.1.10":
		return suiteBad, "RSASSA-PSS"
	case "1.2.840.113549.1.1.5", "1.2.840.10045.4.1":
		return suiteBad, "with SHA-1"
	default:
		return suiteBad, "signature algorithm " + oid
	}
}

// nlHostMatch judges the name. It counts with DANE-TA alone (RFC 7672, section 3.2.2), and
// with any record of it, whether it matches or not.
func nlHostMatch(h Host, c *tlsa.Chain) grade {
	// Internet.nl looks at no common name, and DANE clients do where there is nothing else.
	named := len(c.Leaf().DNSNames) > 0
	if named && c.IsFor(h.Name) {
		return grade{status: StatusPassed, verdict: "good", text: "the certificate is for " + h.Name}
	}
	g := grade{status: StatusFailed, verdict: "bad", text: "the certificate is for " + cmp.Or(listed(c.Names()), "no host")}
	if slices.ContainsFunc(nlRecords(h), func(a tlsa.Association) bool { return a.Usage == tlsa.DANETA }) {
		g.beyond = true
		if slices.ContainsFunc(append([]string{h.Name}, h.NextHop...), c.IsFor) {
			g.ours = "clients of DANE-TA take another name or field of the certificate too (RFC 7672, section 3.2.2), and this one does"
		}
	}
	return g
}
