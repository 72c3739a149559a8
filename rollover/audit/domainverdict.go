package audit

import (
	"slices"

	"github.com/tlsaroll/tlsaroll/rollover"
)

// domainVerdict is what becomes of mail to a domain. A sender tries the hosts by
// preference until one takes it (RFC 5321, section 5.1), so mail arrives if any host
// does; it is protected as well as at the least protected one, for an attacker can keep
// a sender from the others (RFC 7672, section 2.2.1).
func domainVerdict(s Sender, d Domain) Verdict {
	if v := d.MX.verdict(s); v.Delivery != "" {
		return v
	}
	out := Verdict{Sender: s}
	for _, h := range d.Hosts {
		v := hostVerdict(s, d, h)
		if d.MX.Security == rollover.Insecure && plain(h).Delivery != Deferred {
			v = insecureMX(v, d.MX)
		}
		v.Why = h.Name + ": " + v.Why
		out = together(out, v)
	}
	return out
}

// verdict is what the MX lookup alone decides; no delivery where it leads on.
func (mx MX) verdict(s Sender) Verdict {
	switch {
	case mx.Security == rollover.Bogus && (s == May || s == MTASTS):
		return Verdict{s, Opportunistic, true, "only from senders whose resolver does not validate: the MX lookup is bogus: " + mx.Text}
	case mx.Security == rollover.Bogus:
		return Verdict{s, Deferred, false, "the MX lookup is bogus: " + mx.Text}
	case mx.Err != "":
		return Verdict{s, Unknown, false, "the MX lookup failed: " + mx.Err}
	case mx.Security == rollover.Indeterminate:
		return Verdict{s, Unknown, false, "the MX lookup tells nothing: " + mx.Text}
	case mx.Null:
		return Verdict{s, Rejected, false, "the domain takes no mail, by its null MX (RFC 7505)"}
	case mx.NoName:
		return Verdict{s, Rejected, false, "the domain does not exist"}
	case !mx.Exists && !mx.Implicit:
		return Verdict{s, Rejected, false, "the domain has neither MX nor address records"}
	case !slices.ContainsFunc(mx.Records, func(e Exchange) bool { return e.Err == "" && e.Host != "" }):
		return Verdict{s, Rejected, false, "no MX record names a host: " + mx.hostless()}
	}
	return Verdict{}
}

// hostless says why the first MX record names no host.
func (mx MX) hostless() string {
	for _, e := range mx.Records {
		if e.Err != "" {
			return e.Err
		}
	}
	return "each is a null MX"
}

// insecureMX is what a verdict on a host is worth where an attacker may name another
// host: DANE is then for a sender to use or not (RFC 7672, section 2.2.1).
func insecureMX(v Verdict, mx MX) Verdict {
	switch {
	case v.Sender == DANE && (v.Delivery == WithDANE || v.Delivery == WithTLS):
		v.Delivery, v.Why = Opportunistic, "the MX lookup is not signed, so that DANE proves nothing: "+mx.Text
	case v.Sender == DANE && v.Delivery == Deferred:
		v.Partly, v.Why = true, "from senders that use DANE though the MX lookup is not signed: "+v.Why
	case v.Sender == DANEOnly && (v.Delivery == WithDANE || v.Delivery == Unknown):
		v.Delivery, v.Why = Deferred, "the MX lookup is not signed: "+mx.Text
	}
	return v
}

// rank orders deliveries for [together]: the weakest way in which mail arrives, before
// what does not arrive, before what is not known.
func rank(d Delivery) int {
	return slices.Index([]Delivery{Opportunistic, WithTLS, WithSTS, WithDANE, Unknown, Deferred, Rejected}, d)
}

func arrives(d Delivery) bool { r := rank(d); return r >= 0 && r <= rank(WithDANE) }

// together is what becomes of mail where either host may have to take it.
func together(a, b Verdict) Verdict {
	if a.Delivery == "" {
		return b
	}
	worse, other := a, b
	if rank(b.Delivery) < rank(a.Delivery) {
		worse, other = b, a
	}
	if arrives(worse.Delivery) && !arrives(other.Delivery) {
		worse.Partly = true
		if other.Delivery == Deferred {
			worse.Why += "; but " + other.Why
		}
	}
	worse.Partly = worse.Partly || other.Partly
	return worse
}
