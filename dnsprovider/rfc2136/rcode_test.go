package rfc2136_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/miekg/dns"
	"github.com/tlsaroll/tlsaroll/dnsprovider"
)

// TestEveryRCODEIsASentence: with a hint, where there is something to do.
func TestEveryRCODEIsASentence(t *testing.T) {
	const odd = " (hint: is this an authoritative server)"
	for _, test := range []struct {
		rcode int
		kind  dnsprovider.Kind
		want  string
	}{
		{dns.RcodeFormatError, dnsprovider.Malformed,
			"FORMERR: the server does not understand the update (hint: its log says what it stumbles over; is it an authoritative server that takes dynamic updates)"},
		{dns.RcodeServerFailure, dnsprovider.Temporary,
			"SERVFAIL: the server could not carry out the update (hint: its log says why: often a journal or zone file that it may not write, a full disk, or DNSSEC keys that it cannot read)"},
		{dns.RcodeNameError, dnsprovider.Conflict,
			"NXDOMAIN: the RRset is not what was read, and yet it reads the same (hint: does another copy of the zone answer queries, or a wildcard)"},
		{dns.RcodeNotImplemented, dnsprovider.Unsupported,
			"NOTIMP: the server takes no dynamic updates (hint: is this the primary server of the zone, and not a secondary or a resolver)"},
		{dns.RcodeRefused, dnsprovider.Refused,
			`REFUSED: the server does not let this change be made (hint: does key "tlsaroll.example.org." have update rights for TLSA at this name, e.g. grant tlsaroll.example.org. name _25._tcp.mx.example.org. TLSA; and is this the primary)`},
		{dns.RcodeYXDomain, dnsprovider.Conflict,
			"YXDOMAIN: the RRset is not what was read, and yet it reads the same (hint: does another copy of the zone answer queries, or a wildcard)"},
		{dns.RcodeYXRrset, dnsprovider.Conflict,
			"YXRRSET: the RRset is not what was read, and yet it reads the same (hint: does another copy of the zone answer queries, or a wildcard)"},
		{dns.RcodeNXRrset, dnsprovider.Conflict,
			"NXRRSET: the RRset is not what was read, and yet it reads the same (hint: does another copy of the zone answer queries, or a wildcard)"},
		{dns.RcodeNotAuth, dnsprovider.NoZone,
			"NOTAUTH: the server is not authoritative for the zone example.org. (hint: is this the primary server of the zone, is the zone loaded there, and is that its name)"},
		{dns.RcodeNotZone, dnsprovider.OutsideZone,
			"NOTZONE: the name is not within the zone example.org. (hint: is there a zone cut between them)"},
		{dns.RcodeStatefulTypeNotImplemented, dnsprovider.Malformed, "DSOTYPENI: an answer to something that was not asked" + odd},
		{12, dnsprovider.Malformed, "RCODE 12: a code that has no meaning for an update" + odd},
		{15, dnsprovider.Malformed, "RCODE 15: a code that has no meaning for an update" + odd},
		{dns.RcodeBadVers, dnsprovider.Malformed, "BADVERS: an answer about EDNS, which was not used (hint: what stands between here and the server)"},
		{dns.RcodeBadKey, dnsprovider.Malformed, "BADKEY: an error of TSIG that stands where none may stand" + odd},
		{dns.RcodeBadTime, dnsprovider.Malformed, "BADTIME: an error of TSIG that stands where none may stand" + odd},
		{dns.RcodeBadMode, dnsprovider.Malformed, "BADMODE: an answer to something that was not asked" + odd},
		{dns.RcodeBadName, dnsprovider.Malformed, "BADNAME: an answer to something that was not asked" + odd},
		{dns.RcodeBadAlg, dnsprovider.Malformed, "BADALG: an answer to something that was not asked" + odd},
		{dns.RcodeBadTrunc, dnsprovider.Malformed, "BADTRUNC: an error of TSIG that stands where none may stand" + odd},
		{dns.RcodeBadCookie, dnsprovider.Malformed, "BADCOOKIE: an answer about EDNS, which was not used (hint: what stands between here and the server)"},
		{3841, dnsprovider.Malformed, "RCODE 3841: a code that has no meaning for an update" + odd},
	} {
		t.Run(fmt.Sprint(test.rcode), func(t *testing.T) {
			s := serve(t)
			s.always(func(w dns.ResponseWriter, req *dns.Msg) bool {
				if !isUpdate(req) {
					return false
				}
				m := new(dns.Msg).SetReply(req)
				m.Rcode = test.rcode
				if test.rcode > 0xf {
					m.SetEdns0(1232, false) // an extended RCODE has to stand somewhere
				}
				s.write(w, req, m)
				return true
			})
			err := apply(t, newProvider(t, config(s)), rrset(), rrset("1"))
			want := "change _25._tcp.mx.example.org.: rfc2136 " + s.address + ": " + test.want
			if err == nil || err.Error() != want || !errors.Is(err, test.kind.Err()) {
				t.Errorf("error is\n%v, want one of kind %v\n%s", err, test.kind, want)
			}
		})
	}
}

