package rfc2136_test

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/tlsaroll/tlsaroll/dnsprovider"
)

// reply makes the reply that a good server would send, with the change carried out.
func (s *server) reply(req *dns.Msg) *dns.Msg {
	m := new(dns.Msg).SetReply(req)
	s.answer(req, m)
	return m
}

// signedFor packs and signs a reply. The library's server signs for the request that came
// last over the connection.
func signedFor(t *testing.T, req, m *dns.Msg) []byte {
	t.Helper()
	m.Extra = append(m.Extra, stub(req))
	raw, _, err := dns.TsigGenerateWithProvider(m, hmacKey(secret), req.IsTsig().MAC, false)
	if err != nil {
		t.Error(err)
	}
	return raw
}

// stub is the TSIG record of a reply, to be signed.
func stub(req *dns.Msg) *dns.TSIG {
	t := req.IsTsig()
	return &dns.TSIG{
		Hdr:       dns.RR_Header{Name: t.Hdr.Name, Rrtype: dns.TypeTSIG, Class: dns.ClassANY},
		Algorithm: t.Algorithm, TimeSigned: uint64(time.Now().Unix()), Fudge: 300, OrigId: req.Id,
	}
}

// truncated signs with half of the MAC.
type truncated struct{ hmacKey }

func (k truncated) Generate(msg []byte, t *dns.TSIG) ([]byte, error) {
	mac, err := k.hmacKey.Generate(msg, t)
	return mac[:len(mac)/2], err
}

// wrong signs with something else.
type wrong struct{ hmacKey }

func (k wrong) Generate(msg []byte, t *dns.TSIG) ([]byte, error) {
	mac, err := k.hmacKey.Generate(msg, t)
	mac[0] ^= 1
	return mac, err
}

// TestUnsignedReplyIsNotBelieved: NOERROR from a server that does not know the key is
// worth nothing. The library takes it for a success.
func TestUnsignedReplyIsNotBelieved(t *testing.T) {
	s := serve(t)
	s.always(func(w dns.ResponseWriter, req *dns.Msg) bool {
		if !isUpdate(req) {
			return false
		}
		w.WriteMsg(new(dns.Msg).SetReply(req)) // NOERROR, and nothing was done
		return true
	})
	err := apply(t, newProvider(t, config(s)), rrset(), rrset("1"))
	if !errors.Is(err, dnsprovider.ErrUnauthentic) {
		t.Fatalf("error is %v", err)
	}
	want := "change _25._tcp.mx.example.org.: rfc2136 " + s.address + ": the reply is not signed, and the request was: it is not believed; it says NOERROR" +
		` (hint: is this the primary, with the key "tlsaroll.example.org.", and nothing between it and here)`
	if err.Error() != want {
		t.Errorf("error is\n%v, want\n%s", err, want)
	}
}

// TestUnsignedAnswerIsNotBelieved: what is read has to be proven as well.
func TestUnsignedAnswerIsNotBelieved(t *testing.T) {
	s := serve(t)
	s.always(func(w dns.ResponseWriter, req *dns.Msg) bool {
		w.WriteMsg(s.reply(req))
		return true
	})
	p := newProvider(t, config(s))
	if _, err := p.RRset(t.Context(), zone, owner); !errors.Is(err, dnsprovider.ErrUnauthentic) {
		t.Errorf("read: error is %v", err)
	}
	if err := apply(t, p, rrset(), rrset("1")); !errors.Is(err, dnsprovider.ErrUnauthentic) {
		t.Errorf("change: error is %v", err)
	}
	if n := s.heard(); n != 0 {
		t.Errorf("%d updates were sent to a server that nobody knows", n)
	}
}

