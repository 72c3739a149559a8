package certwatch

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// maxCertificates is how many certificates a chain may have. A public chain has
// two to four; a file with more than this is a trust store.
const maxCertificates = 32

// A source is something that PEM is read from.
type source struct {
	name string // a path, or what was handed over
	data []byte

	certs  []*x509.Certificate
	keys   []key
	others []string // what else is in it, in words
}

// FromPEM makes a pair of PEM content: cert with the certificates in any order
// and key with the private key. A combined file may be given as both, or as cert
// with key nil; spare keys are those of [Reader.Load], as are the errors, without the
// ones of files.
func FromPEM(cert, key []byte, spare ...PrivateKey) (Pair, error) {
	c := source{name: "certificate", data: cert}
	if key == nil {
		return pairOf(&c, &c, spare)
	}
	return pairOf(&c, &source{name: "key", data: key}, spare)
}

// pairOf takes the certificates of c and the key of k, which may be the same; then a
// spare key may take the place of one that is not there.
func pairOf(c, k *source, spare []PrivateKey) (Pair, error) {
	if err := c.parse(); err != nil {
		return Pair{}, err
	}
	keys := c.keys
	if k != c {
		if err := k.parse(); err != nil {
			return Pair{}, err
		}
		keys = append(keys[:len(keys):len(keys)], k.keys...)
	}
	if err := c.wantCertificates(); err != nil {
		return Pair{}, err
	}
	if k == c && len(keys) == 0 && len(spare) > 0 {
		fitting, err := c.fitting(spare)
		if err != nil {
			return Pair{}, err
		}
		keys = append(keys, fitting)
	}
	the, err := onlyKey(k.name, keys)
	if err != nil {
		return Pair{}, err
	}
	asFound, err := tlsa.NewChain(c.certs...)
	if err != nil {
		return Pair{}, err
	}
	arranged, findings, err := arrange(c.name, c.certs, the.public)
	if err != nil {
		return Pair{}, err
	}
	chain, err := tlsa.NewChain(arranged...)
	if err != nil {
		return Pair{}, err
	}
	return Pair{Chain: chain, AsFound: asFound, Key: the.PrivateKey, Findings: findings}, nil
}

// parse reads the certificates and keys among the source's PEM blocks.
func (s *source) parse() error {
	blocks, err := scan(s.name, s.data)
	if err != nil {
		return err
	}
	for _, b := range blocks {
		switch {
		case isKey(b.Type):
			k, err := parseKey(s.name, b)
			if err != nil {
				return err
			}
			s.keys = append(s.keys, k)
		case isCertificate(b.Type):
			cert, err := x509.ParseCertificate(b.Bytes)
			if err != nil {
				hint := ""
				if b.Type == "TRUSTED CERTIFICATE" {
					hint = "write it without OpenSSL's trust settings: openssl x509 -in OLD -out NEW"
				}
				return &Error{s.name, fmt.Sprintf("line %d: the certificate cannot be read: %s", b.line, strings.TrimPrefix(err.Error(), "x509: ")), hint, ErrDamaged}
			}
			s.certs = append(s.certs, cert)
		default:
			s.others = append(s.others, naming(b.Type))
		}
	}
	if n := len(s.certs); n > maxCertificates {
		return &Error{s.name, fmt.Sprintf("%d certificates, %d are allowed", n, maxCertificates),
			"this looks like a trust store; give the file with the leaf and its issuers", ErrTooLarge}
	}
	return nil
}

func (s *source) wantCertificates() error {
	switch {
	case len(s.certs) > 0:
		return nil
	case len(bytes.TrimSpace(s.data)) == 0:
		return &Error{s.name, "empty, want a certificate", "", ErrNoCertificate}
	case len(s.keys) > 0:
		return &Error{s.name, "a private key, but no certificate", "are certificate and key the wrong way round?", ErrNoCertificate}
	case len(s.others) > 0:
		return &Error{s.name, "no certificate, but a " + s.others[0], "give the file with the issued certificate and its issuers", ErrNoCertificate}
	case s.data[0] == 0x30: // an ASN.1 SEQUENCE
		return &Error{s.name, "no PEM", "this looks like DER or PKCS #12; convert it with openssl", ErrNoCertificate}
	}
	return &Error{s.name, "no PEM certificate in it", "", ErrNoCertificate}
}

// fitting is the first of some keys that fits a certificate of the source.
func (s *source) fitting(spare []PrivateKey) (key, error) {
	for _, private := range spare {
		held := source{name: "a key that was made ahead", data: private.PEM()}
		if err := held.parse(); err != nil {
			return key{}, err
		}
		k, err := onlyKey(held.name, held.keys)
		if err != nil {
			return key{}, err
		}
		if slices.ContainsFunc(s.certs, k.public.fits) {
			return k, nil
		}
	}
	return key{}, &Error{s.name, fmt.Sprintf("no private key in it, and none that is kept for this lineage fits the certificate of %s", subject(s.certs[0])),
		"name the file of its key, too; tlsaroll next-key gives the request for the key that was made ahead", ErrNoKey}
}

// onlyKey returns the one key there is. The same key twice is one key.
func onlyKey(where string, keys []key) (key, error) {
	if len(keys) == 0 {
		return key{}, &Error{where, "no private key", "give the file that begins with -----BEGIN PRIVATE KEY-----, or a combined one", ErrNoKey}
	}
	for _, k := range keys[1:] {
		if !bytes.Equal(k.public.Key.Bytes, keys[0].public.Key.Bytes) {
			return key{}, &Error{where, "more than one private key", "one lineage has one key; an RSA and an ECDSA pair are two lineages", ErrSeveralKeys}
		}
	}
	return keys[0], nil
}
