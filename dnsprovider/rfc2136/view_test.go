package rfc2136_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/dnsprovider/rfc2136"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// TestWildcardIsNotTheNameItself: a query cannot tell records at the name from those of a
// wildcard that covers it, and a prerequisite can. Taken for the RRset, a wildcard
// would be a conflict for ever.
func TestWildcardIsNotTheNameItself(t *testing.T) {
	s := serve(t, line("*._tcp.mx.example.org.", "9"))
	p := newProvider(t, config(s))
	before, err := p.RRset(t.Context(), zone, owner)
	if err != nil || !before.Denial() {
		t.Fatalf("read %v, %v", before, err)
	}
	if err := apply(t, p, before, rrset("1")); err != nil {
		t.Fatal(err)
	}
	s.holds(t, owner, rrset("1"))
	s.holds(t, "*._tcp.mx.example.org.", rrset("9"))
	if err := apply(t, p, rrset("1"), rrset()); err != nil {
		t.Fatal(err)
	}
	s.holds(t, owner, rrset())
}

// TestSameRecordsAsTheWildcard: and still they stand at the name itself.
func TestSameRecordsAsTheWildcard(t *testing.T) {
	s := serve(t, line("*._tcp.mx.example.org.", "9"), line(owner, "9"))
	p := newProvider(t, config(s))
	if read, err := p.RRset(t.Context(), zone, owner); err != nil || !read.Same(rrset("9")) {
		t.Fatalf("read %v, %v", read, err)
	}
	if err := apply(t, p, rrset("9"), rrset("9", "1")); err != nil {
		t.Fatal(err)
	}
	s.holds(t, owner, rrset("9", "1"))
}

// TestNameBelowAZoneCut: _tcp.mx has servers of its own, so what is written into the
// parent is seen by nobody (and BIND would write it).
func TestNameBelowAZoneCut(t *testing.T) {
	s := serve(t, "_tcp.mx 3600 IN NS ns1.example.net.")
	p := newProvider(t, config(s))
	const want = ": the name lies below the zone cut at _tcp.mx.example.org. and so not in the zone example.org. (hint: the provider has to name the zone _tcp.mx.example.org.; its servers are ns1.example.net. and such)"
	_, err := p.RRset(t.Context(), zone, owner)
	if !errors.Is(err, dnsprovider.ErrOutsideZone) || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("read: error is\n%v, want\n%s", err, want)
	}
	if err := apply(t, p, rrset(), rrset("1")); !errors.Is(err, dnsprovider.ErrOutsideZone) {
		t.Errorf("change: error is %v", err)
	}
	if n := s.heard(); n != 0 {
		t.Errorf("%d updates were sent", n)
	}
}

// TestChildZoneOnTheSameServer: it answers with authority, for another zone. With records
// at the name only the denial below it tells.
func TestChildZoneOnTheSameServer(t *testing.T) {
	for _, stands := range []string{"", "1"} {
		s := serve(t)
		if stands != "" {
			s.add(line(owner, stands))
		}
		s.always(func(w dns.ResponseWriter, req *dns.Msg) bool {
			m := s.reply(req)
			for _, rr := range m.Ns {
				rr.Header().Name = "_tcp.mx.example.org."
			}
			s.write(w, req, m)
			return true
		})
		_, err := newProvider(t, config(s)).RRset(t.Context(), zone, owner)
		if !errors.Is(err, dnsprovider.ErrOutsideZone) || !strings.Contains(err.Error(), "the zone cut at _tcp.mx.example.org.") {
			t.Errorf("%q stands there: error is %v", stands, err)
		}
	}
}

// TestServerHasAParentZoneOnly: the configured zone is none.
func TestServerHasAParentZoneOnly(t *testing.T) {
	s := serve(t)
	c := config(s)
	c.Zone = "mx.example.org"
	_, err := newProvider(t, c).RRset(t.Context(), "", owner)
	if !errors.Is(err, dnsprovider.ErrNoZone) || !strings.Contains(err.Error(), "the server has no zone mx.example.org., the name lies in its zone example.org.") {
		t.Errorf("error is %v", err)
	}
}

