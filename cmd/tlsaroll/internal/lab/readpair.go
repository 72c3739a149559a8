package lab

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// ReadPair reads what an ACME client left, chain and key, in any of the ways in which clients
// write keys.
func ReadPair(certFile, keyFile string) (*Pair, error) {
	p := &Pair{Dir: filepath.Dir(certFile)}
	text, err := os.ReadFile(certFile)
	if err != nil {
		return nil, err
	}
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", certFile, err)
		}
		p.Certificates = append(p.Certificates, cert)
	}
	if len(p.Certificates) < 2 {
		return nil, fmt.Errorf("%s: %d certificates, want a chain", certFile, len(p.Certificates))
	}
	if text, err = os.ReadFile(keyFile); err != nil {
		return nil, err
	}
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if strings.HasSuffix(block.Type, "PRIVATE KEY") {
			p.Key, err = parseKey(block.Bytes)
			return p, err
		}
	}
	return nil, fmt.Errorf("%s: no key", keyFile)
}

func parseKey(der []byte) (crypto.Signer, error) {
	if key, err := x509.ParseECPrivateKey(der); err == nil {
		return key, nil
	}
	if key, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return key, nil
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, err
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, errors.New("a key that signs nothing")
	}
	return signer, nil
}