func TestRepliesThatAreNotBelieved(t *testing.T) {
	sign := func(s *server, w dns.ResponseWriter, m *dns.Msg, tsig *dns.TSIG) {
		m.Extra = append(m.Extra, tsig)
		w.WriteMsg(m)
	}
	for _, test := range []struct {
		name  string
		reply func(s *server, w dns.ResponseWriter, req *dns.Msg)
		want  string
	}{
		{"another key", func(s *server, w dns.ResponseWriter, req *dns.Msg) {
			tsig := stub(req)
			tsig.Hdr.Name = otherKey
			sign(s, w, s.reply(req), tsig)
		}, `the reply is signed with the key "other.example.org." and the request was with "tlsaroll.example.org.": it is not believed; it says NOERROR`},
		{"another algorithm", func(s *server, w dns.ResponseWriter, req *dns.Msg) {
			tsig := stub(req)
			tsig.Algorithm = dns.HmacSHA1
			sign(s, w, s.reply(req), tsig)
		}, `the reply is signed with the algorithm "hmac-sha1." and the request was with "hmac-sha256.": it is not believed; it says NOERROR`},
		{"wrong signature", func(s *server, w dns.ResponseWriter, req *dns.Msg) {
			s.signer = wrong{secret}
			sign(s, w, s.reply(req), stub(req))
		}, "the signature of the reply does not fit: it is not believed; it says NOERROR"},
		{"truncated signature", func(s *server, w dns.ResponseWriter, req *dns.Msg) {
			s.signer = truncated{secret}
			sign(s, w, s.reply(req), stub(req))
		}, "the signature of the reply is truncated: it is not believed; it says NOERROR"},
		{"empty signature", func(s *server, w dns.ResponseWriter, req *dns.Msg) {
			tsig := stub(req)
			tsig.Error = dns.RcodeBadKey // the library leaves the MAC empty then
			sign(s, w, s.reply(req), tsig)
		}, "the reply is not signed, and the request was: it is not believed; it says NOERROR"},
		{"changed after it was signed", func(s *server, w dns.ResponseWriter, req *dns.Msg) {
			m := s.reply(req)
			m.Rcode = dns.RcodeRefused
			m.Extra = append(m.Extra, stub(req))
			raw, _, err := dns.TsigGenerateWithProvider(m, hmacKey(secret), req.IsTsig().MAC, false)
			if err != nil {
				s.t.Error(err)
			}
			raw[3] &^= 0xf
			w.Write(raw)
		}, "the signature of the reply does not fit: it is not believed; it says NOERROR"},
		{"signed for another request", func(s *server, w dns.ResponseWriter, req *dns.Msg) {
			m := s.reply(req)
			m.Extra = append(m.Extra, stub(req))
			raw, _, err := dns.TsigGenerateWithProvider(m, hmacKey(secret), strings.Repeat("ab", 32), false)
			if err != nil {
				s.t.Error(err)
			}
			w.Write(raw)
		}, "the signature of the reply does not fit: it is not believed; it says NOERROR"},
		{"records after the signature", func(s *server, w dns.ResponseWriter, req *dns.Msg) {
			m := s.reply(req)
			m.Extra = append(m.Extra, stub(req))
			raw, _, err := dns.TsigGenerateWithProvider(m, hmacKey(secret), req.IsTsig().MAC, false)
			if err != nil {
				s.t.Error(err)
			}
			raw[11]++
			w.Write(append(raw, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 192, 0, 2, 1))
		}, "the reply has a TSIG record that is not its last record: it is not believed (RFC 8945, section 5.2); it says NOERROR"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := serve(t)
			s.always(func(w dns.ResponseWriter, req *dns.Msg) bool {
				if isUpdate(req) {
					test.reply(s, w, req)
				}
				return isUpdate(req)
			})
			err := apply(t, newProvider(t, config(s)), rrset(), rrset("1"))
			if !errors.Is(err, dnsprovider.ErrUnauthentic) || !strings.Contains(err.Error(), s.address+": "+test.want+" (hint: ") {
				t.Errorf("error is\n%v, want\n%s", err, test.want)
			}
		})
	}
}

// TestReplySignedLongAgo: a reply that somebody kept is none.
func TestReplySignedLongAgo(t *testing.T) {
	s := serve(t)
	s.always(func(w dns.ResponseWriter, req *dns.Msg) bool {
		m, tsig := s.reply(req), stub(req)
		tsig.TimeSigned -= 400
		m.Extra = append(m.Extra, tsig)
		w.WriteMsg(m)
		return true
	})
	_, err := newProvider(t, config(s)).RRset(t.Context(), zone, owner)
	if !errors.Is(err, dnsprovider.ErrUnauthentic) || !strings.Contains(err.Error(), "from this host's clock: it is not believed") {
		t.Errorf("error is %v", err)
	}
}

