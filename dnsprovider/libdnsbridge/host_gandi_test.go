package libdnsbridge_test

import (
	"fmt"
	"io"
	"net/http"
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

const gandiToken = "pat-2f1c5e0b9a7d4c3e"

func newGandi() *fakeapi.Server {
	s := fakeapi.NewGandi(fakeapi.NewZone(benchZone), gandiToken)
	internet.Route(fakeapi.GandiHost, s)
	return s
}

func TestGandi(t *testing.T) {
	t.Parallel() // beside those of other hosts, after all other tests
	providertest.Run(t, func(t *testing.T) providertest.Fixture {
		f := newGandi().Fixture()
		f.Provider, f.MinTTL, f.Secrets = through(t, "gandi", libdnsbridge.Values{"token": gandiToken}), 5*time.Minute, []string{gandiToken}
		f.Without = without(map[providertest.Part]string{
			providertest.Races: "Gandi replaces whole RRsets: an edit between the module's look and its change is lost",
		})
		return f
	})
}

func TestGandiTXT(t *testing.T) {
	providertest.RunTXT(t, func(t *testing.T) providertest.TXTFixture {
		f := newGandi().TXTFixture()
		f.Provider, f.MinTTL = through(t, "gandi", libdnsbridge.Values{"token": gandiToken}), 5*time.Minute
		return f
	})
}

// TestGandiQuotes: the module wants quotes around a TXT value that it deletes where there are
// several, and none where there is one. Nothing else goes in either case.
func TestGandiQuotes(t *testing.T) {
	newGandi()
	b := openBackend(t, "gandi", libdnsbridge.Values{"token": gandiToken})
	b.add(rr("TXT", "abc"), rr("TXT", "ABC"))
	for _, test := range []struct {
		gone string
		left []string
	}{
		{`"other"`, []string{`"abc"`, `"ABC"`}},
		{`"abc"`, []string{`"ABC"`}},
		{`"abc"`, []string{`"ABC"`}},
		{`"ABC"`, nil},
		{`"ABC"`, nil},
	} {
		b.takeAway("TXT", test.gone)
		if got, _ := b.stand("TXT"); !slices.Equal(got, test.left) {
			t.Errorf("without %s: %v, want %v", test.gone, got, test.left)
		}
	}
}

// TestGandiLowTTL: the API refuses a TTL under five minutes, with an answer that the module does not read.
func TestGandiLowTTL(t *testing.T) {
	newGandi()
	b := openBackend(t, "gandi", libdnsbridge.Values{"token": gandiToken})
	low := rr("TLSA", "3 1 1 aa")
	low.TTL = time.Minute
	b.add(low)
	if _, ttl := b.stand("TLSA"); ttl != 5*time.Minute {
		t.Errorf("TTL %s", ttl)
	}
	high := rr("TLSA", "3 1 1 bb")
	high.TTL = 10000 * time.Hour
	_, err := b.AppendRecords(t.Context(), benchZone, []libdns.Record{high})
	if got := host(t, "gandi").Quirks.Classify(err); got != dnsprovider.Malformed {
		t.Errorf("kind %s: %v", got, err)
	}
}

// TestGandiPages: what may be on a page that the module does not ask for is not absent.
func TestGandiPages(t *testing.T) {
	s := newGandi()
	b := openBackend(t, "gandi", libdnsbridge.Values{"token": gandiToken})
	for i := range fakeapi.GandiPage - 2 { // the NS RRset is another
		s.Zone.Add(fmt.Sprintf("n%d.%s", i, benchZone), "A", 3600, "192.0.2.1")
	}
	b.stand("TLSA")
	s.Zone.Add("last."+benchZone, "A", 3600, "192.0.2.1")
	_, err := b.GetRecords(t.Context(), benchZone)
	if err == nil || !strings.Contains(err.Error(), "500 RRsets or more") || host(t, "gandi").Quirks.Classify(err) != dnsprovider.Unsupported {
		t.Errorf("error is %v", err)
	}
}

// TestGandiRelativeNames: LiveDNS takes names relative to the zone.
func TestGandiRelativeNames(t *testing.T) {
	s := newGandi()
	b := openBackend(t, "gandi", libdnsbridge.Values{"token": gandiToken})
	for target, want := range map[string]string{"www": "www.example.org.", "www.example.net.": "www.example.net.", "@": "example.org."} {
		s.Zone.Replace(rr("", "").Name+"."+benchZone, "CNAME", 3600, target)
		if got, _ := b.stand("CNAME"); !slices.Equal(got, []string{want}) {
			t.Errorf("%s is read as %v, want %s", target, got, want)
		}
	}
}

func TestGandiSettings(t *testing.T) {
	refuses(t, "gandi", []refusal{
		{libdnsbridge.Values{}, "token: missing"},
		{libdnsbridge.Values{"token": gandiToken + "\r\nX-Other: 1"}, "token: has blanks, line ends or letters that no key has (hint: copy it again)"},
	})
}

// TestGandiEmptyReply: where the host once said nothing about the zone, it is asked again.
func TestGandiEmptyReply(t *testing.T) {
	s, empty := newGandi(), true
	internet.Route(fakeapi.GandiHost, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if empty {
			_, _ = io.WriteString(w, "{}\n")
			return
		}
		s.ServeHTTP(w, r)
	}))
	p := through(t, "gandi", libdnsbridge.Values{"token": gandiToken})
	if stands, err := p.RRset(t.Context(), "", mxOwner); dnsprovider.KindOf(err) != dnsprovider.Temporary {
		t.Errorf("there stands %v, %v", stands, err)
	}
	empty = false
	if err := edit(t, p, mxOwner, digest("1")); err != nil {
		t.Error(err)
	}
}
