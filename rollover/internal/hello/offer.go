package hello

import (
	"crypto/ecdh"
	"crypto/rand"
	"crypto/tls"

	"golang.org/x/crypto/cryptobyte"
)

// ssl30 is older than the numbers in crypto/tls.
const ssl30 = 0x0300

// An offer is what a ClientHello says.
type offer struct {
	name   string // for SNI; "": none
	newest uint16 // version
	suites []uint16
	groups []group
	// schemes are the signature algorithms; nil: all.
	schemes []uint16
	// oldest is for offers of TLS 1.3: it and all in between are offered.
	oldest uint16
	// compressed offers DEFLATE (RFC 3749).
	compressed bool
	// shares has key shares in TLS 1.3, for servers that want some.
	shares bool
}

// Extensions (IANA's TLS ExtensionType Values).
const (
	extServerName           = 0
	extSupportedGroups      = 10
	extPointFormats         = 11
	extSignatureAlgorithms  = 13
	extExtendedMasterSecret = 23
	extSupportedVersions    = 43
	extKeyShare             = 51
	extRenegotiationInfo    = 0xff01
)

// renegotiationSCSV stands for that extension where there are none (RFC 5746, section 3.3).
const renegotiationSCSV = 0x00ff

// schemesOf are the signature algorithms with one hash, by RFC 8446, section 4.2.3 and RFC
// 5246, section 7.4.1.4.1.
var schemesOf = map[string][]uint16{
	"md5":       {0x0101},
	"sha1":      {0x0203, 0x0201, 0x0202},
	"sha224":    {0x0303, 0x0301, 0x0302},
	"sha256":    {0x0403, 0x0804, 0x0809, 0x0401, 0x0402},
	"sha384":    {0x0503, 0x0805, 0x080a, 0x0501, 0x0502},
	"sha512":    {0x0603, 0x0806, 0x080b, 0x0601, 0x0602},
	"intrinsic": {0x0807, 0x0808}, // Ed25519 and Ed448 (RFC 8422, section 5.1.3)
}

// allSchemes are in the order of their strength.
func allSchemes() (all []uint16) {
	for _, hash := range []string{"sha256", "sha384", "sha512", "intrinsic", "sha224", "sha1", "md5"} {
		all = append(all, schemesOf[hash]...)
	}
	return all
}

// hashOf is the hash of a signature algorithm.
func hashOf(scheme uint16) string {
	for hash, schemes := range schemesOf {
		for _, s := range schemes {
			if s == scheme {
				return hash
			}
		}
	}
	return ""
}

// record gives the ClientHello in a record of its own (RFC 8446, sections 4.1.2 and 5.1).
func (o offer) record() ([]byte, error) {
	random := make([]byte, 32)
	_, _ = rand.Read(random) // it never fails
	legacy := min(o.newest, tls.VersionTLS12)
	var b cryptobyte.Builder
	b.AddUint8(22)                     // handshake
	b.AddUint16(min(o.newest, 0x0301)) // as servers of old expect it
	b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
		b.AddUint8(1) // ClientHello
		b.AddUint24LengthPrefixed(func(b *cryptobyte.Builder) {
			b.AddUint16(legacy)
			b.AddBytes(random)
			b.AddUint8(0) // no session to resume
			b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
				for _, s := range o.suites {
					b.AddUint16(s)
				}
				if o.newest == ssl30 {
					b.AddUint16(renegotiationSCSV)
				}
			})
			b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) {
				if o.compressed {
					b.AddUint8(1)
				}
				b.AddUint8(0)
			})
			if o.newest > ssl30 {
				b.AddUint16LengthPrefixed(o.extensions)
			}
		})
	})
	return b.Bytes()
}

func (o offer) extensions(b *cryptobyte.Builder) {
	extension := func(id uint16, body cryptobyte.BuilderContinuation) {
		b.AddUint16(id)
		b.AddUint16LengthPrefixed(body)
	}
	list := func(all []uint16) cryptobyte.BuilderContinuation {
		return func(b *cryptobyte.Builder) {
			b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
				for _, n := range all {
					b.AddUint16(n)
				}
			})
		}
	}
	if o.name != "" {
		extension(extServerName, func(b *cryptobyte.Builder) {
			b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
				b.AddUint8(0) // a host name
				b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes([]byte(o.name)) })
			})
		})
	}
	if len(o.groups) > 0 {
		ids := make([]uint16, len(o.groups))
		for i, g := range o.groups {
			ids[i] = g.id
		}
		extension(extSupportedGroups, list(ids))
		extension(extPointFormats, func(b *cryptobyte.Builder) { b.AddBytes([]byte{1, 0}) }) // uncompressed
	}
	if o.newest >= tls.VersionTLS12 {
		schemes := o.schemes
		if schemes == nil {
			schemes = allSchemes()
		}
		extension(extSignatureAlgorithms, list(schemes))
	}
	if o.oldestOffered() < tls.VersionTLS13 {
		extension(extExtendedMasterSecret, func(*cryptobyte.Builder) {})
		extension(extRenegotiationInfo, func(b *cryptobyte.Builder) { b.AddUint8(0) })
	}
	if o.newest == tls.VersionTLS13 {
		extension(extSupportedVersions, func(b *cryptobyte.Builder) {
			b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) {
				for v := o.newest; v >= o.oldestOffered() && v > ssl30; v-- {
					b.AddUint16(v)
				}
			})
		})
		extension(extKeyShare, func(b *cryptobyte.Builder) { b.AddUint16LengthPrefixed(o.keyShares) })
	}
}

// oldestOffered is what the server may fall back to.
func (o offer) oldestOffered() uint16 {
	if o.newest == tls.VersionTLS13 && o.oldest != 0 {
		return o.oldest
	}
	return min(o.newest, tls.VersionTLS13)
}

// keyShares are the public halves of keys that nobody keeps.
func (o offer) keyShares(b *cryptobyte.Builder) {
	if !o.shares {
		return
	}
	for _, g := range o.groups {
		c := map[uint16]ecdh.Curve{29: ecdh.X25519(), 23: ecdh.P256()}[g.id]
		if c == nil {
			continue
		}
		key, err := c.GenerateKey(rand.Reader)
		if err != nil {
			b.SetError(err)
			return
		}
		b.AddUint16(g.id)
		b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(key.PublicKey().Bytes()) })
	}
}
