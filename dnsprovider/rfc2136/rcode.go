package rfc2136

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/miekg/dns"
	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// subject is what an RCODE is about, for the hint.
type subject struct {
	zone  string
	owner tlsa.Owner // one of them, if there are several
	rtype uint16     // of the records
}

// rcodeName is the mnemonic of the RCODE of a message. 16 is BADSIG in a TSIG record only
// (RFC 6891, section 9).
func rcodeName(rcode int) string {
	if rcode == dns.RcodeBadVers {
		return "BADVERS"
	}
	if name, ok := dns.RcodeToString[rcode]; ok {
		return name
	}
	return fmt.Sprintf("RCODE %d", rcode)
}

// refusal makes a sentence and a hint of the RCODE of the reply to an update (RFC
// 2136, section 2.2), nil for NOERROR.
func (p *Provider) refusal(rcode int, about subject) *trouble {
	say := func(kind dnsprovider.Kind, then leaves, meaning, hint string) *trouble {
		return &trouble{kind: kind, err: errors.New(rcodeName(rcode) + ": " + meaning), hint: hint, leaves: then}
	}
	const primary = "is this the primary server of the zone"
	switch rcode {
	case dns.RcodeSuccess:
		return nil
	case dns.RcodeFormatError:
		return say(dnsprovider.Malformed, eachAlone, "the server does not understand the update",
			"its log says what it stumbles over; is it an authoritative server that takes dynamic updates")
	case dns.RcodeServerFailure:
		return say(dnsprovider.Temporary, elsewhere, "the server could not carry out the update",
			"its log says why: often a journal or zone file that it may not write, a full disk, or DNSSEC keys that it cannot read")
	case dns.RcodeNameError, dns.RcodeYXDomain, dns.RcodeYXRrset, dns.RcodeNXRrset:
		return say(dnsprovider.Conflict, eachAlone, "the RRset is not what was read", "")
	case dns.RcodeNotImplemented:
		return say(dnsprovider.Unsupported, elsewhere, "the server takes no dynamic updates", primary+", and not a secondary or a resolver")
	case dns.RcodeRefused:
		return say(dnsprovider.Refused, eachAlone, "the server does not let this change be made", p.rightsHint(about))
	case dns.RcodeNotAuth:
		return say(dnsprovider.NoZone, final, "the server is not authoritative for the zone "+about.zone,
			primary+", is the zone loaded there, and is that its name")
	case dns.RcodeNotZone:
		return say(dnsprovider.OutsideZone, eachAlone, "the name is not within the zone "+about.zone, "is there a zone cut between them")
	case dns.RcodeStatefulTypeNotImplemented, dns.RcodeBadMode, dns.RcodeBadName, dns.RcodeBadAlg:
		return say(dnsprovider.Malformed, final, "an answer to something that was not asked", "is this an authoritative server")
	case dns.RcodeBadVers, dns.RcodeBadCookie:
		return say(dnsprovider.Malformed, final, "an answer about EDNS, which was not used", "what stands between here and the server")
	case dns.RcodeBadKey, dns.RcodeBadTime, dns.RcodeBadTrunc:
		return say(dnsprovider.Malformed, final, "an error of TSIG that stands where none may stand", "is this an authoritative server")
	}
	return say(dnsprovider.Malformed, final, "a code that has no meaning for an update", "is this an authoritative server")
}

// rightsHint shows the line that BIND wants, for this name and type and no more
// (RFC 3007, section 3.1).
func (p *Provider) rightsHint(about subject) string {
	rtype := dns.Type(about.rtype).String()
	switch {
	case p.negotiator != nil:
		return p.negotiator.rightsHint(about.owner, rtype)
	case p.key == nil:
		return "does the server let this address change the zone without a key"
	}
	return fmt.Sprintf("does key %q have update rights for %s at this name, e.g. grant %s name %s %s; and is this the primary",
		p.key.name, rtype, p.key.name, about.owner, rtype)
}

// noAnswer makes a sentence and a hint of the RCODE of the reply to a query, nil for
// NOERROR and NXDOMAIN.
func noAnswer(rcode int) *trouble {
	say := func(kind dnsprovider.Kind, then leaves, meaning, hint string) *trouble {
		return &trouble{kind: kind, err: errors.New(rcodeName(rcode) + ": " + meaning), hint: hint, leaves: then}
	}
	switch rcode {
	case dns.RcodeSuccess, dns.RcodeNameError:
		return nil
	case dns.RcodeServerFailure:
		return say(dnsprovider.Temporary, elsewhere, "the server cannot say what stands there",
			"is the zone loaded, and not expired; its log says more")
	case dns.RcodeNotImplemented:
		return say(dnsprovider.Unsupported, elsewhere, "the server does not answer this query", "is this an authoritative server")
	case dns.RcodeRefused:
		return say(dnsprovider.Refused, final, "the server does not answer queries for this name",
			"does it serve the zone, and does allow-query admit this host or key")
	case dns.RcodeNotAuth:
		return say(dnsprovider.NoZone, final, "the server is not authoritative for the name", "does it serve the zone, in the view that this key selects")
	case dns.RcodeFormatError:
		return say(dnsprovider.Malformed, final, "the server does not understand the query", "is this an authoritative server, and does it know TSIG")
	}
	return say(dnsprovider.Malformed, final, "a code that has no meaning for this query", "is this an authoritative server")
}

// reported makes a sentence and a hint of a TSIG error. Clocks are only spoken of,
// never set (RFC 8945, section 5.4.3). To an update Knot says BADKEY where it should say
// REFUSED, which may be the fault of one of several owners.
func (p *Provider) reported(k *key, update bool, e *tsigError) *trouble {
	t := &trouble{kind: dnsprovider.Refused, err: e}
	switch e.code {
	case dns.RcodeBadKey:
		t.hint = fmt.Sprintf("does the server have a key of exactly the name %q, for %s", k.name, strings.TrimSuffix(k.algorithm, "."))
		if update {
			t.hint += "; Knot says so, too, where no acl lets the key do this"
			t.leaves = eachAlone
		}
	case dns.RcodeBadSig:
		t.hint = fmt.Sprintf("is the secret of key %q the same on both sides, to the last character", k.name)
	case dns.RcodeBadTrunc:
		t.hint = "the signature is whole, so the algorithm on the server must be another"
	case dns.RcodeBadTime:
		p.badTime(t, e)
	}
	if k.negotiated() && (e.code == dns.RcodeBadKey || e.code == dns.RcodeBadSig) {
		t.hint = "the key was negotiated a moment ago: do several servers share this address"
	}
	if !e.signed {
		// BADKEY and BADSIG cannot be signed: anybody may have said so.
		t.kind = dnsprovider.Unauthentic
		t.err = fmt.Errorf("%w (the reply itself is not signed)", e)
	}
	return t
}

func (p *Provider) badTime(t *trouble, e *tsigError) {
	if e.server.IsZero() {
		t.hint = "compare the clocks of this host and the server"
		return
	}
	here := time.Unix(p.now().Unix(), 0) // TSIG counts whole seconds
	apart := here.Sub(e.server)
	t.err = fmt.Errorf("%w: its clock says %s, this host's %s, %s apart", e,
		e.server.UTC().Format(time.RFC3339), here.UTC().Format(time.RFC3339), apart.Abs())
	t.hint = "one of the two clocks is wrong: is NTP running on both"
	if apart.Abs() <= fudge {
		// The server remembers a later request with this key (section 5.2.3).
		t.kind = dnsprovider.Temporary
		t.hint = "the clocks agree, so another program signs with the same key: give each a key of its own"
	}
}
