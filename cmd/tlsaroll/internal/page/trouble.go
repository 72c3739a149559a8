package page

import (
	"cmp"
	"slices"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
)

// Trouble is a warning, with what to do about it.
type Trouble struct {
	Tone     Tone
	Severity string
	Code     string
	Text     string
	Do       string
	Means    string
	Clears   string
	Until    *Moment // when it is over by itself
}

// troubles are warnings, the worst first. A reason about the same says until when.
func troubles(all []rollover.Warning, until func(rollover.Warning) *Moment, now time.Time) (out []Trouble) {
	for _, w := range all {
		t := Trouble{Tone: toneOfSeverity(w.Severity), Severity: harmless(string(w.Severity)), Code: harmless(string(w.Code)), Text: here(w.Text, now)}
		if e, ok := w.Code.Explain(); ok {
			t.Do, t.Means, t.Clears = e.Do, e.Means, e.Clears
		}
		if until != nil {
			t.Until = until(w)
		}
		out = append(out, t)
	}
	return byTone(out)
}

// byTone has the worst first.
func byTone(all []Trouble) []Trouble {
	slices.SortStableFunc(all, func(a, b Trouble) int { return cmp.Compare(b.Tone.rank(), a.Tone.rank()) })
	return all
}

// Wait is a reason why nothing more is done now.
type Wait struct {
	Code  string
	Text  string
	Until *Moment
	Means string
	Do    string
}

// waits are the reasons that are no warnings, too.
func waits(s rollover.LineageStatus, now time.Time) (out []Wait) {
	for _, r := range s.Waiting {
		if slices.ContainsFunc(s.Warnings, func(w rollover.Warning) bool { return w.Code == r.Code && w.About == r.About }) {
			continue
		}
		w := Wait{Code: harmless(string(r.Code)), Text: here(r.Text, now), Until: maybe(&r.Until, now)}
		if e, ok := r.Code.Explain(); ok {
			w.Means, w.Do = e.Means, e.Do
		}
		out = append(out, w)
	}
	return out
}

// endOf finds when a warning that is a reason, too, is over by itself.
func endOf(s rollover.LineageStatus, now time.Time) func(rollover.Warning) *Moment {
	return func(w rollover.Warning) *Moment {
		for _, r := range s.Waiting {
			if w.Code == r.Code && w.About == r.About {
				return maybe(&r.Until, now)
			}
		}
		return nil
	}
}
