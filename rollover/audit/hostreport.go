package audit

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// JudgeHost makes the report on one host, as it was seen at a time. It is nobody's in
// particular, so that there is no policy of a domain to go by.
func JudgeHost(h Host, at time.Time) HostReport {
	d := Domain{At: at, STS: STS{Record: rollover.Unseen[string]("not looked for")}}
	d.MX.Given = true
	return reportOn(d, h)
}

func reportOn(d Domain, h Host) HostReport {
	c := claimOf(h, d.At)
	out := HostReport{Host: h.Name, Preference: h.Preference, Port: h.Port, Records: []string{}, Findings: []Finding{}, Addresses: []AddressReport{}, Servers: []ServerReport{}, Lookups: h.lookups()}
	for _, s := range Senders() {
		if h.SMTP || s == DANE || s == May {
			out.Senders = append(out.Senders, hostVerdict(s, d, h))
		}
	}
	if b := cmp.Or(c.base, last(h.Bases)); b != nil {
		out.Owner, out.Security = b.Owner.String(), b.Security
		for _, a := range b.Resolved.Value.Associations {
			out.Records = append(out.Records, a.String())
		}
		out.Scheme, out.Servers = schemeOf(b.Resolved.Value, reference(h, b.Name, d.At)), b.reports()
	}
	for _, a := range h.Addresses {
		out.Addresses = append(out.Addresses, c.report(a))
	}
	for _, f := range findingsOfHost(h, d.At) {
		// A domain may be an alias; what an MX record names may not (RFC 5321, section 5.1).
		if f.Code != rollover.CodeMXAlias || !d.MX.Implicit {
			out.Findings = append(out.Findings, f)
		}
	}
	out.Renewal = renewalOf(h, d.At)
	return out
}

func last(bases []Base) *Base {
	if len(bases) == 0 {
		return nil
	}
	return &bases[len(bases)-1]
}

// report says how an address did.
func (c claim) report(a Address) AddressReport {
	out := AddressReport{Address: a.Address.String(), Handshakes: []HandshakeReport{}}
	for _, h := range a.Handshakes {
		out.Handshakes = append(out.Handshakes, h.report())
	}
	i := slices.IndexFunc(a.Handshakes, func(h Handshake) bool { return h.Version != 0 })
	if i >= 0 {
		out.Version = versionName(a.Handshakes[i].Version)
	}
	switch c.demand {
	case demandMatch:
		out.Verified, out.Why = c.judge(a)
		if out.Verified == rollover.Yes {
			out.Why = c.matchedBy(a.Handshakes[i].Chain)
		}
	default:
		_, out.Why = c.judge(a)
		out.Why = cmp.Or(out.Why, c.why)
	}
	return out
}

// matchedBy names the record that matches: in what the resolver holds, else in what a
// server gives, as the former may have nothing to match.
func (c claim) matchedBy(chain *tlsa.Chain) string {
	for _, held := range c.versions {
		if record, depth, err := held.MatchedBy(chain, c.ref); err == nil {
			return fmt.Sprintf("%s depth %d", record.Params, depth)
		}
	}
	return ""
}

func (h Handshake) report() HandshakeReport {
	out := HandshakeReport{SNI: h.SNI, Algorithm: h.Algorithm, Outcome: h.Outcome, Error: h.Err}
	if h.Version != 0 {
		out.Version = versionName(h.Version)
	}
	if h.Chain != nil {
		out.Leaf, out.Subject, out.NotAfter = h.Chain.LeafID(), strings.Join(h.Chain.Names(), " "), h.Chain.NotAfter()
	}
	return out
}
