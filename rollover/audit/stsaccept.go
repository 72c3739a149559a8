package audit

import (
	"fmt"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
)

// An stsFault is why a sender that goes by MTA-STS refuses what it is presented.
type stsFault struct {
	text       string
	resultType string // see [Finding.ResultType]
	handshake  Handshake
}

// stsFaults are what MTA-STS has against a handshake with SNI, as its senders make them
// (RFC 8461, sections 4.2 and 4.3): the certificate must lead to a CA that the sender
// believes, be in date, and have the MX host among its alternative names.
func stsFaults(h Host, s Handshake, at time.Time) []stsFault {
	if s.Outcome == rollover.NoTLS {
		word := s.ResultType
		if word == "" {
			word = "starttls-not-supported"
		}
		return []stsFault{{"no TLS: " + s.Err, word, s}}
	}
	var faults []stsFault
	leaf := s.Chain.Leaf()
	switch {
	case at.After(leaf.NotAfter):
		faults = append(faults, stsFault{"it ended on " + rollover.Stamp(leaf.NotAfter), "certificate-expired", s})
	case at.Before(leaf.NotBefore):
		faults = append(faults, stsFault{"it begins on " + rollover.Stamp(leaf.NotBefore), "certificate-not-trusted", s})
	case s.Untrusted != "":
		faults = append(faults, stsFault{"no CA that browsers believe stands behind it: " + s.Untrusted, "certificate-not-trusted", s})
	}
	// VerifyHostname knows no common names, as MTA-STS does not.
	if leaf.VerifyHostname(h.Name) != nil {
		faults = append(faults, stsFault{"it is not for " + h.Name, "certificate-host-mismatch", s})
	}
	return faults
}

// An stsAnswer is what senders that go by MTA-STS make of an address.
type stsAnswer struct {
	known  rollover.Known // for those that know all key algorithms
	why    string         // of no and unknown
	faults []stsFault     // for any of them
}

func stsAnswerOf(h Host, a Address, at time.Time) stsAnswer {
	out := stsAnswer{known: rollover.Unknown, why: fmt.Sprintf("%s: not asked", a.Address)}
	if a.Untested != "" {
		out.why = fmt.Sprintf("%s: %s", a.Address, a.Untested)
		return out
	}
	for _, s := range a.Handshakes {
		switch {
		case !s.SNI || s.Outcome == rollover.NotOffered:
			continue
		case s.Outcome != rollover.NoTLS && s.Chain == nil:
			if out.known == rollover.Unknown {
				out.why = fmt.Sprintf("%s: %s", a.Address, s.Err)
			}
			continue
		}
		faults := stsFaults(h, s, at)
		// The first one decides: it is of the offer of any algorithm, if that was answered.
		switch {
		case out.known != rollover.Unknown:
		case len(faults) == 0:
			out.known, out.why = rollover.Yes, ""
		default:
			out.known, out.why = rollover.No, fmt.Sprintf("%s: %s", a.Address, faults[0].said())
		}
		out.faults = append(out.faults, faults...)
	}
	return out
}

// said is the fault as a sentence about what was presented.
func (f stsFault) said() string {
	if f.handshake.Chain == nil {
		return f.text
	}
	return fmt.Sprintf("certificate %s%s: %s", f.handshake.Chain.ID().Short(), asked(f.handshake), f.text)
}
