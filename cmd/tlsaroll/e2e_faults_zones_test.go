package main

import (
	"time"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/lab"
	"github.com/tlsaroll/tlsaroll/rollover/audit"
)

// zoneFaults are about name servers and signatures: each has a zone of its own.
func zoneFaults() []fault {
	zone := func(servers ...lab.CraftedServer) func(*mailSite) {
		return func(s *mailSite) {
			s.records(s.ee(s.one(lab.LeafOptions{})))
			s.crafted = servers
		}
	}
	return []fault{
		{
			domain: "crafted.example.org", senders: delivered, state: audit.Clean,
			make: zone(lab.CraftedServer{}, lab.CraftedServer{}),
		}, {
			domain: "expired.example.org", codes: "zone-bogus", senders: bogusMX, state: audit.Broken, nl: nlNoDANE,
			make: zone(lab.CraftedServer{Until: -48 * time.Hour}),
		}, {
			domain: "ending.example.org", codes: "signature-ends", senders: delivered, state: audit.Warnings,
			make: zone(lab.CraftedServer{Until: 30 * time.Minute}),
		}, {
			domain: "half-expired.example.org", codes: "server-bogus", senders: delivered, state: audit.Broken,
			make: zone(lab.CraftedServer{}, lab.CraftedServer{Until: -48 * time.Hour, ShunsResolvers: true}),
		}, {
			domain: "island.example.org", codes: "no-ds", senders: opportunistic, state: audit.Warnings, nl: nlNoDANE,
			make: func(s *mailSite) { zone(lab.CraftedServer{})(s); s.noDS = true },
		}, {
			domain: "hollow.example.org", codes: "empty-non-terminal", senders: opportunistic, state: audit.Broken, nl: nlNoDANE,
			make: zone(lab.CraftedServer{DeniesEmpty: true}),
		}, {
			domain: "lame.example.org", codes: "lame", senders: delivered, state: audit.Warnings,
			make: zone(lab.CraftedServer{}, lab.CraftedServer{Refuses: true}),
		}, {
			domain: "lagging.example.org", codes: "server-unmatched", senders: deferred, state: audit.Broken,
			postfix: []lab.Outcome{lab.Verified}, why: "its resolver asks the server that is up to date; others' do not",
			make: func(s *mailSite) {
				tlsa := func(p *lab.Pair) []string { return []string{"_25._tcp." + s.host + ". 3600 TLSA " + s.ee(p)} }
				s.crafted = []lab.CraftedServer{{Records: tlsa(s.one(lab.LeafOptions{}))}, {Records: tlsa(s.issue(lab.LeafOptions{})), ShunsResolvers: true}}
			},
		}, {
			domain: "mixed.example.org", codes: "mixed-ttl", senders: delivered, state: audit.Warnings,
			make: func(s *mailSite) {
				s.ttl = 2 * hourTTL
				s.records(s.ee(s.issue(lab.LeafOptions{})))
				s.ttl = hourTTL
				zone(lab.CraftedServer{})(s)
			},
		}, {
			domain: "long.example.org", codes: "ttl-long", senders: delivered, state: audit.Warnings,
			make: func(s *mailSite) { s.ttl = 7 * 24 * hourTTL; zone(lab.CraftedServer{Until: 30 * 24 * time.Hour})(s) },
		}, {
			domain: "unanswered.example.org", codes: "tlsa-unanswered", senders: deferred, state: audit.Broken, nl: nlNoDANE,
			make: zone(lab.CraftedServer{OmitsTLSA: true}),
		},
	}
}
