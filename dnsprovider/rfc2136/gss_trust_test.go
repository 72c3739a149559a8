//go:build gsstsig

package rfc2136_test

import (
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"
	"github.com/miekg/dns"
	"github.com/tlsaroll/tlsaroll/dnsprovider"
)

func unpack(t testing.TB, raw []byte) *dns.Msg {
	m := new(dns.Msg)
	if err := m.Unpack(raw); err != nil {
		t.Error(err)
	}
	return m
}

func pack(t testing.TB, m *dns.Msg) []byte {
	raw, err := m.Pack()
	if err != nil {
		t.Error(err)
	}
	return raw
}

// changed changes the replies to requests of a kind.
func changed(t testing.TB, kind func(*dns.Msg) bool, change func(request, reply *dns.Msg)) func(request, reply []byte) []byte {
	return func(request, reply []byte) []byte {
		req, m := unpack(t, request), unpack(t, reply)
		if !kind(req) {
			return reply
		}
		change(req, m)
		return pack(t, m)
	}
}

func isTKEY(m *dns.Msg) bool { return len(m.Question) == 1 && m.Question[0].Qtype == dns.TypeTKEY }

func unsign(m *dns.Msg) {
	if m.IsTsig() != nil {
		m.Extra = m.Extra[:len(m.Extra)-1]
	}
}

func tkey(m *dns.Msg) *dns.TKEY {
	for _, rr := range append(m.Answer, m.Extra...) {
		if t, ok := rr.(*dns.TKEY); ok {
			return t
		}
	}
	return &dns.TKEY{}
}

// give puts a token into the reply.
func give(m *dns.Msg, token []byte) {
	tkey(m).Key, tkey(m).KeySize = hex.EncodeToString(token), uint16(len(token))
}

// errorToken is what a server may answer a ticket with (RFC 4121, section 4.1).
func errorToken(t testing.TB, code int32) []byte {
	e := messages.NewKRBError(types.NewPrincipalName(1, dnsService), realmName, code, "")
	raw, err := e.Marshal()
	if err != nil {
		t.Error(err)
	}
	mechanism := []byte{0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02, 0x03, 0x00}
	token, err := asn1.Marshal(asn1.RawValue{Class: asn1.ClassApplication, IsCompound: true, Bytes: append(mechanism, raw...)})
	if err != nil {
		t.Error(err)
	}
	return token
}

