package tlsa

import (
	"crypto/x509"
	"encoding/hex"
	"time"
)

// A Reference is what a DANE client brings to a match besides the records and
// the chain.
type Reference struct {
	// Names are the reference identifiers, each in the form of [CanonicalHost];
	// the leaf must be for one of them, so without any nothing but DANE-EE matches
	// (RFC 7672, section 3.2.2). DANE-EE ignores them (RFC 7671, section 5.1).
	Names []string
	// Time is when the match is made; DANE-EE ignores it.
	Time time.Time
	// SMTP says that usages 0 and 1 are unusable (RFC 7672, section 3.1.3).
	SMTP bool
	// Roots are the CAs that the client trusts, which usages 0 and 1 ask for (RFC 7671,
	// section 4). Nil: whether a CA is trusted is not judged.
	Roots []*x509.Certificate
}

// Match says at which depth a vouches for the chain, or why it does not: then
// the error is a [MatchError]. Depth is the index in the path that a client
// builds, [Chain.Path]; in a chain in good order it is the index in the chain.
//
//   - DANE-EE compares the leaf. Nothing else counts (RFC 7671, section 5.1).
//   - DANE-TA wants a path from the leaf to a certificate that matches, in date
//     and within all constraints, and a name (section 5.2). That certificate
//     stands above the leaf: a self-signed leaf is not its own trust anchor, nor is
//     it for OpenSSL. For a digest it must be in the chain. Only the certificate of
//     a 2 0 0 record may be missing there (section 5.2.2), or that of the key in
//     2 1 0 if the key signed the last certificate of the path (section 5.2.3).
//   - PKIX-EE and PKIX-TA, unless [Reference.SMTP] rules them out, are compared like
//     these, names and dates included: for services other than SMTP, RFC 7673 does not
//     exclude them. With [Reference.Roots] the leaf must also chain up to one of those
//     (sections 5.3 and 5.4). Without, whether a trusted CA stands behind the chain is
//     not judged, and one that only the client holds is not found.
//
// Signatures made with MD5 or SHA-1 lead nowhere: what is too weak may be refused
// (RFC 6698, section 4.1), and clients do.
func (c *Chain) Match(a Association, ref Reference) (depth int, err error) {
	v := c.match(&a, &ref)
	if v.kind != "" {
		return -1, c.explain(&a, &ref, v)
	}
	return v.depth, nil
}

// A verdict is what becomes of one association; it matches if kind is empty. It is
// a value, as many are passed and few are shown.
type verdict struct {
	kind  Kind
	depth int  // of the certificate that the data matches, -1 where none does
	path  *hop // up to it
	bare  bool // by a key that no certificate of the chain has
	cause error
}

func (c *Chain) match(a *Association, ref *Reference) verdict {
	if cause := a.unusable(ref, c); cause != nil {
		return verdict{kind: KindUnusable, depth: -1, cause: cause}
	}
	if a.Usage < DANETA && ref.Roots != nil {
		return c.matchPKIX(a, ref)
	}
	if a.Usage == DANEEE || a.Usage == PKIXEE {
		return c.matchLeaf(a, ref)
	}
	return c.matchAnchor(a, ref)
}

func (c *Chain) matchLeaf(a *Association, ref *Reference) verdict {
	if c.data[0].of(a.Params) != a.Data {
		return verdict{kind: KindNoMatch, depth: -1}
	}
	if a.Usage == DANEEE {
		return verdict{path: c.root}
	}
	return c.judge(ref, c.root)
}

func (c *Chain) matchAnchor(a *Association, ref *Reference) verdict {
	top := c.root
	for h := top.next(ref.Time); h != nil; h = h.next(ref.Time) {
		if c.data[h.index].of(a.Params) == a.Data {
			return c.judge(ref, h)
		}
		top = h
	}
	none := verdict{kind: KindNoAnchor, depth: -1}
	if c.holds(a, 1) {
		none = verdict{kind: KindPath, depth: -1, cause: pathEnd{c, top}}
	}
	switch {
	case a.Usage != DANETA || a.Matching != Full || c.data[0].of(a.Params) == a.Data:
		return none
	case a.Selector == Cert:
		return c.matchCertFromDNS(a, ref, none)
	case none.kind == KindPath:
		return none // the key need not come from the record
	}
	return c.matchKeyFromDNS(a, ref, top)
}

// holds reports whether the data is that of a certificate presented at index
// from or later. Copies of the leaf do not count.
func (c *Chain) holds(a *Association, from int) bool {
	for i := from; i < len(c.data); i++ {
		if c.data[i].of(a.Params) == a.Data && (i == 0 || c.data[i][Cert][SHA256] != c.LeafID()) {
			return true
		}
	}
	return false
}

// matchCertFromDNS looks along the path for a certificate that the record's
// issued, as if that had been presented first: a client MUST manage without it in
// the chain (RFC 7671, section 5.2.2).
func (c *Chain) matchCertFromDNS(a *Association, ref *Reference, none verdict) verdict {
	der, err := hex.DecodeString(a.Data)
	if err != nil {
		return none
	}
	anchor, err := x509.ParseCertificate(der)
	if err != nil {
		return none
	}
	for h := c.root; h != nil && !h.selfSigned(); h = h.next(ref.Time) {
		if mayIssue(anchor, h.cert) && checkSignature(anchor, h.cert) == nil {
			return c.judge(ref, h.extend(anchor, -1))
		}
	}
	return none
}

// matchKeyFromDNS looks whether the key signed the last certificate of the path,
// as a client is RECOMMENDED to (RFC 7671, section 5.2.3).
func (c *Chain) matchKeyFromDNS(a *Association, ref *Reference, top *hop) verdict {
	if der, err := hex.DecodeString(a.Data); err == nil {
		if key, err := x509.ParsePKIXPublicKey(der); err == nil && checkSignature(&x509.Certificate{PublicKey: key}, top.cert) == nil {
			v := c.judge(ref, top)
			v.bare = true
			return v
		}
	}
	return verdict{kind: KindNoAnchor, depth: -1}
}

// judge asks of the path to h what DANE-TA asks besides the data.
func (c *Chain) judge(ref *Reference, h *hop) verdict {
	v := verdict{depth: h.depth, path: h}
	switch {
	case h.broken != nil:
		v.kind, v.cause = KindPath, h.broken
	case !h.inDate(ref.Time):
		v.kind = KindDates
	case !c.named(ref.Names):
		v.kind = KindNames
	}
	return v
}

// Path is the way from the leaf that a client takes through the certificates
// presented, at that time: each is followed by the first one that issued it and is in
// date, whatever their order.
func (c *Chain) Path(at time.Time) []*x509.Certificate {
	var path []*x509.Certificate
	for h := c.root; h != nil; h = h.next(at) {
		path = append(path, h.cert)
	}
	return path
}