func TestNotAuthoritative(t *testing.T) {
	s := serve(t, line(owner, "1"))
	s.always(func(w dns.ResponseWriter, req *dns.Msg) bool {
		m := s.reply(req)
		m.Authoritative = false
		s.write(w, req, m)
		return true
	})
	_, err := newProvider(t, config(s)).RRset(t.Context(), zone, owner)
	want := "the server does not answer with authority for the zone example.org. (hint: is it the primary, and not a resolver; is the zone loaded there)"
	if !errors.Is(err, dnsprovider.ErrNoZone) || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("error is %v", err)
	}
}

func TestDNAMEAboveTheName(t *testing.T) {
	s := serve(t)
	s.always(func(w dns.ResponseWriter, req *dns.Msg) bool {
		m := new(dns.Msg).SetReply(req)
		m.Authoritative = true
		for _, text := range []string{
			"_tcp.mx.example.org. 3600 IN DNAME _dane.example.net.",
			"_25._tcp.mx.example.org. 3600 IN CNAME _25._dane.example.net.",
		} {
			rr, err := dns.NewRR(text)
			if err != nil {
				t.Error(err)
			}
			m.Answer = append(m.Answer, rr)
		}
		s.write(w, req, m)
		return true
	})
	_, err := newProvider(t, config(s)).RRset(t.Context(), zone, owner)
	if !errors.Is(err, dnsprovider.ErrAlias) || !strings.Contains(err.Error(), "a DNAME at _tcp.mx.example.org. leads to _dane.example.net.") {
		t.Errorf("error is %v", err)
	}
}

// TestAliasThatCameMeanwhile: BIND ignores an addition beside a CNAME and says NOERROR;
// the prerequisite stops it, and the reading says why.
func TestAliasThatCameMeanwhile(t *testing.T) {
	s := serve(t)
	s.once(func(_ dns.ResponseWriter, req *dns.Msg) bool {
		if isUpdate(req) {
			s.set(owner, "3600 IN CNAME _dane.example.org.")
		}
		return false
	})
	err := apply(t, newProvider(t, config(s)), rrset(), rrset("1"))
	if !errors.Is(err, dnsprovider.ErrAlias) || !strings.Contains(err.Error(), "a CNAME at _25._tcp.mx.example.org. leads to _dane.example.org.") {
		t.Errorf("error is %v", err)
	}
}

// TestMixedTTLs: read as the lowest, said, and repaired with the next change.
func TestMixedTTLs(t *testing.T) {
	s := serve(t)
	s.set(owner, "7200 IN TLSA "+record("1").String(), "1800 IN TLSA "+record("2").String())
	var log bytes.Buffer
	c := config(s)
	c.Log = slog.New(slog.NewTextHandler(&log, nil))
	p := newProvider(t, c)
	before, err := p.RRset(t.Context(), zone, owner)
	if err != nil || before.TTL != 30*time.Minute || !before.Same(rrset("1", "2")) {
		t.Fatalf("read %v, %v", before, err)
	}
	if !strings.Contains(log.String(), "the TLSA records have several TTLs") {
		t.Errorf("log is %q", log.String())
	}
	if err := apply(t, p, before, before.With(record("3"))); err != nil {
		t.Fatal(err)
	}
	for _, rr := range s.at(string(owner), dns.TypeTLSA) {
		if rr.Header().Ttl != 1800 {
			t.Errorf("TTL is %d, want 1800: %v", rr.Header().Ttl, rr)
		}
	}
}

