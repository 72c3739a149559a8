package lookup

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/miekg/dns"
)

// An Answer is what the validating resolver says to one question.
type Answer struct {
	Rcode    int      // NOERROR or NXDOMAIN where Err is ""
	Records  []dns.RR // the answer section, names in lower case; shared, do not change
	Security Security
	Text     string // why Security is what it is
	Err      string // why there is no usable answer; Security is then Indeterminate
	// NegativeTTL is how long a denial may be kept (RFC 2308, section 5): what
	// the resolver says is left of it.
	NegativeTTL time.Duration

	authority []dns.RR
}

// Ask puts a question to the validating resolver. A name that is no domain name
// is answered with Err.
func (p *Pass) Ask(ctx context.Context, name string, qtype uint16) Answer {
	if _, ok := dns.IsDomainName(name); !ok || name == "" {
		return failed(fmt.Sprintf("%q is not a domain name", name))
	}
	q := question{name: dns.CanonicalName(name), qtype: qtype, recurse: true}
	a, err := p.answers.do(ctx, q, func() (Answer, error) { return p.resolve(ctx, q), nil })
	if err != nil {
		return failed(fmt.Sprintf("resolver %s: %s: %s", p.client.cfg.Resolver, q, err))
	}
	return a
}

func failed(text string) Answer { return Answer{Security: Indeterminate, Text: text, Err: text} }

func (p *Pass) resolve(ctx context.Context, q question) Answer {
	resolver := p.client.cfg.Resolver
	r, err := p.askResolver(ctx, q)
	if err != nil {
		return failed(fmt.Sprintf("resolver %s: %s: %s%s", resolver, q, err, silentHint(err, resolver)))
	}
	if r.Rcode == dns.RcodeServerFailure {
		return p.resolveUnchecked(ctx, q, r)
	}
	if r.Rcode != dns.RcodeSuccess && r.Rcode != dns.RcodeNameError {
		return failed(fmt.Sprintf("resolver %s: %s: %s%s", resolver, q, rcodeName(r.Rcode), extended(r.Msg)))
	}
	a := newAnswer(r.Msg)
	a.Security, a.Text = p.judge(ctx, r.Msg)
	return a
}

// judge reads the security state out of an answer without SERVFAIL.
func (p *Pass) judge(ctx context.Context, r *dns.Msg) (Security, string) {
	resolver := p.client.cfg.Resolver
	if err := p.SelfTest(ctx); err != nil {
		return Indeterminate, err.Error()
	}
	switch {
	case r.AuthenticatedData:
		return Secure, fmt.Sprintf("validated by resolver %s", resolver)
	case slices.ContainsFunc(extendedErrors(r), bogusCode):
		return Bogus, fmt.Sprintf("resolver %s answers, but says that validation failed%s (hint: it seems to run in a permissive mode)", resolver, extended(r))
	}
	return Insecure, fmt.Sprintf("resolver %s has no chain of trust to it, so it is not signed for anyone (hint: is the zone signed, and its DS record at the parent?)", resolver)
}

// resolveUnchecked tells bogus data from a resolver or server in trouble: only
// bogus data can be had without validation.
func (p *Pass) resolveUnchecked(ctx context.Context, q question, refused reply) Answer {
	resolver := p.client.cfg.Resolver
	q.unchecked = true
	r, err := p.askResolver(ctx, q)
	if err != nil {
		return failed(fmt.Sprintf("resolver %s: %s: SERVFAIL%s; without validation: %s", resolver, q, extended(refused.Msg), err))
	}
	if r.Rcode != dns.RcodeSuccess && r.Rcode != dns.RcodeNameError {
		return failed(fmt.Sprintf("resolver %s: %s: SERVFAIL%s, and %s without validation (hint: the resolver or all servers of the zone are in trouble)",
			resolver, q, extended(refused.Msg), rcodeName(r.Rcode)))
	}
	a := newAnswer(r.Msg)
	if err := p.SelfTest(ctx); err != nil {
		a.Security, a.Text = Indeterminate, err.Error()
		return a
	}
	a.Security = Bogus
	a.Text = fmt.Sprintf("resolver %s refuses the answer and gives it without validation: signatures or the chain of trust are broken%s", resolver, extended(refused.Msg))
	return a
}

func newAnswer(m *dns.Msg) Answer {
	a := Answer{Rcode: m.Rcode, Records: lowered(m.Answer), authority: lowered(m.Ns)}
	for _, s := range rrsets(a.authority) {
		if soa, ok := s.rrs[0].(*dns.SOA); ok {
			a.NegativeTTL = min(ttl(soa.Hdr.Ttl), ttl(soa.Minttl))
		}
	}
	return a
}

func silentHint(err error, resolver netip.AddrPort) string {
	if faultOf(err) == FaultSilent && resolver.Addr().IsLoopback() {
		return " (hint: does a validating resolver run on this host?)"
	}
	return ""
}

func rcodeName(rcode int) string {
	if s, ok := dns.RcodeToString[rcode]; ok {
		return s
	}
	return fmt.Sprintf("RCODE %d", rcode)
}

func extendedErrors(m *dns.Msg) []*dns.EDNS0_EDE {
	var out []*dns.EDNS0_EDE
	if opt := m.IsEdns0(); opt != nil {
		for _, o := range opt.Option {
			if ede, ok := o.(*dns.EDNS0_EDE); ok {
				out = append(out, ede)
			}
		}
	}
	return out
}

// bogusCode reports whether an extended error says that validation failed
// (RFC 8914, sections 4.7 to 4.13).
func bogusCode(e *dns.EDNS0_EDE) bool {
	switch e.InfoCode {
	case dns.ExtendedErrorCodeDNSBogus, dns.ExtendedErrorCodeSignatureExpired, dns.ExtendedErrorCodeSignatureNotYetValid,
		dns.ExtendedErrorCodeDNSKEYMissing, dns.ExtendedErrorCodeRRSIGsMissing, dns.ExtendedErrorCodeNoZoneKeyBitSet, dns.ExtendedErrorCodeNSECMissing:
		return true
	}
	return false
}

// extended renders the extended errors (RFC 8914) of a reply as an insertion.
func extended(m *dns.Msg) string {
	var all []string
	for _, e := range extendedErrors(m) {
		text := dns.ExtendedErrorCodeToString[e.InfoCode]
		if text == "" {
			text = fmt.Sprintf("extended error %d", e.InfoCode)
		}
		if e.ExtraText != "" {
			text += ": " + printable(e.ExtraText)
		}
		all = append(all, text)
	}
	if len(all) == 0 {
		return ""
	}
	return " [" + strings.Join(all, "; ") + "]"
}

// printable keeps what a server sent from steering a terminal.
func printable(s string) string {
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) || r == '\uFFFD' {
			return '?'
		}
		return r
	}, s)
	if len(s) > 120 {
		s = s[:120] + "…"
	}
	return s
}
