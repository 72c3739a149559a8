package main

import (
	"slices"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/agent"
)

// looking reports whether a look at the endpoints is due or under way: what is
// known of them is old.
func looking(r agent.Report) bool { return !r.Plan.LookServed.After(r.At) }

// looked reports whether every endpoint was looked at, whatever was found.
func looked(s rollover.LineageStatus) bool {
	return !slices.ContainsFunc(s.Endpoints, func(e rollover.EndpointStatus) bool { return len(e.Served) == 0 })
}

// unserved names an endpoint at which nobody was seen to present the live
// certificate, or somebody what its records do not vouch for; "" if there is none.
func unserved(s rollover.LineageStatus) string {
	for _, e := range s.Endpoints {
		seen := slices.ContainsFunc(e.Served, func(c rollover.ServedStatus) bool { return c.Leaf != nil && s.Live != nil && *c.Leaf == s.Live.Leaf })
		switch {
		case !seen:
			return "the live certificate is not served: " + instead(e)
		case e.Verified == rollover.No:
			return e.URL + " presents something that its records do not vouch for"
		}
	}
	return ""
}

// instead is what an endpoint does that does not present what it should.
func instead(e rollover.EndpointStatus) string {
	what := e.URL + " has not been looked at (hint: does its host have an address?)"
	for _, c := range e.Served {
		switch {
		case c.Leaf != nil:
			what = e.URL + " at " + c.Address + " presents another one (hint: does the server read what is installed?)"
		case c.Error != "":
			return c.Error
		}
	}
	return what
}

// unpublished reports whether something is waited for while at one of the lineage's
// names no record of it stands, as right after records were withdrawn.
func unpublished(r agent.Report, s rollover.LineageStatus) bool {
	return len(s.Waiting) > 0 && slices.ContainsFunc(s.Endpoints, func(e rollover.EndpointStatus) bool {
		return len(r.State.Owners[e.Owner].Ours) == 0
	})
}

// blind is why the servers of one of the lineage's names are not known, as when
// the resolver does not answer; "" if all are. What was decided blind needs no person.
func blind(r agent.Report, s rollover.LineageStatus) string {
	for _, e := range s.Endpoints {
		if why := r.State.Owners[e.Owner].Err; why != "" {
			return why
		}
	}
	return ""
}

// unadoptable is why nothing can be taken over as the live pair where the rules
// only say that nothing was; "" where their words fit.
func unadoptable(s rollover.LineageStatus, r rollover.Reason) string {
	if at, _ := presented(s); at != "" || len(s.Endpoints) == 0 || r.Code != rollover.CodeNotAdopted && r.Code != rollover.CodeAdopting {
		return ""
	}
	return "no pair is live yet, and none is served that could be taken over: " + instead(s.Endpoints[0])
}

// presented is where some certificate is served, and the SHA-256 of its DER; "" if
// none is.
func presented(s rollover.LineageStatus) (at, leaf string) {
	for _, e := range s.Endpoints {
		for _, c := range e.Served {
			if c.Leaf != nil {
				return e.URL + " at " + c.Address, *c.Leaf
			}
		}
	}
	return "", ""
}
