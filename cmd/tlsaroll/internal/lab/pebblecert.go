package lab

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/netip"
	"os"
	"time"
)

// directoryPair makes the certificate by which an ACME directory at an address is
// known, and the authority that its clients are to trust for it.
func directoryPair(at netip.Addr, caFile, certFile, keyFile string) error {
	ca, err := newAuthority(authority{}, "Lab ACME directory", 1)
	if err != nil {
		return err
	}
	key, err := newKey(ECDSA)
	if err != nil {
		return err
	}
	now := time.Now()
	leaf, err := sign(&x509.Certificate{
		SerialNumber: big.NewInt(2),
		Subject:      pkix.Name{CommonName: at.String()},
		IPAddresses:  []net.IP{at.AsSlice()},
		NotBefore:    now.Add(-time.Hour),
		NotAfter:     now.Add(24 * time.Hour),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, ca, key.Public())
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	for file, data := range map[string][]byte{
		caFile:   chainPEM([]*x509.Certificate{ca.cert}),
		certFile: chainPEM([]*x509.Certificate{leaf}),
		keyFile:  pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}),
	} {
		if err := os.WriteFile(file, data, 0o600); err != nil {
			return err
		}
	}
	return nil
}
