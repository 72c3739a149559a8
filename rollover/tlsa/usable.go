package tlsa

import (
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"fmt"
)

var (
	errNotSMTP = errors.New("the PKIX usages are not for SMTP (RFC 7672, section 3.1.3)")
	errSHA256  = errors.New("a SHA2-256 digest has 32 octets, this has not")
	errSHA512  = errors.New("a SHA2-512 digest has 64 octets, this has not")
	errAbsent  = errors.New("there is no record")
)

// Unusable says why no client can use a (RFC 6698, section 4.1; RFC 7671,
// section 9), nil if one can. The error is a [MatchError] of [KindUnusable].
func (a Association) Unusable(ref Reference) error {
	if cause := a.unusable(&ref, nil); cause != nil {
		return unusable(a, cause)
	}
	return nil
}

// unusable parses no data that c, if not nil, is known to hold.
func (a *Association) unusable(ref *Reference, c *Chain) error {
	switch {
	case a.undefined():
		return a.Undefined()
	case a.Usage < DANETA && ref.SMTP:
		return errNotSMTP
	case a.Matching == SHA256 && len(a.Data) != hex.EncodedLen(sha256.Size):
		return errSHA256
	case a.Matching == SHA512 && len(a.Data) != hex.EncodedLen(sha512.Size):
		return errSHA512
	case a.Matching == Full && (c == nil || !c.holds(a, 0)):
		return a.parses()
	}
	return nil
}

// parses asks whether the data is what the selector says. A key need not be of a
// kind that we know, only a SubjectPublicKeyInfo (RFC 5280, section 4.1).
func (a *Association) parses() error {
	der, err := hex.DecodeString(a.Data)
	if err != nil {
		return err
	}
	if a.Selector == Cert {
		if _, err := x509.ParseCertificate(der); err != nil {
			return fmt.Errorf("the data is no certificate: %w", err)
		}
		return nil
	}
	var spki struct {
		Algorithm pkix.AlgorithmIdentifier
		Key       asn1.BitString
	}
	switch rest, err := asn1.Unmarshal(der, &spki); {
	case err != nil:
		return fmt.Errorf("the data is not a SubjectPublicKeyInfo: %w", err)
	case len(rest) > 0:
		return errors.New("the data is not a SubjectPublicKeyInfo: it is too long")
	}
	return nil
}
