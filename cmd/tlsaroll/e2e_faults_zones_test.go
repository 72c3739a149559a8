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
			make: zone(lab.CraftedServer{}, lab.CraftedServer{Until: -48 * time.Hour, ForResolvers: &lab.CraftedServer{Refuses: true}}),
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
				s.crafted = []lab.CraftedServer{{Records: s.owned(s.ee(s.one(lab.LeafOptions{})))}, {Records: s.owned(s.ee(s.issue(lab.LeafOptions{}))), ForResolvers: &lab.CraftedServer{Refuses: true}}}
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
			domain: "stale.example.org", codes: "cached-mismatch", senders: deferred, state: audit.Broken, nl: nlWrong,
			make: func(s *mailSite) { // a resolver still holds what stood there before
				s.crafted = []lab.CraftedServer{{Records: s.owned(s.ee(s.one(lab.LeafOptions{}))), ForResolvers: &lab.CraftedServer{Records: s.owned(s.ee(s.issue(lab.LeafOptions{})))}}}
			},
		}, {
			domain: "new.example.org", codes: "denial-cached", senders: opportunistic, state: audit.Clean, nl: nlNoDANE,
			make: func(s *mailSite) { // it still holds that there is none
				s.crafted = []lab.CraftedServer{{Records: s.owned(s.ee(s.one(lab.LeafOptions{}))), ForResolvers: &lab.CraftedServer{}}}
			},
		}, {
			domain: "astray.example.org", codes: "alias-disagree", senders: delivered, state: audit.Warnings,
			make: func(s *mailSite) { // name servers lead to two places
				p := s.one(lab.LeafOptions{})
				for _, to := range []string{"a", "b"} {
					s.put(to+"."+s.domain, "TLSA "+s.ee(p))
					s.crafted = append(s.crafted, lab.CraftedServer{Records: []string{"_25._tcp." + s.host + ". 3600 CNAME " + to + "." + s.domain + "."}})
				}
			},
		}, {
			domain: "nameless.example.org", codes: "no-address ns-disagree", senders: delivered, state: audit.Warnings,
			make: func(s *mailSite) { // the zone names a server that has no address, and that the parent does not name
				zone(lab.CraftedServer{})(s)
				s.put(s.domain, "NS ns9."+s.domain+".")
			},
		}, {
			domain: "split.example.org", public: true, codes: "split-dns", senders: delivered, state: audit.Warnings,
			make: zone(lab.CraftedServer{}),
		}, {
			domain: "unanswered.example.org", codes: "tlsa-unanswered", senders: deferred, state: audit.Broken, nl: nlNoDANE,
			make: zone(lab.CraftedServer{OmitsTLSA: true}),
		},
	}
}

// owned is a TLSA record of the host that one server alone has.
func (s *mailSite) owned(data string) []string {
	return []string{"_25._tcp." + s.host + ". 3600 TLSA " + data}
}
