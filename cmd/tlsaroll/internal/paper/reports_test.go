package paper

import (
	"strings"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/audit"
)

var seen = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

const (
	record     = "3 1 1 8f3c21aa90b1c2d3e4f5061728394a5b6c7d8e9f00112233445566778899aabb"
	nextRecord = "3 1 1 14c321b9da6680f85abca432cbe74c9eb6416a6b6aa79902d60532a821dfaea8"
)

func senders(deliveries ...audit.Delivery) (verdicts []audit.Verdict) {
	for i, d := range deliveries {
		verdicts = append(verdicts, audit.Verdict{Sender: audit.Senders()[i], Delivery: d, Why: "every address presents what the records vouch for"})
	}
	return verdicts
}

// healthy is a domain with two hosts, where all is well.
func healthy() audit.Report {
	verdicts := senders(audit.WithDANE, audit.WithDANE, audit.Opportunistic, audit.WithSTS)
	host := func(name string, preference uint16, addresses ...string) audit.HostReport {
		h := audit.HostReport{Host: name, Preference: preference, Port: 25, Senders: verdicts, Owner: "_25._tcp." + name + ".", Records: []string{nextRecord, record}, Security: rollover.Secure, Scheme: audit.SchemeCurrentNext,
			Lookups: []audit.LookupReport{{What: "A and AAAA", Name: name, Security: rollover.Secure}, {What: "TLSA", Name: "_25._tcp." + name, Security: rollover.Secure}},
			Servers: []audit.ServerReport{{Name: "ns1.example.org.", Address: "192.0.2.53", Records: []string{nextRecord, record}, TTL: 3600, SignedUntil: seen.AddDate(0, 0, 12)}}}
		for _, a := range addresses {
			h.Addresses = append(h.Addresses, audit.AddressReport{Address: a, Verified: rollover.Yes, Why: record, Version: "TLS 1.3"})
		}
		return h
	}
	tests := []audit.Subtest{}
	for _, name := range strings.Fields("dnssec_exists dnssec_valid dnssec_mx_exists dnssec_mx_valid starttls_exists tls_version tls_ciphers tls_cipher_order fs_params kex_hash_func tls_compression secure_reneg client_reneg cert_signature cert_hostmatch dane_exists dane_valid dane_rollover caa") {
		tests = append(tests, audit.Subtest{Name: name, Status: audit.StatusPassed, Verdict: "good"})
	}
	tests = append(tests, audit.Subtest{Name: "cert_pubkey", Status: audit.StatusWarning, Verdict: "phase-out", Text: "mx1.example.org: RSA 2048", Ours: "no reason to hurry: 3072 bits are for what must be secret in twenty years"})
	return audit.Report{
		Domain: "example.org", At: seen, State: audit.Clean, Lookups: []audit.LookupReport{{What: "MX", Name: "example.org", Security: rollover.Secure}}, Senders: verdicts, InternetNL: tests,
		Hosts:   []audit.HostReport{host("mx1.example.org", 10, "192.0.2.1:25", "[2001:db8::1]:25"), host("mx2.example.org", 20, "192.0.2.2:25", "[2001:db8::2]:25")},
		Renewal: "a record of the next certificate stands already: nothing is cut off",
	}
}

