package audit

import (
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// reach is how the lookup of the host's addresses ends, and what follows: nobody is led on.
func reach(l Lookup) func(*Domain) {
	return onHost(func(h *Host) { h.Reach, h.Bases = l, nil })
}

// insecurely is the healthy host in a zone that nobody can validate, where records stand.
func insecurely(records rollover.Security, as ...tlsa.Association) func(*Domain) {
	b := published(mx1, as...)
	b.InVain, b.Security, b.SecurityText = true, records, "no chain of trust"
	return all(reach(Lookup{Security: rollover.Insecure, Text: "no chain of trust", Exists: true}), withBase(b))
}

func (c cast) lookupRows() []findingRow {
	current, next := c.ee(c.chain), c.ee(c.next)
	bogus := Lookup{Security: rollover.Bogus, Text: "expired signatures", Exists: true}
	baseIs := func(s rollover.Security, why string) func(*Domain) {
		return onBase(func(b *Base) {
			b.Security, b.SecurityText, b.Resolved = s, why, rollover.Unseen[tlsa.RRset](why)
		})
	}
	silent := onBase(func(b *Base) {
		for i := range b.Servers {
			b.Servers[i].Answer = rollover.Unseen[tlsa.RRset]("no answer")
		}
	})
	alias := func(security ...rollover.Security) func(*Domain) {
		return onHost(func(h *Host) {
			h.Target = "mail.example.net"
			for i, s := range security {
				owner := []string{mx1 + ".", "a.example.net.", "b.example.com."}[i]
				h.Aliases = append(h.Aliases, Step{Owner: owner, Target: "mail.example.net.", Security: s})
			}
		})
	}
	expanded := func(as ...tlsa.Association) Base { return published("mail.example.net", as...) }
	noBases := func(d *Domain) { d.Hosts[0].Bases = nil }
	return []findingRow{
		{code: rollover.CodeZoneBogus, bad: reach(bogus), text: []string{mx1, "addresses is bogus", "expired signatures"}, result: "dnssec-invalid"},
		{code: rollover.CodeZoneBogus, bad: baseIs(rollover.Bogus, "expired signatures"), good: baseIs(rollover.Indeterminate, "SERVFAIL"), text: []string{base1, "expired signatures"}, result: "dnssec-invalid"},
		// All that follows from one broken zone is told once.
		{code: rollover.CodeZoneBogus, bad: all(baseIs(rollover.Bogus, "expired signatures"), silent, onBase(func(b *Base) {
			b.Servers[0].Bogus, b.Servers[1].Bogus = true, true
			b.Findings = []rollover.Warning{rollover.NewWarning(codeDenialBogus, base1, "another question is bogus")}
		}), func(d *Domain) { d.Hosts[0].Zone = bogus }), text: []string{"no answer"}, result: "dnssec-invalid"},
		{code: codeDenialBogus, bad: all(onHost(func(h *Host) { h.Zone = bogus }), onBase(func(b *Base) {
			b.Findings = []rollover.Warning{rollover.NewWarning(codeDenialBogus, base1+".", "another question is bogus")}
		})), text: []string{mx1, "SOA"}, result: "dnssec-invalid"},
		{code: rollover.CodeZoneBogus, bad: func(d *Domain) { d.MX.Lookup, d.MX.Records, d.Hosts = bogus, nil, nil; d.Zone = bogus }, text: []string{"MX lookup is bogus"}, result: "dnssec-invalid"},
		{code: codeDenialBogus, bad: func(d *Domain) { d.Zone = bogus; d.Hosts[0].Zone = bogus }, text: []string{"SOA"}, result: "dnssec-invalid"},
		{code: rollover.CodeZoneIndeterminate, bad: reach(Lookup{Security: rollover.Indeterminate, Text: "timed out", Err: "timed out"}), text: []string{"timed out"}},
		{code: rollover.CodeZoneIndeterminate, bad: baseIs(rollover.Indeterminate, "SERVFAIL"), good: all(baseIs(rollover.Indeterminate, "SERVFAIL"), silent), text: []string{base1, "SERVFAIL"}},
		{code: rollover.CodeZoneIndeterminate, bad: func(d *Domain) {
			d.MX.Lookup, d.Hosts = Lookup{Security: rollover.Indeterminate, Err: "timed out"}, nil
		}, text: []string{"MX records", "timed out"}},
		{code: rollover.CodeTLSAUnanswered, bad: all(baseIs(rollover.Indeterminate, "SERVFAIL"), silent), good: all(baseIs(rollover.Indeterminate, "SERVFAIL"), silent, onBase(func(b *Base) { b.Servers[1].Untested = true })), text: []string{base1, "SERVFAIL", "no answer"}, result: "dnssec-invalid"},
		{code: rollover.CodeMXNoAddress, bad: secondHost(func(h *Host) { h.Reach, h.Bases, h.Addresses = Lookup{Security: rollover.Secure}, nil, nil }), text: []string{"mx2.example.org has no address"}},
		{code: rollover.CodeMXAlias, bad: all(alias(rollover.Secure), withBase(expanded(current, next), published(mx1, current, next))), text: []string{mx1, "mail.example.net"}},
		{code: rollover.CodeBaseUnmatched, bad: all(alias(rollover.Secure), withBase(expanded(current, next), published(mx1, next))), good: all(alias(rollover.Secure), withBase(expanded(current, next), published(mx1))),
			also: []rollover.Code{rollover.CodeMXAlias}, text: []string{base1, "_25._tcp.mail.example.net"}, result: "tlsa-invalid"},
		{code: rollover.CodeAliasInsecure, bad: all(reach(Lookup{Security: rollover.Insecure, Text: "no DS", Exists: true}), alias(rollover.Secure, rollover.Insecure, rollover.Insecure), noBases),
			good: all(reach(Lookup{Security: rollover.Insecure, Text: "no DS", Exists: true}), alias(rollover.Secure, rollover.Insecure), withBase(published(mx1, current, next))),
			also: []rollover.Code{rollover.CodeMXAlias}, text: []string{"from a.example.net. on", "no DS"}, result: "dane-required"},
		{code: rollover.CodeRecordsInsecure, bad: insecurely(rollover.Insecure, current), good: insecurely(rollover.Insecure), text: []string{base1, "1 TLSA record stands", "no chain of trust"}, result: "dane-required"},
		{code: rollover.CodeRecordsInsecure, bad: insecurely(rollover.Insecure, next, c.ee(c.other)), text: []string{"2 TLSA records", "breaks mail as soon"}, result: "dane-required"},
		{code: rollover.CodeRecordsInsecure, bad: onBase(func(b *Base) { b.Security, b.SecurityText = rollover.Insecure, "opt-out" }), text: []string{"opt-out"}, result: "dane-required"},
		{code: rollover.CodeRecordsInsecure, bad: onBase(func(b *Base) { b.Security, b.SecurityText, b.Target = rollover.Insecure, "no DS", "tlsa.example.net." }),
			text: []string{base1 + ", an alias of tlsa.example.net, that"}, fix: "at " + base1 + " itself", result: "dane-required"},
		{code: rollover.CodeAddressInsecure, bad: insecurely(rollover.Secure, current), text: []string{base1, "addresses are not signed", "1 TLSA record "}, result: "dane-required"},
	}
}

// secondHost adds a healthy host with a change.
func secondHost(change func(*Host)) func(*Domain) {
	return func(d *Domain) {
		h := d.Hosts[0]
		h.Name, h.Target, h.Preference = "mx2.example.org", "mx2.example.org", 20
		h.Bases = []Base{published("mx2.example.org", h.Bases[0].Resolved.Value.Associations...)}
		change(&h)
		d.Hosts = append(d.Hosts, h)
		d.MX.Records = append(d.MX.Records, Exchange{Preference: 20, Host: "mx2.example.org"})
	}
}

// server changes the second of two servers.
func server(change func(*rollover.ServerView)) func(*Domain) {
	return onBase(func(b *Base) { change(&b.Servers[1]) })
}

func gives(as ...tlsa.Association) func(*rollover.ServerView) {
	return func(v *rollover.ServerView) { v.Answer = rollover.Seen(tlsa.NewRRset(time.Hour, as...)) }
}

func (c cast) serverRows() []findingRow {
	current, next, stale := c.ee(c.chain), c.ee(c.next), c.ee(c.other)
	resolved := func(as ...tlsa.Association) func(*Domain) {
		return onBase(func(b *Base) { b.Resolved = rollover.Seen(tlsa.NewRRset(20*time.Minute, as...)) })
	}
	signed := func(left, lasts time.Duration) func(*Domain) {
		return server(func(v *rollover.ServerView) { v.SignedUntil, v.SignedFor = now.Add(left), lasts })
	}
	const day = 24 * time.Hour
	unknown := func(bogus bool, why string) func(*Domain) {
		return server(func(v *rollover.ServerView) { v.Answer, v.Bogus = rollover.Unseen[tlsa.RRset](why), bogus })
	}
	lame := rollover.NewWarning(codeLame, "ns2.example.org. (192.0.2.53)", "ns2 is lame")
	return []findingRow{
		{code: rollover.CodeServerUnmatched, bad: server(gives(stale)), good: server(gives(current)), text: []string{"ns2.example.org. (192.0.2.53) gives", stale.String()[:14], current.String()[:14]}, result: "tlsa-invalid"},
		{code: rollover.CodeNotEverywhere, bad: server(gives(current)), good: server(gives(current, next)), text: []string{"ns2.example.org.", current.String()[:14]}},
		{code: rollover.CodeNotEverywhere, bad: server(gives()), text: []string{"no TLSA records"}},
		// Where none of them matches, the servers' difference is not why.
		{code: rollover.CodeNotEverywhere, bad: all(server(gives(stale)), addresses(modern("192.0.2.1", c.rsa))), also: []rollover.Code{rollover.CodeServedUnmatched}},
		{code: rollover.CodeServerBogus, bad: unknown(true, "signature expired"), good: unknown(false, "timed out"), text: []string{"ns2.example.org. (192.0.2.53)", "signature expired"}, result: "dnssec-invalid"},
		{code: rollover.CodeServerUnknown, bad: unknown(false, "timed out"), good: server(func(v *rollover.ServerView) { v.Untested, v.Answer = true, rollover.Unseen[tlsa.RRset]("no route") }), text: []string{"timed out"}},
		{code: rollover.CodeUnsigned, bad: server(func(v *rollover.ServerView) { v.Unsigned = true }), text: []string{"ns2.example.org."}, result: "dnssec-invalid"},
		{code: rollover.CodeServersUnknown, bad: onBase(func(b *Base) { b.Err = "no answer from the parent" }), text: []string{"from the parent"}},
		{code: rollover.CodeFamilyUntested, bad: server(func(v *rollover.ServerView) { v.Untested, v.Answer = true, rollover.Unseen[tlsa.RRset]("no route") }), text: []string{"ns2.example.org."}},
		{code: rollover.CodeSignatureEnds, bad: signed(47*time.Hour, 14*day), good: signed(49*time.Hour, 14*day), text: []string{"ns2.example.org.", "ends in 47 hours (2026-03-03 11:00:00Z): "}},
		{code: rollover.CodeSignatureEnds, bad: signed(15*time.Hour, 2*day), good: signed(17*time.Hour, 2*day)},
		{code: rollover.CodeSignatureEnds, bad: all(ttl(day), signed(70*time.Hour, 14*day)), good: all(ttl(day), signed(73*time.Hour, 14*day))},
		{code: rollover.CodeDenialCached, bad: resolved(), text: []string{"1200 s more", current.String()[:14]}},
		{code: rollover.CodeCachedMismatch, bad: resolved(stale), good: all(resolved(stale), server(gives(stale))), text: []string{stale.String()[:14], "1200 s"}, result: "tlsa-invalid"},
		// Records were taken out, and TLS with them, before the last answer with them expired.
		{code: rollover.CodeCachedMismatch, bad: all(records(), resolved(current), addresses(without("192.0.2.1", rollover.NoTLS, "502"))), good: all(records(current), addresses(without("192.0.2.1", rollover.NoTLS, "502"))),
			also: []rollover.Code{rollover.CodePlaintextOnly}, text: []string{current.String()[:14], "1200 s", "demand TLS"}, result: "starttls-not-supported"},
		{code: rollover.CodeCachedMismatch, bad: all(records(), resolved(stale)), good: all(records(), resolved(current)), result: "tlsa-invalid"},
		{code: codeLame, bad: all(unknown(false, "REFUSED"), onBase(func(b *Base) { b.Findings = []rollover.Warning{lame} })), good: unknown(false, "REFUSED"), text: []string{"ns2 is lame"}},
	}
}

// passedRows are what looks at DNS come across, which is passed on.
func (c cast) passedRows() (rows []findingRow) {
	for _, code := range []rollover.Code{"mixed-ttl", "udp-lost", "ns-disagree", "empty-non-terminal", codeResolverDiffers, "wildcard", codeDenialBogus} {
		result := map[rollover.Code]string{codeDenialBogus: "dnssec-invalid"}[code]
		found := rollover.NewWarning(code, "example.org.", "as it was seen")
		rows = append(rows, findingRow{code: code, bad: onBase(func(b *Base) { b.Findings = []rollover.Warning{found, found} }), text: []string{"as it was seen"}, result: result})
	}
	noDS := rollover.NewWarning(codeNoDS, "example.org.", "zone example.org. has keys and no DS record")
	return append(rows, findingRow{code: codeNoDS, bad: all(insecurely(rollover.Insecure, c.ee(c.chain)), onBase(func(b *Base) { b.Findings = []rollover.Warning{noDS} })),
		text: []string{"has keys", "1 TLSA record at " + base1 + " count"}, result: "dane-required"})
}
