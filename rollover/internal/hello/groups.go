package hello

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/big"
	"slices"
)

// A group is one for key exchanges, by IANA's number and name; the brainpool curves have
// another number in TLS 1.3 (RFC 8734), and one name here.
type group struct {
	id   uint16
	name string
}

// curves are offered up to TLS 1.2, in the order in which OpenSSL's clients name them,
// then those that they do not name. Finite fields are not among them: a server that knows
// RFC 7919 would then take none of its own.
var curves = []group{
	{29, "x25519"},
	{23, "secp256r1"},
	{30, "x448"},
	{25, "secp521r1"},
	{24, "secp384r1"},
	{28, "brainpoolP512r1"},
	{27, "brainpoolP384r1"},
	{26, "brainpoolP256r1"},
	{22, "secp256k1"},
	{21, "secp224r1"},
	{20, "secp224k1"},
	{19, "secp192r1"},
	{18, "secp192k1"},
	{17, "secp160r2"},
	{16, "secp160r1"},
	{15, "secp160k1"},
	{14, "sect571r1"},
	{13, "sect571k1"},
	{12, "sect409r1"},
	{11, "sect409k1"},
	{10, "sect283r1"},
	{9, "sect283k1"},
	{8, "sect239k1"},
	{7, "sect233r1"},
	{6, "sect233k1"},
	{5, "sect193r2"},
	{4, "sect193r1"},
	{3, "sect163r2"},
	{2, "sect163r1"},
	{1, "sect163k1"},
}

// groups13 are offered in TLS 1.3.
var groups13 = []group{
	{4588, "x25519mlkem768"},
	{4587, "secp256r1mlkem768"},
	{4589, "secp384r1mlkem1024"},
	{29, "x25519"},
	{23, "secp256r1"},
	{30, "x448"},
	{25, "secp521r1"},
	{24, "secp384r1"},
	{33, "brainpoolP512r1"},
	{32, "brainpoolP384r1"},
	{31, "brainpoolP256r1"},
	{512, "mlkem512"},
	{513, "mlkem768"},
	{514, "mlkem1024"},
	{256, "ffdhe2048"},
	{257, "ffdhe3072"},
	{258, "ffdhe4096"},
	{259, "ffdhe6144"},
	{260, "ffdhe8192"},
}

// groupName is the name of a group that a server took.
func groupName(id uint16) string {
	for _, g := range slices.Concat(curves, groups13) {
		if g.id == id {
			return g.name
		}
	}
	return fmt.Sprintf("group-%d", id)
}

// fieldName names the field of a key exchange: those of RFC 7919, appendix A, by the
// digest of their primes, and others by their size.
func fieldName(prime, generator []byte) string {
	p := new(big.Int).SetBytes(prime)
	sum := sha256.Sum256(p.Bytes())
	names := map[string]string{
		"9cd3b7f336872f46c09428d1bbc19877a4d440512cda8d1c1cf0cd6e33698966": "ffdhe2048",
		"0eaf67db3a839156d5013494a5318a772b5697d270d721f37f092efc69ea5a17": "ffdhe3072",
		"4648414224ac881b3d0dc59b466f96d06a558278776807797ecf1f66ff397b3e": "ffdhe4096",
		"227ac9066b3ddd9e193670cda2388fa884f65ba0cf98b742d1fe77a6687c79c7": "ffdhe6144",
		"770b14efaf6f049929c523113b3fa99a8d11dab1b18af3609590122075d19833": "ffdhe8192",
	}
	if name := names[hex.EncodeToString(sum[:])]; name != "" && new(big.Int).SetBytes(generator).IsUint64() && new(big.Int).SetBytes(generator).Uint64() == 2 {
		return name
	}
	return fmt.Sprintf("dh-%d", p.BitLen())
}
