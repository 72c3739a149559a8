package audit

import "github.com/tlsaroll/tlsaroll/rollover/tlsa"

// Scheme is how an RRset is made ready for the next certificate: the schemes that are
// known to work have a record of what is served and one of what comes, or of the issuer of
// both.
type Scheme string

// The schemes.
const (
	SchemeNone          Scheme = ""                 // no usable records
	SchemeCurrent       Scheme = "current"          // one record: each new key has to be published, and waited for
	SchemeCurrentNext   Scheme = "current + next"   // several of usage 3: keys that are served and keys that come
	SchemeCurrentIssuer Scheme = "current + issuer" // usages 3 and 2: a new key by the same issuer matches at once
	SchemeIssuer        Scheme = "issuer"           // usage 2 alone: a new key by the same issuer matches at once
)

// schemeOf reads the scheme out of an RRset. Which records are of what is served is not
// asked: a spare one may stand for long before its key is served.
func schemeOf(s tlsa.RRset, ref tlsa.Reference) Scheme {
	keys, issuers := 0, 0
	for _, a := range s.Associations {
		switch {
		case a.Unusable(ref) != nil:
		case a.Usage == tlsa.DANEEE || a.Usage == tlsa.PKIXEE:
			keys++
		default:
			issuers++
		}
	}
	switch {
	case keys > 0 && issuers > 0:
		return SchemeCurrentIssuer
	case keys > 1:
		return SchemeCurrentNext
	case keys == 1:
		return SchemeCurrent
	case issuers > 0:
		return SchemeIssuer
	}
	return SchemeNone
}
