package libdnsbridge_test

import (
	"strings"
	"testing"
	"time"

	"github.com/libdns/libdns"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/dnsprovider/libdnsbridge"
	"github.com/tlsaroll/tlsaroll/dnsprovider/providertest"
	"github.com/tlsaroll/tlsaroll/dnsprovider/providertest/fakeapi"
)

const infomaniakToken = "infomaniak-0123456789_abcdefghijklmnopqrstuvwxyz"

func newInfomaniak(t *testing.T) (*fakeapi.Server, *libdnsbridge.Provider) {
	t.Helper()
	s := fakeapi.NewInfomaniak(fakeapi.NewZone("example.org."), infomaniakToken)
	internet.Route(fakeapi.InfomaniakHost, s)
	return s, through(t, "infomaniak", libdnsbridge.Values{"token": infomaniakToken})
}

func TestInfomaniak(t *testing.T) {
	t.Parallel() // beside those of other hosts, after all other tests
	providertest.Run(t, func(t *testing.T) providertest.Fixture {
		s, p := newInfomaniak(t)
		f := s.Fixture()
		f.Provider, f.MinTTL, f.Secrets, f.Without = p, time.Minute, []string{infomaniakToken}, without(nil)
		return f
	})
}

func TestInfomaniakTXT(t *testing.T) {
	providertest.RunTXT(t, func(t *testing.T) providertest.TXTFixture {
		s, p := newInfomaniak(t)
		f := s.TXTFixture()
		f.Provider = p
		return f
	})
}

// TestInfomaniakNames: what stands at a name that ends like another is not taken for its, a zone is
// the host's own or none, and a record that nobody can parse hides no other.
func TestInfomaniakNames(t *testing.T) {
	s, p := newInfomaniak(t)
	s.Zone.Add("_25._tcp.notmx.example.org.", "TLSA", 3600, digest("1"))
	s.Zone.Add("broken.example.org.", "A", 3600, "no address")
	s.Zone.Add("example.org.", "MX", 3600, "10 mx.example.org.")
	if err := edit(t, p, mxOwner, digest("2")); err != nil {
		t.Error(err)
	}
	if got := s.Zone.Records("", "TLSA"); len(got) != 2 {
		t.Errorf("the zone holds %v", got)
	}
	below, err := libdnsbridge.New(libdnsbridge.Config{Host: host(t, "infomaniak"), Zone: "mx.example.org", Values: libdnsbridge.Values{"token": infomaniakToken}})
	if err != nil {
		t.Fatal(err)
	}
	if stands, err := below.RRset(t.Context(), "", mxOwner); dnsprovider.KindOf(err) != dnsprovider.NoZone {
		t.Errorf("a zone that is a name in another: %v, %v", stands, err)
	}
}

// TestInfomaniakChangedRecord: a record that is another by now is not deleted.
func TestInfomaniakChangedRecord(t *testing.T) {
	s, _ := newInfomaniak(t)
	b, err := host(t, "infomaniak").Open(libdnsbridge.Values{"token": infomaniakToken})
	if err != nil {
		t.Fatal(err)
	}
	id := s.Zone.Add(string(mxOwner), "TLSA", 3600, digest("1")).ID
	read, err := b.GetRecords(t.Context(), "example.org.")
	if err != nil {
		t.Fatal(err)
	}
	s.Zone.Update(id, func(r *fakeapi.Record) { r.Data = digest("2") })
	if gone, err := b.DeleteRecords(t.Context(), "example.org.", read[len(read)-1:]); err != nil || len(gone) != 0 {
		t.Errorf("%v is gone, %v", gone, err)
	}
	if got := s.Zone.Records(string(mxOwner), "TLSA"); len(got) != 1 || got[0].Data != digest("2") {
		t.Errorf("the zone holds %v", got)
	}
	if _, err := b.DeleteRecords(t.Context(), "example.org.", []libdns.Record{libdns.RR{Name: "absent", Type: "TLSA", Data: digest("3")}}); err != nil {
		t.Errorf("a record that does not stand there: %v", err)
	}
}

// TestInfomaniakSays: what the host has against a record is in the error.
func TestInfomaniakSays(t *testing.T) {
	s, p := newInfomaniak(t)
	s.Fixture().Fail(t, providertest.Unprocessable, 0)
	_, err := p.RRset(t.Context(), "", mxOwner)
	if want := "HTTP 422: validation_failed: Validation failed: The target is not valid for this type (hint: "; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error is %v, want %q in it", err, want)
	}
}

func TestInfomaniakSettings(t *testing.T) { badTokens(t, "infomaniak") }
