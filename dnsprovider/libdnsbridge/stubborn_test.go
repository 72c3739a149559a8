package libdnsbridge_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/libdns/libdns"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/dnsprovider/libdnsbridge"
	"github.com/tlsaroll/tlsaroll/dnsprovider/providertest/fakeapi"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// stubborn is a module without a network, whose calls a test may have go wrong.
type stubborn struct {
	zone   *fakeapi.Zone
	merges bool // takes no harm from a record that stands

	mu    sync.Mutex
	calls []string
	// before is asked at each call, with the records that are to be changed one by one, as
	// modules do that make a request for each. An error ends the call there.
	before func(ctx context.Context, call string, rr libdns.RR) error
}

func newStubborn() *stubborn { return &stubborn{zone: fakeapi.NewZone(benchZone)} }

// errLeftOut makes a call leave a record out and succeed.
var errLeftOut = errors.New("left out")

func (m *stubborn) each(ctx context.Context, call string, records []libdns.Record, do func(libdns.RR)) error {
	m.mu.Lock()
	m.calls = append(m.calls, call)
	m.mu.Unlock()
	for _, record := range records {
		rr := record.RR()
		if m.before != nil {
			if err := m.before(ctx, call, rr); errors.Is(err, errLeftOut) {
				continue
			} else if err != nil {
				return err
			}
		}
		do(rr)
	}
	return nil
}

// count is how often a method was called.
func (m *stubborn) count(call string) (n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range m.calls {
		if c == call {
			n++
		}
	}
	return n
}

func (m *stubborn) GetRecords(ctx context.Context, zone string) (found []libdns.Record, err error) {
	err = m.each(ctx, "get", []libdns.Record{libdns.RR{}}, func(libdns.RR) {
		for _, r := range m.zone.Records("", "") {
			found = append(found, libdns.RR{Name: libdns.RelativeName(r.Name, zone), Type: r.Type, TTL: time.Duration(r.TTL) * time.Second, Data: r.Data})
		}
	})
	return found, err
}

func (m *stubborn) AppendRecords(ctx context.Context, zone string, records []libdns.Record) ([]libdns.Record, error) {
	return records, m.each(ctx, "append", records, func(rr libdns.RR) {
		name := libdns.AbsoluteName(rr.Name, zone)
		if m.merges && slices.ContainsFunc(m.zone.Records(name, rr.Type), func(r fakeapi.Record) bool { return r.Data == rr.Data }) {
			return
		}
		m.zone.Add(name, rr.Type, int(rr.TTL/time.Second), rr.Data)
	})
}

func (m *stubborn) DeleteRecords(ctx context.Context, zone string, records []libdns.Record) ([]libdns.Record, error) {
	return records, m.each(ctx, "delete", records, func(rr libdns.RR) {
		m.zone.Remove(func(r fakeapi.Record) bool {
			return r.Name == libdns.AbsoluteName(rr.Name, zone) && r.Type == rr.Type && r.Data == rr.Data
		})
	})
}

func (m *stubborn) ListZones(ctx context.Context) (zones []libdns.Zone, err error) {
	return zones, m.each(ctx, "zones", []libdns.Record{libdns.RR{}}, func(libdns.RR) { zones = append(zones, libdns.Zone{Name: benchZone}) })
}

const stubbornToken = "stubborn-0123456789"

func (m *stubborn) provider(t *testing.T, change ...func(*libdnsbridge.Config)) *libdnsbridge.Provider {
	t.Helper()
	c := libdnsbridge.Config{
		Zone: benchZone, Values: libdnsbridge.Values{"token": stubbornToken},
		Host: libdnsbridge.Host{
			Capability: dnsprovider.Capability{Type: "stubborn", Name: "Stubborn"},
			Settings:   []libdnsbridge.Setting{{Name: "token", Secret: true}},
			Open:       func(libdnsbridge.Values) (libdnsbridge.Backend, error) { return m, nil },
		},
	}
	for _, f := range change {
		f(&c)
	}
	p, err := libdnsbridge.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// stand are the TLSA records at the owner in the host's copy, as they are written there.
func (m *stubborn) stand() (data []string) {
	for _, r := range m.zone.Records(string(mxOwner), "TLSA") {
		data = append(data, r.Data)
	}
	slices.Sort(data)
	return data
}

func (m *stubborn) wants(t *testing.T, want ...string) {
	t.Helper()
	if got := m.stand(); !slices.Equal(got, want) {
		t.Errorf("there stand %q, want %q", got, want)
	}
}

// TestModuleHangs: the deadline holds for a module that has none and obeys none. Until it
// comes back nothing is begun beside it.
func TestModuleHangs(t *testing.T) {
	for _, call := range []string{"get", "append", "delete", "zones"} {
		t.Run(call, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { moduleHangs(t, call) })
		})
	}
}

