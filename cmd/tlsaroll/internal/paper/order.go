package paper

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/audit"
)

// A Tally counts reports by their state.
type Tally struct{ Clean, Warnings, Broken, Unknown int }

// Count counts reports.
func Count(reports []audit.Report) Tally {
	var t Tally
	for _, r := range reports {
		switch r.State {
		case audit.Clean:
			t.Clean++
		case audit.Warnings:
			t.Warnings++
		case audit.Broken:
			t.Broken++
		default:
			t.Unknown++
		}
	}
	return t
}

// All is how many were counted.
func (t Tally) All() int { return t.Clean + t.Warnings + t.Broken + t.Unknown }

func (t Tally) String() string {
	what := "domains"
	if t.All() == 1 {
		what = "domain"
	}
	return fmt.Sprintf("%d %s: %d clean, %d warnings, %d broken, %d unknown", t.All(), what, t.Clean, t.Warnings, t.Broken, t.Unknown)
}

// worstFirst sorts reports by their state, then by name.
func worstFirst(reports []audit.Report) []audit.Report {
	return slices.SortedStableFunc(slices.Values(reports), func(a, b audit.Report) int {
		return cmp.Or(cmp.Compare(rank(a.State), rank(b.State)), strings.Compare(a.Domain, b.Domain))
	})
}

// rank is 0 for the worst state.
func rank(s audit.State) int {
	return slices.Index([]audit.State{audit.Broken, audit.Blind, audit.Warnings, audit.Clean}, s)
}

// pressing are the findings that are more than information.
func pressing(findings []audit.Finding) []audit.Finding {
	return slices.DeleteFunc(slices.Clone(findings), func(f audit.Finding) bool { return f.Severity == rollover.Info })
}

// verdictOf is that of senders of one behaviour.
func verdictOf(verdicts []audit.Verdict, s audit.Sender) audit.Verdict {
	i := slices.IndexFunc(verdicts, func(v audit.Verdict) bool { return v.Sender == s })
	if i < 0 {
		return audit.Verdict{Sender: s, Delivery: audit.Unknown}
	}
	return verdicts[i]
}
