package tlsa_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"testing"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// mldsa44 is the object identifier of ML-DSA-44 (FIPS 204), whose keys Go cannot read.
var mldsa44 = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 3, 17}

// A key that nobody here can verify with has a digest all the same: 3 1 1 vouches for
// it, and for no other. A path through it cannot be checked, so DANE-TA does not.
func TestKeyOfAnUnknownAlgorithm(t *testing.T) {
	root := issueCA(t, party{}, "Root")
	leaf := issueLeaf(t, root)
	of := func(octets int) party {
		spki, err := asn1.Marshal(struct {
			Algorithm struct{ Algorithm asn1.ObjectIdentifier }
			PublicKey asn1.BitString
		}{struct{ Algorithm asn1.ObjectIdentifier }{mldsa44}, asn1.BitString{Bytes: bytes.Repeat([]byte{7}, octets), BitLength: 8 * octets}})
		if err != nil {
			t.Fatal(err)
		}
		return withKey(t, leaf, spki)
	}
	odd, other := of(1312), of(1313)
	if odd.PublicKey != nil {
		t.Fatalf("Go knows this kind of key: %T", odd.PublicKey)
	}
	a := record(t, "3 1 1", odd)
	digest := sha256.Sum256(odd.RawSubjectPublicKeyInfo)
	if a.Data != hex.EncodeToString(digest[:]) {
		t.Errorf("the record is %s", a)
	}
	chain := present(t, odd, root)
	if err := tlsa.NewRRset(0, a).Vouches(chain, smtp); err != nil {
		t.Error(err)
	}
	if err := tlsa.NewRRset(0, record(t, "3 1 1", other)).Vouches(chain, smtp); kindOf(err) != tlsa.KindNoMatch {
		t.Errorf("another key: %v", err)
	}
}

// withKey puts another SubjectPublicKeyInfo into a certificate. The signature no longer
// fits, which DANE-EE does not mind.
func withKey(t *testing.T, p party, spki []byte) party {
	t.Helper()
	type certificate struct {
		TBS       asn1.RawValue
		Algorithm asn1.RawValue
		Signature asn1.BitString
	}
	var c certificate
	if rest, err := asn1.Unmarshal(p.Raw, &c); err != nil || len(rest) > 0 {
		t.Fatal(err)
	}
	content := bytes.Replace(c.TBS.Bytes, p.RawSubjectPublicKeyInfo, spki, 1)
	tbs, err := asn1.Marshal(asn1.RawValue{Tag: asn1.TagSequence, IsCompound: true, Bytes: content})
	if err != nil {
		t.Fatal(err)
	}
	c.TBS = asn1.RawValue{FullBytes: tbs}
	der, err := asn1.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return party{Certificate: cert, key: p.key}
}

// Seen in other tools: for keys of another kind than RSA the digest of nothing was
// published. The digest of each kind of key is that of its SubjectPublicKeyInfo.
func TestDigestOfAKeyIsNotThatOfNothing(t *testing.T) {
	const nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	keys := map[string]crypto.Signer{"Ed25519": ed}
	for _, curve := range []elliptic.Curve{elliptic.P224(), elliptic.P256(), elliptic.P384(), elliptic.P521()} {
		if keys[curve.Params().Name], err = ecdsa.GenerateKey(curve, rand.Reader); err != nil {
			t.Fatal(err)
		}
	}
	for name, bits := range map[string]int{"RSA-1024": 1024, "RSA-2048": 2048} {
		if keys[name], err = rsa.GenerateKey(rand.Reader, bits); err != nil {
			t.Fatal(err)
		}
	}
	seen := map[string]string{}
	for name, key := range keys {
		t.Run(name, func(t *testing.T) {
			spki, err := x509.MarshalPKIXPublicKey(key.Public())
			if err != nil {
				t.Fatal(err)
			}
			digest := sha256.Sum256(spki)
			leaf := issueLeaf(t, party{}, keyed(key))
			a := record(t, "3 1 1", leaf)
			if a.Data == nothing || a.Data != hex.EncodeToString(digest[:]) {
				t.Errorf("the record is %s, and the key's digest %x", a, digest)
			}
			if other := seen[a.Data]; other != "" {
				t.Errorf("the same record as for %s", other)
			}
			seen[a.Data] = name
			if err := tlsa.NewRRset(0, a).Vouches(present(t, leaf), smtp); err != nil {
				t.Error(err)
			}
		})
	}
}
