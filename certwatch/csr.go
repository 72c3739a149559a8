package certwatch

import (
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
)

// maxCommonName is the longest common name, in octets (RFC 5280, appendix A.1).
const maxCommonName = 64

// CSR is a certificate request for the key, in PEM (RFC 2986): for some host names
// without trailing dots, of which the first is the common name if it is short enough.
func (k Key) CSR(names ...string) ([]byte, error) {
	if len(names) == 0 {
		return nil, errors.New("certificate request: for no name")
	}
	request := x509.CertificateRequest{DNSNames: names}
	if len(names[0]) <= maxCommonName {
		request.Subject = pkix.Name{CommonName: names[0]}
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &request, k.signer)
	if err != nil {
		return nil, fmt.Errorf("certificate request: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}), nil
}
