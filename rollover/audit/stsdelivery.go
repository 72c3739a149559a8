package audit

import (
	"cmp"
	"fmt"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/mtasts"
)

// deliverySTS is what becomes of mail to a host from senders that go by the domain's
// MTA-STS policy, and by nothing where there is none (RFC 8461, section 5).
func deliverySTS(d Domain, h Host) (delivery Delivery, partly bool, why string) {
	v := plain(h)
	if v.Delivery != Opportunistic {
		return v.Delivery, v.Partly, v.Why
	}
	switch s := d.STS; {
	case !s.Record.Known() && d.MX.Given:
		return Unknown, false, "no domain was named whose MTA-STS policy could be looked for"
	case !s.Record.Known():
		return Unknown, false, "whether there is an MTA-STS policy could not be looked up: " + s.Record.Err
	case s.Record.Value == "":
		return v.Delivery, v.Partly, "no MTA-STS policy: " + v.Why
	case s.RecordErr != "":
		return v.Delivery, v.Partly, "the MTA-STS record counts for nothing, " + heldBefore + v.Why
	case !s.Policy.Known():
		return Unknown, false, "the MTA-STS policy could not be fetched: " + s.Policy.Err
	case s.PolicyErr != "":
		return v.Delivery, v.Partly, "the MTA-STS policy cannot be used, " + heldBefore + v.Why
	case s.Policy.Value.Mode != mtasts.Enforce:
		return v.Delivery, v.Partly, "MTA-STS is in mode " + s.Policy.Value.Mode + ": " + v.Why
	}
	pattern := mtasts.MatchAny(d.STS.Policy.Value.MX, h.Name)
	if pattern == "" {
		return Deferred, false, "no mx of the MTA-STS policy fits it"
	}
	return enforced(h, d, pattern)
}

// heldBefore is what a policy that is gone still does (RFC 8461, section 3.3).
const heldBefore = "but for senders that hold an earlier policy: "

// enforced is what becomes of mail to a host that a policy in mode enforce covers.
func enforced(h Host, d Domain, pattern string) (delivery Delivery, partly bool, why string) {
	var t tally
	halfway := ""
	for _, a := range h.Addresses {
		answer := stsAnswerOf(h, a, d.At)
		switch answer.known {
		case rollover.Yes:
			t.good++
			if len(answer.faults) > 0 {
				halfway = cmp.Or(halfway, fmt.Sprintf("%s: %s", a.Address, answer.faults[0].said()))
			}
		case rollover.No:
			t.bad++
			t.wrong = cmp.Or(t.wrong, answer.why)
		default:
			t.blind++
			t.unseen = cmp.Or(t.unseen, answer.why)
		}
	}
	wrong := cmp.Or(t.wrong, halfway)
	switch {
	case t.good > 0 && wrong != "":
		return WithSTS, true, wrong
	case t.good > 0:
		return WithSTS, false, fmt.Sprintf("the certificate is good, and mx %s fits", pattern)
	case t.bad > 0 && t.blind == 0:
		return Deferred, false, wrong
	case t.bad > 0:
		return Deferred, true, wrong
	}
	return Unknown, false, cmp.Or(t.unseen, "it has no address that could be asked")
}
