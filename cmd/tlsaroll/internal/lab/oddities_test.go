package lab

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// What no server of Debian does: mail servers, zones and policies within the process.
func TestOddities(t *testing.T) {
	t.Parallel()
	l := Start(t, Options{Resolvers: 1})
	t.Run("mail servers", l.oddMX)
	t.Run("zones", l.oddZones)
	t.Run("policy", l.oddPolicy)
}

func (l *Lab) oddMX(t *testing.T) {
	issue := func(kt KeyType) *Pair {
		return l.ca.Issue(t, LeafOptions{Names: []string{"odd.example.org"}, KeyType: kt})
	}
	right, rsa, other := issue(ECDSA), issue(RSA), issue(ECDSA)
	cases := []struct {
		mx    MX
		takes []KeyType
		want  Outcome
		says  string
	}{
		{mx: MX{Pairs: []*Pair{right}}, want: Verified},
		{mx: MX{Pairs: []*Pair{other}, ByName: map[string]*Pair{"odd1.example.org": right}}, want: Verified},
		{mx: MX{Pairs: []*Pair{right}, ByName: map[string]*Pair{"odd2.example.org": other}}, want: Unverified},
		{mx: MX{Pairs: []*Pair{right}, WithoutName: other, WantsName: true}, want: Verified},
		{mx: MX{Pairs: []*Pair{right, rsa}}, takes: []KeyType{RSA}, want: Unverified},
		{mx: MX{Pairs: []*Pair{right}, STARTTLS: Concealed}, want: NoTLS},
		{mx: MX{Pairs: []*Pair{right}, STARTTLS: PutOff}, want: NoTLS, says: "454 4.7.0"},
		{mx: MX{Pairs: []*Pair{right}, STARTTLS: Hollow}, want: NoTLS},
		{mx: MX{Pairs: []*Pair{right}, Greets: time.Second}, want: Verified},
		{mx: MX{Pairs: []*Pair{right}, Oldest: tls.VersionTLS10, Newest: tls.VersionTLS10}, want: NoTLS, says: "legacy sigalg"},
	}
	var changes []Change
	host := func(i int) string { return fmt.Sprintf("odd%d.example.org", i) }
	for i, tc := range cases {
		changes = append(changes, Add(host(i)+". 10 A "+l.ServeMX(t, tc.mx).String()), Add("_25._tcp."+host(i)+". 10 TLSA "+right.TLSA(t, tlsa.EE)))
	}
	l.Update(t, changes...)
	l.ReleaseSecondary(t)
	for i, tc := range cases {
		h := l.Finger(0, host(i), 25, tc.takes...)
		if h.Outcome != tc.want || !strings.Contains(h.Output, tc.says) {
			t.Errorf("%+v: %s, want %s\n%s", tc.mx, h.Outcome, tc.want, h.Output)
		}
	}
}

func (l *Lab) oddZones(t *testing.T) {
	const record = " 60 A 192.0.2.1"
	l.Craft(t, CraftedZone{Name: "good.example.org.", Servers: []CraftedServer{{Records: []string{"_a.host.good.example.org." + record}}}})
	l.Craft(t, CraftedZone{Name: "expired.example.org.", Servers: []CraftedServer{{Until: -48 * time.Hour, Records: []string{"host.expired.example.org." + record}}}})
	l.Craft(t, CraftedZone{Name: "island.example.org.", NoDS: true, Servers: []CraftedServer{{Records: []string{"host.island.example.org." + record}}}})
	l.Craft(t, CraftedZone{Name: "hollow.example.org.", Servers: []CraftedServer{{DeniesEmpty: true, Records: []string{"host.hollow.example.org." + record, "_a._tcp.host.hollow.example.org." + record}}}})
	l.Craft(t, CraftedZone{Name: "lame.example.org.", Servers: []CraftedServer{{Records: []string{"host.lame.example.org." + record}}, {Refuses: true}}})
	for _, tc := range []struct{ name, want string }{
		{"host.good.example.org.", "AD"}, // an empty name
		{"_a.host.good.example.org.", "AD 192.0.2.1"},
		{"no.good.example.org.", "AD"},
		{"host.expired.example.org.", "SERVFAIL"},
		{"host.island.example.org.", "192.0.2.1"},
		{"_tcp.host.hollow.example.org.", "AD"},
		{"_a._tcp.host.hollow.example.org.", "AD"}, // as Unbound believes the denial above
		{"host.lame.example.org.", "AD 192.0.2.1"},
	} {
		a, err := l.Query(t.Context(), l.Resolver, Question{tc.name, "A"})
		var got []string
		if err != nil {
			got = append(got, err.Error()[strings.LastIndexByte(err.Error(), ' ')+1:])
		}
		if a.Secure {
			got = append(got, "AD")
		}
		if got := strings.Join(append(got, a.RDATA...), " "); got != tc.want {
			t.Errorf("%s: %q, want %q", tc.name, got, tc.want)
		}
	}
}

func (l *Lab) oddPolicy(t *testing.T) {
	pair := l.ca.Issue(t, LeafOptions{Names: []string{"mta-sts.example.org"}})
	policies := l.ServePolicies(t)
	policies.Set("example.org", "version: STSv1\n", pair)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(l.ca.RootPEM())
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: "mta-sts.example.org"}}}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+policies.Addr.String()+"/.well-known/mta-sts.txt", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Host = "mta-sts.example.org"
	reply, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer reply.Body.Close()
	if text, err := io.ReadAll(reply.Body); err != nil || !slices.Equal(text, []byte("version: STSv1\n")) {
		t.Errorf("%q, %v", text, err)
	}
}