// TestGSSRepliesThatAreNotBelieved: somebody stands between us and a real server.
func TestGSSRepliesThatAreNotBelieved(t *testing.T) {
	r := startRealm(t)
	m := r.startMember(tlsaOnly)
	var before *dns.Msg // a reply to an update
	for _, test := range []struct {
		name   string
		kind   func(*dns.Msg) bool
		change func(request, reply *dns.Msg)
		want   string
	}{
		{"unsigned reply", isUpdate, func(_, m *dns.Msg) { unsign(m) },
			"the reply is not signed, and the request was: it is not believed; it says NOERROR (hint: is this the primary, and nothing between it and here)"},
		{"unsigned answer", isTLSA, func(_, m *dns.Msg) { unsign(m) },
			"the reply is not signed, and the request was: it is not believed; it says "},
		{"changed reply", isUpdate, func(_, m *dns.Msg) { m.Rcode = dns.RcodeRefused },
			"the signature of the reply does not fit: it is not believed; it says REFUSED"},
		{"signature sent back", isUpdate, func(req, m *dns.Msg) { m.Rcode = dns.RcodeRefused; m.IsTsig().MAC = req.IsTsig().MAC },
			"the reply has the signature of the request instead of one of its own: it is not believed; it says REFUSED (hint: so Windows answers an update that it did not check or does not take: does the zone take secure updates only, and records of this type)"},
		{"reply to another update", isUpdate, func(req, m *dns.Msg) {
			if before == nil {
				before = m.Copy()
			}
			*m = *before.Copy()
			m.Id, m.IsTsig().OrigId = req.Id, req.Id
		}, "the signature of the reply does not fit: it is not believed"},
		{"truncated signature", isUpdate, func(_, m *dns.Msg) {
			m.IsTsig().MAC, m.IsTsig().MACSize = m.IsTsig().MAC[:40], 20
		}, "the signature of the reply does not fit: it is not believed"},
		{"another algorithm", isUpdate, func(_, m *dns.Msg) { m.IsTsig().Algorithm = dns.HmacSHA256 },
			`the reply is signed with the algorithm "hmac-sha256." and the request was with "gss-tsig.": it is not believed`},

		{"key not signed", isTKEY, func(_, m *dns.Msg) { unsign(m) },
			"the reply that a key was negotiated with is not signed with it: it is not believed (RFC 3645, section 2.2) (hint: is this the server that DNS/ns1.example.org is, and nothing between it and here)"},
		{"key for longer", isTKEY, func(_, m *dns.Msg) { tkey(m).Expiration++ },
			"the signature of the reply does not fit: it is not believed"},
		{"ticket sent back", isTKEY, func(req, m *dns.Msg) { tkey(m).Key, tkey(m).KeySize = tkey(req).Key, tkey(req).KeySize },
			"the server's answer proves nothing: it is a token of another kind"},
		{"token of nothing", isTKEY, func(_, m *dns.Msg) { give(m, []byte{0x60}) },
			"the server's answer proves nothing: it is not a token of GSS-API"},
		{"no token", isTKEY, func(_, m *dns.Msg) { give(m, nil) },
			"the server's answer proves nothing: it is not a token of GSS-API"},
		{"token of another mechanism", isTKEY, func(_, m *dns.Msg) { give(m, []byte{0x60, 0x03, 0x06, 0x01, 0x2a}) },
			"the server's answer proves nothing: it is not a token of Kerberos"},
		{"changed token", isTKEY, func(_, m *dns.Msg) {
			token, _ := hex.DecodeString(tkey(m).Key)
			token[len(token)-1] ^= 1
			give(m, token)
		}, "the server's answer proves nothing: it was not made with the key of the ticket"},
		{"cut token", isTKEY, func(_, m *dns.Msg) {
			token, _ := hex.DecodeString(tkey(m).Key)
			give(m, append([]byte{0x60, byte(len(token) - 12)}, token[2:len(token)-10]...))
		}, "the server's answer proves nothing: it is "},
	} {
		t.Run(test.name, func(t *testing.T) {
			proxy := newProxy(t, m.address)
			p := newProvider(t, r.config(proxy.address))
			if test.name == "reply to another update" {
				if err := apply(t, p, rrset(), rrset("1")); err != nil {
					t.Fatal(err)
				}
				if err := apply(t, p, rrset("1"), rrset()); err != nil {
					t.Fatal(err)
				}
				before = nil
				proxy.twist = changed(t, isUpdate, test.change)
				if err := apply(t, p, rrset(), rrset("1")); err != nil {
					t.Fatalf("a reply that is passed on as it is: %v", err)
				}
				err := apply(t, p, rrset("1"), rrset())
				if !errors.Is(err, dnsprovider.ErrUnauthentic) || !strings.Contains(err.Error(), test.want) {
					t.Errorf("error is\n%v, want\n%s", err, test.want)
				}
				return
			}
			proxy.twist = changed(t, test.kind, test.change)
			m.put(t, owner)
			err := apply(t, p, rrset(), rrset("1"))
			if !errors.Is(err, dnsprovider.ErrUnauthentic) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error is\n%v, want\n%s", err, test.want)
			}
		})
	}
}

func isTLSA(m *dns.Msg) bool {
	return m.Opcode == dns.OpcodeQuery && len(m.Question) == 1 && m.Question[0].Qtype == dns.TypeTLSA
}

