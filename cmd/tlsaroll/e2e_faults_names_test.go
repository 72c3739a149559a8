package main

import (
	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/lab"
	"github.com/tlsaroll/tlsaroll/rollover/audit"
)

// nameFaults are about where mail goes, and whether DANE applies there.
func nameFaults() []fault {
	return []fault{
		{
			domain: "absent.example.org", codes: "mx-none", senders: rejected, state: audit.Broken, nl: nlNone,
			make: func(*mailSite) {},
		}, {
			domain: "null.example.org", senders: rejected, state: audit.Clean, nl: nlStatuses{audit.StatusInfo, audit.StatusNotTested, audit.StatusNotTested},
			make: func(s *mailSite) { s.put(s.domain, "MX 0 .") },
		}, {
			domain: "null-others.example.org", codes: "null-mx-others", senders: delivered, state: audit.Warnings, nl: nlWarned,
			postfix: []lab.Outcome{lab.Lookup}, why: "to Postfix any null MX is the whole domain's; what others make of it is not defined (RFC 7505, section 3)",
			make: func(s *mailSite) { s.put(s.domain, "MX 0 ."); s.records(s.ee(s.one(lab.LeafOptions{}))) },
		}, {
			domain: "literal.example.org", codes: "mx-none", senders: rejected, state: audit.Broken, nl: nlUnreached,
			postfix: []lab.Outcome{lab.NoTLS}, why: "Postfix takes such a name for the address that it looks like, and nobody listens there",
			make: func(s *mailSite) { s.put(s.domain, "MX 10 "+s.Root.Addr().String()+".") },
		}, {
			domain: "literal-too.example.org", codes: "mx-no-host", senders: delivered, state: audit.Warnings, nl: nlUnreached,
			make: func(s *mailSite) {
				s.put(s.domain, "MX 20 "+s.Root.Addr().String()+".")
				s.records(s.ee(s.one(lab.LeafOptions{})))
			},
		}, {
			domain: "addressless.example.org", codes: "mx-none", senders: senders{audit.Deferred, audit.Deferred, audit.Deferred, audit.Deferred}, state: audit.Broken, nl: nlUnreached,
			make: func(s *mailSite) { s.put(s.domain, "MX 10 "+s.host+".") },
		}, {
			domain: "addressless-too.example.org", codes: "mx-no-address", senders: delivered, partly: true, state: audit.Warnings, nl: nlUnreached,
			make: func(s *mailSite) {
				s.put(s.domain, "MX 20 mx2."+s.domain+".")
				s.records(s.ee(s.one(lab.LeafOptions{})))
			},
		}, {
			domain: "implicit.example.org", codes: "implicit-mx", senders: delivered, state: audit.Clean, nl: nlNone,
			make: func(s *mailSite) {
				p := s.issue(lab.LeafOptions{Names: []string{s.domain}})
				s.at(s.domain, lab.MX{Pairs: []*lab.Pair{p}})
				s.put("_25._tcp."+s.domain, "TLSA "+s.ee(p))
			},
		}, {
			domain: "owner.example.org", codes: "wrong-owner dane-absent", senders: opportunistic, state: audit.Warnings, nl: nlNoDANE,
			make: func(s *mailSite) { s.put("_25._tcp."+s.domain, "TLSA "+s.ee(s.one(lab.LeafOptions{}))) },
		}, {
			domain: "alias.example.org", codes: "mx-alias", senders: delivered, state: audit.Warnings, nl: nlNoDANE,
			make: func(s *mailSite) {
				s.put(s.domain, "MX 10 alias."+s.domain+".")
				s.put("alias."+s.domain, "CNAME "+s.host+".")
				p := s.issue(lab.LeafOptions{})
				s.at(s.host, lab.MX{Pairs: []*lab.Pair{p}})
				s.records(s.ee(p))
			},
		}, {
			domain: "alias-both.example.org", codes: "mx-alias base-unmatched", senders: delivered, state: audit.Warnings, nl: nlWrong,
			make: func(s *mailSite) {
				s.put(s.domain, "MX 10 alias."+s.domain+".")
				s.put("alias."+s.domain, "CNAME "+s.host+".")
				s.put("_25._tcp.alias."+s.domain, "TLSA "+s.stray("3 1 1", 32))
				p := s.issue(lab.LeafOptions{})
				s.at(s.host, lab.MX{Pairs: []*lab.Pair{p}})
				s.records(s.ee(p))
			},
		}, {
			domain: "alias-out.example.org", codes: "mx-alias", senders: delivered, state: audit.Warnings,
			make: func(s *mailSite) { // the alias is signed, what it leads to is not: records at the alias count
				s.put(s.domain, "MX 10 "+s.host+".")
				s.put(s.host, "CNAME mx.target.example.net.")
				p := s.issue(lab.LeafOptions{})
				s.records(s.ee(p))
				target := &mailSite{faultWorld: s.faultWorld, domain: "target.example.net", ttl: hourTTL}
				target.at("mx.target.example.net", lab.MX{Pairs: []*lab.Pair{p}})
				target.publish()
			},
		}, {
			domain: "alias-away.example.org", codes: "mx-alias alias-insecure", senders: opportunistic, state: audit.Warnings, nl: nlNoDANE,
			make: func(s *mailSite) { // likewise, and they stand where the alias leads to
				s.put(s.domain, "MX 10 "+s.host+".")
				s.put(s.host, "CNAME mx.unsigned.example.net.")
			},
		}, {
			domain: "alias-in.example.net", codes: "mx-alias dane-absent", senders: opportunistic, state: audit.Warnings, nl: nlNoDANE,
			make: func(s *mailSite) { // the alias is not signed, what it leads to is
				s.put(s.domain, "MX 10 "+s.host+".")
				s.put(s.host, "CNAME mx.next.example.org.")
			},
		}, {
			domain: "tlsa-alias.example.org", senders: delivered, state: audit.Clean,
			make: func(s *mailSite) {
				s.put("_25._tcp."+s.host, "CNAME tlsa."+s.domain+".")
				s.put("tlsa."+s.domain, "TLSA "+s.ee(s.one(lab.LeafOptions{})))
			},
		}, {
			domain: "unsigned.example.net", codes: "records-insecure", senders: opportunistic, state: audit.Warnings, nl: nlNoDANE,
			make: func(s *mailSite) { s.records(s.ee(s.one(lab.LeafOptions{}))) },
		}, {
			domain: "mx-insecure.example.net", codes: "mx-insecure", senders: opportunistic, state: audit.Warnings,
			postfix: []lab.Outcome{lab.Verified}, why: "Postfix goes by the host's records, which proves nothing: whoever forges the MX answer names another host",
			make: func(s *mailSite) { s.put(s.domain, "MX 10 mx.next.example.org.") },
		}, {
			domain: "mx-insecure-wrong.example.net", codes: "mx-insecure served-unmatched", senders: deferred, partly: true, state: audit.Broken, nl: nlWrong,
			make: func(s *mailSite) { s.put(s.domain, "MX 10 mx.renewed.example.org.") },
		}, {
			domain: "bogus.example.com", codes: "zone-bogus", senders: bogusMX, state: audit.Broken, nl: nlNoDANE,
			make: func(s *mailSite) { s.records(s.ee(s.one(lab.LeafOptions{}))) },
		},
	}
}
