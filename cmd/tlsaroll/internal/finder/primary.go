package finder

import (
	"context"
	"strings"
)

// A Primary is a zone that a name server of this host is the primary of.
type Primary struct {
	Server string // BIND, Knot, NSD or PowerDNS
	Zone   string // with its final dot
	// Provider is the type that changes it; "": the server takes no changes, others make its
	// zone file.
	Provider string
	// Keys may change its TLSA records by dynamic update, those that may change nothing else first.
	Keys []Key
	// API is where the server's HTTP API answers; "": it has none, or it is off.
	API string
}

// A Key is one of TSIG. Its secret is nobody's business here.
type Key struct {
	Name      string // as the server has it
	Algorithm string // "": not told
	File      string // a file that has it; "": not found
}

// The providers that servers of this host may be changed through.
const (
	byUpdate = "rfc2136"
	byAPI    = "powerdns"
)

// primaries asks the name servers.
func (h Host) primaries(ctx context.Context, note func(string, ...any)) (found []Primary) {
	for _, find := range []func(context.Context, func(string, ...any)) []Primary{h.bind, h.knot, h.nsd, h.powerDNS} {
		found = append(found, find(ctx, note)...)
	}
	return found
}

// zoneName is a zone as we call it, and whether mail hosts may be in it.
func zoneName(text string) (name string, ok bool) {
	name = strings.TrimSuffix(strings.ToLower(text), ".") + "."
	ours := name != "." && name != "localhost." && !strings.HasSuffix(name, ".arpa.")
	return name, ours
}

// or is a place that a test names, or the usual one.
func or(own, usual string) string {
	if own != "" {
		return own
	}
	return usual
}
