package audit

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// tellServers tells of name servers that do not do their part, and of what caches hold.
func (s *scene) tellServers() {
	var untested []string
	for i := range s.Bases {
		b := &s.Bases[i]
		for _, v := range b.Servers {
			if v.Untested && !slices.Contains(untested, serverName(v)) {
				untested = append(untested, serverName(v))
			}
		}
		if b.InVain || b.Security != rollover.Secure {
			continue // of a lookup that fails, or does not count, tellLookups says why
		}
		s.tellSilent(b)
		s.tellVersions(b)
		s.tellCached(b)
		if b == s.base {
			s.tellSignatures(b)
		}
	}
	if len(untested) > 0 {
		s.tell(rollover.CodeFamilyUntested, strings.Join(untested, " "), "%s: this host has no route to %s", s.Name, listed(untested)).
			mendedBy("Nothing, if another address of the same server could be asked. Else check from a host that has a route there.").of(strings.Join(untested, " "))
	}
}

// tellSilent tells of servers without a usable answer. That is known to be bad only of
// answers that do not validate.
func (s *scene) tellSilent(b *Base) {
	if b.Err != "" {
		s.tell(rollover.CodeServersUnknown, b.Owner.String(), "%s: not all servers of %s are known: %s", s.Name, b.at(), b.Err).of(b.Err)
	}
	for _, v := range b.Servers {
		name := serverName(v)
		switch {
		case v.Untested || foundLame(b, v):
		case v.Bogus:
			s.tell(rollover.CodeServerBogus, name, "%s: the answer of %s does not validate: %s", b.at(), name, v.Answer.Err).of(name).reportedAs(resultDNSSECInvalid)
		case !v.Answer.Known():
			s.tell(rollover.CodeServerUnknown, name, "%s: %s gives no usable answer: %s", b.at(), name, v.Answer.Err).of(name).
				mendedBy("Mend the server, or take it out of the NS records.")
		case v.Unsigned && !v.Alias:
			s.tell(rollover.CodeUnsigned, name, "%s: the answer of %s is not signed", b.at(), name).of(name).reportedAs(resultDNSSECInvalid)
		}
	}
}

// foundLame reports whether the look at DNS has told of the server already.
func foundLame(b *Base, v rollover.ServerView) bool {
	return slices.ContainsFunc(b.Findings, func(w rollover.Warning) bool {
		return w.Code == codeLame && w.About == serverName(v) || w.Code == codeNoAddress && !v.Answer.Known() && strings.HasPrefix(v.Address, v.Name+" ")
	})
}

// tellVersions tells of servers that give other records than those that stand, and
// whether these would break mail.
func (s *scene) tellVersions(b *Base) {
	ref := reference(s.Host, b.Name, s.at)
	standing := s.standing(b, ref)
	for _, v := range versionsOf(b) {
		if v.Same(standing) {
			continue
		}
		by := listed(v.by)
		if s.failures(v.RRset, ref) > s.failures(standing, ref) {
			s.tell(rollover.CodeServerUnmatched, strings.Join(v.by, " "), "%s: %s %s %s, which do not match what is presented, as the records of the other servers do: %s",
				s.Name, by, verb(len(v.by), "gives", "give"), contents(v.RRset, b.at()), shortenAll(standing.Associations)).reportedAs(resultTLSAInvalid)
			continue
		}
		s.tell(rollover.CodeNotEverywhere, strings.Join(v.by, " "), "%s: %s %s %s, and other servers %s", s.Name, by, verb(len(v.by), "gives", "give"), contents(v.RRset, b.at()), contents(standing, b.at())).
			mendedBy("Wait for the zone transfer; if it does not come, look at that server.")
	}
}

func contents(records tlsa.RRset, at string) string {
	if records.Denial() {
		return fmt.Sprintf("no TLSA records at %s", at)
	}
	return shortenAll(records.Associations)
}

// tellCached tells of a resolver's answer that no server gives any more: other resolvers
// hold it, too.
func (s *scene) tellCached(b *Base) {
	versions := versionsOf(b)
	if len(versions) == 0 || !b.Resolved.Known() || slices.ContainsFunc(versions, func(v version) bool { return v.Same(b.Resolved.Value) }) {
		return
	}
	ref := reference(s.Host, b.Name, s.at)
	standing, held := s.standing(b, ref), b.Resolved.Value
	switch {
	case held.Denial():
		s.tell(rollover.CodeDenialCached, b.Owner.String(), "%s: the servers give %s, and the resolver holds for %s more that there are none: the records count everywhere when the last such answer has expired",
			s.Name, shortenAll(standing.Associations), seconds(held.TTL))
	case s.failures(held, ref) > s.failures(standing, ref):
		s.tell(rollover.CodeCachedMismatch, b.Owner.String(), "%s: the resolver holds %s for %s more, which do not match what is presented, and which no server gives any more: %s that hold it cannot deliver until it has expired",
			s.Name, shortenAll(held.Associations), seconds(held.TTL), s.who()).reportedAs(resultTLSAInvalid)
	case standing.Denial() && slices.ContainsFunc(s.Addresses, withoutTLS):
		s.tell(rollover.CodeCachedMismatch, b.Owner.String(), "%s: the resolver holds %s for %s more, which demand TLS that the host does not offer, and which no server gives any more: %s that hold it cannot deliver until it has expired",
			s.Name, shortenAll(held.Associations), seconds(held.TTL), s.who()).reportedAs(resultNoSTARTTLS)
	}
}

// withoutTLS reports whether no client gets TLS at an address that answers.
func withoutTLS(a Address) bool {
	return refused(ofSNI(a, true))
}

// A signature that is not made anew ends all delivery with DANE (RFC 7671, section 11).
const (
	signatureTTLs = 3
	signatureDays = 48 * time.Hour
	// A signer that makes short signatures makes them anew in time: some last two days,
	// and are made with each answer. Less than this part of it left is late for any.
	signaturePart = 3
)

// tellSignatures tells of the signature that ends first, if it should have been renewed.
func (s *scene) tellSignatures(b *Base) {
	var first rollover.ServerView
	for _, v := range b.Servers {
		if v.Answer.Known() && !v.Retained && !v.SignedUntil.IsZero() && (first.SignedUntil.IsZero() || v.SignedUntil.Before(first.SignedUntil)) {
			first = v
		}
	}
	grace := signatureDays
	if first.SignedFor > 0 {
		grace = min(grace, first.SignedFor/signaturePart)
	}
	grace = max(grace, signatureTTLs*first.Answer.Value.TTL)
	if first.SignedUntil.IsZero() || s.at.Add(grace).Before(first.SignedUntil) {
		return
	}
	s.tell(rollover.CodeSignatureEnds, serverName(first), "%s: the signature of %s at %s ends in %s (%s): %s that enforce DANE do not deliver from then on, if it is not made anew",
		s.Name, b.at(), serverName(first), hours(first.SignedUntil.Sub(s.at)), rollover.Stamp(first.SignedUntil), s.who()).of(b.Zone)
}