func TestEveryRCODEOfAQueryIsASentence(t *testing.T) {
	for _, test := range []struct {
		rcode int
		kind  dnsprovider.Kind
		want  string
	}{
		{dns.RcodeFormatError, dnsprovider.Malformed,
			"FORMERR: the server does not understand the query (hint: is this an authoritative server, and does it know TSIG)"},
		{dns.RcodeServerFailure, dnsprovider.Temporary,
			"SERVFAIL: the server cannot say what stands there (hint: is the zone loaded, and not expired; its log says more)"},
		{dns.RcodeNotImplemented, dnsprovider.Unsupported,
			"NOTIMP: the server does not answer this query (hint: is this an authoritative server)"},
		{dns.RcodeRefused, dnsprovider.Refused,
			"REFUSED: the server does not answer queries for this name (hint: does it serve the zone, and does allow-query admit this host or key)"},
		{dns.RcodeNotAuth, dnsprovider.NoZone,
			"NOTAUTH: the server is not authoritative for the name (hint: does it serve the zone, in the view that this key selects)"},
		{12, dnsprovider.Malformed, "RCODE 12: a code that has no meaning for this query (hint: is this an authoritative server)"},
	} {
		t.Run(fmt.Sprint(test.rcode), func(t *testing.T) {
			s := serve(t)
			s.always(func(w dns.ResponseWriter, req *dns.Msg) bool {
				s.write(w, req, new(dns.Msg).SetRcode(req, test.rcode))
				return true
			})
			_, err := newProvider(t, config(s)).RRset(t.Context(), zone, owner)
			want := "read _25._tcp.mx.example.org.: rfc2136 " + s.address + ": " + test.want
			if err == nil || err.Error() != want || !errors.Is(err, test.kind.Err()) {
				t.Errorf("error is\n%v, want one of kind %v\n%s", err, test.kind, want)
			}
		})
	}
}

// TestRepliesThatAreNone: signed as they should be, and nothing of the kind asked for.
func TestRepliesThatAreNone(t *testing.T) {
	for _, test := range []struct {
		name string
		odd  func(*dns.Msg)
		want string
	}{
		{"a request", func(m *dns.Msg) { m.Response = false }, "not a valid reply: it is a request; it says NOERROR"},
		{"another opcode", func(m *dns.Msg) { m.Opcode = dns.OpcodeQuery }, "not a valid reply: its opcode is 0, not 5; it says NOERROR"},
		{"another zone", func(m *dns.Msg) { m.Question[0].Name = "example.net." }, "not a valid reply: it is about another question; it says NOERROR"},
		{"two questions", func(m *dns.Msg) { m.Question = append(m.Question, m.Question[0]) }, "not a valid reply: it is about another question; it says NOERROR"},
		{"truncated", func(m *dns.Msg) { m.Truncated = true }, "not a valid reply: it is truncated, over TCP; it says NOERROR"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := serve(t)
			s.always(func(w dns.ResponseWriter, req *dns.Msg) bool {
				if !isUpdate(req) {
					return false
				}
				m := s.reply(req)
				test.odd(m)
				s.write(w, req, m)
				return true
			})
			err := apply(t, newProvider(t, config(s)), rrset(), rrset("1"))
			want := "change _25._tcp.mx.example.org.: rfc2136 " + s.address + ": " + test.want
			if err == nil || err.Error() != want || !errors.Is(err, dnsprovider.ErrMalformed) {
				t.Errorf("error is\n%v, want\n%s", err, want)
			}
		})
	}
}

// TestZoneSectionMayBeLeftOut: of the reply to an update (RFC 2136, section 3.8), not of
// the answer to a query.
func TestZoneSectionMayBeLeftOut(t *testing.T) {
	s := serve(t)
	s.always(func(w dns.ResponseWriter, req *dns.Msg) bool {
		if !isUpdate(req) {
			return false
		}
		m := s.reply(req)
		m.Question = nil
		s.write(w, req, m)
		return true
	})
	p := newProvider(t, config(s))
	if err := apply(t, p, rrset(), rrset("1")); err != nil {
		t.Error(err)
	}
	s.always(func(w dns.ResponseWriter, req *dns.Msg) bool {
		m := s.reply(req)
		m.Question = nil
		s.write(w, req, m)
		return true
	})
	if _, err := p.RRset(t.Context(), zone, owner); !errors.Is(err, dnsprovider.ErrMalformed) {
		t.Errorf("error is %v", err)
	}
}