// broken is one whose first host serves another certificate.
func broken() audit.Report {
	verdicts := senders(audit.Deferred, audit.Deferred, audit.Opportunistic, audit.Opportunistic)
	verdicts[1].Partly = true
	danger := audit.Finding{Warning: rollover.Warning{Code: "served-unmatched", Severity: rollover.Danger, Text: "192.0.2.9:25 presents a certificate that no record vouches for, the one with the key 14c321b9da6680f85abca432cbe74c9eb6416a6b6aa79902d60532a821dfaea8", About: "192.0.2.9:25"},
		Fix: "Publish the record of the certificate that is served, then keep it there until the next one is.", Host: "mx.example.net", ResultType: "validation-failure"}
	mild := audit.Finding{Warning: rollover.Warning{Code: "lame", Severity: rollover.Warn, Text: "ns2.example.net does not speak for the zone", About: "ns2.example.net"}, Fix: "Configure the zone there, or take the server out of the NS records."}
	note := audit.Finding{Warning: rollover.Warning{Code: "wildcard", Severity: rollover.Info, Text: "the records are expanded from a wildcard"}, Host: "mx.example.net", Fix: "Nothing, if that is meant."}
	host := audit.HostReport{
		Host: "mx.example.net", Preference: 10, Port: 25, Senders: verdicts, Owner: "_25._tcp.mx.example.net.", Records: []string{record}, Security: rollover.Secure,
		Addresses: []audit.AddressReport{
			{Address: "192.0.2.9:25", Verified: rollover.No, Why: "3 1 1 8f3c21aa…: another key", Version: "TLS 1.3"},
			{Address: "[2001:db8::9]:25", Verified: rollover.Unknown, Why: "this host has no route for IPv6"},
		},
		Findings: []audit.Finding{danger, note}, Scheme: audit.SchemeCurrent,
		Servers: []audit.ServerReport{{Name: "ns1.example.net.", Address: "192.0.2.63", Records: []string{record}, TTL: 60}, {Name: "ns2.example.net.", Address: "192.0.2.64", Error: "REFUSED"}, {Name: "ns3.example.net.", Address: "192.0.2.65"}},
		Renewal: "mail is refused until the record of the new certificate is everywhere",
	}
	return audit.Report{
		Domain: "example.net", At: seen, State: audit.Broken, Senders: verdicts, Hosts: []audit.HostReport{host}, Findings: []audit.Finding{danger, mild, note},
		InternetNL: []audit.Subtest{
			{Name: "starttls_exists", Status: audit.StatusPassed, Verdict: "good"},
			{Name: "dane_exists", Status: audit.StatusPassed, Verdict: "good"},
			{Name: "dane_valid", Status: audit.StatusFailed, Verdict: "bad", Text: "mx.example.net"},
			{Name: "dane_rollover", Status: audit.StatusInfo, Verdict: "bad", Text: "one record"},
		},
	}
}

// plain is one without DANE, and blind one that could not be looked at.
func plain() audit.Report {
	return audit.Report{Domain: "xn--bcher-kva.example", At: seen, State: audit.Warnings, Senders: senders(audit.Opportunistic, audit.Deferred, audit.Opportunistic, audit.Opportunistic),
		Hosts: []audit.HostReport{{Host: "mail.xn--bcher-kva.example", Preference: 10, Port: 25, Records: []string{}, Security: rollover.Insecure,
			Addresses: []audit.AddressReport{{Address: "192.0.2.77:25", Version: "TLS 1.2"}}}}}
}

func blind() audit.Report {
	return audit.Report{Domain: "example.com", At: seen, State: audit.Blind, Senders: senders(audit.Unknown, audit.Unknown, audit.Unknown, audit.Unknown)}
}

// service is one that takes no mail from other servers.
func service() audit.Report {
	verdicts := senders(audit.WithDANE, audit.Deferred, audit.Opportunistic)
	verdicts = []audit.Verdict{verdicts[0], verdicts[2]}
	return audit.Report{Domain: "imaps://mx1.example.org", At: seen, State: audit.Clean, Senders: verdicts,
		Hosts: []audit.HostReport{{Host: "mx1.example.org", Port: 993, Senders: verdicts, Records: []string{record}, Security: rollover.Secure,
			Addresses: []audit.AddressReport{{Address: "192.0.2.1:993", Verified: rollover.Yes, Why: "3 1 1 depth 0", Version: "TLS 1.3"}}}}}
}

// hostile is one whose servers try to write on whatever shows what they say.
func hostile() audit.Report {
	const text = "\x1b[2J\x1b]0;owned\a</td><script>alert(1)</script>\" onload=\"x\r\n=HYPERLINK(\"//example.org\")\u202e\u0000javascript:x"
	return audit.Report{
		Domain: text, At: seen, State: audit.Broken, Renewal: "=" + text, Lookups: []audit.LookupReport{{What: text, Name: text, Security: rollover.Bogus, Text: text}},
		Senders:    []audit.Verdict{{Sender: audit.DANE, Delivery: audit.Deferred, Why: text}},
		Hosts:      []audit.HostReport{{Host: "@" + text, Port: 25, Records: []string{"+" + text}, Lookups: []audit.LookupReport{{What: text, Name: text, Text: text}}, Servers: []audit.ServerReport{{Name: text, Address: text, Records: []string{text}}, {Name: text, Error: text}}, Addresses: []audit.AddressReport{{Address: text, Verified: rollover.No, Why: text, Version: text}}}},
		Findings:   []audit.Finding{{Warning: rollover.Warning{Code: text, Severity: rollover.Danger, Text: text}, Fix: text, Host: text}},
		InternetNL: []audit.Subtest{{Name: text, Status: audit.StatusFailed, Verdict: text, Text: text, Ours: text}},
	}
}
