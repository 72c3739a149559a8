package rollover

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// Policy is the operator's part of every decision about one owner group.
type Policy struct {
	Timing   Timing
	Lineages map[string]LineagePolicy
	// AllowInsecure names the zones in which records are published unsigned.
	AllowInsecure map[string]bool
	// Margin is what a provider's anycast network needs beyond what is seen, by provider.
	Margin map[string]time.Duration
	// Excluded are server addresses that are not asked any more.
	Excluded map[string]bool
}

// Timing holds the waits. All are durations of the world's time, none is slept through.
type Timing struct {
	TTLs       int           // publication interval in TTLs; RFC 7671, section 8.1: at least 2
	Floor      time.Duration // at least this much beyond one TTL: resolvers that stretch TTLs
	UnknownTTL time.Duration // assumed of what was served before the first look
	Retire     time.Duration // for so long no endpoint presented what needs a record that leaves
	Settle     time.Duration // for so long a swap may take to be seen on this host
	Look       time.Duration // between looks when nothing is going on
	Poll       time.Duration // between looks at files
}

// DefaultTiming is used where the configuration says nothing.
func DefaultTiming() Timing {
	return Timing{TTLs: 2, Floor: time.Hour, UnknownTTL: 24 * time.Hour, Retire: 24 * time.Hour,
		Settle: time.Minute, Look: 15 * time.Minute, Poll: time.Minute}
}

// LineagePolicy is what the operator wants of one lineage.
type LineagePolicy struct {
	Scheme  Scheme
	TA      TrustAnchor
	Issuers []tlsa.Association // 2 1 1 published ahead
	// IssuerLists are those that some of Issuers come from, for people.
	IssuerLists []IssuerList
	TTL         time.Duration // for an RRset that does not exist yet
	KnownTTL    time.Duration // the operator's word that it was never longer; 0: none
	Deadline    Deadline
	Endpoints   []Endpoint
	Nodes       []string            // ip:port that must be seen even while DNS does not show them
	Ignore      map[tlsa.Owner]bool // unlisted owners that may be left alone, and hosts of which all may; see Ignores
	Provider    string              // default: the zone's
	Revision    string              // changes with the configuration: a held swap is tried again
	Names       []string            // for which certificates are ordered; none: pairs come from elsewhere
	Files       []string            // from which servers are to read the live pair, for people
}

// Ignores reports whether an owner name that nobody listed may be left alone: it is named, or
// its base domain is, which stands for every port.
func (p LineagePolicy) Ignores(owner tlsa.Owner) bool {
	return p.Ignore[owner] || p.Ignore[tlsa.Owner(owner.Base()+".")]
}

// Endpoint is one TLS service of a lineage.
type Endpoint struct {
	URL   string
	Host  string // TLSA base domain, no trailing dot
	Port  uint16
	SMTP  bool       // RFC 7672 applies: usages 0 and 1 are unusable
	Owner tlsa.Owner // where its clients ask
	// Setting is the line that has its server read the live pair, for people: "" where
	// none is known.
	Setting string
	// Also are further names where clients ask: the fully expanded name of a
	// host that is an alias (RFC 7672, section 2.2.2).
	Also []tlsa.Owner
}

// Owners are the names where clients of the endpoint ask.
func (e Endpoint) Owners() []tlsa.Owner { return append([]tlsa.Owner{e.Owner}, e.Also...) }

// reference is how clients that ask at one of the owner names judge the endpoint: the
// certificate is to be for the name under which they found the records (RFC 7671,
// section 7; RFC 7672, section 3.2.2).
func (e Endpoint) reference(owner tlsa.Owner, now time.Time) tlsa.Reference {
	ref := tlsa.Reference{Names: []string{e.Host}, Time: now, SMTP: e.SMTP}
	if base := owner.Base(); owner != e.Owner && base != "" {
		ref.Names[0] = base
	}
	return ref
}

// Deadline says what happens when the live certificate ends before the wait does.
type Deadline string

const (
	DeadlineAuto Deadline = "auto"
	DeadlineWait Deadline = "wait"
	DeadlineSwap Deadline = "swap"
)

// TrustAnchor names the certificate of the chain that 2 1 1 vouches for.
type TrustAnchor string

const (
	Intermediate TrustAnchor = "intermediate" // the leaf's issuer
	Root         TrustAnchor = "root"         // the self-signed one, if it is served
)

// Scheme says which records a certificate needs: a set.
type Scheme struct {
	EE      bool // 3 1 1 of the leaf
	TA      bool // 2 1 1 of a CA certificate of the chain
	Standby bool // 3 1 1 of the next key
}

// ParseScheme reads "ee+ta": parts in any order, each once.
func ParseScheme(text string) (Scheme, error) {
	var s Scheme
	parts := map[string]*bool{"ee": &s.EE, "ta": &s.TA, "standby": &s.Standby}
	for part := range strings.SplitSeq(text, "+") {
		field, ok := parts[part]
		if !ok {
			return Scheme{}, fmt.Errorf("scheme %q: unknown part %q (hint: a + set of ee, ta, standby)", text, part)
		}
		if *field {
			return Scheme{}, fmt.Errorf("scheme %q: %q is given twice", text, part)
		}
		*field = true
	}
	if !s.EE && !s.TA {
		return Scheme{}, fmt.Errorf("scheme %q: no record for the certificate in use (hint: add ee or ta)", text)
	}
	return s, nil
}

// String gives the scheme as it is written in the configuration.
func (s Scheme) String() string {
	var parts []string
	for _, p := range []struct {
		set  bool
		name string
	}{{s.EE, "ee"}, {s.TA, "ta"}, {s.Standby, "standby"}} {
		if p.set {
			parts = append(parts, p.name)
		}
	}
	return strings.Join(parts, "+")
}

// Needs are the associations that chain asks for under the scheme. A trust
// anchor that the chain does not hold gives an error: without it in the served
// chain no 2 1 1 can match (RFC 7671, section 5.2.2).
func (p LineagePolicy) Needs(chain *tlsa.Chain) ([]tlsa.Association, error) {
	var as []tlsa.Association
	if p.Scheme.EE {
		a, err := chain.Association(tlsa.EE, 0)
		if err != nil {
			return nil, err
		}
		as = append(as, a)
	}
	if p.Scheme.TA {
		a, err := p.anchor(chain)
		if err != nil {
			return as, err
		}
		as = append(as, a)
	}
	return as, nil
}

// anchor is the 2 1 1 of the chain's trust anchor that really matches it.
func (p LineagePolicy) anchor(chain *tlsa.Chain) (tlsa.Association, error) {
	index, err := p.TA.Index(chain)
	if err != nil {
		return tlsa.Association{}, err
	}
	return chain.Association(tlsa.TA, index)
}

// Index is where the trust anchor stands in the chain.
func (ta TrustAnchor) Index(chain *tlsa.Chain) (int, error) {
	certs := chain.Certificates()
	if len(certs) < 2 {
		return 0, fmt.Errorf("the chain holds no CA certificate (hint: hand in the full chain, leaf first)")
	}
	if ta != Root {
		return 1, nil
	}
	index := slices.IndexFunc(certs[1:], selfIssued) + 1
	if index == 0 {
		return 0, fmt.Errorf("the chain does not hold its root (hint: append the root to the chain, or set ta: intermediate)")
	}
	return index, nil
}

func selfIssued(c *x509.Certificate) bool { return bytes.Equal(c.RawIssuer, c.RawSubject) }
