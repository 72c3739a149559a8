package certwatch

import (
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// A Key is a private key for which there may be no certificate yet. Like the
// [PrivateKey] in it, it prints as a placeholder.
type Key struct {
	PrivateKey
	signer crypto.Signer
}

// ParseKey reads the one private key of a file's content. The errors name the file
// by where.
func ParseKey(where string, data []byte) (Key, error) {
	return (&source{name: where, data: data}).key()
}

// key is the one private key of a file.
func (s *source) key() (Key, error) {
	if err := s.parse(); err != nil {
		return Key{}, err
	}
	k, err := onlyKey(s.name, s.keys)
	if err != nil {
		return Key{}, err
	}
	return Key{k.PrivateKey, k.signer}, nil
}

// Signer signs with the key.
func (k Key) Signer() crypto.Signer { return k.signer }

// Public is the key's public half.
func (k Key) Public() crypto.PublicKey { return k.signer.Public() }

// Association is the 3 1 1 record of every certificate that will be issued for the
// key: it stands for the SubjectPublicKeyInfo alone (RFC 6698, section 2.1.2).
func (k Key) Association() (tlsa.Association, error) {
	spki, err := x509.MarshalPKIXPublicKey(k.Public())
	if err != nil {
		return tlsa.Association{}, fmt.Errorf("key: its public half: %w", err)
	}
	sum := sha256.Sum256(spki)
	return tlsa.Association{Params: tlsa.EE, Data: hex.EncodeToString(sum[:])}, nil
}
