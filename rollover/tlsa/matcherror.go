package tlsa

import (
	"fmt"
	"strings"
	"time"
)

// A Kind says in one stable word why a record does not match.
type Kind string

// The kinds of a [MatchError].
const (
	KindUnusable  Kind = "unusable"        // no client can use the record
	KindNoMatch   Kind = "no-match"        // the leaf is another one
	KindNoAnchor  Kind = "ta-not-in-chain" // no certificate above the leaf matches
	KindPath      Kind = "path"            // one does, but the leaf does not chain up to it
	KindUntrusted Kind = "untrusted"       // the leaf chains up to no CA that the client trusts
	KindDates     Kind = "dates"           // the path is good, at another time
	KindNames     Kind = "names"           // the path is good, for another server
)

// rank orders the kinds by how near the miss is; a match is no miss at all.
func (k Kind) rank() int {
	switch k {
	case "":
		return 7
	case KindNoMatch:
		return 1
	case KindNoAnchor:
		return 2
	case KindPath:
		return 3
	case KindUntrusted:
		return 4
	case KindDates:
		return 5
	case KindNames:
		return 6
	}
	return 0
}

// A MatchError says why an association does not match a chain.
type MatchError struct {
	Association Association // zero if there is none to name
	Kind        Kind
	// Depth is that of the certificate on the path which the data matches, -1 where
	// it matches none.
	Depth int
	Cause error // may be nil

	chain *Chain
	ref   Reference
	path  *hop
}

func (c *Chain) explain(a *Association, ref *Reference, v verdict) *MatchError {
	return &MatchError{Association: *a, Kind: v.kind, Depth: v.depth, Cause: v.cause, chain: c, ref: *ref, path: v.path}
}

func unusable(a Association, cause error) *MatchError {
	return &MatchError{Association: a, Kind: KindUnusable, Depth: -1, Cause: cause}
}

// Unwrap gives the cause.
func (e *MatchError) Unwrap() error { return e.Cause }

// Error names the record and the reason.
func (e *MatchError) Error() string {
	if e.Association == (Association{}) {
		return "tlsa: " + e.Reason()
	}
	return "tlsa " + e.Association.short() + ": " + e.Reason()
}

// Reason is a sentence of its own, without the record.
func (e *MatchError) Reason() string {
	what := "certificate"
	if e.Association.Selector == SPKI {
		what = "key"
	}
	switch e.Kind {
	case KindUnusable:
		return fmt.Sprintf("unusable: %v", e.Cause)
	case KindNoMatch:
		return "the leaf has another " + what
	case KindNoAnchor:
		if e.ref.Roots != nil && e.Association.Usage == PKIXTA {
			return "no certificate between the leaf and a trusted CA has this " + what
		}
		return "no certificate above the leaf has this " + what + " (hint: the chain that the server sends must include the trust anchor)"
	case KindPath:
		return fmt.Sprintf("the leaf does not chain up to the trust anchor: %v", e.Cause)
	case KindUntrusted:
		return fmt.Sprintf("the leaf does not chain up to a trusted CA: %v", e.Cause)
	case KindDates:
		return e.dates()
	case KindNames:
		return e.names()
	}
	return string(e.Kind)
}

func (e *MatchError) dates() string {
	reason := "no path in date"
	for h := e.path; h != nil; h = h.below { // the one nearest to the leaf is named
		switch {
		case e.ref.Time.After(h.cert.NotAfter):
			reason = fmt.Sprintf("the certificate at depth %d ended at %s", h.depth, h.cert.NotAfter.UTC().Format(time.RFC3339))
		case e.ref.Time.Before(h.cert.NotBefore):
			reason = fmt.Sprintf("the certificate at depth %d begins at %s", h.depth, h.cert.NotBefore.UTC().Format(time.RFC3339))
		}
	}
	return reason
}

func (e *MatchError) names() string {
	presented := "no host"
	if e.chain != nil && len(e.chain.names) > 0 {
		presented = few(e.chain.names)
	}
	if len(e.ref.Names) == 0 {
		return "the leaf is for " + presented + ", and no name was asked for (hint: all but DANE-EE needs one)"
	}
	return "the leaf is for " + presented + ", not for " + strings.Join(e.ref.Names, " or ")
}

// few lists names, of which a certificate may have thousands.
func few(names []string) string {
	const enough = 8
	if len(names) > enough {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:enough], ", "), len(names)-enough)
	}
	return strings.Join(names, ", ")
}

// A pathEnd is the error that the path from the leaf goes no further.
type pathEnd struct {
	chain *Chain
	top   *hop
}

func (e pathEnd) Error() string {
	if e.top.selfSigned() {
		return fmt.Sprintf("the path ends at the self-signed certificate at depth %d", e.top.depth)
	}
	for _, cert := range e.chain.certs {
		if mayIssue(cert, e.top.cert) && !e.top.passes(cert) {
			return fmt.Sprintf("the signature on the certificate at depth %d: %v", e.top.depth, checkSignature(cert, e.top.cert))
		}
	}
	return fmt.Sprintf("the chain lacks a CA certificate of %q, which issued the certificate at depth %d", e.top.cert.Issuer, e.top.depth)
}
