package main

import (
	"bytes"
	"context"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/finder"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/audit"
	"github.com/tlsaroll/tlsaroll/rollover/survey"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// seenProgram is the program in a world of few mail domains, which need no network:
//
//	example.org    has DANE as it should be
//	example.net    serves a certificate that no record vouches for
//	example.com    could not be looked up
//	slow.example   takes until it is interrupted
const seenProgram = "tlsaroll-seen"

func seenMain() { os.Exit(asProcess(seenWorld())) }

var seenAt = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func seenWorld() world {
	return world{now: func() time.Time { return seenAt }, look: func(c survey.Config) (sight, error) { return few{through: c}, nil }, find: seenHost, exchange: seenAnswer}
}

// seenHost is the directory "host" in the place of this machine, with what programs would
// print in its directory "programs".
func seenHost(h *finder.Host) {
	h.Files = os.DirFS("host")
	h.Run = func(_ context.Context, argv ...string) ([]byte, error) {
		return os.ReadFile(filepath.Join("host/programs", argv[0]))
	}
}

// seenAnswer is a validating resolver that knows the file "zone"; at port 1 there is none.
func seenAnswer(_ context.Context, m *dns.Msg, _ string, server netip.AddrPort) (*dns.Msg, error) {
	if server.Port() == 1 {
		return nil, errors.New("connection refused")
	}
	text, err := os.ReadFile("zone")
	if err != nil {
		return nil, err
	}
	r := new(dns.Msg).SetReply(m)
	r.RecursionAvailable, r.AuthenticatedData = true, true
	q := m.Question[0]
	var above []dns.RR
	for zp := dns.NewZoneParser(bytes.NewReader(text), ".", ""); ; {
		rr, ok := zp.Next()
		if !ok {
			break
		}
		h := rr.Header()
		switch {
		case h.Rrtype == q.Qtype && strings.EqualFold(h.Name, q.Name):
			r.Answer = append(r.Answer, rr)
		case h.Rrtype == dns.TypeSOA && dns.IsSubDomain(h.Name, q.Name):
			above = []dns.RR{rr} // the deepest comes last
		}
	}
	if len(r.Answer) == 0 {
		r.Ns = above
	}
	return r, nil
}

// few is a sight of few domains.
type few struct {
	through survey.Config
	began   func(name string) // a look begins; nil: nobody asks
	trouble error
}

func (f few) Trouble(context.Context) error { return f.trouble }

func (f few) Domain(ctx context.Context, name string) audit.Domain {
	if f.began != nil {
		f.began(name)
	}
	d := audit.Domain{Name: name, At: seenAt, Zone: secureLookup(), MX: audit.MX{Lookup: secureLookup()}, Reports: rollover.Seen("v=TLSRPTv1; rua=mailto:tls@example.org"),
		STS: audit.STS{Record: rollover.Seen("")}}
	switch name {
	case "example.com":
		d.MX.Lookup = audit.Lookup{Security: rollover.Indeterminate, Text: "SERVFAIL", Err: "SERVFAIL"}
		return d
	case "slow.example":
		<-ctx.Done()
		d.MX.Lookup = audit.Lookup{Security: rollover.Indeterminate, Text: "interrupted", Err: "interrupted"}
		return d
	}
	d.MX.Records = []audit.Exchange{{Preference: 10, Host: "mx1.example.org"}, {Preference: 20, Host: "mx2.example.org"}}
	d.Hosts = []audit.Host{fewHost("mx1.example.org", 25, true), fewHost("mx2.example.org", 25, true)}
	if name == "example.net" {
		d.MX.Records = []audit.Exchange{{Preference: 10, Host: "mx1.example.net"}}
		d.Hosts = []audit.Host{fewHost("mx1.example.net", 25, false)}
	}
	return d
}

func (f few) Host(ctx context.Context, name string) audit.Domain {
	d := f.Domain(ctx, name)
	d.MX.Given, d.MX.Records, d.Hosts = true, []audit.Exchange{{Host: name}}, []audit.Host{fewHost(name, 25, name != "mx1.example.net")}
	return d
}

func (f few) Service(_ context.Context, s survey.Service) audit.Host {
	h := fewHost(s.Host, s.Port, s.Host != "mx1.example.net")
	h.Preference = 0 // no MX record led there
	if len(s.Addresses) > 0 {
		h.Addresses[0].Address = s.Addresses[0]
	}
	return h
}

func secureLookup() audit.Lookup { return audit.Lookup{Security: rollover.Secure, Exists: true} }

// fewHost is a host that serves the chain of the tests, and whose records vouch for it
// or for another one.
func fewHost(name string, port uint16, right bool) audit.Host {
	leaf, err := readCertificates("certs/fullchain.pem")
	if os.IsNotExist(err) || err != nil {
		leaf, err = readCertificates("testdata/certs/fullchain.pem")
	}
	if err != nil {
		panic(err)
	}
	chain, err := tlsa.NewChain(leaf...)
	if err != nil {
		panic(err)
	}
	record, err := tlsa.Associate(tlsa.Params{Usage: tlsa.DANEEE, Selector: tlsa.SPKI, Matching: tlsa.SHA256}, leaf[0])
	if err != nil {
		panic(err)
	}
	next, err := tlsa.ParseAssociation("3 1 1 521b4b249ab0c1358bb0cab3f6d053eb4871fcdf2cc44a8dafcddef79b737a88")
	if err != nil {
		panic(err)
	}
	records := tlsa.NewRRset(time.Hour, next)
	if right {
		records = tlsa.NewRRset(time.Hour, record, next)
	}
	owner, err := tlsa.OwnerOf(port, name)
	if err != nil {
		panic(err)
	}
	h := audit.Host{Name: name, Preference: 10, Port: port, SMTP: port == 25, Zone: secureLookup(), Reach: secureLookup(), Target: name, CAA: rollover.Seen([]string{}),
		Bases: []audit.Base{{Name: name, Owner: owner, Resolved: rollover.Seen(records), OwnerView: rollover.OwnerView{Security: rollover.Secure, Target: owner}}}}
	a := audit.Address{Address: netip.AddrPortFrom(netip.MustParseAddr("192.0.2.1"), port), Greeted: time.Millisecond}
	for _, sni := range []bool{true, false} {
		for _, algorithm := range []string{"any", "rsa", "ecdsa"} {
			s := audit.Handshake{SNI: sni, Algorithm: algorithm, Outcome: rollover.Served, Chain: chain, Version: 0x0304}
			if algorithm == "rsa" {
				s = audit.Handshake{SNI: sni, Algorithm: algorithm, Outcome: rollover.NotOffered}
			}
			a.Handshakes = append(a.Handshakes, s)
		}
	}
	h.Addresses = []audit.Address{a}
	return h
}

// TestFew: what stands in for the world is what it is said to be.
func TestFew(t *testing.T) {
	for name, want := range map[string]audit.Delivery{"example.org": audit.WithDANE, "example.net": audit.Deferred, "example.com": audit.Unknown} {
		r := audit.Judge(few{}.Domain(t.Context(), name))
		if got := r.Senders[0]; got.Sender != audit.DANE || got.Delivery != want {
			t.Errorf("%s: %+v, want %s", name, got, want)
		}
	}
}
