package libdnsbridge_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/tlsaroll/tlsaroll/dnsprovider/libdnsbridge"
	"github.com/tlsaroll/tlsaroll/dnsprovider/providertest"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

func (p *pdns) provider(t *testing.T) *libdnsbridge.Provider {
	t.Helper()
	provider, err := libdnsbridge.New(libdnsbridge.Config{
		Host: host(t, "powerdns"), Values: libdnsbridge.Values{"server": p.url, "token": pdnsKey}, Zone: p.zone,
		Timeout: 20 * time.Second, Pauses: []time.Duration{1100 * time.Millisecond},
	})
	if err != nil {
		t.Fatal(err)
	}
	return provider
}

func TestPowerDNS(t *testing.T) {
	t.Parallel() // beside those of other hosts, after all other tests
	p := startPDNS(t, "example.org.")
	providertest.Run(t, func(t *testing.T) providertest.Fixture {
		p := *p
		p.stand(t)
		f := p.server.Fixture()
		f.Provider = p.provider(t)
		f.Secrets = []string{pdnsKey}
		f.Rereads = 1 // the module reads before it writes
		f.Seed = func(t *testing.T, owner tlsa.Owner, ttl time.Duration, rdata ...string) {
			p.put(t, string(owner), "TLSA", int(ttl/time.Second), lowerCase(rdata)...)
		}
		f.Look = p.stands
		f.Alias = func(t *testing.T, owner, target tlsa.Owner) { p.put(t, string(owner), "CNAME", 3600, string(target)) }
		f.Beside = func(t *testing.T, name, rrtype, rdata string) { p.put(t, name, rrtype, 3600, rdata) }
		f.Stands = func(t *testing.T, name, rrtype string) (rdata []string) {
			for _, rr := range p.ask(t, name, dns.StringToType[rrtype]) {
				rdata = append(rdata, strings.TrimPrefix(rr.String(), rr.Header().String()))
			}
			return rdata
		}
		f.Without = map[providertest.Part]string{
			providertest.Races:       "PowerDNS replaces whole RRsets: an edit between the module's look and its change is lost",
			providertest.TTLChanges:  "modules of libdns have no safe way to change a TTL",
			providertest.MinimumTTLs: "PowerDNS takes any TTL",
		}
		return f
	})
}

// lowerCase writes hex as PowerDNS keeps it: it refuses other forms in its API (it does
// not find the content equal to what it would store).
func lowerCase(rdata []string) []string {
	out := make([]string, len(rdata))
	for i, r := range rdata {
		out[i] = strings.ToLower(r)
	}
	return out
}

func TestPowerDNSTXT(t *testing.T) {
	p := startPDNS(t, "example.org.")
	providertest.RunTXT(t, func(t *testing.T) providertest.TXTFixture {
		p := *p
		p.stand(t)
		f := p.server.TXTFixture()
		f.Provider = p.provider(t)
		f.Seed = func(t *testing.T, name tlsa.Owner, ttl time.Duration, values ...string) {
			quoted := make([]string, len(values))
			for i, v := range values {
				quoted[i] = strconv.Quote(v)
			}
			p.put(t, string(name), "TXT", int(ttl/time.Second), quoted...)
		}
		f.Look = func(t *testing.T, name tlsa.Owner) (values []string, ttl time.Duration) {
			for _, rr := range p.ask(t, string(name), dns.TypeTXT) {
				values = append(values, strings.Join(rr.(*dns.TXT).Txt, ""))
				ttl = time.Duration(rr.Header().Ttl) * time.Second
			}
			return values, ttl
		}
		f.Alias = func(t *testing.T, owner, target tlsa.Owner) { p.put(t, string(owner), "CNAME", 3600, string(target)) }
		return f
	})
}
