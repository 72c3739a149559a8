package tlsa

import (
	"fmt"
	"strings"
	"time"
)

// A Kind says in one stable word why a record does not match.
type Kind string

// The kinds of a [MatchError], from the farthest miss to the nearest.
const (
	KindUnusable Kind = "unusable"        // no client can use the record
	KindNoMatch  Kind = "no-match"        // the leaf is another one
	KindNoAnchor Kind = "ta-not-in-chain" // no certificate above the leaf matches
	KindPath     Kind = "path"            // the trust anchor is there, the leaf does not chain up to it
	KindDates    Kind = "dates"           // the path is good, at another time
	KindNames    Kind = "names"           // the path is good, for another server
)

// rank orders the kinds by how near the miss is.
func (k Kind) rank() int {
	switch k {
	case KindNoMatch:
		return 1
	case KindNoAnchor:
		return 2
	case KindPath:
		return 3
	case KindDates:
		return 4
	case KindNames:
		return 5
	}
	return 0
}

// A MatchError says why an association does not match a chain.
type MatchError struct {
	Association Association
	Kind        Kind
	// Depth counts from the leaf, which is 0, to the certificate that the data
	// matches; -1 where it matches none.
	Depth int
	Cause error // more about it, may be nil

	names []string // of the leaf
	ref   Reference
	path  *hop
}

// Unwrap gives the cause.
func (e *MatchError) Unwrap() error { return e.Cause }

// Error is one sentence that names the record and the reason.
func (e *MatchError) Error() string {
	return "tlsa " + e.Association.short() + ": " + e.Reason()
}

// Reason is the sentence without the record.
func (e *MatchError) Reason() string {
	switch e.Kind {
	case KindUnusable:
		return "unusable: " + e.Cause.Error()
	case KindNoMatch:
		if e.Association.Selector == SPKI {
			return "the leaf has another key"
		}
		return "the leaf is another certificate"
	case KindNoAnchor:
		what := "certificate"
		if e.Association.Selector == SPKI {
			what = "key"
		}
		return "no " + what + " above the leaf matches (hint: the trust anchor's certificate must be in the chain that the server sends)"
	case KindPath:
		return fmt.Sprintf("the trust anchor is there, but the leaf does not chain up to it: %v", e.Cause)
	case KindDates:
		return e.dates()
	case KindNames:
		return e.mismatch()
	}
	return string(e.Kind)
}

func (e *MatchError) dates() string {
	at := e.ref.Time.UTC().Format(time.RFC3339)
	for h, depth := e.path, e.Depth; h != nil; h, depth = h.below, depth-1 {
		switch {
		case e.ref.Time.After(h.cert.NotAfter):
			return fmt.Sprintf("the certificate at depth %d (%s) ended at %s, before %s",
				h.depth, h.cert.Subject, h.cert.NotAfter.UTC().Format(time.RFC3339), at)
		case e.ref.Time.Before(h.cert.NotBefore):
			return fmt.Sprintf("the certificate at depth %d (%s) begins at %s, after %s",
				h.depth, h.cert.Subject, h.cert.NotBefore.UTC().Format(time.RFC3339), at)
		}
	}
	return "the path is not valid at " + at
}

func (e *MatchError) mismatch() string {
	presented := "no name at all"
	if len(e.names) > 0 {
		presented = strings.Join(e.names, ", ")
	}
	if len(e.ref.Names) == 0 {
		return "the leaf is for " + presented + ", and no name was asked for (hint: DANE-TA needs one)"
	}
	return "the leaf is for " + presented + ", not for " + strings.Join(e.ref.Names, " or ")
}
