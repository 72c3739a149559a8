package audit

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"slices"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
)

// tellCertificates tells of certificates by themselves: what DANE with usage 3 does not
// ask for, and others do.
func (s *scene) tellCertificates() {
	for _, l := range s.leaves() {
		s.tellDates(l)
		s.tellTrust(l)
		s.tellKeys(l)
	}
}

// A certificate is late when it has not been renewed with this part of its lifetime left,
// or this time, whichever is less.
const (
	latePart = 6
	lateDays = 7 * 24 * time.Hour
)

func (l leaf) describe() string {
	return fmt.Sprintf("the certificate %s that %s %s", l.LeafID()[:8], where(l.at), verb(len(l.at), "presents", "present"))
}

func (s *scene) tellDates(l leaf) {
	cert := l.Leaf()
	late := min(lateDays, cert.NotAfter.Sub(cert.NotBefore)/latePart)
	at := about(s.Name, l.at)
	switch left := cert.NotAfter.Sub(s.at); {
	case s.told(rollover.CodeAnchorDates):
	case left < 0:
		s.tell(rollover.CodeCertificateDates, at, "%s: %s ended on %s", s.Name, l.describe(), day(cert.NotAfter)).of(l.LeafID()).reportedAs(resultExpired)
	case s.at.Before(cert.NotBefore):
		s.tell(rollover.CodeCertificateDates, at, "%s: %s begins on %s only", s.Name, l.describe(), rollover.Stamp(cert.NotBefore)).of(l.LeafID()).reportedAs(resultExpired)
	case left < late:
		s.tell(rollover.CodeExpiresSoon, at, "%s: %s ends on %s, in %s", s.Name, l.describe(), day(cert.NotAfter), hours(left)).of(l.LeafID()).
			mendedBy("Look at the ACME client, and whether the server was reloaded since it renewed; publish the next certificate's record before the server presents it.")
	}
}

// tellTrust tells of what senders ask for that look at certificates as browsers do.
func (s *scene) tellTrust(l leaf) {
	at := about(s.Name, l.at)
	if !l.IsFor(s.Name) && !s.told(rollover.CodeNameMissing) {
		names := listed(l.Names())
		if names == "" {
			names = "no host"
		}
		s.tell(rollover.CodeCertificateName, at, "%s: %s is for %s", s.Name, l.describe(), names).reportedAs(resultHostMismatch)
	}
	if l.untrusted == "" || s.outOfDate(l) {
		return // a certificate that is out of date is told of as that
	}
	hint := ""
	if len(l.Certificates()) == 1 && string(l.Leaf().RawIssuer) != string(l.Leaf().RawSubject) {
		hint = "; the server sends it alone, without the CA's"
	}
	s.tell(rollover.CodeCertificateUntrusted, at, "%s: %s leads to no CA that browsers believe: %s%s", s.Name, l.describe(), l.untrusted, hint).of(l.LeafID()).reportedAs(resultNotTrusted)
}

func (s *scene) outOfDate(l leaf) bool {
	return s.at.After(l.NotAfter()) || s.at.Before(l.Leaf().NotBefore)
}

const leastRSA = 2048 // bits

// tellKeys tells of keys that some senders refuse, or do not know. A root's own key need
// not be strong enough for anything: clients have it, or a record's digest of it.
func (s *scene) tellKeys(l leaf) {
	at := about(s.Name, l.at)
	for depth, cert := range l.Certificates() {
		key, isRSA := cert.PublicKey.(*rsa.PublicKey)
		root := depth > 0 && string(cert.RawIssuer) == string(cert.RawSubject)
		if isRSA && !root && key.N.BitLen() < leastRSA {
			s.tell(rollover.CodeKeyWeak, at, "%s: %s: the RSA key of %s has %d bits", s.Name, l.describe(), holderOf(cert, depth), key.N.BitLen()).of(l.LeafID()).reportedAs(resultValidation)
			break
		}
	}
	if kind := rareKey(l.Leaf()); kind != "" {
		s.tell(rollover.CodeKeyRare, at, "%s: %s has a key that not all senders know: %s", s.Name, l.describe(), kind).of(l.LeafID())
	}
}

// rareKey names a key that is neither RSA nor on one of the two curves that all know; "" of
// others.
func rareKey(cert *x509.Certificate) string {
	switch key := cert.PublicKey.(type) {
	case *rsa.PublicKey:
		return ""
	case *ecdsa.PublicKey:
		if slices.Contains([]elliptic.Curve{elliptic.P256(), elliptic.P384()}, key.Curve) {
			return ""
		}
		return "ECDSA on " + key.Params().Name
	}
	if cert.PublicKeyAlgorithm == x509.UnknownPublicKeyAlgorithm {
		return "of an algorithm that this program does not know either"
	}
	return cert.PublicKeyAlgorithm.String()
}