func moduleHangs(t *testing.T, call string) {
	m, back := newStubborn(), make(chan struct{})
	m.zone.Add(string(mxOwner), "TLSA", 3600, digest("1"))
	m.before = func(_ context.Context, c string, _ libdns.RR) error {
		if c == call {
			<-back
		}
		return nil
	}
	p := m.provider(t, func(c *libdnsbridge.Config) {
		if call == "zones" {
			c.Zone = ""
		}
	})
	try := func() error {
		before := tlsa.NewRRset(time.Hour, association(t, digest("1")))
		after := tlsa.NewRRset(time.Hour, association(t, digest("2")))
		return p.Apply(t.Context(), "", []dnsprovider.Change{{Owner: mxOwner, Before: before, After: after}})[0]
	}
	begin := time.Now()
	if err := try(); !errors.Is(err, dnsprovider.ErrTemporary) {
		t.Errorf("error is %v", err)
	}
	if err := try(); !errors.Is(err, dnsprovider.ErrTemporary) {
		t.Errorf("another try: error is %v", err)
	}
	if n := m.count(call); n != 1 {
		t.Errorf("%d calls beside one that hangs", n-1)
	}
	if took := time.Since(begin); took > 5*time.Minute {
		t.Errorf("two tries took %s", took)
	}
	close(back)
	synctest.Wait()
	m.before = nil
	if err := edit(t, p, mxOwner, digest("2")); err != nil {
		t.Errorf("it is back, and yet: %v", err)
	}
	m.wants(t, digest("2"))
}

func association(t *testing.T, text string) tlsa.Association {
	t.Helper()
	a, err := tlsa.ParseAssociation(text)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestNoRoomAtTheAccount: what was never sent is not said to have no reply.
func TestNoRoomAtTheAccount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, account, back := newStubborn(), dnsprovider.NewAccount(1), make(chan struct{})
		p := m.provider(t, func(c *libdnsbridge.Config) { c.Account = account })
		go func() { _ = account.Do(t.Context(), func() error { <-back; return nil }) }()
		synctest.Wait()
		_, err := p.RRset(t.Context(), "", mxOwner)
		if !errors.Is(err, dnsprovider.ErrTemporary) || !strings.Contains(err.Error(), "room") || m.count("get") > 0 {
			t.Errorf("error is %v, after %d requests", err, m.count("get"))
		}
		close(back)
		if _, err := p.RRset(t.Context(), "", mxOwner); err != nil {
			t.Error(err)
		}
	})
}

// TestModulePanics: a panic is an error that names the provider and no secret.
func TestModulePanics(t *testing.T) {
	for _, call := range []string{"get", "append", "delete"} {
		m := newStubborn()
		m.zone.Add(string(mxOwner), "TLSA", 3600, digest("1"))
		p := m.provider(t)
		m.before = func(_ context.Context, c string, _ libdns.RR) error {
			if c == call {
				panic("runtime error: no token " + stubbornToken)
			}
			return nil
		}
		err := edit(t, p, mxOwner, digest("2"))
		if kind := dnsprovider.KindOf(err); kind != dnsprovider.Temporary && kind != dnsprovider.Malformed {
			t.Errorf("%s: error is %v", call, err)
		}
		if text := err.Error(); !strings.Contains(text, "Stubborn") || !strings.Contains(text, "report") || strings.Contains(text, stubbornToken) {
			t.Errorf("%s: error is %v", call, err)
		}
		m.before = nil
		if err := edit(t, p, mxOwner, digest("2")); err != nil {
			t.Errorf("%s: it is over, and yet: %v", call, err)
		}
		m.wants(t, digest("2"))
	}
}

// TestTooManyInTheMiddle: a module that makes a request for each record may be told in the
// middle that there were too many. What is made then is not made twice.
func TestTooManyInTheMiddle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, call := range []string{"append", "delete"} {
			m := newStubborn()
			m.zone.Add(string(mxOwner), "TLSA", 3600, digest("1"))
			m.zone.Add(string(mxOwner), "TLSA", 3600, digest("2"))
			asked := 0
			m.before = func(_ context.Context, c string, rr libdns.RR) error {
				if c == call {
					if asked++; asked == 2 {
						return errors.New("unexpected status code 429: too many requests")
					}
					if c == "delete" && !slices.Contains(m.stand(), rr.Data) {
						return errors.New("unexpected status code 404: no such record")
					}
				}
				return nil
			}
			if err := edit(t, m.provider(t), mxOwner, digest("3"), digest("4")); err != nil {
				t.Errorf("%s: %v", call, err)
			}
			m.wants(t, digest("3"), digest("4"))
		}
	})
}

