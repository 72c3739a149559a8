package rfc2136_test

import (
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

const (
	zone      = "example.org."
	keyName   = "tlsaroll.example.org."
	secret    = "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LTMyYiE=" // of a server that lives as long as a test
	otherKey  = "other.example.org."
	otherText = "b3RoZXItb3RoZXItb3RoZXItb3RoZXItb3RoZXItMzI="
)

// server is a primary that works as RFC 2136 says, as long as nobody tells it otherwise.
type server struct {
	t       *testing.T
	address string

	mu      sync.Mutex
	rrs     []dns.RR // the zone; the first is its SOA
	updates int      // that came
	queries int
	largest int // number of owners in an update

	// misbehave may deal with a request by itself: true if it has. It runs without mu, and
	// one at a time.
	quirks    sync.Mutex
	misbehave func(w dns.ResponseWriter, req *dns.Msg) bool
	// ignore makes the server leave out what it says it does.
	ignore func(update dns.RR) bool
	// signer replaces how replies are signed.
	signer dns.TsigProvider
}

// serve starts a server with the records, in zone-file form, beside its SOA and NS.
func serve(t *testing.T, records ...string) *server {
	t.Helper()
	s := &server{t: t}
	s.add("@ 3600 IN SOA ns1 hostmaster 1 3600 600 86400 300", "@ 3600 IN NS ns1")
	s.add(records...)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.address = listener.Addr().String()
	srv := &dns.Server{
		Listener: listener, Handler: dns.HandlerFunc(s.handle), MaxTCPQueries: -1,
		TsigProvider:  signing{s},
		MsgAcceptFunc: func(dns.Header) dns.MsgAcceptAction { return dns.MsgAccept },
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		srv.ActivateAndServe()
	}()
	t.Cleanup(func() {
		listener.Close()
		srv.Shutdown()
		<-done
	})
	return s
}

// signing signs with the keys of the tests, or as the server's signer does.
type signing struct{ s *server }

func (g signing) provider(name string) dns.TsigProvider {
	text := map[string]string{keyName: secret, otherKey: otherText}[name]
	return hmacKey(text)
}

func (g signing) Generate(msg []byte, t *dns.TSIG) ([]byte, error) {
	if g.s.signer != nil {
		return g.s.signer.Generate(msg, t)
	}
	return g.provider(t.Hdr.Name).Generate(msg, t)
}

func (g signing) Verify(msg []byte, t *dns.TSIG) error {
	if !slices.Contains([]string{keyName, otherKey}, t.Hdr.Name) {
		return dns.ErrSecret
	}
	return g.provider(t.Hdr.Name).Verify(msg, t)
}

func (s *server) add(records ...string) {
	s.t.Helper()
	for _, text := range records {
		rr, err := dns.NewRR("$ORIGIN " + zone + "\n" + text)
		if err != nil {
			s.t.Fatal(err)
		}
		s.mu.Lock()
		s.rrs = append(s.rrs, rr)
		s.mu.Unlock()
	}
}

func (s *server) handle(w dns.ResponseWriter, req *dns.Msg) {
	if !s.quirk(w, req) {
		s.behave(w, req)
	}
}

func (s *server) quirk(w dns.ResponseWriter, req *dns.Msg) bool {
	s.quirks.Lock()
	defer s.quirks.Unlock()
	return s.misbehave != nil && s.misbehave(w, req)
}

// heard counts the updates that came and were dealt with.
func (s *server) heard() int {
	s.quirks.Lock() // after whatever misbehave is at
	defer s.quirks.Unlock()
	return s.count()
}

func (s *server) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.updates
}

// behave is what a good server does.
func (s *server) behave(w dns.ResponseWriter, req *dns.Msg) {
	reply := new(dns.Msg).SetReply(req)
	switch t := req.IsTsig(); {
	case t == nil:
		reply.Rcode = dns.RcodeRefused
	case w.TsigStatus() == dns.ErrSecret:
		refuse(w, reply, t, dns.RcodeBadKey)
		return
	case w.TsigStatus() == dns.ErrSig:
		refuse(w, reply, t, dns.RcodeBadSig)
		return
	case w.TsigStatus() == dns.ErrTime:
		refuse(w, reply, t, dns.RcodeBadTime)
		return
	case w.TsigStatus() != nil:
		s.t.Errorf("TSIG of the request: %v", w.TsigStatus())
		reply.Rcode = dns.RcodeFormatError
	default:
		s.answer(req, reply)
	}
	s.write(w, req, reply)
}

