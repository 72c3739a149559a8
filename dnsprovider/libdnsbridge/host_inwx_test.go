package libdnsbridge_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/libdns/libdns"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/dnsprovider/libdnsbridge"
	"github.com/tlsaroll/tlsaroll/dnsprovider/providertest"
	"github.com/tlsaroll/tlsaroll/dnsprovider/providertest/fakeapi"
)

func inwxAccount() fakeapi.INWXAccount {
	return fakeapi.INWXAccount{User: "tlsaroll-example", Password: "correct horse battery staple"}
}

// newINWX listens on an address of its own: the module's transport knows no proxy.
func newINWX(t *testing.T, account fakeapi.INWXAccount) (*fakeapi.Server, libdnsbridge.Values) {
	t.Helper()
	s := fakeapi.NewINWX(fakeapi.NewZone(benchZone), account)
	listener := httptest.NewServer(s)
	t.Cleanup(listener.Close)
	return s, libdnsbridge.Values{"username": account.User, "password": account.Password, "endpoint": listener.URL + "/jsonrpc/"}
}

func TestINWX(t *testing.T) {
	t.Parallel() // beside those of other hosts, after all other tests
	providertest.Run(t, func(t *testing.T) providertest.Fixture {
		s, values := newINWX(t, inwxAccount())
		f := s.Fixture()
		f.Provider, f.MinTTL, f.Secrets, f.Without = through(t, "inwx", values), 5*time.Minute, []string{inwxAccount().Password}, without(nil)
		return f
	})
}

func TestINWXTXT(t *testing.T) {
	providertest.RunTXT(t, func(t *testing.T) providertest.TXTFixture {
		s, values := newINWX(t, inwxAccount())
		f := s.TXTFixture()
		f.Provider, f.MinTTL = through(t, "inwx", values), 5*time.Minute
		return f
	})
}

// TestINWXOneAtATime: the module's calls would take each other's session away.
func TestINWXOneAtATime(t *testing.T) {
	s, values := newINWX(t, inwxAccount())
	b := openBackend(t, "inwx", values)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			record := rr("TLSA", "3 1 1 a"+string(rune('0'+i)))
			if _, err := b.AppendRecords(t.Context(), benchZone, []libdns.Record{record}); err != nil {
				t.Error(err)
			}
			if _, err := b.GetRecords(t.Context(), benchZone); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got, _ := b.stand("TLSA"); len(got) != 8 {
		t.Errorf("%d records, want 8", len(got))
	}
	if n := s.Fixture().InFlight(); n != 1 {
		t.Errorf("%d requests at once", n)
	}
}

// TestINWXCodes: a code of the second factor counts once, and there is another after half a
// minute. Who waits for it can give up.
func TestINWXCodes(t *testing.T) {
	account := inwxAccount()
	account.SharedSecret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
	_, values := newINWX(t, account)
	values["shared-secret"] = "gezd gnbv gy3t qojq gezd gnbv gy3t qojq"
	b := openBackend(t, "inwx", values)
	b.stand("TLSA")
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := b.GetRecords(ctx, benchZone); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error is %v, and the code was used", err)
	}
}

// TestINWXKinds also shows what a user with Mobile TAN and no shared secret gets to read.
func TestINWXKinds(t *testing.T) {
	account := inwxAccount()
	_, values := newINWX(t, account)
	wrong := libdnsbridge.Values{"username": account.User, "password": "wrong", "endpoint": values["endpoint"]}
	locked := account
	locked.SharedSecret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
	_, factor := newINWX(t, locked)
	for name, test := range map[string]struct {
		values libdnsbridge.Values
		zone   string
		want   dnsprovider.Kind
		text   string
	}{
		"password": {wrong, benchZone, dnsprovider.Refused, "(2200) Authentication error"},
		"zone":     {values, "example.net.", dnsprovider.NoZone, "(2303) Object does not exist"},
		"factor":   {factor, benchZone, dnsprovider.Refused, "The confirmation code is invalid"},
	} {
		_, err := openBackend(t, "inwx", test.values).GetRecords(t.Context(), test.zone)
		if err == nil || host(t, "inwx").Quirks.Classify(err) != test.want || !strings.Contains(err.Error(), test.text) {
			t.Errorf("%s: want kind %s: %v", name, test.want, err)
		}
	}
}

// TestINWXExact: no more than what is named goes.
func TestINWXExact(t *testing.T) {
	s, values := newINWX(t, inwxAccount())
	b := openBackend(t, "inwx", values)
	b.add(rr("TLSA", "3 1 1 aa"), rr("TLSA", "3 1 1 bb"))
	s.Zone.Add("_465._tcp.mx."+benchZone, "TLSA", 3600, "3 1 1 aa")
	b.takeAway("TLSA", "3 1 1 aa")
	if got, _ := b.stand("TLSA"); !slices.Equal(got, []string{"3 1 1 bb"}) || len(s.Zone.Records("_465._tcp.mx."+benchZone, "TLSA")) != 1 {
		t.Errorf("%v are left, and\n%s", got, s.Zone)
	}
	name := rr("", "").Name + "." + benchZone
	s.Zone.Add(name, "TLSA", 3600, "3 1 1 bb")
	_, err := b.DeleteRecords(t.Context(), benchZone, []libdns.Record{rr("TLSA", "3 1 1 bb")})
	if host(t, "inwx").Quirks.Classify(err) != dnsprovider.Ignored {
		t.Errorf("two records went for one, and the error is %v", err)
	}
}

func TestINWXSettings(t *testing.T) {
	_, values := newINWX(t, inwxAccount())
	with := func(key, value string) libdnsbridge.Values {
		v := libdnsbridge.Values{}
		for k := range values {
			v[k] = values[k]
		}
		v[key] = value
		return v
	}
	refuses(t, "inwx", []refusal{
		{with("password", ""), "username and password: both are needed"},
		{with("shared-secret", "no base 32!"), "shared-secret: no base 32 (hint: it is what INWX shows beside the QR code when Mobile TAN is set up)"},
		{with("endpoint", "http://192.0.2.1/jsonrpc/"), "endpoint: the password would go in clear text (hint: https)"},
		{with("endpoint", "https:"), "endpoint: no URL (hint: https://api.domrobot.com/jsonrpc/)"},
	})
}
