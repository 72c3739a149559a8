package sink

import (
	"net/netip"
	"slices"
	"time"
)

// A Visit is one connection, as far as it has come.
type Visit struct {
	Serial  int // of the connection
	Address netip.AddrPort
	Peer    netip.Addr
	Begun   time.Time
	Ended   time.Time // zero while it lasts

	// Alone is the case that had the address for itself, which is then one without STARTTLS;
	// "": STARTTLS was offered.
	Alone Kind
	Hello string // by which name the sender greeted; "": not at all

	TLS     uint16 // version, as in [crypto/tls]; 0: none came about
	SNI     string // in lower case
	Failure string // why TLS did not come about after STARTTLS

	// Recipients are the domains of those that were taken, Later of those that came too early,
	// and Strangers is how many others there were.
	Recipients []string
	Later      []string
	Strangers  int
	// Delivered are the domains that a whole mail came for.
	Delivered []string
	// InClear are those of them for which it came without TLS.
	InClear []string
}

// clone has no part of v that v may still change.
func (v Visit) clone() Visit {
	v.Recipients, v.Later = slices.Clone(v.Recipients), slices.Clone(v.Later)
	v.Delivered, v.InClear = slices.Clone(v.Delivered), slices.Clone(v.InClear)
	return v
}

// Brought reports whether a mail for a domain was delivered.
func (v Visit) Brought(domain string) bool { return slices.Contains(v.Delivered, domain) }

// proven reports whether the visitor knew something that only a sender of our mail knows.
func (v Visit) proven(cases []Case) bool {
	return len(v.Recipients) > 0 || len(v.Later) > 0 || slices.ContainsFunc(cases, func(c Case) bool { return c.Domain == v.SNI })
}

// about reports whether a visit is for a case: it names a recipient, else the host by SNI (RFC
// 7672, section 8.1), else the case was alone there, and the visitor is known.
func (v Visit) about(c Case, known map[netip.Addr]bool) bool {
	switch {
	case len(v.Recipients) > 0:
		return slices.Contains(v.Recipients, c.Domain)
	case v.Hello == "", v.Strangers > 0, len(v.Later) > 0:
		return false
	case v.SNI != "":
		return v.SNI == c.Domain
	}
	return v.Alone == c.Kind && known[v.Peer]
}