// answer does what the request asks for and fills in the reply.
func (s *server) answer(req, reply *dns.Msg) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if req.Opcode == dns.OpcodeUpdate {
		s.updates++
		reply.Rcode = s.update(req)
		return
	}
	s.queries++
	s.look(req.Question[0], reply)
}

// write signs the reply as the request was.
func (s *server) write(w dns.ResponseWriter, req, reply *dns.Msg) {
	if t := req.IsTsig(); t != nil {
		reply.SetTsig(t.Hdr.Name, t.Algorithm, 300, time.Now().Unix())
	}
	w.WriteMsg(reply)
}

// refuse is a TSIG error (RFC 8945, section 5.3.2); BADTIME with the server's clock.
func refuse(w dns.ResponseWriter, reply *dns.Msg, t *dns.TSIG, code uint16) {
	reply.Rcode = dns.RcodeNotAuth
	out := &dns.TSIG{
		Hdr:       dns.RR_Header{Name: t.Hdr.Name, Rrtype: dns.TypeTSIG, Class: dns.ClassANY},
		Algorithm: t.Algorithm, TimeSigned: t.TimeSigned, Fudge: t.Fudge, OrigId: reply.Id, Error: code,
	}
	if code == dns.RcodeBadTime {
		out.OtherLen, out.OtherData = 6, clock(time.Now())
	}
	reply.Extra = append(reply.Extra, out)
	w.WriteMsg(reply)
}

// look answers a query (RFC 1034, section 4.3.2): with wildcards, zone cuts and aliases.
func (s *server) look(q dns.Question, reply *dns.Msg) {
	name := dns.CanonicalName(q.Name)
	reply.Authoritative = true
	if name != zone && !strings.HasSuffix(name, "."+zone) {
		reply.Authoritative, reply.Rcode = false, dns.RcodeRefused
		return
	}
	for at := name; at != zone; at = at[strings.Index(at, ".")+1:] {
		if ns := s.at(at, dns.TypeNS); len(ns) > 0 {
			reply.Authoritative, reply.Ns = false, ns
			return
		}
	}
	from := name
	if !s.exists(name) {
		from = s.wildcard(name)
	}
	for _, rrtype := range []uint16{q.Qtype, dns.TypeCNAME} {
		for _, rr := range s.at(from, rrtype) {
			rr = dns.Copy(rr)
			rr.Header().Name = name
			reply.Answer = append(reply.Answer, rr)
		}
		if len(reply.Answer) > 0 {
			return
		}
	}
	reply.Ns = s.at(zone, dns.TypeSOA)
	if from == "" {
		reply.Rcode = dns.RcodeNameError
	}
}

func (s *server) at(name string, rrtype uint16) (out []dns.RR) {
	for _, rr := range s.rrs {
		if dns.CanonicalName(rr.Header().Name) == name && (rrtype == dns.TypeANY || rr.Header().Rrtype == rrtype) {
			out = append(out, dns.Copy(rr))
		}
	}
	return out
}

func (s *server) exists(name string) bool {
	return slices.ContainsFunc(s.rrs, func(rr dns.RR) bool {
		n := dns.CanonicalName(rr.Header().Name)
		return n == name || strings.HasSuffix(n, "."+name)
	})
}

func (s *server) wildcard(name string) string {
	for at := name; at != zone; {
		at = at[strings.Index(at, ".")+1:]
		if len(s.at("*."+at, dns.TypeANY)) > 0 {
			return "*." + at
		}
		if s.exists(at) {
			return ""
		}
	}
	return ""
}

// update does what RFC 2136, section 3 says, all or nothing.
func (s *server) update(req *dns.Msg) int {
	if len(req.Question) != 1 || req.Question[0].Qtype != dns.TypeSOA {
		return dns.RcodeFormatError
	}
	if dns.CanonicalName(req.Question[0].Name) != zone {
		return dns.RcodeNotAuth
	}
	names := map[string]bool{}
	for _, rr := range slices.Concat(req.Answer, req.Ns) {
		name := dns.CanonicalName(rr.Header().Name)
		if rr.Header().Rrtype == dns.TypeTLSA {
			names[name] = true // the others are of what lies above, too
		}
		if name != zone && !strings.HasSuffix(name, "."+zone) {
			return dns.RcodeNotZone
		}
	}
	s.largest = max(s.largest, len(names))
	if rcode := s.prerequisites(req.Answer); rcode != dns.RcodeSuccess {
		return rcode
	}
	for _, rr := range req.Ns {
		if s.ignore == nil || !s.ignore(rr) {
			s.change(rr)
		}
	}
	return dns.RcodeSuccess
}

