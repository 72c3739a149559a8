package rfc2136_test

import (
	"errors"
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

const challenge = tlsa.Owner("_acme-challenge.mx.example.org.")

// TestTXTProviderAgainstBIND: in a zone that is signed at a side changes are seen late.
func TestTXTProviderAgainstBIND(t *testing.T) {
	for name, clauses := range map[string]string{
		"unsigned zone":    `allow-update { key "tlsaroll.example.org."; };`,
		"signed at a side": `allow-update { key "tlsaroll.example.org."; }; dnssec-policy default; inline-signing yes;`,
	} {
		t.Run(name, func(t *testing.T) {
			n := startNamed(t, clauses)
			providertest.RunTXT(t, func(t *testing.T) providertest.TXTFixture { return n.txtFixture(t) })
		})
	}
}

func TestTXTProviderAgainstKnot(t *testing.T) {
	n := startKnot(t, "")
	providertest.RunTXT(t, func(t *testing.T) providertest.TXTFixture { return n.txtFixture(t) })
}

func (n *named) txtFixture(t *testing.T, settings ...func(*rfc2136.Config)) providertest.TXTFixture {
	proxy := newProxy(t, n.address)
	c := config(&server{address: proxy.address})
	c.Timeout, c.ReadBack = 10*time.Second, 10*time.Second
	for _, set := range settings {
		set(&c)
	}
	return providertest.TXTFixture{
		Provider: newProvider(t, c),
		Zone:     zone,
		Seed: func(t *testing.T, name tlsa.Owner, ttl time.Duration, values ...string) {
			var records []string
			for _, v := range values {
				records = append(records, fmt.Sprintf("%d IN TXT %q", ttl/time.Second, v))
			}
			n.put(t, name, records...)
			for range 200 {
				if got, _ := n.texts(t, name); len(got) == len(values) {
					return
				}
				time.Sleep(20 * time.Millisecond)
			}
			t.Fatalf("the edit of %s is not seen:\n%s", name, n.log)
		},
		Look: n.texts,
		Alias: func(t *testing.T, name, target tlsa.Owner) {
			n.put(t, name, "3600 IN CNAME "+string(target))
			n.settle(t, name, dns.TypeCNAME, 1)
		},
		LoseReply: func(*testing.T) { proxy.loseReply() },
	}
}

// texts asks the server without a key.
func (n *named) texts(t *testing.T, name tlsa.Owner) (values []string, ttl time.Duration) {
	t.Helper()
	client := &dns.Client{Net: "tcp", Timeout: 5 * time.Second}
	reply, _, err := client.Exchange(new(dns.Msg).SetQuestion(string(name), dns.TypeTXT), n.address)
	if err != nil {
		t.Fatal(err)
	}
	for _, rr := range reply.Answer {
		if r, ok := rr.(*dns.TXT); ok {
			values = append(values, strings.Join(r.Txt, ""))
			ttl = time.Duration(r.Hdr.Ttl) * time.Second
		}
	}
	return values, ttl
}

// TestTXTRightsHint: the line that the server wants is for TXT at this name, and no more.
func TestTXTRightsHint(t *testing.T) {
	s := serve(t)
	s.always(func(w dns.ResponseWriter, req *dns.Msg) bool {
		if !isUpdate(req) {
			return false
		}
		reply := new(dns.Msg).SetReply(req)
		reply.Rcode = dns.RcodeRefused
		s.write(w, req, reply)
		return true
	})
	err := newProvider(t, config(s)).AddTXT(t.Context(), "", challenge, "value", time.Minute)
	want := "add TXT at _acme-challenge.mx.example.org.: rfc2136 " + s.address + ": REFUSED: the server does not let this change be made " +
		`(hint: does key "tlsaroll.example.org." have update rights for TXT at this name, e.g. grant tlsaroll.example.org. name _acme-challenge.mx.example.org. TXT; and is this the primary)`
	if !errors.Is(err, dnsprovider.ErrRefused) || err.Error() != want {
		t.Errorf("error is\n%v, want\n%s", err, want)
	}
}

func TestUnsignedReplyToTXTIsNotBelieved(t *testing.T) {
	s := serve(t)
	s.always(func(w dns.ResponseWriter, req *dns.Msg) bool {
		if !isUpdate(req) {
			return false
		}
		w.WriteMsg(new(dns.Msg).SetReply(req)) // NOERROR, and nothing was done
		return true
	})
	if err := newProvider(t, config(s)).AddTXT(t.Context(), "", challenge, "value", time.Minute); !errors.Is(err, dnsprovider.ErrUnauthentic) {
		t.Errorf("error is %v", err)
	}
}

// TestServerIgnoresTXT: NOERROR, and nothing has changed, as where a policy drops types.
func TestServerIgnoresTXT(t *testing.T) {
	s := serve(t)
	s.ignore = func(dns.RR) bool { return true }
	err := newProvider(t, config(s)).AddTXT(t.Context(), "", challenge, "value", time.Minute)
	if !errors.Is(err, dnsprovider.ErrIgnored) {
		t.Errorf("error is %v", err)
	}
}

// TestTXTLostTwice: a change whose replies are lost is sent twice, and then not known.
func TestTXTLostTwice(t *testing.T) {
	s := serve(t)
	s.always(func(w dns.ResponseWriter, req *dns.Msg) bool {
		if !isUpdate(req) {
			return false
		}
		w.Close()
		return true
	})
	err := newProvider(t, config(s)).AddTXT(t.Context(), "", challenge, "value", time.Minute)
	if !errors.Is(err, dnsprovider.ErrTemporary) || !strings.Contains(err.Error(), "for the second time: whether it was carried out is not known") {
		t.Errorf("error is %v", err)
	}
}
