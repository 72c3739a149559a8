package audit

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// tellMatch tells of what is presented that the records do not vouch for: the nearest
// cause that all failures have, and each failure once.
func (s *scene) tellMatch() {
	if s.base == nil || len(s.records.Combinations(s.ref)) == 0 {
		return
	}
	var failing, passing, bare []showing // the last without SNI
	for _, p := range s.shown {
		fails := s.refuses(p) != nil
		switch {
		case p.SNI && fails:
			failing = append(failing, p)
		case p.SNI:
			passing = append(passing, p)
		case fails:
			bare = append(bare, p)
		}
	}
	switch {
	case len(failing) > 0 && len(passing) == 0:
		s.tellUnmatched(failing)
	case len(failing) > 0:
		s.tellPartlyUnmatched(failing, passing)
	case len(bare) > 0:
		s.tellBare(bare)
	}
	if len(failing) == 0 {
		s.tellCombinations(passing)
	}
}

// refuses is why a DANE client refuses a showing, nil if it does not.
func (s *scene) refuses(p showing) error { return s.records.Authenticates(p.Chain, s.ref) }

// presents says who presents what, as the beginning of a sentence.
func presents(showings []showing) string {
	at, chain := places(showings), showings[0].Chain
	return fmt.Sprintf("%s %s the certificate %s of %s with the key %s", where(at), verb(len(at), "presents", "present"), chain.LeafID()[:8], day(chain.Leaf().NotBefore), chain.SPKI()[:8])
}

func places(showings []showing) (at []Address) {
	for _, p := range showings {
		at = withAddress(at, p.Address)
	}
	return at
}

// byLeaf groups showings by what is presented.
func byLeaf(showings []showing) (groups [][]showing) {
	for _, p := range showings {
		i := slices.IndexFunc(groups, func(g []showing) bool { return g[0].Chain.LeafID() == p.Chain.LeafID() })
		if i < 0 {
			groups = append(groups, nil)
			i = len(groups) - 1
		}
		groups[i] = append(groups[i], p)
	}
	return groups
}

// An unmatched is how a failure is told that has a nearest miss of some kind.
type unmatched struct {
	code           rollover.Code
	result, remedy string
}

var misses = map[tlsa.Kind]unmatched{
	tlsa.KindNoMatch: {rollover.CodeServedUnmatched, resultTLSAInvalid,
		"Publish %s now; or give the server back the certificate that the records are of. Then look why the record did not come first."},
	tlsa.KindNoAnchor:  {rollover.CodeAnchorNotServed, resultTLSAInvalid, fullChain},
	tlsa.KindPath:      {rollover.CodeAnchorPath, resultNotTrusted, fullChain},
	tlsa.KindUntrusted: {rollover.CodeAnchorPath, resultNotTrusted, fullChain},
	tlsa.KindDates: {rollover.CodeAnchorDates, resultExpired,
		"Install a certificate, or a chain, that is in date; or publish %s, as dates do not matter to usage 3."},
	tlsa.KindNames: {rollover.CodeNameMissing, resultHostMismatch,
		"Have the certificate issued for the host's name, too; or publish %s, as names do not matter to usage 3."},
}

const fullChain = "Let the server send the full chain, up to what the record names; or publish %s."

// tellUnmatched tells that nothing that is presented matches, at any address.
func (s *scene) tellUnmatched(failing []showing) {
	for _, group := range byLeaf(failing) {
		if !s.newPlaces(group) {
			continue
		}
		at := about(s.Name, places(group))
		if over := s.outclassing(group[0]); over != "" {
			s.tell(rollover.CodeDigestAgility, at, "%s: %s; %s", s.Name, presents(group), over).reportedAs(resultTLSAInvalid)
			continue
		}
		miss := missOf(s.refuses(group[0]))
		how, known := misses[miss.Kind]
		if !known {
			how = misses[tlsa.KindNoMatch]
		}
		f := s.tell(how.code, at, "%s: %s, which none of the records at %s matches, %s: %s that enforce DANE refuse it: %s",
			s.Name, presents(group), s.base.at(), shortenAll(s.with(s.usable)), s.who(), reasonOf(miss))
		f.reportedAs(how.result).mendedBy("%s", s.publishing(how.remedy))
		whole := func(a tlsa.Association) bool { return a.Usage == tlsa.DANETA && a.Selector == tlsa.Cert && s.usable(a) }
		if how.code == rollover.CodeAnchorNotServed && slices.ContainsFunc(s.records.Associations, whole) {
			f.Fix += " If the CA had its certificate issued anew, with the same key, its 2 1 1 matches both, and no 2 0 x does."
		}
	}
}

// newPlaces reports whether an address of a group was in none before: a machine with two
// old certificates is told of once.
func (s *scene) newPlaces(group []showing) bool {
	found := false
	for _, a := range places(group) {
		if !slices.ContainsFunc(s.failed, func(b Address) bool { return a.Address == b.Address }) {
			s.failed, found = append(s.failed, a), true
		}
	}
	return found
}

// why is what the nearest record has against a showing.
func (s *scene) why(p showing) string { return reasonOf(s.refuses(p)) }

// reasonOf leaves out the hint, as the finding has a remedy.
func reasonOf(err error) string {
	reason, _, _ := strings.Cut(missOf(err).Reason(), " (hint:")
	return reason
}

