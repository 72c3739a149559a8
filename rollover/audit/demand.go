package audit

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// A demand is what the lookups have a DANE client ask of a host.
type demand string

// The demands (RFC 7672, section 2.2).
const (
	demandNothing demand = "nothing" // no secure records: TLS where it is offered
	demandTLS     demand = "tls"     // records, and none is usable: TLS, with nobody authenticated
	demandMatch   demand = "match"   // usable records: the chain has to match
	demandNever   demand = "never"   // a lookup fails: the host must not be used
	demandUnknown demand = "unknown" // hangs on what could not be looked up
)

// A claim is what a DANE client goes by at a host.
type claim struct {
	demand demand
	why    string
	base   *Base // whose records they are; nil: nobody's
	// versions are the RRsets that a client may hold: what the validating resolver gives
	// and what each server gives. Those that are denials demand nothing.
	versions []tlsa.RRset
	ref      tlsa.Reference
}

// claimOf goes the way of a client to the records of a host: its addresses first, then
// each base domain, until one has records (RFC 7672, section 2.2.2).
func claimOf(h Host, at time.Time) claim {
	if c := unreachable(h); c.demand != "" {
		return c
	}
	why := "its addresses are not signed, so clients ask for no TLSA records: " + h.Reach.Text
	for i := range h.Bases {
		b := &h.Bases[i]
		switch {
		case b.InVain:
			continue
		case b.Security == rollover.Bogus:
			return claim{demand: demandNever, base: b, why: fmt.Sprintf("the lookup of TLSA records at %s is bogus: %s", b.Owner, b.SecurityText)}
		case b.Security == rollover.Indeterminate || !b.Resolved.Known():
			return b.failed()
		case b.Security == rollover.Insecure:
			why = fmt.Sprintf("%s is not signed for anyone: %s", b.Owner, b.SecurityText)
		case b.Resolved.Value.Denial():
			why = fmt.Sprintf("no TLSA records at %s%s", b.Owner, b.alias())
		default:
			return b.claim(h, at)
		}
	}
	return claim{demand: demandNothing, why: why}
}

// unreachable is what the lookup of a host's addresses ends in, where it does not lead on.
func unreachable(h Host) claim {
	switch {
	case h.Reach.Security == rollover.Bogus:
		return claim{demand: demandNever, why: "the lookup of its addresses is bogus: " + h.Reach.Text}
	case h.Reach.Err != "":
		return claim{demand: demandUnknown, why: "its addresses could not be looked up: " + h.Reach.Err}
	case h.Reach.Security == rollover.Indeterminate:
		return claim{demand: demandUnknown, why: "its addresses could not be looked up: " + h.Reach.Text}
	case !h.Reach.Exists:
		return claim{demand: demandNever, why: "it has no address"}
	}
	return claim{}
}

// failed says whose fault it is that a lookup had no answer: where a server gives one,
// ours; where none does, theirs, and everybody's lookup fails (RFC 7672, section 2.1.2). An
// alias on the way is none.
func (b *Base) failed() claim {
	why := fmt.Sprintf("the TLSA records at %s could not be looked up: %s", b.Owner, cmp.Or(b.Resolved.Err, b.SecurityText))
	answers := slices.ContainsFunc(b.Servers, func(s rollover.ServerView) bool { return s.Answer.Known() && !s.Alias || s.Untested })
	if len(b.Servers) > 0 && !answers && b.Err == "" {
		return claim{demand: demandNever, base: b, why: why + ", and no server of the zone gives a believable answer"}
	}
	return claim{demand: demandUnknown, base: b, why: why}
}

func (b *Base) claim(h Host, at time.Time) claim {
	c := claim{demand: demandMatch, base: b, versions: b.versions(), ref: reference(h, b.Name, at)}
	usable := slices.ContainsFunc(c.versions, func(s tlsa.RRset) bool { return len(s.Combinations(c.ref)) > 0 })
	if !usable {
		c.demand, c.why = demandTLS, fmt.Sprintf("no client can use any of the TLSA records at %s", b.Owner)
	}
	return c
}

// versions are the RRsets that clients may hold of a base domain.
func (b *Base) versions() []tlsa.RRset {
	var out []tlsa.RRset
	add := func(s tlsa.RRset) {
		if !slices.ContainsFunc(out, s.Same) {
			out = append(out, s)
		}
	}
	if b.Resolved.Known() {
		add(b.Resolved.Value)
	}
	for _, s := range b.Servers {
		if s.Answer.Known() && !s.Alias && !s.Retained && !s.Unsigned {
			add(s.Answer.Value)
		}
	}
	return out
}

// reference is what a client brings to a match at a base domain.
func reference(h Host, base string, at time.Time) tlsa.Reference {
	return tlsa.Reference{Names: append([]string{base}, h.NextHop...), Time: at, SMTP: h.SMTP}
}

// fails is the reason why a client that holds one of the versions refuses a chain; nil
// if none does. A version without usable records refuses nobody.
func (c claim) fails(chain *tlsa.Chain) error {
	for _, s := range c.versions {
		if err := s.Authenticates(chain, c.ref); err != nil {
			return err
		}
	}
	return nil
}
