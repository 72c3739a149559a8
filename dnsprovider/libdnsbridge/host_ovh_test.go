package libdnsbridge_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/libdns/libdns"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/dnsprovider/libdnsbridge"
	"github.com/tlsaroll/tlsaroll/dnsprovider/providertest"
	"github.com/tlsaroll/tlsaroll/dnsprovider/providertest/fakeapi"
)

func ovhKeys() fakeapi.OVHKeys {
	return fakeapi.OVHKeys{Application: "7kbG7Bk7S9Nt7ZSV", Secret: "EXEgWIz07P0HYwtQDs7cNIqCiQaWSuHF", Consumer: "MtSwSrPpNjqfVSmJhLbPyr2i45lSwPU1"}
}

func ovhValues() libdnsbridge.Values {
	k := ovhKeys()
	return libdnsbridge.Values{"application-key": k.Application, "application-secret": k.Secret, "consumer-key": k.Consumer}
}

func newOVH() *fakeapi.OVHServer {
	s := fakeapi.NewOVH(fakeapi.NewZone(benchZone), ovhKeys())
	internet.Route(fakeapi.OVHHost, s)
	return s
}

func TestOVH(t *testing.T) {
	t.Parallel() // beside those of other hosts, after all other tests
	providertest.Run(t, func(t *testing.T) providertest.Fixture {
		s, k := newOVH(), ovhKeys()
		f := s.Fixture()
		f.Provider, f.MinTTL, f.Secrets, f.Without = through(t, "ovh", ovhValues()), time.Minute, []string{k.Secret, k.Consumer}, without(nil)
		return f
	})
}

func TestOVHTXT(t *testing.T) {
	providertest.RunTXT(t, func(t *testing.T) providertest.TXTFixture {
		f := newOVH().TXTFixture()
		f.Provider = through(t, "ovh", ovhValues())
		return f
	})
}

// live are the TLSA records that name servers have.
func live(t *testing.T, s *fakeapi.OVHServer) []string {
	t.Helper()
	return s.Fixture().Stands(t, rr("", "").Name+"."+benchZone, "TLSA")
}

// TestOVHPublishes: after a failure between a change and the refresh of the zone, nothing is
// read as if name servers had it. They get it first.
func TestOVHPublishes(t *testing.T) {
	s := newOVH()
	b := openBackend(t, "ovh", ovhValues())
	f := s.Fixture()

	f.Fail(t, providertest.Unavailable, 1) // the record goes through, the refresh fails
	if _, err := b.AppendRecords(t.Context(), benchZone, []libdns.Record{rr("TLSA", "3 1 1 aa")}); err == nil {
		t.Error("no error, and no refresh")
	}
	if got := live(t, s); len(got) != 0 {
		t.Errorf("name servers have %v without a refresh", got)
	}
	_, err := b.GetRecords(t.Context(), benchZone)
	if err == nil || !strings.HasPrefix(err.Error(), "refresh of the zone, without which") {
		t.Errorf("the zone is read as if it were published: %v", err)
	}
	f.Fail(t, providertest.NoFault, 0)
	if got, _ := b.stand("TLSA"); !slices.Equal(got, []string{"3 1 1 aa"}) || !slices.Equal(live(t, s), got) {
		t.Errorf("read %v, and name servers have %v", got, live(t, s))
	}

	f.Fail(t, providertest.Unavailable, 1)
	if _, err := b.DeleteRecords(t.Context(), benchZone, []libdns.Record{rr("TLSA", "3 1 1 aa")}); err == nil {
		t.Error("no error, and no refresh")
	}
	f.Fail(t, providertest.NoFault, 0)
	b.add(rr("TLSA", "3 1 1 bb")) // the next change may come before the next look
	if got := live(t, s); !slices.Equal(got, []string{"3 1 1 bb"}) {
		t.Errorf("name servers have %v", got)
	}
	n := s.Refreshed()
	b.stand("TLSA")
	if got := s.Refreshed(); got != n {
		t.Error("reading refreshes a zone that is as it should be")
	}
}

