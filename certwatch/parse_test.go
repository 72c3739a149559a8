package certwatch

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestReads has the ways in which pairs come.
func TestReads(t *testing.T) {
	h := issue(t)
	chain, private := chainPEM(h.leaf, h.intermediate), keyPEM(t, h.leaf)
	leafPEM, issuerPEM := chainPEM(h.leaf), chainPEM(h.intermediate)
	sec1 := sec1PEM(t, h.leaf)
	crlf := func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("\n"), []byte("\r\n")) }
	indent := func(b []byte) []byte {
		return append([]byte("  "), bytes.ReplaceAll(b, []byte("\n"), []byte(" \t\n  "))...)
	}
	relabel := func(b []byte, from, to string) []byte {
		return bytes.ReplaceAll(b, []byte(from), []byte(to))
	}
	text := []byte("subject=CN = mx1.example.org\n\n")
	parameters := pem.EncodeToMemory(&pem.Block{Type: "EC PARAMETERS", Bytes: []byte{6, 8, 42, 134, 72, 206, 61, 3, 1, 7}})

	tests := []struct {
		name      string
		cert, key []byte
	}{
		{"two files", chain, private},
		{"SEC 1", chain, sec1},
		{"SEC 1 after its parameters", chain, slices.Concat(parameters, sec1)},
		{"PKCS 8 with the label of SEC 1", chain, relabel(private, "PRIVATE KEY", "EC PRIVATE KEY")},
		{"CRLF", crlf(chain), crlf(private)},
		{"byte order mark", slices.Concat([]byte(byteOrderMark), chain), slices.Concat([]byte(byteOrderMark), private)},
		{"byte order mark in the middle", slices.Concat(leafPEM, []byte(byteOrderMark), issuerPEM), private},
		{"indented", indent(chain), indent(private)},
		{"no line break at the end", bytes.TrimSpace(chain), bytes.TrimSpace(private)},
		{"text around", slices.Concat(text, leafPEM, text, issuerPEM, text), slices.Concat(text, private, text)},
		{"old label", relabel(chain, "CERTIFICATE", "X509 CERTIFICATE"), private},
		{"combined, key first", slices.Concat(private, chain), nil},
		{"combined, key last", slices.Concat(chain, private), nil},
		{"combined, key in the middle", slices.Concat(leafPEM, private, issuerPEM), nil},
		{"combined given twice", slices.Concat(private, chain), slices.Concat(private, chain)},
		{"combined and the key again in another form", slices.Concat(private, chain), sec1},
		{"a combined file as the key", chain, slices.Concat(private, chain)},
		{"DH parameters beside", slices.Concat(chain, pem.EncodeToMemory(&pem.Block{Type: "DH PARAMETERS", Bytes: []byte{1}})), private},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := FromPEM(tt.cert, tt.key)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := string(p.ChainPEM()), string(chain); got != want {
				t.Errorf("chain:\n%s\nwant:\n%s", got, want)
			}
			if len(p.Findings) > 0 || p.AsFound.ID() != p.ID() {
				t.Errorf("findings %v, as found %s, chain %s: there was nothing to repair", p.Findings, p.AsFound.ID(), p.ID())
			}
			checkInstallable(t, p)
			if !p.HasIssuer() || p.HasRoot() || p.SelfSigned() {
				t.Errorf("issuer %t, root %t, self-signed %t, want only the issuer", p.HasIssuer(), p.HasRoot(), p.SelfSigned())
			}
		})
	}
}

func sec1PEM(t testing.TB, p party) []byte {
	t.Helper()
	der, err := x509.MarshalECPrivateKey(p.key.(*ecdsa.PrivateKey))
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})
}

