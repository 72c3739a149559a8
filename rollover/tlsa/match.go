package tlsa

import (
	"crypto/x509"
	"encoding/hex"
	"time"
)

// A Reference is what a DANE client brings to a match besides the records and
// the chain.
type Reference struct {
	// Names are the reference identifiers for DANE-TA, each in the form of
	// [CanonicalHost]; one of them must be among the leaf's (RFC 7672, section 3.2.2).
	// DANE-EE ignores them (RFC 7671, section 5.1).
	Names []string
	// Time is when the match is made; DANE-EE ignores it.
	Time time.Time
	// SMTP says that usages 0 and 1 are unusable (RFC 7672, section 3.1.3).
	SMTP bool
}

// Match says at which depth a vouches for the chain, or why it does not: then
// the error is a [MatchError]. Depth counts the steps from the leaf, which is 0,
// along the path that a client builds; in a chain in good order that is the index.
//
//   - DANE-EE compares the leaf, and nothing else counts (RFC 7671, section 5.1).
//   - DANE-TA wants a path from the leaf up to a certificate that matches, in
//     date and within its constraints, and a name (section 5.2). That certificate
//     stands above the leaf: a self-signed leaf is not its own trust anchor (nor is
//     it for OpenSSL). For digests and keys it must be in the chain; from the
//     record itself come the certificate of 2 0 0 (section 5.2.2) and the key
//     of 2 1 0 for whose signature the topmost certificate is looked at (section 5.2.3).
//   - PKIX-EE and PKIX-TA, where [Reference.SMTP] does not rule them out, are compared
//     like these, dates and names included. Whether a public CA stands behind the
//     chain is not judged, and a root that is not presented is not found.
//
// Signatures by MD5 or SHA-1 make no path: RFC 6698, section 4.1 lets clients
// refuse what is too weak, and they do.
func (c *Chain) Match(a Association, ref Reference) (depth int, err error) {
	v := c.match(&a, &ref)
	if v.kind != "" {
		return -1, c.explain(&a, &ref, v)
	}
	return v.depth, nil
}

// A verdict is what becomes of one association: a match where kind is empty. It
// is a value, so that the many that are asked and not shown cost nothing.
type verdict struct {
	kind  Kind
	depth int  // of the certificate that the data matches, -1 where none does
	path  *hop // up to it
	cause error
}

func (c *Chain) explain(a *Association, ref *Reference, v verdict) *MatchError {
	return &MatchError{Association: *a, Kind: v.kind, Depth: v.depth, Cause: v.cause, names: c.names, ref: *ref, path: v.path}
}

func (c *Chain) match(a *Association, ref *Reference) verdict {
	if cause := a.unusable(ref, c); cause != nil {
		return verdict{kind: KindUnusable, depth: -1, cause: cause}
	}
	switch a.Usage {
	case DANEEE, PKIXEE:
		return c.matchLeaf(a, ref)
	}
	return c.matchAnchor(a, ref)
}

func (c *Chain) matchLeaf(a *Association, ref *Reference) verdict {
	if c.facts[0].of(a.Params) != a.Data {
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
		if c.facts[h.index].of(a.Params) == a.Data {
			return c.judge(ref, h)
		}
		top = h
	}
	if c.holds(a, 1) {
		return verdict{kind: KindPath, depth: -1, cause: (*pathEnd)(top)}
	}
	if a.Usage == DANETA && a.Matching == Full && !c.holds(a, 0) {
		return c.matchFromDNS(a, ref, top)
	}
	return verdict{kind: KindNoAnchor, depth: -1}
}

// holds reports whether the data is that of a certificate presented at index
// from or later, other than a copy of the leaf if from is not 0.
func (c *Chain) holds(a *Association, from int) bool {
	for i := from; i < len(c.facts); i++ {
		if c.facts[i].of(a.Params) == a.Data && (i == 0 || c.facts[i][Cert][SHA256] != c.LeafID()) {
			return true
		}
	}
	return false
}

// judge asks of the path to h what DANE-TA asks besides the data: constraints,
// dates and names.
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

// matchFromDNS takes the trust anchor from the record, where the chain lacks it.
func (c *Chain) matchFromDNS(a *Association, ref *Reference, top *hop) verdict {
	none := verdict{kind: KindNoAnchor, depth: -1}
	der, err := hex.DecodeString(a.Data)
	if err != nil {
		return none
	}
	if a.Selector == SPKI {
		key, err := x509.ParsePKIXPublicKey(der)
		if err != nil || !signed(&x509.Certificate{PublicKey: key}, top.cert) {
			return none
		}
		return c.judge(ref, top)
	}
	anchor, err := x509.ParseCertificate(der)
	if err != nil {
		return none
	}
	for h := c.root; h != nil; h = h.next(ref.Time) {
		if mayIssue(anchor, h.cert) && signed(anchor, h.cert) {
			return c.judge(ref, h.extend(anchor, -1))
		}
	}
	return none
}