// TestOVHRefreshesAtOnce: what was changed before a failure is not left to the next look.
func TestOVHRefreshesAtOnce(t *testing.T) {
	s := newOVH()
	b := openBackend(t, "ovh", ovhValues())
	s.Fixture().LoseReply(t)
	if _, err := b.AppendRecords(t.Context(), benchZone, []libdns.Record{rr("TLSA", "3 1 1 aa")}); err == nil {
		t.Error("no error, and no reply")
	}
	if got := live(t, s); !slices.Equal(got, []string{"3 1 1 aa"}) {
		t.Errorf("name servers have %v", got)
	}
}

// TestOVHZoneTTL: a record with the TTL 0 has that of the zone, and not none.
func TestOVHZoneTTL(t *testing.T) {
	s := newOVH()
	s.Zone.Add(rr("", "").Name+"."+benchZone, "TLSA", 0, "3 1 1 aa")
	b := openBackend(t, "ovh", ovhValues())
	for range 2 {
		if _, ttl := b.stand("TLSA"); ttl != fakeapi.OVHZoneTTL*time.Second {
			t.Errorf("TTL %s, want that of the zone", ttl)
		}
	}
	b.takeAway("TLSA", "3 1 1 aa")
	if got, _ := b.stand("TLSA"); len(got) != 0 {
		t.Errorf("%v are left", got)
	}
}

// TestOVHSilent: the module's first request has no context. The backend asks before it.
func TestOVHSilent(t *testing.T) {
	s := newOVH()
	b := openBackend(t, "ovh", ovhValues())
	s.Fixture().Fail(t, providertest.Hangs, 0)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	begin := time.Now()
	if _, err := b.GetRecords(ctx, benchZone); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error is %v", err)
	}
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("it took %s", took)
	}
	s.Fixture().Fail(t, providertest.NoFault, 0)
	b.stand("TLSA")
}

func TestOVHKinds(t *testing.T) {
	newOVH()
	with := func(key string) libdnsbridge.Values {
		v := ovhValues()
		v[key] = "another"
		return v
	}
	for name, test := range map[string]struct {
		values libdnsbridge.Values
		zone   string
		want   dnsprovider.Kind
		text   string
	}{
		"application": {with("application-key"), benchZone, dnsprovider.Refused, "application key is invalid"},
		"secret":      {with("application-secret"), benchZone, dnsprovider.Refused, "Invalid signature"},
		"consumer":    {with("consumer-key"), benchZone, dnsprovider.Refused, "credential does not exist"},
	} {
		_, err := openBackend(t, "ovh", test.values).GetRecords(t.Context(), test.zone)
		if got := host(t, "ovh").Quirks.Classify(err); got != test.want || !strings.Contains(err.Error(), test.text) {
			t.Errorf("%s: kind %s, want %s: %v", name, got, test.want, err)
		}
	}
}

func TestOVHSettings(t *testing.T) {
	with := func(key, value string) libdnsbridge.Values {
		v := ovhValues()
		v[key] = value
		return v
	}
	refuses(t, "ovh", []refusal{
		{with("endpoint", "ovh-de"), `endpoint: "ovh-de" is none of OVHcloud's (hint: ovh-eu, ovh-ca or ovh-us)`},
		{with("endpoint", "https://example.net/"), `endpoint: "https://example.net/" is none of OVHcloud's (hint: ovh-eu, ovh-ca or ovh-us)`},
		{with("application-secret", ""), "application-secret: missing"},
		{with("consumer-key", "MtSwSrPpNjqf\n"), "consumer-key: has blanks, line ends or letters that no key has (hint: copy it again)"},
	})
	t.Setenv("OVH_ACCESS_TOKEN", "secret of another program")
	refuses(t, "ovh", []refusal{
		{ovhValues(), "the environment has OVH_ACCESS_TOKEN, and the module would not know which of the two to use (hint: unset it)"},
	})
}