// TestKeyKinds reads every kind of key that mail servers serve, in PKCS #8 and in
// its own form where it has one.
func TestKeyKinds(t *testing.T) {
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p521, err := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	weak, err := rsa.GenerateKey(rand.Reader, 1024) // taken: DANE-EE does not mind
	if err != nil {
		t.Fatal(err)
	}
	pkcs1 := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(rsaKey)})
	tests := []struct {
		name string
		key  crypto.Signer
		pem  []byte // nil: PKCS #8
	}{
		{"Ed25519", ed, nil},
		{"P-521", p521, nil},
		{"P-521, SEC 1", p521, sec1PEM(t, party{key: p521})},
		{"RSA", rsaKey, nil},
		{"RSA, PKCS 1", rsaKey, pkcs1},
		{"RSA of 1024 bits", weak, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			self := certify(t, x509.Certificate{DNSNames: []string{"mx1.example.org"}}, tt.key, nil)
			if tt.pem == nil {
				tt.pem = keyPEM(t, self)
			}
			p, err := FromPEM(chainPEM(self), tt.pem)
			if err != nil {
				t.Fatal(err)
			}
			if string(p.Key.PEM()) != string(tt.pem) {
				t.Error("the key is no longer in the form it was found in")
			}
			if !p.SelfSigned() || p.HasIssuer() || len(p.Findings) > 0 {
				t.Errorf("self-signed %t, issuer %t, findings %v", p.SelfSigned(), p.HasIssuer(), p.Findings)
			}
			checkInstallable(t, p)
		})
	}
}

