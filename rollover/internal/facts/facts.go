// Package facts puts what the rooms that look have seen into the values that the
// rules go by. Those rooms know nothing of the rules, and the rules nothing of them.
package facts

import (
	"cmp"

	"github.com/tlsaroll/tlsaroll/dnsprovider/lookup"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/internal/probe"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// Owner is what was seen of an owner name. Which provider holds it is left open.
func Owner(v lookup.View) rollover.OwnerView {
	out := rollover.OwnerView{Target: v.Target, Zone: v.Zone, AliasTTL: v.AliasTTL, Security: rollover.Security(v.Security), SecurityText: v.SecurityText,
		Err: cmp.Or(v.Err, v.Incomplete)}
	for _, s := range v.Servers {
		out.Servers = append(out.Servers, server(v, s))
	}
	for _, f := range v.Findings {
		out.Findings = append(out.Findings, rollover.NewWarning(rollover.Code(f.Code), f.About, f.Text))
	}
	return out
}

func server(v lookup.View, s lookup.ServerView) rollover.ServerView {
	out := rollover.ServerView{Name: s.Name, Address: AddressOf(s.Server), NSTTL: s.NSTTL, Alias: s.Leads != "",
		Retained: s.Source == lookup.SourceRetained, Untested: s.FamilyUntested, Bogus: s.Fault.Bogus(), SignedUntil: s.SignedUntil, SignedFor: s.SignedFor,
		// a hidden server before the signer has no signatures, and nobody asks it for any
		Unsigned: s.Err == "" && !s.Signed() && s.Source != lookup.SourceHidden}
	if s.Asked != v.Target && s.Asked != "" {
		out.Address += rollover.ForName + string(s.Asked)
	}
	if s.Err != "" {
		out.Answer = rollover.Unseen[tlsa.RRset](s.Err)
	} else {
		out.Answer = rollover.Seen(s.RRset)
	}
	return out
}

// AddressOf names a server in a ledger. One without an address counts, too: it is
// unknown what it would give.
func AddressOf(s lookup.Server) string {
	if !s.Address.IsValid() {
		return s.Name + " (no address)"
	}
	return s.Address.String()
}

// AnyAlgorithm is the offer of every key algorithm.
const AnyAlgorithm = "any"

// Algorithm is the algorithm that an offer asked for.
func Algorithm(o probe.Offer) string { return cmp.Or(o.Algorithm, AnyAlgorithm) }

// Outcome is what came of an offer.
func Outcome(r probe.Result) rollover.PresentedOutcome {
	switch {
	case r.Outcome == probe.Served:
		return rollover.Served
	case r.Outcome == probe.NotOffered, r.Outcome == probe.AlgorithmUntested:
		return rollover.NotOffered
	case r.Outcome.Broken():
		return rollover.NoTLS
	}
	return rollover.Unreached
}
