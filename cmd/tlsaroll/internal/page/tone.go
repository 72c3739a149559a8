package page

import "github.com/tlsaroll/tlsaroll/rollover"

// Tone is how something is meant, for its colour; words or a sign say the same to
// those who see none.
type Tone string

// Tones, least first.
const (
	Good     Tone = "good"
	Plain    Tone = "plain" // neither good nor bad: not known, or worth knowing
	Moving   Tone = "moving"
	Doubtful Tone = "doubtful"
	Bad      Tone = "bad"
)

func (t Tone) rank() int {
	switch t {
	case Good:
		return 0
	case Plain:
		return 1
	case Moving:
		return 2
	case Doubtful:
		return 3
	case Bad:
		return 4
	}
	return 0
}

// worse is the one of the two to look at first.
func worse(a, b Tone) Tone {
	if b.rank() > a.rank() {
		return b
	}
	return a
}

func toneOfSeverity(s rollover.Severity) Tone {
	switch s {
	case rollover.Info:
		return Plain
	case rollover.Warn:
		return Doubtful
	case rollover.Danger:
		return Bad
	}
	return Bad // of a kind that is not known
}

func toneOfAnswer(k rollover.Known) Tone {
	switch k {
	case rollover.Yes:
		return Good
	case rollover.No:
		return Bad
	case rollover.Unknown:
		return Doubtful
	}
	return Doubtful
}

func toneOfSecurity(s rollover.Security) Tone {
	switch s {
	case rollover.Secure:
		return Good
	case rollover.Bogus:
		return Bad
	case rollover.Insecure, rollover.Indeterminate:
		return Doubtful
	}
	return Doubtful
}
