package certwatch

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"slices"
	"strings"
)

// A KeyType names the algorithm and the size of keys that are made here.
type KeyType string

// The types that mail servers, their clients and public CAs all take.
const (
	EC256   KeyType = "ec256"
	EC384   KeyType = "ec384"
	RSA2048 KeyType = "rsa2048"
	RSA3072 KeyType = "rsa3072"
	RSA4096 KeyType = "rsa4096"
)

// KeyTypes are all of them, the usual one first.
func KeyTypes() []KeyType { return []KeyType{EC256, EC384, RSA2048, RSA3072, RSA4096} }

// ParseKeyType reads a type by its name.
func ParseKeyType(text string) (KeyType, error) {
	if t := KeyType(text); slices.Contains(KeyTypes(), t) {
		return t, nil
	}
	var names []string
	for _, t := range KeyTypes() {
		names = append(names, string(t))
	}
	return "", fmt.Errorf("key type %.40q: unknown (hint: one of %s)", text, strings.Join(names, ", "))
}

// KeyTypeOf is the type that a public key is of, "" where keys of its kind are not
// made here.
func KeyTypeOf(public crypto.PublicKey) KeyType {
	switch k := public.(type) {
	case *ecdsa.PublicKey:
		switch k.Curve {
		case elliptic.P256():
			return EC256
		case elliptic.P384():
			return EC384
		}
	case *rsa.PublicKey:
		if t := KeyType(fmt.Sprintf("rsa%d", k.N.BitLen())); slices.Contains(KeyTypes(), t) {
			return t
		}
	}
	return ""
}

// Generate makes a key.
func (t KeyType) Generate() (Key, error) {
	signer, err := t.generate()
	if err != nil {
		return Key{}, fmt.Errorf("key type %s: %w", t, err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(signer)
	if err != nil {
		return Key{}, fmt.Errorf("key type %s: %w", t, err)
	}
	return Key{newPrivateKey(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), signer}, nil
}

func (t KeyType) generate() (crypto.Signer, error) {
	switch t {
	case EC256:
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case EC384:
		return ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case RSA2048:
		return rsa.GenerateKey(rand.Reader, 2048)
	case RSA3072:
		return rsa.GenerateKey(rand.Reader, 3072)
	case RSA4096:
		return rsa.GenerateKey(rand.Reader, 4096)
	}
	return nil, fmt.Errorf("unknown (hint: ec256, ec384, rsa2048, rsa3072 or rsa4096)")
}