// TestTTLThatIsNone: the topmost bit makes it zero (RFC 2181, section 8).
func TestTTLThatIsNone(t *testing.T) {
	s := serve(t)
	s.set(owner, "2147483648 IN TLSA "+record("1").String())
	if read, err := newProvider(t, config(s)).RRset(t.Context(), zone, owner); err != nil || read.TTL != 0 || !read.Same(rrset("1")) {
		t.Errorf("read %v, %v", read, err)
	}
}

// TestTTLThatIsIgnored: a change of the TTL that leaves the TTL is not made.
func TestTTLThatIsIgnored(t *testing.T) {
	s := serve(t, line(owner, "1"))
	s.ignore = func(dns.RR) bool { return true }
	after := rrset("1")
	after.TTL = 5 * time.Minute
	if err := apply(t, newProvider(t, config(s)), rrset("1"), after); !errors.Is(err, dnsprovider.ErrIgnored) {
		t.Errorf("error is %v", err)
	}
}

// TestOwnerInAnyCase: a server may keep the case in which a name was first written.
func TestOwnerInAnyCase(t *testing.T) {
	s := serve(t, "_25._TCP.MX 3600 IN TLSA "+strings.ToUpper(record("b").String()))
	p := newProvider(t, config(s))
	s.always(func(w dns.ResponseWriter, req *dns.Msg) bool {
		m := s.reply(req)
		for _, rr := range m.Answer {
			rr.Header().Name = strings.ToUpper(rr.Header().Name)
		}
		s.write(w, req, m)
		return true
	})
	if read, err := p.RRset(t.Context(), zone, owner); err != nil || !read.Same(rrset("b")) {
		t.Errorf("read %v, %v", read, err)
	}
}

func TestOwnerNotCanonical(t *testing.T) {
	s := serve(t)
	for _, owner := range []tlsa.Owner{"", "_25._tcp.mx.example.org", "_25._TCP.mx.example.org.", "_25..example.org."} {
		if _, err := newProvider(t, config(s)).RRset(t.Context(), zone, owner); !errors.Is(err, dnsprovider.ErrMalformed) {
			t.Errorf("%q: error is %v", owner, err)
		}
	}
}

// TestOneAtATime: a request that is signed before another and arrives after it may be
// refused (RFC 8945, section 5.2.3), so nobody talks to the server beside somebody else.
func TestOneAtATime(t *testing.T) {
	s := serve(t)
	var busy, clashes atomic.Int32
	p := newProvider(t, withDial(config(s), func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		if err == nil && busy.Add(1) > 1 {
			clashes.Add(1)
		}
		return counted{conn, func() { busy.Add(-1) }}, err
	}))
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			if _, err := p.RRset(t.Context(), zone, numbered(i)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := clashes.Load(); n != 0 {
		t.Errorf("%d connections beside another", n)
	}
	if n := busy.Load(); n != 0 {
		t.Errorf("%d connections left open", n)
	}
}

// TestWaitingEndsWithTheContext: for the turn too.
func TestWaitingEndsWithTheContext(t *testing.T) {
	s := serve(t)
	there, release := make(chan struct{}), make(chan struct{})
	p := newProvider(t, withDial(config(s), func(ctx context.Context, network, address string) (net.Conn, error) {
		close(there)
		<-release
		return nil, errors.New("no route")
	}))
	done := make(chan error)
	go func() {
		_, err := p.RRset(t.Context(), zone, owner)
		done <- err
	}()
	<-there
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.RRset(ctx, zone, owner); !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v", err)
	}
	ctx, cancel = context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := p.Apply(ctx, zone, additions(1))[0]; !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error is %v", err)
	}
	close(release)
	if err := <-done; !errors.Is(err, dnsprovider.ErrTemporary) {
		t.Errorf("error is %v", err)
	}
}

type counted struct {
	net.Conn
	closed func()
}

func (c counted) Close() error {
	c.closed()
	return c.Conn.Close()
}

func withDial(c rfc2136.Config, dial func(ctx context.Context, network, address string) (net.Conn, error)) rfc2136.Config {
	c.Dial = dial
	return c
}