// TestBadPEM has the exact sentence for each kind of unusable content.
func TestBadPEM(t *testing.T) {
	h, other := issue(t), issue(t)
	chain, private := chainPEM(h.leaf, h.intermediate), keyPEM(t, h.leaf)
	cut := func(b []byte) []byte { return b[:len(b)-40] }
	pemBlock := func(label string, der []byte) []byte {
		return pem.EncodeToMemory(&pem.Block{Type: label, Bytes: der})
	}
	legacy := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Headers: map[string]string{"Proc-Type": "4,ENCRYPTED", "DEK-Info": "AES-256-CBC,00"}, Bytes: []byte("secret")})
	second := certify(t, x509.Certificate{DNSNames: []string{"mx2.example.org"}}, h.leaf.key, &h.intermediate)
	tooMany := bytes.Repeat(chainPEM(h.intermediate), maxCertificates+1)

	lines := bytes.Count(chainPEM(h.leaf), []byte("\n"))

	tests := []struct {
		name      string
		cert, key []byte
		want      string
	}{
		{"empty certificate", nil, private, "certificate: empty, want a certificate"},
		{"white space", []byte(" \n"), private, "certificate: empty, want a certificate"},
		{"no PEM", []byte("hello"), private, "certificate: no PEM certificate in it"},
		{"DER", h.leaf.cert.Raw, private, "certificate: no PEM (hint: this looks like DER or PKCS #12; convert it with openssl)"},
		{"UTF-16", []byte("\xff\xfe-\x00"), private, "certificate: UTF-16 text (hint: save it as ASCII)"},
		{"a request", pemBlock("CERTIFICATE REQUEST", []byte{1}), private, "certificate: no certificate, but a certificate request (hint: give the file with the issued certificate and its issuers)"},
		{"PKCS 7", pemBlock("PKCS7", []byte{1}), private, "certificate: no certificate, but a PKCS #7 bundle (hint: give the file with the issued certificate and its issuers)"},
		{"wrong way round", private, chain, "certificate: a private key, but no certificate (hint: are certificate and key the wrong way round?)"},
		{"torn certificate", cut(chain), private, fmt.Sprintf("certificate: line %d: the certificate that begins here has no end", lines+1)},
		{"certificate in a certificate", slices.Concat(cut(chainPEM(h.leaf)), []byte("\n"), chain), private, "certificate: line 1: the certificate that begins here has no end"},
		{"glued", slices.Concat(bytes.TrimSpace(chainPEM(h.leaf)), chainPEM(h.intermediate)), private, fmt.Sprintf(`certificate: line %d: a line break is missing before "-----BEGIN"`, lines)},
		{"wrong end", bytes.Replace(chain, []byte("END CERTIFICATE"), []byte("END PRIVATE KEY"), 1), private, "certificate: line 1: the certificate that begins here has no end"},
		{"bad base64", bytes.Replace(chain, []byte("MII"), []byte("!!!"), 1), private, "certificate: line 1: the certificate that begins here is damaged"},
		{"bad begin", bytes.Replace(chain, []byte("CERTIFICATE-----"), []byte("CERTIFICATE--"), 1), private, `certificate: line 1: a damaged "-----BEGIN" line`},
		{"bad DER", pemBlock("CERTIFICATE", []byte("hello")), private, "certificate: line 1: the certificate cannot be read: malformed certificate"},
		{"trusted certificate", pemBlock("TRUSTED CERTIFICATE", append(slices.Clone(h.leaf.cert.Raw), 0x30, 0)), private,
			"certificate: line 1: the certificate cannot be read: trailing data (hint: write it without OpenSSL's trust settings: openssl x509 -in OLD -out NEW)"},
		{"trust store", tooMany, private, "certificate: 33 certificates, 32 are allowed (hint: this looks like a trust store; give the file with the leaf and its issuers)"},

		{"no key", chain, nil, "certificate: no private key (hint: give the file that begins with -----BEGIN PRIVATE KEY-----, or a combined one)"},
		{"empty key", chain, []byte{}, "key: no private key (hint: give the file that begins with -----BEGIN PRIVATE KEY-----, or a combined one)"},
		{"torn key", chain, cut(private), "key: line 1: the private key that begins here has no end"},
		{"bad key", chain, pemBlock("PRIVATE KEY", []byte("hello")), "key: line 1: the private key is damaged"},
		{"encrypted", chain, pemBlock("ENCRYPTED PRIVATE KEY", []byte("hello")), "key: line 1: the private key is encrypted (hint: mail servers read keys without a passphrase; take it off with: openssl pkey -in OLD -out NEW)"},
		{"encrypted, old form", chain, legacy, "key: line 1: the private key is encrypted (hint: mail servers read keys without a passphrase; take it off with: openssl pkey -in OLD -out NEW)"},
		{"OpenSSH", chain, pemBlock("OPENSSH PRIVATE KEY", []byte("hello")), "key: line 1: an OpenSSH key (hint: a TLS server needs PKCS #8, PKCS #1 or SEC 1: ssh-keygen -p -m PKCS8 -f FILE)"},
		{"X25519", chain, pemBlock("PRIVATE KEY", x25519(t)), "key: line 1: a private key that cannot sign (hint: RSA, ECDSA (P-224 to P-521) and Ed25519 are supported)"},
		{"Ed448", chain, pemBlock("PRIVATE KEY", ed448), "key: line 1: a private key of an algorithm that is not supported or damaged: 1.3.101.113 (hint: RSA, ECDSA (P-224 to P-521) and Ed25519 are supported)"},
		{"two keys", chain, slices.Concat(private, keyPEM(t, other.leaf)), "key: more than one private key (hint: one lineage has one key; an RSA and an ECDSA pair are two lineages)"},
		{"another key in the certificate's file", slices.Concat(chain, keyPEM(t, other.leaf)), private, "key: more than one private key (hint: one lineage has one key; an RSA and an ECDSA pair are two lineages)"},
		{"another key", chain, keyPEM(t, other.leaf), `certificate: the private key does not fit the certificate of "mx1.example.org" (hint: certificate and key come from different orders; give the files of one order, or issue again)`},
		{"two leafs, none first", chainPEM(h.intermediate, second, h.leaf), private, "certificate: the private key fits 2 certificates and none of them is the first (hint: put the one that is to be served first)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := FromPEM(tt.cert, tt.key)
			if err == nil {
				t.Fatalf("no error, but %v", p)
			}
			if err.Error() != tt.want {
				t.Errorf("got\n %s\nwant\n %s", err, tt.want)
			}
			checkSilent(t, err, private, tt.key)
		})
	}
}

// ed448 is a PKCS #8 key of an algorithm that Go does not know.
var ed448 = append([]byte{0x30, 0x47, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x71, 4, 0x3b, 4, 0x39}, make([]byte, 57)...)

func checkSilent(t testing.TB, err error, secrets ...[]byte) {
	t.Helper()
	for _, s := range secrets {
		for line := range strings.Lines(string(s)) {
			line = strings.TrimSpace(line)
			if len(line) >= 16 && !strings.Contains(line, "-----") && strings.Contains(err.Error(), line) {
				t.Errorf("the error %q quotes the key", err)
			}
		}
	}
}