func (s *server) prerequisites(rrs []dns.RR) int {
	want := map[string][]dns.RR{}
	for _, rr := range rrs {
		h := rr.Header()
		if h.Ttl != 0 {
			return dns.RcodeFormatError
		}
		if h.Class == dns.ClassNONE {
			if len(s.at(h.Name, h.Rrtype)) > 0 {
				return dns.RcodeYXRrset
			}
			continue
		}
		want[h.Name] = append(want[h.Name], rr)
	}
	for name, set := range want {
		if rrset := s.at(name, dns.TypeTLSA); !sameData(rrset, set) {
			return dns.RcodeNXRrset
		}
	}
	return dns.RcodeSuccess
}

func (s *server) change(rr dns.RR) {
	h := rr.Header()
	if h.Class == dns.ClassNONE {
		s.rrs = slices.DeleteFunc(s.rrs, func(old dns.RR) bool {
			return old.Header().Rrtype == dns.TypeTLSA && dns.CanonicalName(old.Header().Name) == h.Name && data(old) == data(rr)
		})
		return
	}
	if len(s.at(h.Name, dns.TypeCNAME)) > 0 {
		return // section 3.4.2.2
	}
	for i, old := range s.rrs {
		if old.Header().Rrtype == dns.TypeTLSA && dns.CanonicalName(old.Header().Name) == h.Name && data(old) == data(rr) {
			s.rrs[i] = dns.Copy(rr)
			return
		}
	}
	s.rrs = append(s.rrs, dns.Copy(rr))
}

func data(rr dns.RR) string {
	r, ok := rr.(*dns.TLSA)
	if !ok {
		return ""
	}
	return tlsa.Association{
		Params: tlsa.Params{Usage: tlsa.Usage(r.Usage), Selector: tlsa.Selector(r.Selector), Matching: tlsa.MatchingType(r.MatchingType)},
		Data:   strings.ToLower(r.Certificate),
	}.String()
}

func sameData(a, b []dns.RR) bool {
	texts := func(rrs []dns.RR) []string {
		var out []string
		for _, rr := range rrs {
			out = append(out, data(rr))
		}
		slices.Sort(out)
		return out
	}
	return slices.Equal(texts(a), texts(b))
}

// stands returns the TLSA RRset in the server's copy.
func (s *server) stands(owner tlsa.Owner) tlsa.RRset {
	s.mu.Lock()
	defer s.mu.Unlock()
	var as []tlsa.Association
	ttl := time.Duration(0)
	for _, rr := range s.at(string(owner), dns.TypeTLSA) {
		a, err := tlsa.ParseAssociation(data(rr))
		if err != nil {
			s.t.Error(err)
		}
		as, ttl = append(as, a), time.Duration(rr.Header().Ttl)*time.Second
	}
	return tlsa.NewRRset(ttl, as...)
}

// rdata returns the RDATA of a type at a name.
func (s *server) rdata(name, rrtype string) (found []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, rr := range s.at(name, dns.StringToType[rrtype]) {
		found = append(found, strings.TrimPrefix(rr.String(), rr.Header().String()))
	}
	return found
}

// set replaces what stands at owner, as somebody with an editor does.
func (s *server) set(owner tlsa.Owner, records ...string) {
	s.t.Helper()
	s.replace(owner, dns.TypeANY, records...)
}

// replace replaces the records of a type at owner.
func (s *server) replace(owner tlsa.Owner, rrtype uint16, records ...string) {
	s.t.Helper()
	s.mu.Lock()
	s.rrs = slices.DeleteFunc(s.rrs, func(rr dns.RR) bool {
		return dns.CanonicalName(rr.Header().Name) == string(owner) && (rrtype == dns.TypeANY || rr.Header().Rrtype == rrtype)
	})
	s.mu.Unlock()
	for _, r := range records {
		s.add(string(owner) + " " + r)
	}
}

// once lets f deal with the first request for which it says true.
func (s *server) once(f func(w dns.ResponseWriter, req *dns.Msg) bool) {
	over := false
	s.always(func(w dns.ResponseWriter, req *dns.Msg) bool {
		if over || !f(w, req) {
			return false
		}
		over = true
		return true
	})
}

// always lets f deal with every request for which it says true.
func (s *server) always(f func(w dns.ResponseWriter, req *dns.Msg) bool) {
	s.quirks.Lock()
	defer s.quirks.Unlock()
	s.misbehave = f
}

func isUpdate(req *dns.Msg) bool { return req.Opcode == dns.OpcodeUpdate }
