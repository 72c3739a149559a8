package rollover

import (
	"slices"
	"strings"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// warnServed tells of endpoints that no published record vouches for, or none of some
// combination, and of servers that read the ACME client's files instead of ours.
func (x *pass) warnServed(name string, owner tlsa.Owner, l *Ledger) {
	given := l.given()
	for _, a := range l.Addresses {
		for _, c := range a.Cells {
			chain := x.chain(c.Chain)
			if c.Outcome != Served || chain == nil {
				continue
			}
			if i := slices.IndexFunc(given, func(s tlsa.RRset) bool { return x.fails(s, chain, owner) }); i >= 0 {
				x.tell(name, warning(CodeServedUnmatched, a.Address, "%s presents %s, which no published record of %s matches%s: senders that enforce DANE cannot deliver%s", a.Address, chain.ID().Short(), owner, x.outclassing(given[i], chain, owner), x.renunciation(owner, chain)))
			} else if p, found := x.unmatched(given, chain, owner); found {
				x.tell(name, warning(CodeComboUnmatched, a.Address, "%s presents %s, which no %s of %s matches: senders that know no other combination cannot deliver (RFC 7671, section 8) (hint: publish one that matches, or take those out)", a.Address, chain.ID().Short(), p, owner))
			}
			if next := x.readsStaged(name, chain); next != "" {
				x.tell(name, warning(CodeServerReadsStaged, a.Address, "%s presents %s before its swap: the server reads the ACME client's files (hint: let it read %s)", a.Address, next.Short(), x.filesOf(name, a.URL)))
			}
		}
	}
}

// unmatched is a combination of what servers give that no record matches for a
// chain, whatever other combinations do.
func (x *pass) unmatched(given []tlsa.RRset, chain *tlsa.Chain, owner tlsa.Owner) (p tlsa.Params, found bool) {
	for _, s := range given {
		for _, u := range x.users[owner] {
			ref := u.endpoint.reference(owner, x.now)
			for _, p := range s.Combinations(ref) {
				if s.VouchesFor(p, chain, ref) != nil {
					return p, true
				}
			}
		}
	}
	return p, false
}

// renunciation says that nothing is to match a chain, "" where something is.
func (x *pass) renunciation(owner tlsa.Owner, chain *tlsa.Chain) string {
	if !x.renounced(owner, chain) {
		return ""
	}
	return ", and none is to: its key was declared compromised (hint: see which files this server reads, and which machine answers at its address)"
}

// outclassing names the records for which clients pass over one that matches, as
// those are of the strongest digest (RFC 7671, section 9); "" if none matches.
func (x *pass) outclassing(s tlsa.RRset, chain *tlsa.Chain, owner tlsa.Owner) string {
	matching := func(a tlsa.Association) bool { return x.matches(a, chain, owner) }
	i := slices.IndexFunc(s.Associations, matching)
	if i < 0 {
		return ""
	}
	over := slices.DeleteFunc(slices.Clone(s.Associations), func(a tlsa.Association) bool {
		return a.Matching != tlsa.SHA512 || a.Usage != s.Associations[i].Usage || a.Selector != s.Associations[i].Selector
	})
	return " but for " + short(s.Associations[i]) + ", which clients pass over for " + shortly(over) + " (RFC 7671, section 9)"
}

// filesOf says what servers are to read, and how the one at an endpoint is told.
func (x *pass) filesOf(name, url string) string {
	policy := x.policy.Lineages[name]
	files := "the live or install path of lineage " + name
	if len(policy.Files) > 0 {
		files = strings.Join(policy.Files, ", ")
	}
	i := slices.IndexFunc(policy.Endpoints, func(e Endpoint) bool { return e.URL == url && e.Setting != "" })
	if i < 0 {
		return files
	}
	return files + "; " + policy.Endpoints[i].Setting
}

// readsStaged names the pair on its way whose leaf the chain shows, "" if it
// shows none or one that was live before.
func (x *pass) readsStaged(name string, chain *tlsa.Chain) tlsa.ChainID {
	l := x.Lineages[name]
	for _, id := range []tlsa.ChainID{l.Live, l.Previous} {
		if c := x.chain(id); c == nil && id == l.Live || c != nil && c.LeafID() == chain.LeafID() {
			return ""
		}
	}
	if l.Swapping != nil || l.Held != nil && l.Held.Chain == l.Successor {
		return ""
	}
	for _, id := range []tlsa.ChainID{l.Successor, l.Queued} {
		if c := x.chain(id); c != nil && c.LeafID() == chain.LeafID() {
			return id
		}
	}
	return ""
}

// warnEndpoints tells of addresses that have been without an answer, or without
// TLS, for a while. A host that awaits its first pair may have neither.
func (x *pass) warnEndpoints(name string, owner tlsa.Owner, l *Ledger) {
	if x.Lineages[name].Live == "" || x.Lineages[name].Looked.Served.IsZero() {
		return
	}
	if len(l.Addresses) == 0 {
		x.tell(name, warning(CodeEndpointUnseen, string(owner), "no address is known of the endpoint at %s", owner))
	}
	for i := range l.Addresses {
		a := &l.Addresses[i]
		if a.Misses == 0 || !a.Gone.IsZero() {
			continue
		}
		x.missing = x.missing || x.now.Sub(a.Missing) < silenceWatched
		if a.lost(x.now) {
			x.tell(name, a.silence())
		}
	}
}

// silence is the sentence for an address that is lost.
func (e *AddressEvidence) silence() Warning {
	switch {
	case e.Err == "":
		return warning(CodeNoTLS, e.Address, "%s (%s) has had no working TLS since %s: %s", e.Address, e.URL, Stamp(e.Missing), e.broken())
	case e.answered():
		return warning(CodeEndpointUnseen, e.Address, "%s (%s) has not answered every handshake since %s: %s", e.Address, e.URL, Stamp(e.Missing), e.Err)
	}
	return warning(CodeEndpointUnseen, e.Address, "%s (%s) has not answered since %s: %s", e.Address, e.URL, Stamp(e.Missing), e.Err)
}
