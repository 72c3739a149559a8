package rollover

import (
	"slices"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// A meeting is what a client holds and what it is shown.
type meeting struct {
	rrset tlsa.RRset
	chain *tlsa.Chain
}

// suffers reports whether a client was content, or one combination was, and is
// not afterwards.
func (x *pass) suffers(before, after meeting, owner tlsa.Owner) bool {
	return !x.fails(before.rrset, before.chain, owner) && x.fails(after.rrset, after.chain, owner) ||
		!x.refuses(before.rrset, before.chain, owner) && x.refuses(after.rrset, after.chain, owner)
}

// refuses reports whether at some endpoint of the owner the RRset does not vouch
// for the chain in the strong sense, for each combination.
func (x *pass) refuses(s tlsa.RRset, chain *tlsa.Chain, owner tlsa.Owner) bool {
	return slices.ContainsFunc(x.users[owner], func(u use) bool {
		return s.Vouches(chain, u.endpoint.reference(owner, x.now)) != nil
	})
}

// fails reports whether a DANE client at some endpoint of the owner refuses the chain.
func (x *pass) fails(s tlsa.RRset, chain *tlsa.Chain, owner tlsa.Owner) bool {
	return slices.ContainsFunc(x.users[owner], func(u use) bool {
		return s.Authenticates(chain, u.endpoint.reference(owner, x.now)) != nil
	})
}

// matches reports whether a vouches for chain at every endpoint of the owner.
func (x *pass) matches(a tlsa.Association, chain *tlsa.Chain, owner tlsa.Owner) bool {
	return !slices.ContainsFunc(x.users[owner], func(u use) bool {
		_, err := chain.Match(a, u.endpoint.reference(owner, x.now))
		return err != nil
	})
}

// vouchesFor reports whether a combination of s matches chain at every endpoint of the owner.
func (x *pass) vouchesFor(p tlsa.Params, s tlsa.RRset, chain *tlsa.Chain, owner tlsa.Owner) bool {
	return !slices.ContainsFunc(x.users[owner], func(u use) bool {
		return s.VouchesFor(p, chain, u.endpoint.reference(owner, x.now)) != nil
	})
}
