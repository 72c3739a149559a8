package main

import (
	"crypto/tls"
	"time"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/lab"
	"github.com/tlsaroll/tlsaroll/rollover/audit"
)

// servedFaults are what mail servers do, whose records match.
func servedFaults() []fault {
	mx := func(change func(*mailSite, *lab.MX)) func(*mailSite) {
		return func(s *mailSite) {
			p := s.issue(lab.LeafOptions{})
			m := lab.MX{Pairs: []*lab.Pair{p}}
			change(s, &m)
			s.serve(m)
			s.records(s.ee(p))
		}
	}
	return []fault{
		{
			domain: "starttls-off.example.org", codes: "starttls-missing", senders: deferred, state: audit.Broken, nl: nlNoTLS,
			make: mx(func(_ *mailSite, m *lab.MX) { m.STARTTLS = lab.Concealed }),
		}, {
			domain: "put-off.example.org", codes: "starttls-put-off", senders: deferred, state: audit.Broken, nl: nlNoTLS,
			make: mx(func(_ *mailSite, m *lab.MX) { m.STARTTLS = lab.PutOff }),
		}, {
			domain: "hollow-tls.example.org", codes: "starttls-missing", senders: deferred, state: audit.Broken, nl: nlNoTLS,
			make: mx(func(_ *mailSite, m *lab.MX) { m.STARTTLS = lab.Hollow }),
		}, {
			domain: "plaintext.example.org", codes: "plaintext-only dane-absent", senders: opportunistic, state: audit.Warnings, nl: nlNoTLS,
			make: func(s *mailSite) { s.serve(lab.MX{STARTTLS: lab.Concealed}) },
		}, {
			domain: "tarpit.example.org", codes: "greeting-slow", senders: delivered, state: audit.Warnings,
			make: mx(func(_ *mailSite, m *lab.MX) { m.Greets = 11 * time.Second }),
		}, {
			domain: "tls10.example.org", codes: "tls-only-old", senders: deferred, state: audit.Broken, nl: nlStatuses{audit.StatusPassed, audit.StatusPassed, audit.StatusNotTested},
			make: mx(func(_ *mailSite, m *lab.MX) { m.Oldest, m.Newest = tls.VersionTLS10, tls.VersionTLS10 }),
		}, {
			domain: "tls10on.example.org", codes: "tls-old", senders: delivered, state: audit.Warnings,
			make: mx(func(_ *mailSite, m *lab.MX) { m.Oldest = tls.VersionTLS10 }),
		}, {
			domain: "tls13.example.org", codes: "tls-only-new", senders: delivered, state: audit.Clean,
			make: mx(func(_ *mailSite, m *lab.MX) { m.Oldest = tls.VersionTLS13 }),
		}, {
			domain: "sni-demanded.example.org", codes: "sni-demanded", senders: delivered, state: audit.Warnings,
			make: mx(func(_ *mailSite, m *lab.MX) { m.WantsName = true }),
		}, {
			domain: "no-sni.example.org", codes: "no-sni-unmatched", senders: delivered, state: audit.Warnings,
			make: mx(func(s *mailSite, m *lab.MX) {
				m.WithoutName = s.issue(lab.LeafOptions{Names: []string{"mx.example.net"}})
			}),
		}, {
			domain: "forgotten.example.org", codes: "address-unmatched", senders: delivered, partly: true, state: audit.Broken,
			make: func(s *mailSite) { // one of two addresses has the former certificate
				s.records(s.ee(s.one(lab.LeafOptions{})))
				s.at(s.host, lab.MX{Pairs: []*lab.Pair{s.issue(lab.LeafOptions{})}})
			},
		}, {
			domain: "ipv6.example.org", senders: delivered, state: audit.Clean,
			make: func(s *mailSite) {
				p := s.issue(lab.LeafOptions{})
				s.put(s.domain, "MX 10 "+s.host+".")
				at, err := s.SpareIPv6(s.t.Context())
				if err != nil {
					s.t.Logf("LEFT OUT, a host with IPv6 alone, as there is none here: %v", err)
					s.at(s.host, lab.MX{Pairs: []*lab.Pair{p}})
				} else {
					s.ServeMXAt(s.t, at, lab.MX{Pairs: []*lab.Pair{p}})
					s.put(s.host, "AAAA "+at.String())
				}
				s.records(s.ee(p))
			},
		}, {
			domain: "partial.example.org", codes: "dane-partial", senders: senders{audit.Opportunistic, audit.WithDANE, audit.Opportunistic, audit.Opportunistic}, state: audit.Warnings, nl: nlNoDANE,
			make: func(s *mailSite) {
				s.records(s.ee(s.one(lab.LeafOptions{})))
				s.put(s.domain, "MX 20 mx2."+s.domain+".")
				s.at("mx2."+s.domain, lab.MX{Pairs: []*lab.Pair{s.issue(lab.LeafOptions{})}})
			},
		}, {
			domain: "shared.example.org", codes: "key-shared", senders: delivered, state: audit.Clean,
			make: func(s *mailSite) {
				p := s.issue(lab.LeafOptions{Names: []string{s.host, "mx2." + s.domain}})
				s.serve(lab.MX{Pairs: []*lab.Pair{p}})
				s.put(s.domain, "MX 20 mx2."+s.domain+".")
				s.at("mx2."+s.domain, lab.MX{Pairs: []*lab.Pair{p}})
				s.records(s.ee(p))
				s.put("_25._tcp.mx2."+s.domain, "TLSA "+s.ee(p))
			},
		}, {
			domain: "caa.example.org", codes: "caa-excludes", senders: delivered, state: audit.Warnings,
			make: func(s *mailSite) {
				s.records(s.ee(s.one(lab.LeafOptions{})))
				s.put(s.host, `CAA 0 issue ";"`)
			},
		},
	}
}
