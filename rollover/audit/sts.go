package audit

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/mtasts"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// shortAge is what max_age should not be below; RFC 8461, section 3.2 wants weeks.
const shortAge = 24 * time.Hour

// findingsOfSTS are those about a domain's MTA-STS policy, about what its hosts present
// by that, and about its TLSRPT record. A host without a domain, and a domain that
// takes no mail, has none.
func findingsOfSTS(d Domain) []Finding {
	if d.MX.Given || d.MX.Null || d.MX.NoName {
		return nil
	}
	findings := findingsOfReports(d)
	about := "_mta-sts." + d.Name
	switch s := d.STS; {
	case !s.Record.Known():
		return append(findings, finding(rollover.CodeSTSUnknown, about, "the TXT record could not be looked up: "+s.Record.Err))
	case s.Record.Value == "":
		return append(findings, finding(rollover.CodeSTSNone, about, "no MTA-STS policy"))
	case s.RecordErr != "":
		return append(findings, finding(rollover.CodeSTSRecord, about, "the TXT record counts for nothing: "+s.RecordErr))
	case !s.Policy.Known():
		f := finding(rollover.CodeSTSFetch, d.Name, "the policy could not be fetched: "+s.Policy.Err)
		f.ResultType = cmp.Or(s.ResultType, "sts-policy-fetch-error")
		return append(findings, f)
	case s.PolicyErr != "":
		f := finding(rollover.CodeSTSPolicy, d.Name, "the policy cannot be used: "+strings.Join(append([]string{s.PolicyErr}, s.Policy.Value.Faults...), "; "))
		f.ResultType = "sts-policy-invalid"
		return append(findings, f)
	}
	return append(findings, findingsOfPolicy(d, d.STS.Policy.Value)...)
}

// findingsOfPolicy are those about a policy that senders use.
func findingsOfPolicy(d Domain, p STSPolicy) (findings []Finding) {
	if len(p.Faults) > 0 {
		findings = append(findings, finding(rollover.CodeSTSFaults, d.Name, "the policy has faults: "+strings.Join(p.Faults, "; ")))
	}
	switch p.Mode {
	case mtasts.None:
		return append(findings, finding(rollover.CodeSTSModeNone, d.Name, "the policy is in mode none"))
	case mtasts.Testing:
		findings = append(findings, finding(rollover.CodeSTSTesting, d.Name, "the policy is in mode testing"))
	}
	if p.MaxAge < shortAge {
		findings = append(findings, finding(rollover.CodeSTSMaxAge, d.Name, fmt.Sprintf("senders keep the policy for %d seconds", int64(p.MaxAge/time.Second))))
	}
	if unused := unusedPatterns(d, p); len(unused) > 0 {
		about := d.Name
		if len(unused) == 1 {
			about = unused[0]
		}
		findings = append(findings, finding(rollover.CodeSTSPatternUnused, about, fmt.Sprintf("mx %s %s none of the MX hosts", listed(unused), verb(len(unused), "fits", "fit"))))
	}
	for _, h := range d.Hosts {
		findings = append(findings, findingsOfCovered(d, h, p)...)
	}
	return findings
}

// unusedPatterns are those that fit none of the MX hosts, as far as these are known.
func unusedPatterns(d Domain, p STSPolicy) (unused []string) {
	if d.MX.Err != "" || len(d.Hosts) == 0 {
		return nil
	}
	for _, pattern := range p.MX {
		fits := func(h Host) bool { return mtasts.Match(pattern, h.Name) }
		if mtasts.CheckPattern(pattern) == nil && !slices.ContainsFunc(d.Hosts, fits) && !slices.Contains(unused, pattern) {
			unused = append(unused, pattern)
		}
	}
	return unused
}

// findingsOfCovered are those about a host by a policy in mode enforce or testing.
func findingsOfCovered(d Domain, h Host, p STSPolicy) (findings []Finding) {
	uncovered, refused := rollover.CodeSTSUncovered, rollover.CodeSTSRefused
	if p.Mode == mtasts.Testing {
		uncovered, refused = rollover.CodeSTSWouldRefuse, rollover.CodeSTSWouldRefuse
	}
	if mtasts.MatchAny(p.MX, h.Name) == "" {
		f := finding(uncovered, h.Name, "no mx of the policy fits "+h.Name)
		f.Host, f.ResultType = h.Name, "validation-failure"
		findings = append(findings, f)
	}
	c := claimOf(h, d.At)
	seen := saidOnce{}
	for _, a := range h.Addresses {
		for _, fault := range stsAnswerOf(h, a, d.At).faults {
			f := finding(refused, a.Address.String(), fmt.Sprintf("%s: %s%s", a.Address, fault.said(), c.forgives(fault.handshake)))
			f.Host, f.ResultType = h.Name, fault.resultType
			findings = seen.add(findings, f, fault.handshake)
		}
		for _, s := range a.Handshakes {
			if s.SNI && s.Chain != nil && endsSoon(s, d.At) {
				f := finding(rollover.CodeSTSExpiring, a.Address.String(), fmt.Sprintf("%s: certificate %s ends on %s%s", a.Address, s.Chain.ID().Short(), rollover.Stamp(s.Chain.NotAfter()), c.forgives(s)))
				f.Host = h.Name
				findings = seen.add(findings, f, s)
			}
		}
	}
	return findings
}

// saidOnce keeps what several offers meet from being said for each of them.
type saidOnce map[[4]string]bool

func (said saidOnce) add(to []Finding, f Finding, s Handshake) []Finding {
	chain := ""
	if s.Chain != nil {
		chain = string(s.Chain.ID())
	}
	key := [4]string{string(f.Code), f.About, f.ResultType, chain}
	if said[key] {
		return to
	}
	said[key] = true
	return append(to, f)
}

// endsSoon goes by the times at which the rules warn of a certificate without successor.
func endsSoon(s Handshake, at time.Time) bool {
	leaf := s.Chain.Leaf()
	left := leaf.NotAfter.Sub(at)
	return left >= 0 && left < min(leaf.NotAfter.Sub(leaf.NotBefore)/6, 7*24*time.Hour)
}

// forgives says that DANE accepts what is presented whatever the certificate says (RFC
// 7672, section 3.1.1); "" where it does not.
func (c claim) forgives(s Handshake) string {
	if s.Chain == nil || c.demand != demandMatch || c.fails(s.Chain) != nil {
		return ""
	}
	record, _, err := c.base.Resolved.Value.MatchedBy(s.Chain, c.ref)
	if err != nil || record.Usage != tlsa.DANEEE {
		return ""
	}
	return fmt.Sprintf(" (DANE does not mind, as its %s matches; MTA-STS does)", record.Params)
}
