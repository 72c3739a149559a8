package audit

import (
	"crypto/tls"
	"slices"
	"strings"

	"github.com/tlsaroll/tlsaroll/rollover"
)

// Judge makes the report on a domain.
func Judge(d Domain) Report {
	out := Report{Domain: d.Name, At: d.At.UTC(), Lookups: d.lookups(), Hosts: []HostReport{}, Findings: []Finding{}}
	for _, s := range Senders() {
		out.Senders = append(out.Senders, domainVerdict(s, d))
	}
	for _, h := range d.Hosts {
		out.Hosts = append(out.Hosts, reportOn(d, h))
	}
	all := findingsOfDomain(d)
	if !d.MX.Given {
		all = append(all, findingsOfSTS(d)...)
	}
	for _, h := range out.Hosts {
		all = append(all, h.Findings...)
	}
	out.Findings = append(out.Findings, folded(all)...)
	out.Renewal = commonRenewal(out.Hosts)
	out.InternetNL = internetNL(d)
	out.State = state(out.Findings, out.Senders)
	return out
}

// state is the report in one word: broken wins over blind.
func state(findings []Finding, senders []Verdict) State {
	worst := func(s rollover.Severity) bool {
		return slices.ContainsFunc(findings, func(f Finding) bool { return f.Severity == s })
	}
	dane := senders[slices.IndexFunc(senders, func(v Verdict) bool { return v.Sender == DANE })]
	switch {
	case worst(rollover.Danger), dane.Delivery == Deferred:
		return Broken
	case dane.Delivery == Unknown:
		return Blind
	case worst(rollover.Warn):
		return Warnings
	}
	return Clean
}

// sortFindings puts the worst first, and those alike in the order of hosts and codes.
func sortFindings(findings []Finding) {
	severities := []rollover.Severity{rollover.Danger, rollover.Warn, rollover.Info}
	slices.SortStableFunc(findings, func(a, b Finding) int {
		if d := slices.Index(severities, a.Severity) - slices.Index(severities, b.Severity); d != 0 {
			return d
		}
		if c := strings.Compare(a.Host, b.Host); c != 0 {
			return c
		}
		if c := strings.Compare(string(a.Code), string(b.Code)); c != 0 {
			return c
		}
		return strings.Compare(a.About, b.About)
	})
}

// finding makes a finding with the severity and the remedy of its code.
func finding(code rollover.Code, about, text string) Finding {
	e, _ := code.Explain()
	return Finding{Warning: rollover.NewWarning(code, about, text), Fix: e.Do}
}

// versionName is a version of TLS as people write it; SSL 3.0 is older than crypto/tls.
func versionName(v uint16) string {
	if v == 0x0300 {
		return "SSL 3.0"
	}
	return tls.VersionName(v)
}
