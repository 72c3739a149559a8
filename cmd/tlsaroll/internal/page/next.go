package page

import (
	"fmt"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
)

// NextStep is what is done next in a lineage.
type NextStep struct {
	Text string
	When *Moment // nil: not known
}

const swapsIn = "it is swapped in when no cache can lack its records"

// nextStep is what is done next, and when, as far as it can be told.
func nextStep(s rollover.LineageStatus, now time.Time) NextStep {
	text, at := whatNext(s, now)
	switch {
	case at == nil || at.IsZero():
		return NextStep{Text: text}
	case !at.After(now):
		return NextStep{Text: text + ", at any moment"}
	}
	return NextStep{text, moment(*at, now)}
}

func whatNext(s rollover.LineageStatus, now time.Time) (text string, at *time.Time) {
	switch {
	case held(s):
		return "the swap is tried again", &s.Held.Again
	case s.Swapping != nil:
		return afterSwapping(s.Swapping.Step), nil
	case s.Successor != nil:
		return afterPublishing(s, now)
	case s.Phase == rollover.Retiring:
		return "records that nobody needs any more leave", latest(s)
	case s.Renewal != nil && s.Renewal.Again != nil:
		return "a certificate is ordered, once more", s.Renewal.Again
	case s.Renewal != nil && s.Renewal.At != nil:
		return "the next certificate is ordered", s.Renewal.At
	case s.Live == nil:
		return "a pair is handed in, or the one that is served is adopted (hint: tlsaroll adopt " + harmless(s.Name) + ")", nil
	}
	return "none, until another certificate comes", nil
}

func afterSwapping(step rollover.SwapStep) string {
	switch step {
	case rollover.SwapIntended:
		return "what the servers of this host present is looked at"
	case rollover.SwapInstalled:
		return "what every address presents is verified, then the records of the pair before leave in their time"
	case rollover.SwapFailed, rollover.SwapUndoing:
		return "the pair before is put back"
	}
	return "what the servers of this host present is looked at"
}

func afterPublishing(s rollover.LineageStatus, now time.Time) (text string, at *time.Time) {
	switch ready := s.Successor.ReadyAt; {
	case len(s.Endpoints) > 0 && converged(s).all() == 0:
		return "its records are published when its servers are known", nil
	case ready == nil:
		return "the wait for caches begins when every server has its records", nil
	case ready.After(now):
		return swapsIn, ready
	case len(s.Waiting) > 0:
		return "it is swapped in when nothing keeps it any more", latest(s)
	default:
		return "it is swapped in", ready
	}
}

// going is how far a rollover has come, in a few words for a headline.
func going(s rollover.LineageStatus, now time.Time) string {
	switch w := s.Swapping; {
	case w != nil && w.Step == rollover.SwapInstalled:
		return "being verified"
	case w != nil && (w.Step == rollover.SwapFailed || w.Step == rollover.SwapUndoing):
		return "being put back"
	case w != nil:
		return "being swapped in"
	case s.Successor == nil:
		if end := latest(s); end != nil && end.After(now) {
			return "old records leave in " + span(end.Sub(now))
		}
		return "old records are to leave"
	}
	switch ready := s.Successor.ReadyAt; {
	case ready == nil:
		return "being published"
	case ready.After(now):
		return "ready in " + span(ready.Sub(now))
	}
	return "ready"
}

// outOf says how many of all there are.
func outOf(n, all int, one, many string) string {
	if all == 0 {
		return "no " + one + " is known"
	}
	return fmt.Sprintf("%d of %s", n, number(all, one, many))
}
