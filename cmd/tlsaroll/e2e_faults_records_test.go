package main

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/certwatch/issuers"
	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/lab"
	"github.com/tlsaroll/tlsaroll/rollover/audit"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// recordFaults are what TLSA records can say, and whether it fits what is presented.
func recordFaults() []fault {
	return []fault{
		{
			domain: "example.org", codes: "caa-none sts-none tlsrpt-none", senders: delivered, state: audit.Clean,
			make: func(s *mailSite) { // Postfix, two hosts
				s.put(s.domain, "MX 20 mx2.example.org.")
				s.put("mx2.example.org", "A "+s.SecondPostfix.Addr.Addr().String())
				s.host = "mx2.example.org"
				for _, p := range []*lab.Pair{s.Live, s.LiveRSA} {
					s.records(s.ee(p), s.ta(p))
				}
			},
		}, {
			domain: "next.example.org", spotless: true, senders: withSTS, state: audit.Clean,
			make: func(s *mailSite) {
				s.records(s.ee(s.one(lab.LeafOptions{})), s.ee(s.issue(lab.LeafOptions{})))
				s.put(s.host, `CAA 0 issue "ca.example.net"`)
				s.put("_smtp._tls."+s.domain, `TXT "v=TLSRPTv1; rua=mailto:tls@example.org"`)
				s.policy(enforce(s.host))
			},
		}, {
			domain: "exim.example.org", senders: delivered, state: audit.Clean,
			make: func(s *mailSite) {
				p := s.issue(lab.LeafOptions{KeyType: lab.RSA})
				s.put(s.domain, "MX 10 "+s.host+".")
				s.put(s.host, "A "+s.ServeExim(s.t, p).String())
				s.records(s.ee(p), s.ta(p))
			},
		}, {
			domain: "wildcard.example.org", codes: "wildcard", senders: delivered, state: audit.Clean,
			make: func(s *mailSite) {
				s.put("*._tcp."+s.host, "TLSA "+s.ee(s.one(lab.LeafOptions{})))
			},
		}, {
			domain: "renewed.example.org", codes: "served-unmatched", senders: deferred, state: audit.Broken, nl: nlWrong,
			make: func(s *mailSite) { s.one(lab.LeafOptions{}); s.records(s.ee(s.issue(lab.LeafOptions{}))) },
		}, {
			domain: "agility.example.org", codes: "digest-agility", senders: deferred, state: audit.Broken, nl: nlWrong,
			make: func(s *mailSite) { s.records(s.ee(s.one(lab.LeafOptions{})), s.stray("3 1 2", 64)) },
		}, {
			domain: "strong.example.org", codes: "combination-unmatched", senders: delivered, state: audit.Warnings,
			make: func(s *mailSite) { s.records(s.ee(s.one(lab.LeafOptions{})), s.stray("2 1 1", 32)) },
		}, {
			domain: "usages.example.org", codes: "records-unusable", senders: encrypted, state: audit.Warnings, nl: nlNoDANE,
			make: func(s *mailSite) {
				p := s.one(lab.LeafOptions{})
				s.records(p.TLSA(s.t, tlsa.Params{Usage: tlsa.PKIXEE, Selector: 1, Matching: 1}), p.TLSA(s.t, tlsa.Params{Usage: tlsa.PKIXTA, Selector: 1, Matching: 1}))
			},
		}, {
			domain: "usages-too.example.org", codes: "usage-pkix", senders: delivered, state: audit.Warnings,
			make: func(s *mailSite) {
				p := s.one(lab.LeafOptions{})
				s.records(s.ee(p), p.TLSA(s.t, tlsa.Params{Usage: tlsa.PKIXEE, Selector: 1, Matching: 1}))
			},
		}, {
			domain: "full.example.org", codes: "matching-full answer-large", senders: delivered, state: audit.Warnings,
			make: func(s *mailSite) {
				whole := tlsa.Params{Usage: tlsa.DANEEE}
				s.records(s.one(lab.LeafOptions{}).TLSA(s.t, whole), s.issue(lab.LeafOptions{}).TLSA(s.t, whole), s.issue(lab.LeafOptions{}).TLSA(s.t, whole))
			},
		}, {
			domain: "unreadable.example.org", codes: "full-unreadable", senders: delivered, state: audit.Warnings,
			make: func(s *mailSite) { s.records(s.ee(s.one(lab.LeafOptions{})), s.stray("3 1 0", 40)) },
		}, {
			domain: "anchor-cert.example.org", codes: "anchor-cert", senders: delivered, state: audit.Clean,
			make: func(s *mailSite) {
				p := s.one(lab.LeafOptions{})
				s.records(s.ee(p), p.TLSA(s.t, tlsa.Params{Usage: tlsa.DANETA, Matching: 1}))
			},
		}, {
			domain: "retired.example.org", codes: "issuer-retired", senders: delivered, state: audit.Warnings,
			make: func(s *mailSite) {
				retired, err := issuers.Retired()
				if err != nil {
					s.t.Fatal(err)
				}
				p := s.one(lab.LeafOptions{})
				s.records(s.ee(p), s.ta(p), "2 1 1 "+retired[0])
			},
		}, {
			domain: "cert-digest.example.org", codes: "selector-cert", senders: delivered, state: audit.Warnings,
			make: func(s *mailSite) {
				s.records(s.one(lab.LeafOptions{}).TLSA(s.t, tlsa.Params{Usage: tlsa.DANEEE, Matching: 1}))
			},
		}, {
			domain: "octets.example.org", codes: "digest-length", senders: delivered, state: audit.Warnings,
			make: func(s *mailSite) { s.records(s.ee(s.one(lab.LeafOptions{})), s.stray("3 1 1", 31)) },
		}, {
			domain: "unknown.example.org", codes: "record-unknown", senders: delivered, state: audit.Warnings,
			make: func(s *mailSite) { s.records(s.ee(s.one(lab.LeafOptions{})), s.stray("3 1 7", 32)) },
		}, {
			domain: "pem.example.org", codes: "digest-of-pem served-unmatched", senders: deferred, state: audit.Broken, nl: nlWrong,
			make: func(s *mailSite) {
				s.records("3 1 1 " + sha256Hex(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.one(lab.LeafOptions{}).Leaf().Raw})))
			},
		}, {
			domain: "bare-key.example.org", codes: "digest-of-bare-key served-unmatched", senders: deferred, state: audit.Broken, nl: nlWrong,
			make: func(s *mailSite) {
				p := s.one(lab.LeafOptions{})
				s.records("3 1 1 " + sha256Hex(p.Leaf().RawSubjectPublicKeyInfo[26:])) // P-256: the point alone
			},
		}, {
			domain: "selector.example.org", codes: "digest-of-other-part served-unmatched", senders: deferred, state: audit.Broken, nl: nlWrong,
			make: func(s *mailSite) { s.records("3 1 1 " + sha256Hex(s.one(lab.LeafOptions{}).Leaf().Raw)) },
		}, {
			domain: "nothing.example.org", codes: "digest-of-nothing", senders: delivered, state: audit.Warnings,
			make: func(s *mailSite) { s.records(s.ee(s.one(lab.LeafOptions{})), "3 1 1 "+sha256Hex(nil)) },
		}, {
			domain: "ee-of-ca.example.org", codes: "usage-ee-of-ca served-unmatched", senders: deferred, state: audit.Broken, nl: nlWrong,
			make: func(s *mailSite) {
				s.records("3 1 1 " + sha256Hex(s.one(lab.LeafOptions{}).Certificates[1].RawSubjectPublicKeyInfo))
			},
		}, {
			domain: "ta-of-leaf.example.org", codes: "usage-ta-of-leaf anchor-not-served", senders: deferred, state: audit.Broken, nl: nlWrong,
			make: func(s *mailSite) {
				s.records("2 1 1 " + sha256Hex(s.one(lab.LeafOptions{}).Leaf().RawSubjectPublicKeyInfo))
			},
		}, {
			domain: "sha512.example.org", codes: "only-sha512", senders: delivered, state: audit.Warnings,
			make: func(s *mailSite) {
				s.records(s.one(lab.LeafOptions{}).TLSA(s.t, tlsa.Params{Usage: tlsa.DANEEE, Selector: 1, Matching: 2}))
			},
		}, {
			domain: "thirteen.example.org", codes: "too-many-records", senders: delivered, state: audit.Broken,
			make: func(s *mailSite) {
				s.records(s.ee(s.one(lab.LeafOptions{})))
				for range 12 {
					s.records(s.stray("3 1 1", 32))
				}
			},
		}, {
			domain: "short.example.org", codes: "ttl-short", senders: delivered, state: audit.Warnings,
			make: func(s *mailSite) { s.ttl = 60; s.records(s.ee(s.one(lab.LeafOptions{}))) },
		}, {
			domain: "algorithm.example.org", codes: "algorithm-unmatched", senders: deferred, partly: true, state: audit.Broken, nl: nlWrong,
			make: func(s *mailSite) { // the ECDSA chain was forgotten, and clients get it first
				rsa := s.issue(lab.LeafOptions{KeyType: lab.RSA})
				s.serve(lab.MX{Pairs: []*lab.Pair{s.issue(lab.LeafOptions{}), rsa}})
				s.records(s.ee(rsa))
			},
		}, {
			domain: "chain.example.org", codes: "anchor-not-served", senders: deferred, state: audit.Broken, nl: nlWrong,
			make: func(s *mailSite) {
				p := s.issue(lab.LeafOptions{})
				s.serve(lab.MX{Pairs: []*lab.Pair{bare(p)}})
				s.records(s.ta(p))
			},
		}, {
			domain: "gap.example.org", codes: "anchor-path", senders: deferred, state: audit.Broken, nl: nlWrong,
			make: func(s *mailSite) { // the root is sent, what stands between is not
				p := s.issue(lab.LeafOptions{WithRoot: true})
				s.serve(lab.MX{Pairs: []*lab.Pair{{Certificates: []*x509.Certificate{p.Leaf(), p.Certificates[2]}, Key: p.Key}}})
				s.records("2 1 1 " + sha256Hex(p.Certificates[2].RawSubjectPublicKeyInfo))
			},
		}, {
			domain: "expired-ta.example.org", codes: "anchor-dates", senders: deferred, state: audit.Broken, nl: nlWrong,
			make: func(s *mailSite) { s.records(s.ta(s.one(expired()))) },
		}, {
			domain: "expired-ee.example.org", codes: "certificate-dates single-record", senders: delivered, state: audit.Warnings,
			make: func(s *mailSite) { s.records(s.ee(s.one(expired()))) },
		}, {
			domain: "soon.example.org", codes: "expires-soon", senders: delivered, state: audit.Warnings,
			make: func(s *mailSite) {
				s.records(s.ee(s.one(lab.LeafOptions{Begins: -89 * 24 * time.Hour, Lifetime: 24 * time.Hour})))
			},
		}, {
			domain: "name-ta.example.org", codes: "name-missing", senders: deferred, state: audit.Broken, nl: nlWrong,
			make: func(s *mailSite) { s.records(s.ta(s.one(lab.LeafOptions{Names: []string{"mx.example.net"}}))) },
		}, {
			domain: "name-ee.example.org", codes: "certificate-name", senders: delivered, state: audit.Clean,
			make: func(s *mailSite) { s.records(s.ee(s.one(lab.LeafOptions{Names: []string{"mx.example.net"}}))) },
		}, {
			domain: "self-signed.example.org", codes: "certificate-untrusted", senders: delivered, state: audit.Clean,
			make: func(s *mailSite) { s.records(s.ee(s.one(lab.LeafOptions{SelfSigned: true}))) },
		}, {
			domain: "rare.example.org", codes: "key-rare", senders: delivered, state: audit.Clean,
			make: func(s *mailSite) {
				_, key, err := ed25519.GenerateKey(rand.Reader)
				if err != nil {
					s.t.Fatal(err)
				}
				s.records(s.ee(s.one(lab.LeafOptions{Key: key})))
			},
		}, {
			domain: "weak.example.org", codes: "key-weak", senders: delivered, state: audit.Warnings,
			make: func(s *mailSite) { s.records(s.ee(s.one(lab.LeafOptions{Key: weakKey(s.t)}))) },
		}, {
			domain: "own-name.example.org", senders: delivered, state: audit.Clean, nl: nlWrong,
			make: func(s *mailSite) { // under 2 1 1 the mail domain's name will do
				s.records(s.ta(s.one(lab.LeafOptions{Names: []string{s.domain}})))
			},
		},
	}
}

func expired() lab.LeafOptions {
	return lab.LeafOptions{Begins: -90 * 24 * time.Hour, Lifetime: -24 * time.Hour}
}

func weakKey(t *testing.T) crypto.Signer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func sha256Hex(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
