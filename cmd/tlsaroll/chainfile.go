package main

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// maxChainFile is more than any chain: servers stop long before.
const maxChainFile = 1 << 20

// readChain reads the certificates of a PEM file, in their order; - is standard input.
func (u *ui) readChain(name string) (*tlsa.Chain, error) {
	read := readCertificates
	if name == "-" {
		read = func(name string) ([]*x509.Certificate, error) { return parseCertificates(name, u.stdin) }
	}
	certs, err := read(name)
	if err != nil {
		return nil, err
	}
	return tlsa.NewChain(certs...)
}

// readCertificates reads the certificates of a PEM file, one at least.
func readCertificates(name string) ([]*x509.Certificate, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fileError(name, err)
	}
	defer f.Close()
	return parseCertificates(name, f)
}

func parseCertificates(name string, in io.Reader) ([]*x509.Certificate, error) {
	text, err := io.ReadAll(io.LimitReader(in, maxChainFile+1))
	switch {
	case err != nil:
		return nil, fileError(name, err)
	case len(text) > maxChainFile:
		return nil, fmt.Errorf("%s: larger than any certificate chain (hint: name the PEM file of the chain)", name)
	}
	ders, err := certificateBlocks(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	certs := make([]*x509.Certificate, len(ders))
	for i, der := range ders {
		if certs[i], err = x509.ParseCertificate(der); err != nil {
			return nil, fmt.Errorf("%s: certificate %d: %w (hint: the file may be damaged; get the certificate anew)", name, i+1, err)
		}
	}
	return certs, nil
}

// certificateBlocks takes the DER of the CERTIFICATE blocks out of PEM text
// (RFC 7468, section 5). Other blocks, a private key above all, are passed over
// and never decoded.
func certificateBlocks(text []byte) (ders [][]byte, err error) {
	const begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
	rest := text
	for {
		_, after, ok := bytes.Cut(rest, []byte(begin))
		if !ok {
			break
		}
		body, after, ok := bytes.Cut(after, []byte(end))
		if !ok || bytes.Contains(body, []byte("-----BEGIN ")) {
			return nil, fmt.Errorf("certificate %d: no END line (hint: the file was cut short)", len(ders)+1)
		}
		block, _ := pem.Decode([]byte(begin + string(body) + end + "\n"))
		if block == nil {
			return nil, fmt.Errorf("certificate %d: no PEM between its BEGIN and END lines (hint: the file may be damaged; get the certificate anew)", len(ders)+1)
		}
		ders, rest = append(ders, block.Bytes), after
	}
	if len(ders) == 0 {
		return nil, noCertificate(text)
	}
	return ders, nil
}

// noCertificate says what stands in a file instead.
func noCertificate(text []byte) error {
	has := func(label string) bool { return bytes.Contains(text, []byte("-----BEGIN "+label)) }
	switch {
	case len(bytes.TrimSpace(text)) == 0:
		return errors.New("empty (hint: name the PEM file of the chain, leaf first)")
	case has("CERTIFICATE REQUEST"), has("NEW CERTIFICATE REQUEST"):
		return errors.New("a certificate request, not a certificate (hint: name the file that the CA answered with)")
	case has("TRUSTED CERTIFICATE"):
		return errors.New("a certificate in OpenSSL's own form (hint: openssl x509 -in FILE -out PEM)")
	case has("PKCS7"), has("CMS"):
		return errors.New("a PKCS #7 bundle (hint: openssl pkcs7 -print_certs -in FILE -out PEM)")
	case bytes.Contains(text, []byte("PRIVATE KEY-----")):
		return errors.New("a private key, and no certificate (hint: name the certificate's file)")
	case text[0] == 0x30: // SEQUENCE, with which DER begins
		return errors.New("no PEM, but perhaps DER (hint: openssl x509 -inform der -in FILE -out PEM)")
	}
	return errors.New("no certificate (hint: name the PEM file of the chain, leaf first)")
}

// fileError is what went wrong with a file, without the operation.
func fileError(name string, err error) error {
	if p := (*fs.PathError)(nil); errors.As(err, &p) {
		err = p.Err
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s: no such file (hint: check the path)", name)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%s: permission denied (hint: run this as a user who may read it)", name)
	case strings.Contains(err.Error(), "is a directory"):
		return fmt.Errorf("%s: a directory (hint: name the file in it)", name)
	}
	return fmt.Errorf("%s: %w", name, err)
}
