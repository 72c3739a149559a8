package facts

import (
	"cmp"
	"errors"
	"net/netip"
	"syscall"

	"github.com/tlsaroll/tlsaroll/dnsprovider/lookup"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/audit"
	"github.com/tlsaroll/tlsaroll/rollover/internal/probe"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// Reach is how the lookup of a host's addresses ended.
func Reach(v lookup.HostView) audit.Lookup {
	return audit.Lookup{Security: rollover.Security(v.Security), Text: v.SecurityText, Exists: len(v.Addresses()) > 0, Err: cmp.Or(v.Err, v.IPv4.Err, v.IPv6.Err)}
}

// Steps are the aliases of a host.
func Steps(v lookup.HostView) (steps []audit.Step) {
	for _, a := range v.Aliases {
		steps = append(steps, audit.Step{Owner: a.Owner, Target: a.Target, Security: rollover.Security(a.Security)})
	}
	return steps
}

// BaseNames are the base domains whose records are to be looked at: those that clients
// try, else, where the addresses are not signed, the host itself, where records may stand
// in vain. None: the lookup of the addresses failed.
func BaseNames(v lookup.HostView) (names []string, inVain bool) {
	names = v.Candidates()
	if len(names) == 0 && v.Security == lookup.Insecure {
		return []string{v.Host}, true
	}
	return names, false
}

// Base is what was seen of the TLSA records below a base domain.
func Base(name string, owner tlsa.Owner, v lookup.View) audit.Base {
	b := audit.Base{Name: name, Owner: owner, OwnerView: Owner(v)}
	if v.Resolved == nil {
		b.Resolved = rollover.Unseen[tlsa.RRset](cmp.Or(v.SecurityText, v.Err))
	} else {
		b.Resolved = rollover.Seen(*v.Resolved)
	}
	return b
}

// NoBase is a base domain below which there can be no owner name.
func NoBase(name string, err error) audit.Base {
	return audit.Base{Name: name, OwnerView: rollover.OwnerView{Security: rollover.Indeterminate, SecurityText: err.Error(), Err: err.Error()},
		Resolved: rollover.Unseen[tlsa.RRset](err.Error())}
}

// Address is what an address presented; untrusted says why a chain does not lead to a CA
// that browsers believe, "" if it does.
func Address(at netip.AddrPort, results []probe.Result, untrusted func(*tlsa.Chain) string) audit.Address {
	out := audit.Address{Address: at}
	if err := results[0].Err; noRoute(err) {
		out.Untested = "this host has no route there: " + err.Error()
	}
	for _, r := range results {
		h := audit.Handshake{SNI: r.Offer.SNI, Algorithm: Algorithm(r.Offer), Outcome: Outcome(r), Temporary: r.Temporary,
			Chain: r.Chain, Version: r.Version, ResultType: r.Outcome.ResultType()}
		h.Mute = r.Outcome.Broken() && !r.Spoke
		if r.Err != nil {
			h.Err = r.Err.Error()
		}
		if r.Chain != nil {
			h.Untrusted = untrusted(r.Chain)
		}
		out.Greeted = max(out.Greeted, r.Greeted)
		out.Handshakes = append(out.Handshakes, h)
	}
	return out
}

// noRoute reports whether it is this host that cannot get there, as with IPv6 where
// it has none.
func noRoute(err error) bool {
	return errors.Is(err, syscall.ENETUNREACH) || errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.EAFNOSUPPORT)
}