// TestNothingIsRemovedForWhatIsNotThere: a host that says it has added a record, and has
// not, is left with the old one.
func TestNothingIsRemovedForWhatIsNotThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newStubborn()
		m.zone.Add(string(mxOwner), "TLSA", 3600, digest("1"))
		m.before = func(_ context.Context, call string, _ libdns.RR) error {
			if call == "append" {
				return errLeftOut
			}
			return nil
		}
		if err := edit(t, m.provider(t), mxOwner, digest("2")); !errors.Is(err, dnsprovider.ErrIgnored) {
			t.Errorf("error is %v", err)
		}
		m.wants(t, digest("1"))
		if n := m.count("delete"); n > 0 {
			t.Errorf("%d deletions", n)
		}
	})
}

// TestNotAllowedAtOneName: credentials for some names alone do not keep the others from being
// changed in the same call.
func TestNotAllowedAtOneName(t *testing.T) {
	for _, call := range []string{"append", "delete"} {
		m := newStubborn()
		m.merges = true
		p := m.provider(t, func(c *libdnsbridge.Config) { c.Host.Quirks.Together = true })
		forbidden := tlsa.Owner("_465._tcp.mx.example.org.")
		owners := []tlsa.Owner{forbidden, mxOwner}
		var changes []dnsprovider.Change
		for _, owner := range owners {
			m.zone.Add(string(owner), "TLSA", 3600, digest("1"))
			changes = append(changes, dnsprovider.Change{
				Owner: owner, Before: tlsa.NewRRset(time.Hour, association(t, digest("1"))), After: tlsa.NewRRset(time.Hour, association(t, digest("2"))),
			})
		}
		m.before = func(_ context.Context, c string, rr libdns.RR) error {
			if c == call && strings.HasPrefix(rr.Name, "_465.") {
				return errors.New("unexpected status code 403: not with this token")
			}
			return nil
		}
		errs := p.Apply(t.Context(), "", changes)
		if !errors.Is(errs[0], dnsprovider.ErrRefused) || !strings.Contains(errs[0].Error(), "suffice to read") {
			t.Errorf("%s: error is %v", call, errs[0])
		}
		if errs[1] != nil {
			t.Errorf("%s: the other name: %v", call, errs[1])
		}
		m.wants(t, digest("2"))
		if got := m.zone.Records(string(forbidden), "TLSA"); len(got) == 0 || got[0].Data != digest("1") {
			t.Errorf("%s: at the name that may not be changed stand %v", call, got)
		}
	}
}

// TestStrangeRecord: a TLSA record that is none keeps its own name from being changed, and no other.
func TestStrangeRecord(t *testing.T) {
	m := newStubborn()
	m.zone.Add("_465._tcp.mx.example.org.", "TLSA", 300, "3 1 1 zz")
	p := m.provider(t)
	if err := edit(t, p, mxOwner, digest("1")); err != nil {
		t.Error(err)
	}
	m.wants(t, digest("1"))
	strange := tlsa.Owner("_465._tcp.mx.example.org.")
	if _, err := p.RRset(t.Context(), "", strange); !errors.Is(err, dnsprovider.ErrMalformed) {
		t.Errorf("read: error is %v", err)
	}
	err := p.Apply(t.Context(), "", []dnsprovider.Change{{Owner: strange, After: tlsa.NewRRset(time.Hour, association(t, digest("1")))}})[0]
	if !errors.Is(err, dnsprovider.ErrMalformed) {
		t.Errorf("change: error is %v", err)
	}
	if n := len(m.zone.Records(string(strange), "")); n != 1 {
		t.Errorf("%d records", n)
	}
}

// TestZoneWrittenTwice: a name that somebody wrote whole where a relative one was wanted is
// another name, as everybody sees in the DNS.
func TestZoneWrittenTwice(t *testing.T) {
	m := newStubborn()
	m.zone.Add(string(mxOwner)+benchZone, "TLSA", 3600, digest("1"))
	p := m.provider(t)
	if rrset, err := p.RRset(t.Context(), "", mxOwner); err != nil || !rrset.Denial() {
		t.Errorf("read %v, %v at a name where nothing stands", rrset, err)
	}
	if err := edit(t, p, mxOwner, digest("1")); err != nil {
		t.Error(err)
	}
	m.wants(t, digest("1"))
}
