package fakeapi

import (
	"bytes"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/dnsprovider/providertest"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// An API is the interface of one DNS host: what it answers when all goes well, and
// how it says that something does not.
type API interface {
	http.Handler
	// Kind tells what a request is for.
	Kind(*http.Request) RequestKind
	// Problem answers with the host's own words for an HTTP status.
	Problem(w http.ResponseWriter, status int)
}

// RequestKind is what a request is for.
type RequestKind int

// The kinds of requests.
const (
	Other   RequestKind = iota // logging in, looking for the zone, one RRset
	Listing                    // reads the records of the zone, or a page of them
	Change
)

// A Server is an API with faults and a memory of requests. Its Handler is what to
// listen with, see [Internet.Route] and [net/http/httptest].
type Server struct {
	Zone *Zone
	api  API

	mu       sync.Mutex
	fault    providertest.Fault
	spare    int
	lose     bool
	edit     func()
	listings int
	now, top int
}

// NewServer makes a server of the API, whose handler keeps its records in zone.
func NewServer(zone *Zone, api API) *Server { return &Server{Zone: zone, api: api} }

// retryAfter are the seconds that the host asks for, where that is bearable and where not.
const retryAfter, retryMuchLater = 1, 3600

// ServeHTTP answers as the API does, or as the fault has it.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer s.enter()()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client went away
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	fault, lose, edit := s.turn(s.api.Kind(r))
	if edit != nil {
		edit()
	}
	switch fault {
	case providertest.NoFault:
		if lose {
			s.api.ServeHTTP(newDiscard(), r)
			hangUp(w)
			return
		}
		s.api.ServeHTTP(w, r)
	case providertest.WebPage:
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, "<!DOCTYPE html>\n<html><head><title>Maintenance</title></head><body><h1>We'll be back soon</h1></body></html>\n")
	case providertest.Cut:
		hangUp(w)
	case providertest.Hangs:
		<-r.Context().Done()
		hangUp(w) // not even an empty reply, which a client in the middle of giving up may still read
	case providertest.RateLimited, providertest.RateLimitedForLong:
		wait := retryAfter
		if fault == providertest.RateLimitedForLong {
			wait = retryMuchLater
		}
		w.Header().Set("Retry-After", strconv.Itoa(wait))
		s.api.Problem(w, http.StatusTooManyRequests)
	default:
		s.api.Problem(w, fault.Status())
	}
}

// turn takes note of a request, and says what is to become of it.
func (s *Server) turn(kind RequestKind) (fault providertest.Fault, lose bool, edit func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change := kind == Change
	if kind == Listing {
		s.listings++
	}
	if change {
		lose, s.lose = s.lose, false
		edit, s.edit = s.edit, nil
	}
	fault = s.fault
	switch {
	case fault == providertest.ReadOnlyToken && !change:
		fault = providertest.NoFault
	case fault != providertest.NoFault && s.spare > 0:
		if change {
			s.spare--
		}
		fault = providertest.NoFault
	case fault == providertest.RateLimited:
		s.fault = providertest.NoFault // once
	}
	return fault, lose, edit
}

func (s *Server) enter() (leave func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now++
	s.top = max(s.top, s.now)
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.now--
	}
}

// Fixture has all hooks of a fixture but the provider, its TTL and what is left out.
func (s *Server) Fixture() providertest.Fixture {
	return providertest.Fixture{
		Zone: s.Zone.Name,
		Seed: func(_ *testing.T, owner tlsa.Owner, ttl time.Duration, rdata ...string) {
			s.Zone.Replace(string(owner), "TLSA", int(ttl/time.Second), rdata...)
		},
		Look: func(t *testing.T, owner tlsa.Owner) tlsa.RRset { t.Helper(); return s.Look(t, owner) },
		Alias: func(_ *testing.T, owner, target tlsa.Owner) {
			s.Zone.Add(string(owner), "CNAME", 3600, string(target))
		},
		Beside: func(_ *testing.T, name, rrtype, rdata string) { s.Zone.Add(name, rrtype, 3600, rdata) },
		Stands: func(_ *testing.T, name, rrtype string) (rdata []string) {
			for _, r := range s.Zone.Records(name, rrtype) {
				rdata = append(rdata, r.Data)
			}
			return rdata
		},
		LoseReply: func(*testing.T) { s.mu.Lock(); defer s.mu.Unlock(); s.lose = true },
		Meanwhile: func(_ *testing.T, edit func()) { s.mu.Lock(); defer s.mu.Unlock(); s.edit = edit },
		Fail: func(_ *testing.T, f providertest.Fault, spare int) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.fault, s.spare = f, spare
		},
		Listings: func() int { s.mu.Lock(); defer s.mu.Unlock(); return s.listings },
		InFlight: func() int { s.mu.Lock(); defer s.mu.Unlock(); return s.top },
	}
}

// Look reads the RRset from the host's copy. With several TTLs the lowest counts.
func (s *Server) Look(t *testing.T, owner tlsa.Owner) tlsa.RRset {
	t.Helper()
	rrset := tlsa.RRset{}
	for _, r := range s.Zone.Records(string(owner), "TLSA") {
		a, err := tlsa.ParseAssociation(r.Data)
		if err != nil {
			t.Fatalf("the zone holds a TLSA record that is none: %q: %v", r.Data, err)
		}
		ttl := time.Duration(r.TTL) * time.Second
		if rrset.Denial() || ttl < rrset.TTL {
			rrset.TTL = ttl
		}
		if rrset.Has(a) {
			t.Errorf("the zone holds %s twice at %s", a, owner)
		}
		rrset = rrset.With(a)
	}
	return rrset
}

// TXTFixture has all hooks of a fixture for TXT values but the provider. The values are
// kept in quotes where the API has them so.
func (s *Server) TXTFixture() providertest.TXTFixture {
	f := s.Fixture()
	return providertest.TXTFixture{
		Zone: f.Zone,
		Seed: func(_ *testing.T, name tlsa.Owner, ttl time.Duration, values ...string) {
			quoted := make([]string, len(values))
			for i, v := range values {
				quoted[i] = strconv.Quote(v)
			}
			s.Zone.Replace(string(name), "TXT", int(ttl/time.Second), quoted...)
		},
		Look: func(_ *testing.T, name tlsa.Owner) (values []string, ttl time.Duration) {
			for _, r := range s.Zone.Records(string(name), "TXT") {
				values = append(values, strings.Trim(r.Data, `"`))
				ttl = time.Duration(r.TTL) * time.Second
			}
			return values, ttl
		},
		Alias:     f.Alias,
		LoseReply: f.LoseReply,
	}
}

// hangUp closes the connection without a reply.
func hangUp(w http.ResponseWriter) {
	if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
		conn.Close()
	}
}

// discard takes a reply that nobody gets.
type discard struct{ header http.Header }

func newDiscard() *discard                         { return &discard{http.Header{}} }
func (d *discard) Header() http.Header             { return d.header }
func (d *discard) Write(p []byte) (n int, _ error) { return len(p), nil }
func (d *discard) WriteHeader(int)                 {}
