package page

import (
	"slices"
	"strings"

	"github.com/tlsaroll/tlsaroll/rollover"
)

// Doubt is what keeps a lineage from being called well while no warning is told. The rules
// tell of most of it later, if it lasts; a headline is read now.
type Doubt struct {
	Tone Tone
	Word string // for a badge
	// What is said of a lineage, and of several, behind their names.
	one, many string
	code      rollover.Code // whose explanation fits; "": none is needed
	text      string
}

// Kinds of doubt, the worst first.
var (
	mismatch   = Doubt{Doubtful, "does not match", "does not match its records", "do not match their records", rollover.CodeServedUnmatched, ""}
	bogus      = Doubt{Doubtful, "bogus", "has records that do not validate", "have records that do not validate", rollover.CodeZoneBogus, ""}
	blind      = Doubt{Doubtful, "not verified now", "is not verified now", "are not verified now", rollover.CodeZoneIndeterminate, ""}
	unverified = Doubt{Doubtful, "not verified now", "is not verified now", "are not verified now", rollover.CodeEndpointUnseen, ""}
	serverless = Doubt{Doubtful, "servers not known", "has no servers that are known", "have no servers that are known", rollover.CodeServersUnknown, ""}
	dark       = Doubt{Doubtful, "no server answers", "has servers of which none answers", "have servers of which none answers", rollover.CodeServerUnknown, ""}
	uneven     = Doubt{Doubtful, "not on every server", "is not on every server", "are not on every server", rollover.CodeNotEverywhere, ""}
	unsigned   = Doubt{Plain, "not signed", "is in a zone that is not signed", "are in zones that are not signed", rollover.CodeZoneInsecure, ""}
	bare       = Doubt{Plain, "no records", "has endpoints without records", "have endpoints without records", "", ""}
	unseen     = Doubt{Plain, "not looked at since the start", "has not been looked at since the start", "have not been looked at since the start", "", ""}
	pairless   = Doubt{Plain, "no pair yet", "has no pair yet", "have no pair yet", "", ""}
)

// because is the doubt with what it is about.
func (d Doubt) because(text string) Doubt {
	d.text = text
	return d
}

// doubts are those about a lineage, the worst first. Where no pair is live there is
// nothing to verify, and that is all that is said.
func doubts(s rollover.LineageStatus, stale bool) (out []Doubt) {
	if s.Live == nil {
		if s.Successor == nil {
			out = append(out, pairless)
		}
		return out
	}
	out = slices.Concat(endpointDoubts(s), serverDoubts(s))
	if stale {
		out = append(out, unseen)
	}
	slices.SortStableFunc(out, func(a, b Doubt) int { return b.Tone.rank() - a.Tone.rank() })
	return out
}

func endpointDoubts(s rollover.LineageStatus) (out []Doubt) {
	doubt := func(d Doubt, text string, applies func(rollover.EndpointStatus) bool) {
		var about []string
		for _, e := range s.Endpoints {
			if url := harmless(e.URL); applies(e) && !slices.Contains(about, url) {
				about = append(about, url)
			}
		}
		if len(about) > 0 {
			out = append(out, d.because(strings.Join(about, ", ")+": "+text))
		}
	}
	doubt(mismatch, "what is presented does not match the records", func(e rollover.EndpointStatus) bool { return e.Verified == rollover.No })
	doubt(bogus, "a validating resolver refuses the records", func(e rollover.EndpointStatus) bool { return e.Security == rollover.Bogus })
	doubt(blind, "the validating resolver gives no answer that can be trusted", func(e rollover.EndpointStatus) bool {
		return e.Security != rollover.Secure && e.Security != rollover.Insecure && e.Security != rollover.Bogus
	})
	if s.Swapping == nil { // else it is being verified, and that is said
		doubt(unverified, "what is presented could not be seen at every address", func(e rollover.EndpointStatus) bool {
			return e.Verified != rollover.Yes && e.Verified != rollover.No
		})
	}
	if len(s.Endpoints) == 0 {
		out = append(out, unverified.because("no endpoint has been looked at"))
	}
	doubt(unsigned, "the zone is not signed, so that senders take no notice of records there", func(e rollover.EndpointStatus) bool { return e.Security == rollover.Insecure })
	doubt(bare, "no records stand there", func(e rollover.EndpointStatus) bool { return len(e.Records) == 0 })
	return out
}

// serverDoubts are those about authoritative servers. That some lack what a successor needs
// is awaited; that one gives no answer is told in time, as another address of its name may.
func serverDoubts(s rollover.LineageStatus) []Doubt {
	servers := converged(s)
	switch {
	case servers.all() == 0:
		return []Doubt{serverless.because("which servers are authoritative is not known")}
	case servers.yes+servers.no == 0:
		return []Doubt{dark.because("none of " + number(servers.all(), "server", "servers") + " gives an answer")}
	case servers.no > 0 && s.Phase == rollover.Steady:
		return []Doubt{uneven.because("the records are on " + outOf(servers.yes, servers.all(), "server", "servers"))}
	}
	return nil
}

// flags are the doubts in a word each, where the badge does not say the same.
func flags(phase Badge, all []Doubt) (out []Badge) {
	for _, d := range all {
		if b := (Badge{d.Tone, d.Word}); d.Word != phase.Word && !slices.Contains(out, b) {
			out = append(out, b)
		}
	}
	return out
}

// toneOf is how a lineage stands: as its phase has it, unless something is worse.
func toneOf(phase Tone, errors, warnings int, all []Doubt) Tone {
	t := phase
	for _, d := range all {
		t = worse(t, d.Tone)
	}
	switch {
	case errors > 0:
		return Bad
	case warnings > 0:
		return worse(t, Doubtful)
	}
	return t
}

// explained are the doubts that the rules have not told of yet, with what to do.
func explained(all []Doubt, s rollover.LineageStatus) (out []Trouble) {
	for _, d := range all {
		told := slices.ContainsFunc(s.Warnings, func(w rollover.Warning) bool { return w.Code == d.code }) ||
			slices.ContainsFunc(s.Waiting, func(r rollover.Reason) bool { return r.Code == d.code })
		e, ok := d.code.Explain()
		if ok && !told {
			out = append(out, Trouble{Tone: d.Tone, Severity: "for now", Code: string(d.code), Text: d.text, Do: e.Do, Means: e.Means, Clears: e.Clears})
		}
	}
	return out
}
