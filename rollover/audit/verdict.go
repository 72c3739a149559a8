package audit

import (
	"cmp"
	"fmt"

	"github.com/tlsaroll/tlsaroll/rollover"
)

// hostVerdict is what becomes of mail to one host. The host is the only one: what a
// sender does with others when this one fails is for [domainVerdict].
func hostVerdict(s Sender, d Domain, h Host) Verdict {
	c := claimOf(h, d.At)
	switch s {
	case DANE:
		return c.dane(h)
	case DANEOnly:
		return c.daneOnly(h)
	case MTASTS:
		delivery, partly, why := deliverySTS(d, h)
		return Verdict{Sender: MTASTS, Delivery: delivery, Partly: partly, Why: why}
	case May:
	}
	return plain(h)
}

// dane is the decision table of RFC 7672, section 2.2.
func (c claim) dane(h Host) Verdict {
	v := Verdict{Sender: DANE, Why: c.why}
	switch c.demand {
	case demandNever:
		v.Delivery = Deferred
		return v
	case demandUnknown:
		v.Delivery = Unknown
		return v
	case demandNothing:
		if v.Delivery = plain(h).Delivery; v.Delivery == Opportunistic {
			v.Why = "without DANE: " + c.why
		} else {
			v.Why = plain(h).Why
		}
		return v
	case demandTLS, demandMatch:
	}
	t := c.count(h)
	switch {
	case t.good > 0 && c.demand == demandTLS:
		v.Delivery = WithTLS
	case t.good > 0:
		v.Delivery, v.Why = WithDANE, fmt.Sprintf("what it presents matches %s", c.base.Owner)
	case t.bad > 0:
		v.Delivery = Deferred
	default:
		v.Delivery, v.Why = Unknown, cmp.Or(t.unseen, "it has no address that could be asked")
	}
	if t.bad > 0 {
		v.Partly, v.Why = t.good > 0 || t.blind > 0 || t.some, t.wrong
	}
	return v
}

// A tally counts addresses by what a DANE client meets there.
type tally struct {
	good, bad, blind int    // one that is bad for some is good, too, if who knows all algorithms passes
	some             bool   // who asks for another key algorithm passes at a bad one
	wrong            string // why, of the first bad one
	unseen           string // why, of the first blind one
}

func (c claim) count(h Host) (t tally) {
	for _, a := range h.Addresses {
		switch known, why := c.judge(a); known {
		case rollover.Yes:
			t.good++
		case rollover.No:
			t.bad++
			t.wrong = cmp.Or(t.wrong, why)
			for _, s := range a.Handshakes {
				if c.takes(s) && s.Algorithm == "any" {
					t.good++
				}
				t.some = t.some || c.takes(s)
			}
		default:
			t.blind++
			t.unseen = cmp.Or(t.unseen, why)
		}
	}
	return t
}

// takes reports whether a client that makes an offer is content with what comes of it.
func (c claim) takes(h Handshake) bool {
	return h.SNI && h.Outcome == rollover.Served && h.Chain != nil && (c.demand != demandMatch || c.fails(h.Chain) == nil)
}

// judge says whether every client that sends SNI, as those of DANE do, takes what an
// address presents, whatever key algorithms it knows.
func (c claim) judge(a Address) (rollover.Known, string) {
	if a.Untested != "" {
		return rollover.Unknown, fmt.Sprintf("%s: %s", a.Address, a.Untested)
	}
	seen, unseen := false, fmt.Sprintf("%s: not asked", a.Address)
	for _, h := range a.Handshakes {
		switch {
		case !h.SNI || h.Outcome == rollover.NotOffered:
		case h.Outcome == rollover.NoTLS:
			return rollover.No, h.Err
		case h.Outcome == rollover.Unreached || h.Chain == nil:
			unseen = h.Err
		default:
			seen = true
			if err := c.fails(h.Chain); c.demand == demandMatch && err != nil {
				return rollover.No, fmt.Sprintf("%s presents %s%s, which the records at %s do not match: %v", a.Address, h.Chain.ID().Short(), asked(h), c.base.Owner, err)
			}
		}
	}
	if !seen {
		return rollover.Unknown, unseen
	}
	return rollover.Yes, ""
}

// asked says what a client asked for that was not content with any algorithm.
func asked(h Handshake) string {
	if h.Algorithm == "any" {
		return ""
	}
	return " to who asks for " + h.Algorithm
}

// daneOnly is what becomes of mail that must not go without DANE: where that does not
// apply it waits, whatever the server would do.
func (c claim) daneOnly(h Host) Verdict {
	v := c.dane(h)
	v.Sender = DANEOnly
	if c.demand == demandNothing || c.demand == demandTLS {
		if v.Delivery == Unknown {
			v.Why = c.why
		}
		v.Delivery, v.Partly = Deferred, false
	}
	return v
}

// plain is for senders that verify nothing: whoever answers gets the mail, in TLS where
// that works.
func plain(h Host) Verdict {
	v := Verdict{Sender: May, Delivery: Unknown, Why: "it could not be asked"}
	if c := unreachable(h); c.demand != "" {
		v.Delivery, v.Why = Deferred, c.why
		switch {
		case c.demand == demandUnknown:
			v.Delivery = Unknown
		case h.Reach.Security == rollover.Bogus:
			v.Delivery, v.Partly, v.Why = Opportunistic, true, "only from senders whose resolver does not validate: "+c.why
		}
		return v
	}
	for _, a := range h.Addresses {
		for _, s := range a.Handshakes {
			switch {
			case s.Outcome == rollover.Served:
				return Verdict{Sender: May, Delivery: Opportunistic, Why: "in TLS, with nobody verified"}
			case s.Outcome == rollover.NoTLS && s.Mute:
				if v.Delivery == Unknown {
					v.Delivery, v.Why = Deferred, s.Err
				}
			case s.Outcome == rollover.NoTLS:
				v.Delivery, v.Why = Opportunistic, "in the clear: "+s.Err
			case v.Delivery == Unknown && s.Err != "":
				v.Why = s.Err
			}
		}
	}
	return v
}