func missOf(err error) *tlsa.MatchError {
	if miss, ok := errors.AsType[*tlsa.MatchError](err); ok {
		return miss
	}
	return &tlsa.MatchError{Kind: tlsa.KindNoMatch, Depth: -1}
}

// outclassing names the record that matches and is passed over, and those that senders
// look at instead (RFC 7671, section 9); "" if none matches.
func (s *scene) outclassing(p showing) string {
	i := slices.IndexFunc(s.records.Associations, func(a tlsa.Association) bool {
		_, err := p.Chain.Match(a, s.ref)
		return err == nil
	})
	if i < 0 {
		return ""
	}
	a := s.records.Associations[i]
	over := s.with(func(b tlsa.Association) bool {
		return b.Usage == a.Usage && b.Selector == a.Selector && b.Matching > a.Matching && s.usable(b)
	})
	return fmt.Sprintf("%s at %s matches, and %s pass over it for %s, which does not (RFC 7671, section 9)", shorten(a), s.base.at(), s.who(), shortenAll(over))
}

// tellPartlyUnmatched tells of failures where something else is presented that matches:
// at another address, or to who asks for another key algorithm.
func (s *scene) tellPartlyUnmatched(failing, passing []showing) {
	for _, group := range byLeaf(failing) {
		at, good := places(group), places(passing)
		here := showingsAt(passing, at)
		algorithm, over := algorithmOf(group[0].Chain), s.outclassing(group[0])
		switch {
		case over != "":
			s.tell(rollover.CodeDigestAgility, about(s.Name, at), "%s: %s; %s", s.Name, presents(group), over).reportedAs(resultTLSAInvalid)
		case len(here) > 0 && algorithmOf(here[0].Chain) != algorithm:
			s.tell(rollover.CodeAlgorithmUnmatched, about(s.Name, at), "%s: %s to %s that ask for %s, which none of the records at %s matches; that for %s is matched",
				s.Name, presents(group), s.who(), algorithm, s.base.at(), algorithmOf(here[0].Chain)).
				mendedBy("%s", s.publishing("Publish %s, or take that certificate out of the server.")).reportedAs(resultTLSAInvalid)
		case len(here) > 0 && s.newPlaces(group):
			s.tell(rollover.CodeAddressUnmatched, about(s.Name, at), "%s: %s, which none of the records at %s matches, on some connections, and another that is matched on others: more than one server answers there: %s",
				s.Name, presents(group), s.base.at(), s.why(group[0])).
				mendedBy("%s", s.publishing("Give every machine behind that address the same certificate and reload its server; or publish %s.")).reportedAs(resultTLSAInvalid)
		case s.newPlaces(group):
			s.tell(rollover.CodeAddressUnmatched, about(s.Name, at), "%s: %s, which none of the records at %s matches; what %s %s is matched: %s that enforce DANE refuse it there: %s",
				s.Name, presents(group), s.base.at(), where(good), verb(len(good), "presents", "present"), s.who(), s.why(group[0])).
				mendedBy("%s", s.publishing("Give the machine behind that address the certificate of the others and reload its server; or publish %s.")).reportedAs(resultTLSAInvalid)
		}
	}
}

func showingsAt(showings []showing, at []Address) []showing {
	return slices.DeleteFunc(slices.Clone(showings), func(p showing) bool {
		return !slices.ContainsFunc(at, func(a Address) bool { return a.Address == p.Address.Address })
	})
}

func algorithmOf(chain *tlsa.Chain) string { return chain.Leaf().PublicKeyAlgorithm.String() }

// tellBare tells of what who sends no SNI is presented, where that alone fails.
func (s *scene) tellBare(bare []showing) {
	for _, group := range byLeaf(bare) {
		s.tell(rollover.CodeNoSNIUnmatched, about(s.Name, places(group)), "%s: %s to who does not send SNI, which no record at %s matches", s.Name, presents(group), s.base.at()).
			mendedBy("%s", s.publishing("Make the host's chain the server's default; or publish %s.")).reportedAs(resultTLSAInvalid)
	}
}

// tellCombinations tells of parameter combinations that no record of matches, while those
// of others do (RFC 7671, section 8). What is mistaken or retired is told of as that.
func (s *scene) tellCombinations(passing []showing) {
	for _, p := range s.records.Combinations(s.ref) {
		all := s.with(func(a tlsa.Association) bool { return a.Params == p && s.usable(a) })
		if !slices.ContainsFunc(all, func(a tlsa.Association) bool { return s.mistakeIn(a).code == "" && !s.retired(a) }) {
			continue
		}
		var failing []showing
		var miss error
		for _, q := range passing {
			if err := s.records.VouchesFor(p, q.Chain, s.ref); err != nil {
				failing, miss = append(failing, q), err
			}
		}
		if len(failing) > 0 {
			s.tell(rollover.CodeComboUnmatched, p.String(), "%s: %s, which a record at %s matches, but none of combination %s, %s: %s that know that combination alone refuse it (RFC 7671, section 8): %s",
				s.Name, presents(failing), s.base.at(), p, shortenAll(all), s.who(), reasonOf(miss)).reportedAs(resultTLSAInvalid)
		}
	}
}

func (s *scene) retired(a tlsa.Association) bool {
	return slices.ContainsFunc(s.IssuerSets, func(set IssuerSet) bool { return slices.Contains(set.Retired, a) })
}
