package sim

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"slices"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// papers are what a chain presents, digested by ourselves: who judges the rules does
// not borrow their judgment.
type papers struct {
	chain *tlsa.Chain
	// vouching are the records that match: of DANE-EE at any time, of DANE-TA while
	// everything is in date and the leaf is for the right name.
	ee, ta map[tlsa.Association]bool
}

func newPapers(chain *tlsa.Chain) *papers {
	p := &papers{chain: chain, ee: map[tlsa.Association]bool{}, ta: map[tlsa.Association]bool{}}
	for i, cert := range chain.Certificates() {
		usage, into := tlsa.DANETA, p.ta
		if i == 0 {
			usage, into = tlsa.DANEEE, p.ee
		}
		for _, selector := range []tlsa.Selector{tlsa.Cert, tlsa.SPKI} {
			content := cert.Raw
			if selector == tlsa.SPKI {
				content = cert.RawSubjectPublicKeyInfo
			}
			short, long := sha256.Sum256(content), sha512.Sum512(content)
			for matching, data := range map[tlsa.MatchingType][]byte{tlsa.Full: content, tlsa.SHA256: short[:], tlsa.SHA512: long[:]} {
				into[tlsa.Association{Params: tlsa.Params{Usage: usage, Selector: selector, Matching: matching}, Data: hex.EncodeToString(data)}] = true
			}
		}
	}
	return p
}

// valid reports whether a client that starts from the CA accepts the chain.
func (p *papers) valid(ref tlsa.Reference) bool {
	for _, cert := range p.chain.Certificates() {
		if ref.Time.Before(cert.NotBefore) || ref.Time.After(cert.NotAfter) {
			return false
		}
	}
	return slices.ContainsFunc(ref.Names, func(name string) bool { return p.chain.Leaf().VerifyHostname(name) == nil })
}

// strong reports whether each combination of an RRset has a record that vouches
// (RFC 7671, section 8). Digests of a wrong length count for nothing (RFC 6698, section
// 4.1). Of the PKIX usages, which no random world has, it knows no more than the product.
func (p *papers) strong(s tlsa.RRset, ref tlsa.Reference) bool {
	if slices.ContainsFunc(s.Associations, func(a tlsa.Association) bool { return a.Usage < tlsa.DANETA }) {
		return s.Vouches(p.chain, ref) == nil
	}
	for i := 0; i < len(s.Associations); {
		params, so, usable := s.Associations[i].Params, false, false
		for ; i < len(s.Associations) && s.Associations[i].Params == params; i++ {
			a := s.Associations[i]
			so = so || p.ee[a] || p.ta[a] && p.valid(ref)
			usable = usable || so || a.Matching == tlsa.Full || len(a.Data) == hex.EncodedLen(sha256.Size*int(a.Matching))
		}
		if usable && !so {
			return false
		}
	}
	return true
}

// asItIs is from when until when what is in date now stays so.
func (p *papers) asItIs(now time.Time) (from, until time.Time) {
	from, until = now, now.Add(1000*time.Hour)
	for _, cert := range p.chain.Certificates() {
		for _, at := range []time.Time{cert.NotBefore, cert.NotAfter.Add(1)} {
			if at.After(now) {
				until = earliest(until, at)
			}
		}
	}
	return from, until
}
