package certwatch

import (
	"bytes"
	"crypto/x509"
	"slices"
	"testing"
)

// FuzzFromPEM holds for any input: no panic; what is accepted can be served, and
// is read back as the same pair with nothing to repair; what is refused is
// refused without quoting the key.
func FuzzFromPEM(f *testing.F) {
	h := issue(f)
	chain, private := chainPEM(h.leaf, h.intermediate), keyPEM(f, h.leaf)
	f.Add(chain, private)
	f.Add(chainPEM(h.intermediate, h.leaf, h.root, h.leaf), sec1PEM(f, h.leaf))
	f.Add(slices.Concat(private, chain), []byte(nil))
	f.Add(bytes.ReplaceAll(chain, []byte("\n"), []byte("\r\n")), slices.Concat([]byte(byteOrderMark), private))
	f.Add(chain[:len(chain)/2], private[:len(private)/2])
	f.Add(private, chain)
	f.Add([]byte("-----BEGIN -----\n-----END -----\n"), []byte("-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n"))
	f.Fuzz(func(t *testing.T, cert, key []byte) {
		p, err := FromPEM(cert, key)
		if err != nil {
			checkSilent(t, err, key)
			return
		}
		checkInstallable(t, p)
		if got, want := p.Chain.Leaf(), p.AsFound.Certificates(); !slices.ContainsFunc(want, got.Equal) {
			t.Error("a leaf that was not in the input")
		}
		if len(p.Chain.Certificates()) > len(p.AsFound.Certificates()) {
			t.Error("more certificates than in the input")
		}
	})
}

// FuzzOrder arranges any selection of a pool of certificates, the leaf among
// them: the result begins with the leaf, each further one issued an earlier one,
// and nothing that belongs there was lost.
func FuzzOrder(f *testing.F) {
	h, other := issue(f), issue(f)
	cross := certify(f, x509.Certificate{Subject: h.root.cert.Subject, IsCA: true, BasicConstraintsValid: true}, h.root.key, &other.root)
	pool := []party{h.leaf, h.intermediate, h.root, cross, other.root, other.intermediate, other.leaf}
	private := keyPEM(f, h.leaf)
	f.Add([]byte{0, 1, 2, 3, 4})
	f.Add([]byte{4, 3, 2, 1, 0})
	f.Add([]byte{6, 5, 0, 0, 4, 1, 3})
	f.Fuzz(func(t *testing.T, picks []byte) {
		if len(picks) >= maxCertificates {
			return
		}
		in := []party{}
		for _, pick := range picks {
			in = append(in, pool[int(pick)%len(pool)])
		}
		in = append(in, h.leaf)
		p, err := FromPEM(chainPEM(in...), private)
		if err != nil {
			t.Fatal(err)
		}
		chain := p.Chain.Certificates()
		if !chain[0].Equal(h.leaf.cert) {
			t.Fatal("does not begin with the leaf")
		}
		has := func(c *x509.Certificate) bool { return slices.ContainsFunc(chain, c.Equal) }
		for i, c := range chain[1:] {
			if !slices.ContainsFunc(chain[:i+1], func(earlier *x509.Certificate) bool {
				return c.CheckSignature(earlier.SignatureAlgorithm, earlier.RawTBSCertificate, earlier.Signature) == nil
			}) {
				t.Errorf("certificate %d issued none before it", i+1)
			}
		}
		for _, c := range in {
			lost := !has(c.cert) && slices.ContainsFunc(chain, func(of *x509.Certificate) bool { return certifies(c.cert, of) })
			if lost {
				t.Errorf("the certificate of %s was lost", subject(c.cert))
			}
		}
		checkInstallable(t, p)
	})
}

// FuzzTorn reads a pair while another takes its place, as each of the ways to write a
// file tears it: in place, cut off, filled with zeros, or one file before the other.
// What is accepted is the one pair or the other, whole.
func FuzzTorn(f *testing.F) {
	h := issue(f)
	second := leaf(f, "mx1.example.org", &h.intermediate)
	was := [2][]byte{chainPEM(h.leaf, h.intermediate), keyPEM(f, h.leaf)}
	comes := [2][]byte{chainPEM(second, h.intermediate), keyPEM(f, second)}
	for way := range uint8(4) {
		f.Add(way, uint16(0), uint16(0), false)
		f.Add(way, uint16(900), uint16(100), true)
		f.Add(way, uint16(65535), uint16(0), false)
	}
	f.Fuzz(func(t *testing.T, way uint8, certAt, keyAt uint16, combined bool) {
		torn := func(i int, at uint16) []byte {
			old, now := was[i], comes[i]
			n := min(int(at), len(now))
			switch way % 4 {
			case 0: // written over what is there
				return slices.Concat(now[:n], old[min(n, len(old)):])
			case 1: // cut off first
				return now[:n]
			case 2: // made as long as it will be first, or on a disk that lost what was not synced
				return slices.Concat(now[:n], make([]byte, len(now)-n))
			}
			if n == len(now) { // replaced whole
				return now
			}
			return old
		}
		cert, key := torn(0, certAt), torn(1, keyAt)
		if combined {
			cert, key = slices.Concat(key, cert), nil
		}
		p, err := FromPEM(cert, key)
		if err != nil {
			checkSilent(t, err, was[1], comes[1], key)
			return
		}
		checkInstallable(t, p)
		// A chain that was cut off between two certificates is one without its issuer, which
		// a finding says.
		whole := slices.ContainsFunc([]party{h.leaf, second}, func(l party) bool {
			certs := p.Chain.Certificates()
			return certs[0].Equal(l.cert) && (len(certs) == 2 && certs[1].Equal(h.intermediate.cert) || slices.Contains(codes(p.Findings), CodeNoIssuer))
		})
		if !whole {
			t.Errorf("neither the old pair nor the new one: %v", p.Findings)
		}
	})
}

// FuzzParseKey: what is taken for a key alone is written and read again as the same, and
// has a record; what is refused is refused without quoting it.
func FuzzParseKey(f *testing.F) {
	h := issue(f)
	f.Add(keyPEM(f, h.leaf))
	f.Add(sec1PEM(f, h.leaf))
	f.Add(slices.Concat([]byte("-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"), sec1PEM(f, h.leaf)))
	f.Add(slices.Concat(keyPEM(f, h.leaf), keyPEM(f, h.root)))
	f.Add([]byte("\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		k, err := ParseKey("next", data)
		if err != nil {
			checkSilent(t, err, data)
			return
		}
		want, err := k.Association()
		ok(t, err)
		again, err := ParseKey("next", k.PEM())
		ok(t, err)
		if got, err := again.Association(); err != nil || got != want {
			t.Errorf("read again: %v, %v, want %v", got, err, want)
		}
	})
}
