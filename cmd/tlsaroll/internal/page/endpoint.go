package page

import (
	"cmp"
	"strings"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// Endpoint is one that clients reach, at one owner name.
type Endpoint struct {
	Identity           string
	Scheme, Rest       string // of its URL
	Owner, Target      string
	Open               bool // something is not as it should be
	Security, Verified Badge
	TTL                string
	Records            []Record
	Servers            []Server
	Addresses          []Address
}

// Record is an association, and whose it is where that can be seen.
type Record struct {
	Text string
	Of   string // live, successor, queued, standby, or ""
}

// Server is an authoritative address.
type Server struct {
	Name, Address, Error string
	Has                  Badge
}

// Address is a handshake of the last look.
type Address struct {
	Address, Presents, How, Error string
	Matches                       Badge
}

func endpoint(id string, s rollover.LineageStatus, e rollover.EndpointStatus) Endpoint {
	scheme, rest, _ := strings.Cut(harmless(e.URL), "://")
	out := Endpoint{Identity: id, Scheme: scheme + "://", Rest: rest, Owner: harmless(string(e.Owner)),
		Security: Badge{toneOfSecurity(e.Security), harmless(string(e.Security))}, Verified: verdict(e)}
	if e.Target != e.Owner {
		out.Target = harmless(string(e.Target))
	}
	if e.TTL > 0 {
		out.TTL = span(time.Duration(e.TTL) * time.Second)
	}
	for _, r := range e.Records {
		out.Records = append(out.Records, Record{harmless(r), whose(r, s)})
	}
	for _, v := range e.Servers {
		b := Badge{toneOfAnswer(v.Converged), answer(v.Converged)}
		if v.Converged == rollover.No && s.Successor != nil {
			b.Tone = Moving // it is awaited
		}
		out.Servers = append(out.Servers, Server{cmp.Or(strings.TrimSuffix(harmless(v.Name), "."), "hidden server"), harmless(v.Address), harmless(v.Error), b})
	}
	for _, c := range e.Served {
		out.Addresses = append(out.Addresses, Address{harmless(c.Address), presents(c, s), how(c), harmless(c.Error), Badge{toneOfAnswer(c.Verified), answer(c.Verified)}})
	}
	out.Open = out.Security.Tone != Good || e.Verified == rollover.No || len(e.Records) == 0
	return out
}

// verdict is what is known of an endpoint at the last look. What matches records that do not
// validate matches nothing that a sender would trust.
func verdict(e rollover.EndpointStatus) Badge {
	switch {
	case e.Verified == rollover.No:
		return Badge{Bad, "does not match"}
	case e.Verified != rollover.Yes:
		return Badge{Doubtful, "not verified"}
	case len(e.Records) == 0:
		return Badge{Plain, "no records"}
	case e.Security != rollover.Secure:
		return Badge{Plain, "matches"}
	}
	return Badge{Good, "verified"}
}

func answer(k rollover.Known) string {
	switch k {
	case rollover.Yes:
		return "yes"
	case rollover.No:
		return "no"
	case rollover.Unknown:
		return "unknown"
	}
	return "unknown"
}

// whose finds the pair whose key a record of usage 3 names. Those of usage 2 are of a
// CA, and are not told apart here.
func whose(record string, s rollover.LineageStatus) string {
	digest := record[strings.LastIndexByte(record, ' ')+1:]
	is := func(p *rollover.PairStatus) bool {
		return p != nil && p.SPKI != "" && (strings.EqualFold(digest, p.SPKI) || strings.EqualFold(digest, p.Leaf))
	}
	switch {
	case is(s.Live):
		return "live"
	case s.Successor != nil && is(&s.Successor.PairStatus):
		return "successor"
	case is(s.Queued):
		return "queued"
	case s.Standby != nil && s.Standby.SPKI != "" && strings.EqualFold(digest, s.Standby.SPKI):
		return "standby"
	}
	return ""
}

// presents says which certificate an address presented.
func presents(c rollover.ServedStatus, s rollover.LineageStatus) string {
	switch {
	case c.Leaf == nil:
		return "none"
	case s.Live != nil && *c.Leaf == s.Live.Leaf:
		return "live"
	case s.Successor != nil && *c.Leaf == s.Successor.Leaf:
		return "successor"
	}
	return "leaf " + harmless(tlsa.ChainID(*c.Leaf).Short())
}

// how says how an address was asked.
func how(c rollover.ServedStatus) string {
	text := "without SNI"
	if c.SNI {
		text = "with SNI"
	}
	if c.Algorithm != "" {
		text += ", " + harmless(c.Algorithm)
	}
	return text
}
