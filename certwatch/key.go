package certwatch

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// hidden is what a private key prints as.
const hidden = "[private key]"

// A PrivateKey is a private key in PEM, in the form it was found in (PKCS #8,
// PKCS #1 or SEC 1). It prints as a placeholder under every verb and encodes as
// one, so that it cannot reach a log by accident; PEM is the only way to it.
type PrivateKey struct {
	// A function, because that is what reflection cannot look into: fmt passes
	// over Format where a verb is wrong for the type.
	reveal func() []byte
}

func newPrivateKey(pem []byte) PrivateKey {
	return PrivateKey{func() []byte { return pem }}
}

// PEM is one PEM block that ends with a line break. Do not change it.
func (k PrivateKey) PEM() []byte {
	if k.reveal == nil {
		return nil
	}
	return k.reveal()
}

// String hides the key.
func (PrivateKey) String() string { return hidden }

// Format hides the key under every verb and flag.
func (PrivateKey) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// MarshalText hides the key in JSON and the like.
func (PrivateKey) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// LogValue hides the key in structured logs.
func (PrivateKey) LogValue() slog.Value { return slog.StringValue(hidden) }

// spki is a SubjectPublicKeyInfo (RFC 5280, section 4.1).
type spki struct {
	Algorithm pkix.AlgorithmIdentifier
	Key       asn1.BitString
}

// fits compares the algorithm and the key, but not the algorithm's parameters:
// some encoders leave out RSA's NULL.
func (s spki) fits(cert *x509.Certificate) bool {
	var of spki
	if _, err := asn1.Unmarshal(cert.RawSubjectPublicKeyInfo, &of); err != nil {
		return false
	}
	return s.Algorithm.Algorithm.Equal(of.Algorithm.Algorithm) &&
		s.Key.BitLength == of.Key.BitLength && bytes.Equal(s.Key.Bytes, of.Key.Bytes)
}

// A key is what one PEM block holds.
type key struct {
	PrivateKey
	public spki
	signer crypto.Signer
}

// isKey reports whether a block of this type holds a private key.
func isKey(label string) bool { return strings.HasSuffix(label, "PRIVATE KEY") }

// parseKey reads a private key. The causes that the parsers give are kept back:
// they may quote what they choked on.
func parseKey(where string, b block) (key, error) {
	if b.Type == "ENCRYPTED PRIVATE KEY" || strings.Contains(b.Headers["Proc-Type"], "ENCRYPTED") || b.Headers["DEK-Info"] != "" {
		return key{}, &Error{where, fmt.Sprintf("line %d: the private key is encrypted", b.line),
			"mail servers read keys without a passphrase; take it off with: openssl pkey -in OLD -out NEW", ErrEncrypted}
	}
	if b.Type == "OPENSSH PRIVATE KEY" {
		return key{}, &Error{where, fmt.Sprintf("line %d: an OpenSSH key", b.line),
			"a TLS server needs PKCS #8, PKCS #1 or SEC 1: ssh-keygen -p -m PKCS8 -f FILE", ErrUnsupported}
	}
	for _, form := range keyForms {
		parsed, err := form.parse(b.Bytes)
		if err != nil {
			continue
		}
		return newKey(where, b.line, form.label, b.Bytes, parsed)
	}
	if oid := pkcs8Algorithm(b.Bytes); oid != "" {
		return key{}, &Error{where, fmt.Sprintf("line %d: a private key of an algorithm that is not supported or damaged: %s", b.line, oid),
			"RSA, ECDSA (P-224 to P-521) and Ed25519 are supported", ErrUnsupported}
	}
	return key{}, &Error{where, fmt.Sprintf("line %d: the private key is damaged", b.line), "", ErrDamaged}
}

// keyForms are the ways to write a private key: PKCS #8 (RFC 5958), PKCS #1
// (RFC 8017) and SEC 1 (RFC 5915). All are tried, as labels are often wrong.
var keyForms = [...]struct {
	label string
	parse func([]byte) (any, error)
}{
	{"PRIVATE KEY", x509.ParsePKCS8PrivateKey},
	{"RSA PRIVATE KEY", func(der []byte) (any, error) { return x509.ParsePKCS1PrivateKey(der) }},
	{"EC PRIVATE KEY", func(der []byte) (any, error) { return x509.ParseECPrivateKey(der) }},
}

func newKey(where string, line int, label string, der []byte, parsed any) (key, error) {
	signer, ok := parsed.(crypto.Signer)
	if !ok {
		return key{}, &Error{where, fmt.Sprintf("line %d: a private key that cannot sign", line),
			"RSA, ECDSA (P-224 to P-521) and Ed25519 are supported", ErrUnsupported}
	}
	k := key{PrivateKey: newPrivateKey(pem.EncodeToMemory(&pem.Block{Type: label, Bytes: der})), signer: signer}
	public, err := x509.MarshalPKIXPublicKey(signer.Public())
	if err == nil {
		_, err = asn1.Unmarshal(public, &k.public)
	}
	if err != nil {
		return key{}, &Error{where, fmt.Sprintf("line %d: the private key is damaged", line), "", ErrDamaged}
	}
	return k, nil
}

// pkcs8Algorithm names the algorithm of a PKCS #8 key, "" where it is none.
func pkcs8Algorithm(der []byte) string {
	var info struct {
		Version   int
		Algorithm pkix.AlgorithmIdentifier
		Key       []byte
		Rest      []asn1.RawValue `asn1:"optional,tag:0"`
	}
	if _, err := asn1.Unmarshal(der, &info); err != nil {
		return ""
	}
	return info.Algorithm.Algorithm.String()
}
