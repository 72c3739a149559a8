package main

import (
	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/lab"
	"github.com/tlsaroll/tlsaroll/rollover/audit"
)

// policyFaults are about MTA-STS policies and TLSRPT records. The mail goes to a host of
// another domain, whose certificate browsers believe.
func policyFaults() []fault {
	const host = "mx.next.example.org"
	policy := func(mx, text string) func(*mailSite) {
		return func(s *mailSite) {
			s.put(s.domain, "MX 10 "+mx+".")
			s.policy(text)
		}
	}
	refusedSTS := senders{audit.WithDANE, audit.WithDANE, audit.Opportunistic, audit.Deferred}
	return []fault{
		{
			domain: "sts-testing.example.org", codes: "sts-mode-testing", senders: delivered, state: audit.Clean,
			make: policy(host, "version: STSv1\nmode: testing\nmx: "+host+"\nmax_age: 604800\n"),
		}, {
			domain: "sts-off.example.org", codes: "sts-mode-none", senders: delivered, state: audit.Clean,
			make: policy(host, "version: STSv1\nmode: none\nmax_age: 604800\n"),
		}, {
			domain: "sts-short.example.org", codes: "sts-max-age-short", senders: withSTS, state: audit.Clean,
			make: policy(host, "version: STSv1\nmode: enforce\nmx: "+host+"\nmax_age: 3600\n"),
		}, {
			domain: "sts-pattern.example.org", codes: "sts-pattern-unused", senders: withSTS, state: audit.Clean,
			make: policy(host, enforce(host)+"mx: mx9.example.org\n"),
		}, {
			domain: "sts-uncovered.example.org", codes: "sts-host-uncovered sts-pattern-unused", senders: refusedSTS, state: audit.Broken,
			make: policy(host, enforce("mx9.example.org")),
		}, {
			domain: "sts-twice.example.org", codes: "sts-policy-faults", senders: withSTS, state: audit.Clean,
			make: policy(host, enforce(host)+"mode: testing\n"),
		}, {
			domain: "sts-useless.example.org", codes: "sts-policy-invalid", senders: delivered, state: audit.Warnings,
			make: policy(host, "version: STSv1\nmode: enforce\nmax_age: 604800\n"),
		}, {
			domain: "sts-unfetched.example.org", codes: "sts-policy-fetch-error", senders: senders{audit.WithDANE, audit.WithDANE, audit.Opportunistic, audit.Unknown}, state: audit.Warnings,
			make: func(s *mailSite) {
				s.put(s.domain, "MX 10 "+host+".")
				s.put("_mta-sts."+s.domain, `TXT "v=STSv1; id=1"`)
			},
		}, {
			domain: "sts-other-name.example.org", codes: "sts-policy-fetch-error", senders: senders{audit.WithDANE, audit.WithDANE, audit.Opportunistic, audit.Unknown}, state: audit.Warnings,
			make: func(s *mailSite) {
				policy(host, enforce(host))(s)
				s.policies.Set(s.domain, enforce(host), s.issue(lab.LeafOptions{})) // not for mta-sts
			},
		}, {
			domain: "sts-record.example.org", codes: "sts-record-invalid", senders: delivered, state: audit.Warnings,
			make: func(s *mailSite) {
				policy(host, enforce(host))(s)
				s.put("_mta-sts."+s.domain, `TXT "v=STSv1; id=2"`) // a second one
			},
		}, {
			domain: "sts-expired.example.org", codes: "sts-certificate-refused", senders: refusedSTS, state: audit.Broken,
			make: policy("mx.expired-ee.example.org", enforce("mx.expired-ee.example.org")),
		}, {
			domain: "sts-would-refuse.example.org", codes: "sts-mode-testing sts-testing-refused", senders: delivered, state: audit.Warnings,
			make: policy("mx.expired-ee.example.org", "version: STSv1\nmode: testing\nmx: mx.expired-ee.example.org\nmax_age: 604800\n"),
		}, {
			domain: "sts-soon.example.org", codes: "sts-certificate-expiring", senders: withSTS, state: audit.Warnings,
			make: policy("mx.soon.example.org", enforce("mx.soon.example.org")),
		}, {
			domain: "sts-unknown.example.org", codes: "sts-unknown", senders: senders{audit.WithDANE, audit.WithDANE, audit.Opportunistic, audit.Unknown}, state: audit.Clean,
			make: func(s *mailSite) {
				s.put(s.domain, "MX 10 "+host+".")
				s.unanswered("_mta-sts." + s.domain)
			},
		}, {
			domain: "reports-unknown.example.org", codes: "tlsrpt-unknown", senders: delivered, state: audit.Clean,
			make: func(s *mailSite) {
				s.put(s.domain, "MX 10 "+host+".")
				s.unanswered("_smtp._tls." + s.domain)
			},
		}, {
			domain: "reports-invalid.example.org", codes: "tlsrpt-record-invalid", senders: delivered, state: audit.Warnings,
			make: func(s *mailSite) {
				s.put(s.domain, "MX 10 "+host+".")
				s.put("_smtp._tls."+s.domain, `TXT "v=TLSRPTv1; rua=tls@example.org"`)
			},
		},
	}
}

// enforce is a policy for a host, to which a line may be added.
func enforce(host string) string {
	return "version: STSv1\nmode: enforce\nmx: " + host + "\nmax_age: 604800\n"
}

// policy gives the domain an MTA-STS policy.
func (s *mailSite) policy(text string) {
	s.put("_mta-sts."+s.domain, `TXT "v=STSv1; id=20260101"`)
	s.put("mta-sts."+s.domain, "A "+s.policies.Addr.String())
	s.policies.Set(s.domain, text, s.issue(lab.LeafOptions{Names: []string{"mta-sts." + s.domain}}))
}

// unanswered has a name in a zone of its own, whose server does not answer for it.
func (s *mailSite) unanswered(owner string) {
	s.t.Helper()
	s.Craft(s.t, lab.CraftedZone{Name: owner + ".", Servers: []lab.CraftedServer{{Refuses: true}}})
}