// TestGSSServerRefusesTheTicket: what servers say in TKEY records, or in place of them.
func TestGSSServerRefusesTheTicket(t *testing.T) {
	r := startRealm(t)
	m := r.startMember(tlsaOnly)
	for _, test := range []struct {
		name   string
		change func(reply *dns.Msg)
		kind   dnsprovider.Kind
		want   string
	}{
		{"error of TKEY", func(m *dns.Msg) { tkey(m).Error = dns.RcodeBadTime }, dnsprovider.Refused,
			"BADTIME: the server does not accept the ticket for DNS/ns1.example.org (hint: has the server's keytab"},
		{"error without a name", func(m *dns.Msg) { tkey(m).Error = 3841 }, dnsprovider.Refused, "TKEY error 3841: the server does not accept the ticket"},
		{"error of Kerberos", func(m *dns.Msg) { give(m, errorToken(t, errorcode.KRB_AP_ERR_SKEW)) }, dnsprovider.Refused,
			"the server does not accept the ticket for DNS/ns1.example.org: KRB_AP_ERR_SKEW: the clocks are too far apart: its clock says "},
		{"error that cannot be read", func(m *dns.Msg) { give(m, append(errorToken(t, 0)[:20], 0)) }, dnsprovider.Unauthentic, "the server's answer proves nothing: it is not a token of GSS-API"},
		{"no key", func(m *dns.Msg) { m.Answer = nil }, dnsprovider.Malformed, "the server's reply has no key in it (hint: is it a server with GSS-TSIG)"},
		{"two keys", func(m *dns.Msg) { m.Answer = append(m.Answer, m.Answer[0]) }, dnsprovider.Malformed, "the server's reply has no key in it"},
		{"another key", func(m *dns.Msg) { tkey(m).Hdr.Name = "other." }, dnsprovider.Malformed, "the server's reply has no key in it"},
		{"another mode", func(m *dns.Msg) { tkey(m).Mode = 2 }, dnsprovider.Malformed, "the server's reply has no key in it"},
		{"another algorithm", func(m *dns.Msg) { tkey(m).Algorithm = "gss.microsoft.com." }, dnsprovider.Malformed, "the server's reply has no key in it"},
		{"not implemented", func(m *dns.Msg) { m.Rcode, m.Answer = dns.RcodeNotImplemented, nil }, dnsprovider.Refused, "NOTIMP: the server negotiates no keys (hint: is it a server with GSS-TSIG"},
		{"another question", func(m *dns.Msg) { m.Question[0].Name = "other." }, dnsprovider.Malformed, "not a valid reply: it is about another question"},
	} {
		t.Run(test.name, func(t *testing.T) {
			proxy := newProxy(t, m.address)
			proxy.twist = changed(t, isTKEY, func(_, m *dns.Msg) { test.change(m) })
			_, err := newProvider(t, r.config(proxy.address)).RRset(t.Context(), zone, owner)
			if !errors.Is(err, test.kind.Err()) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error is\n%v, want one of kind %v\n%s", err, test.kind, test.want)
			}
		})
	}
}

// TestGSSKeyDisowned: somebody on the way says that the key is not known, which cannot be
// signed. It is negotiated once more, and no more; an update that was made all the
// same is found to be.
func TestGSSKeyDisowned(t *testing.T) {
	r := startRealm(t)
	m := r.startMember(tlsaOnly)
	for _, test := range []struct {
		name  string
		kind  func(*dns.Msg) bool
		code  uint16
		times int
		want  string // "": the change is made
	}{
		{"answer, once", isTLSA, dns.RcodeBadKey, 1, ""},
		{"reply, once", isUpdate, dns.RcodeBadKey, 1, ""},
		{"reply, once, wrong signature", isUpdate, dns.RcodeBadSig, 1, ""},
		{"answer, again and again", isTLSA, dns.RcodeBadKey, 99,
			"BADKEY: the server does not know the key, or not with this algorithm (the reply itself is not signed) (hint: the key was negotiated a moment ago: do several servers share this address)"},
		{"reply, again and again", isUpdate, dns.RcodeBadSig, 99,
			"BADSIG: the server finds the signature of the request wrong (the reply itself is not signed) (hint: the key was negotiated a moment ago: do several servers share this address)"},
	} {
		t.Run(test.name, func(t *testing.T) {
			m.put(t, owner)
			proxy := newProxy(t, m.address)
			negotiated, disowned := 0, 0
			proxy.twist = func(request, reply []byte) []byte {
				req := unpack(t, request)
				if isTKEY(req) {
					negotiated++
				}
				if !test.kind(req) || disowned == test.times {
					return reply
				}
				disowned++
				return pack(t, disown(req, test.code))
			}
			err := apply(t, newProvider(t, r.config(proxy.address)), rrset(), rrset("1"))
			switch {
			case test.want == "" && err != nil:
				t.Error(err)
			case test.want != "" && (!errors.Is(err, dnsprovider.ErrUnauthentic) || !strings.Contains(err.Error(), test.want)):
				t.Errorf("error is\n%v, want\n%s", err, test.want)
			}
			if want := min(test.times, 2); negotiated != 2 || disowned < want {
				t.Errorf("%d keys were negotiated, want 2; %d replies denied it, want %d or more", negotiated, disowned, want)
			}
		})
	}
}

// disown is the reply of a server that does not know the key (RFC 8945, section 5.3.2).
func disown(req *dns.Msg, code uint16) *dns.Msg {
	m := new(dns.Msg).SetReply(req)
	m.Rcode = dns.RcodeNotAuth
	t := stub(req)
	t.Error, t.TimeSigned = code, uint64(time.Now().Unix())
	m.Extra = append(m.Extra, t)
	return m
}
