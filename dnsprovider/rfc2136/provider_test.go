package rfc2136_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/dnsprovider/providertest"
	"github.com/tlsaroll/tlsaroll/dnsprovider/rfc2136"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

const owner = tlsa.Owner("_25._tcp.mx.example.org.")

// hmacKey signs with hmac-sha256.
type hmacKey string

func (k hmacKey) Generate(msg []byte, _ *dns.TSIG) ([]byte, error) {
	raw, err := base64.StdEncoding.DecodeString(string(k))
	if err != nil {
		return nil, err
	}
	h := hmac.New(sha256.New, raw)
	h.Write(msg)
	return h.Sum(nil), nil
}

func (k hmacKey) Verify(msg []byte, t *dns.TSIG) error {
	mac, err := k.Generate(msg, t)
	if err != nil || hex.EncodeToString(mac) != t.MAC {
		return dns.ErrSig
	}
	return nil
}

func clock(t time.Time) string { return fmt.Sprintf("%012x", t.Unix()) }

// config is for the server; short of patience, as nothing here is far away.
func config(s *server) rfc2136.Config {
	return rfc2136.Config{
		Server: s.address, Zone: zone, KeyName: keyName, Secret: rfc2136.NewSecret(secret),
		Timeout: time.Second, ReadBack: 100 * time.Millisecond, Now: time.Now,
	}
}

func newProvider(t testing.TB, c rfc2136.Config) *rfc2136.Provider {
	t.Helper()
	p, err := rfc2136.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func record(digit string) tlsa.Association {
	return tlsa.Association{Params: tlsa.EE, Data: strings.Repeat("a"+digit, 32)}
}

func rrset(digits ...string) tlsa.RRset {
	s := tlsa.RRset{TTL: time.Hour}
	for _, d := range digits {
		s = s.With(record(d))
	}
	return s
}

// line is a record in zone-file form.
func line(owner tlsa.Owner, digit string) string {
	return fmt.Sprintf("%s 3600 IN TLSA %s", owner, record(digit))
}

// apply moves the RRset at owner.
func apply(t *testing.T, p dnsprovider.Provider, before, after tlsa.RRset) error {
	t.Helper()
	return p.Apply(t.Context(), zone, []dnsprovider.Change{{Owner: owner, Before: before, After: after}})[0]
}

func TestProviderAgainstAServerInProcess(t *testing.T) {
	providertest.Run(t, func(t *testing.T) providertest.Fixture {
		s := serve(t)
		return providertest.Fixture{
			Provider: newProvider(t, config(s)),
			Zone:     zone,
			Seed: func(t *testing.T, owner tlsa.Owner, ttl time.Duration, rdata ...string) {
				records := make([]string, len(rdata))
				for i, r := range rdata {
					records[i] = fmt.Sprintf("%d IN TLSA %s", ttl/time.Second, r)
				}
				s.replace(owner, dns.TypeTLSA, records...)
			},
			Beside:  func(t *testing.T, name, rrtype, rdata string) { s.add(name + " 3600 IN " + rrtype + " " + rdata) },
			Stands:  func(t *testing.T, name, rrtype string) []string { return s.rdata(name, rrtype) },
			Secrets: []string{secret},
			Without: without(),
			Look:    func(t *testing.T, owner tlsa.Owner) tlsa.RRset { return s.stands(owner) },
			Alias: func(t *testing.T, owner, target tlsa.Owner) {
				s.set(owner, "3600 IN CNAME "+string(target))
			},
			LoseReply: func(t *testing.T) {
				s.once(func(w dns.ResponseWriter, req *dns.Msg) bool {
					if !isUpdate(req) {
						return false
					}
					s.answer(req, new(dns.Msg))
					w.Close()
					return true
				})
			},
			Meanwhile: func(t *testing.T, edit func()) {
				s.once(func(w dns.ResponseWriter, req *dns.Msg) bool {
					if !isUpdate(req) {
						return false
					}
					edit()
					s.behave(w, req)
					return true
				})
			},
		}
	})
}
