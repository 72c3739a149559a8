package audit

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"slices"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// A mistake is what a digest that matches nothing is one of.
type mistake struct {
	code rollover.Code
	of   string // what the data is the digest of
}

// mistakeOf finds what record a is the digest of, beside what its parameters say.
func mistakeOf(a tlsa.Association, chain *tlsa.Chain) mistake {
	if a.Matching == tlsa.Full {
		return mistake{}
	}
	for _, nothing := range []struct{ text, name string }{{"", "no data"}, {"\n", "an empty line"}} {
		if digests(a, []byte(nothing.text)) {
			return mistake{rollover.CodeDigestOfNothing, nothing.name}
		}
	}
	certs := chain.Certificates()
	for depth, cert := range certs {
		if m := mistakenPart(a, cert, depth); m.code != "" {
			return m
		}
	}
	if m := mistakenUsage(a, certs); m.code != "" {
		return m
	}
	return mistakenText(a, certs)
}

// digests reports whether a's data is the digest of some octets.
func digests(a tlsa.Association, octets []byte) bool {
	if a.Matching == tlsa.SHA512 {
		sum := sha512.Sum512(octets)
		return a.Data == hex.EncodeToString(sum[:])
	}
	sum := sha256.Sum256(octets)
	return a.Data == hex.EncodeToString(sum[:])
}

// mistakenPart takes the wrong part of the right certificate: under usage 3 the leaf, under
// usage 2 any other.
func mistakenPart(a tlsa.Association, cert *x509.Certificate, depth int) mistake {
	ee := a.Usage == tlsa.DANEEE || a.Usage == tlsa.PKIXEE
	if ee != (depth == 0) {
		return mistake{}
	}
	name := holderOf(cert, depth)
	switch {
	case a.Selector == tlsa.SPKI && digests(a, cert.Raw):
		return mistake{rollover.CodeDigestOfOtherPart, "the whole certificate of " + name + ", and selector 1 means its key"}
	case a.Selector == tlsa.Cert && digests(a, cert.RawSubjectPublicKeyInfo):
		return mistake{rollover.CodeDigestOfOtherPart, "the key of " + name + ", and selector 0 means the whole certificate"}
	case digests(a, bareKey(cert)):
		return mistake{rollover.CodeDigestOfBareKey, "the bare key of " + name + ", without its algorithm"}
	}
	return mistake{}
}

// bareKey are the bits of a key, without its algorithm and parameters.
func bareKey(cert *x509.Certificate) []byte {
	var info struct {
		Algorithm pkix.AlgorithmIdentifier
		Key       asn1.BitString
	}
	if _, err := asn1.Unmarshal(cert.RawSubjectPublicKeyInfo, &info); err != nil {
		return cert.RawSubjectPublicKeyInfo
	}
	return info.Key.Bytes
}

// mistakenUsage takes the right part of the wrong certificate. A leaf that issued itself
// is no CA above itself either.
func mistakenUsage(a tlsa.Association, certs []*x509.Certificate) mistake {
	ee := a.Usage == tlsa.DANEEE || a.Usage == tlsa.PKIXEE
	for depth, cert := range certs {
		selected := cert.Raw
		if a.Selector == tlsa.SPKI {
			selected = cert.RawSubjectPublicKeyInfo
		}
		if !digests(a, selected) {
			continue
		}
		switch {
		case ee && depth > 0:
			return mistake{rollover.CodeUsageEEOfCA, fmt.Sprintf("%s of %s, and a CA's is usage %d", part(a), holderOf(cert, depth), a.Usage-1)}
		case !ee && depth == 0:
			return mistake{rollover.CodeUsageTAOfLeaf, fmt.Sprintf("%s of %s itself, and its own is usage %d", part(a), holderOf(cert, depth), a.Usage+1)}
		}
	}
	return mistake{}
}

// part is what a record's selector selects.
func part(a tlsa.Association) string {
	if a.Selector == tlsa.SPKI {
		return "the key"
	}
	return "the certificate"
}

// A file is what somebody may have made a digest of.
type file struct {
	name string
	text []byte
}

// mistakenText takes a file's text: of a certificate, of all, of those above the leaf, or
// of a key; with the ends of lines of each system.
func mistakenText(a tlsa.Association, certs []*x509.Certificate) mistake {
	var files []file
	var all [][]byte
	for depth, cert := range certs {
		text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})
		all = append(all, text)
		files = append(files, file{"the certificate of " + holderOf(cert, depth), text},
			file{"the key of " + holderOf(cert, depth), pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: cert.RawSubjectPublicKeyInfo})})
	}
	files = append(files, file{"all certificates", bytes.Join(all, nil)}, file{"the CA certificates", bytes.Join(all[1:], nil)})
	for _, f := range files {
		dos := bytes.ReplaceAll(f.text, []byte("\n"), []byte("\r\n"))
		if slices.ContainsFunc([][]byte{f.text, bytes.TrimSpace(f.text), dos}, func(text []byte) bool { return len(text) > 0 && digests(a, text) }) {
			return mistake{rollover.CodeDigestOfPEM, "the text in PEM of " + f.name}
		}
	}
	return mistake{}
}

// holderOf says in a sentence whose certificate of a chain one is.
func holderOf(cert *x509.Certificate, depth int) string {
	if depth == 0 {
		return "the server"
	}
	return fmt.Sprintf("the CA %q", cert.Subject.String())
}