func TestTSIGErrors(t *testing.T) {
	report := func(code uint16) func(*server, dns.ResponseWriter, *dns.Msg) {
		return func(_ *server, w dns.ResponseWriter, req *dns.Msg) {
			refuse(w, new(dns.Msg).SetReply(req), req.IsTsig(), code)
		}
	}
	for _, test := range []struct {
		name string
		at   func(*server, dns.ResponseWriter, *dns.Msg)
		kind dnsprovider.Kind
		want string
	}{
		{"BADKEY", report(dns.RcodeBadKey), dnsprovider.Unauthentic,
			`BADKEY: the server does not know the key, or not with this algorithm (the reply itself is not signed) (hint: does the server have a key of exactly the name "tlsaroll.example.org.", for hmac-sha256; Knot says so, too, where no acl lets the key do this)`},
		{"BADSIG", report(dns.RcodeBadSig), dnsprovider.Unauthentic,
			`BADSIG: the server finds the signature of the request wrong (the reply itself is not signed) (hint: is the secret of key "tlsaroll.example.org." the same on both sides, to the last character)`},
		{"BADTRUNC", report(dns.RcodeBadTrunc), dnsprovider.Refused,
			"BADTRUNC: the server finds the signature of the request too short (hint: the signature is whole, so the algorithm on the server must be another)"},
		{"BADTIME, agreeing clocks", report(dns.RcodeBadTime), dnsprovider.Temporary,
			"apart (hint: the clocks agree, so another program signs with the same key: give each a key of its own)"},
		{"BADTIME, nothing told", func(_ *server, w dns.ResponseWriter, req *dns.Msg) {
			m, tsig := new(dns.Msg).SetRcode(req, dns.RcodeNotAuth), stub(req)
			tsig.Error = dns.RcodeBadTime
			m.Extra = append(m.Extra, tsig)
			w.WriteMsg(m)
		}, dnsprovider.Refused,
			"BADTIME: the server finds that the request was signed at the wrong time (hint: compare the clocks of this host and the server)"},
		{"a code of its own", report(99), dnsprovider.Refused, "TSIG error 99: a TSIG error that has no name"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := serve(t)
			s.always(func(w dns.ResponseWriter, req *dns.Msg) bool {
				if isUpdate(req) {
					test.at(s, w, req)
				}
				return isUpdate(req)
			})
			err := apply(t, newProvider(t, config(s)), rrset(), rrset("1"))
			if !errors.Is(err, test.kind.Err()) || !strings.HasSuffix(err.Error(), test.want) {
				t.Errorf("error is\n%v, want one of kind %v\n%s", err, test.kind, test.want)
			}
		})
	}
}

// TestBADTIMESaysHowFarTheClocksAreApart: and it is not tried again.
func TestBADTIMESaysHowFarTheClocksAreApart(t *testing.T) {
	s := serve(t)
	c := config(s)
	here := time.Now().Add(-20 * time.Minute).Truncate(time.Second)
	c.Now = func() time.Time { return here }
	var requests atomic.Int32
	s.always(func(w dns.ResponseWriter, req *dns.Msg) bool {
		requests.Add(1)
		return false
	})
	_, err := newProvider(t, c).RRset(t.Context(), zone, owner)
	if !errors.Is(err, dnsprovider.ErrRefused) {
		t.Fatalf("error is %v", err)
	}
	for _, want := range []string{
		"BADTIME: the server finds that the request was signed at the wrong time: its clock says ",
		", this host's " + here.UTC().Format(time.RFC3339) + ", 20m",
		"apart (hint: one of the two clocks is wrong: is NTP running on both)",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error is\n%v, it lacks\n%s", err, want)
		}
	}
	if n := requests.Load(); n != 2 {
		t.Errorf("%d queries, want the two of one look", n)
	}
}
