package lab

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// Every primary has signed zones and others, takes edits and gives them to the secondary
// when that may have them, grants keys their rights, and keeps all of it when it is killed.
func TestPrimaries(t *testing.T) {
	t.Parallel()
	for _, kind := range []PrimaryKind{Knot, PowerDNS} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			l := Start(t, Options{
				Primary: kind, Resolvers: 1, Zones: []string{"example.net.", "example.com."}, Unsigned: []string{"example.net."}, Bogus: []string{"example.com."},
				Records: []string{"mx1.example.net. 10 A 192.0.2.1", "mx1.example.com. 10 A 192.0.2.2"},
			})
			for question, want := range map[Question]string{
				{Domain, "MX"}: "AD", {"no.example.org.", "A"}: "AD", {"mx1.example.net.", "A"}: "", {"mx1.example.com.", "A"}: "SERVFAIL",
			} {
				a, err := l.Query(t.Context(), l.Resolver, question)
				if got := securityOf(a, err); got != want {
					t.Errorf("%s %s: %q, want %q (%v)", question.Name, question.Type, got, want, err)
				}
			}
			a, err := l.Query(t.Context(), l.Resolver, Question{"no.example.org.", "A"})
			if err != nil || len(a.RDATA) > 0 {
				t.Errorf("a name that does not exist: %v, %v", a, err)
			}
			l.checkEdits(t)
			l.checkRights(t)
		})
	}
}

// securityOf says what a resolver found: AD, nothing, or SERVFAIL.
func securityOf(a Answer, err error) string {
	switch {
	case err != nil && strings.HasSuffix(err.Error(), "SERVFAIL"):
		return "SERVFAIL"
	case err != nil:
		return "an error"
	case a.Secure:
		return "AD"
	}
	return ""
}

func (l *Lab) checkEdits(t *testing.T) {
	t.Helper()
	const note, more = "note.example.org. 10 TXT one", "note.example.org. 10 TXT two"
	want := func(when string, n int) {
		t.Helper()
		a, err := l.Query(t.Context(), l.Secondary, Question{"note.example.org.", "TXT"})
		if err != nil || len(a.RDATA) != n {
			t.Errorf("%s, the secondary has %v (%v), want %d", when, a.RDATA, err, n)
		}
	}
	l.Update(t, Add(note))
	l.ReleaseSecondary(t)
	want("after an edit", 1)
	l.HoldSecondary()
	l.Update(t, Add(more))
	l.Kill(t, "primary")
	l.StartAgain(t, "primary")
	want("while it is held", 1)
	l.ReleaseSecondary(t)
	want("with a primary that was killed after an edit", 2)
	l.LagSecondary(0)
	l.Update(t, RemoveRRset(note))
	l.ReleaseSecondary(t)
	want("after the removal", 0)
	if _, err := l.snapshot(t.Context(), Domain); err == nil || !strings.Contains(err.Error(), string(l.opts.Primary)) {
		t.Errorf("a snapshot: %v", err)
	}
}

func (l *Lab) checkRights(t *testing.T) {
	t.Helper()
	record := Owner(25) + " 10 TLSA 3 1 1 " + strings.Repeat("0f", 32)
	other := "_25._tcp.mx1.example.net. 10 TLSA 3 1 1 " + strings.Repeat("0f", 32)
	for _, tc := range []struct {
		zone, line string
		key        Key
		allowed    bool
	}{
		{Domain, record, l.Key(Domain), true},
		{"example.net.", other, l.Key("example.net."), true},
		{Domain, record, l.Key("example.net."), false},
		{Domain, record, Key{Name: "stranger.lab.", secret: l.hand.secret}, false},
		{Domain, record, l.transfer, false},
		{"example.net.", "note.example.net. 10 TXT one", l.Key("example.net."), l.opts.Primary == PowerDNS},
	} {
		rr, err := dns.NewRR(tc.line)
		if err != nil {
			t.Fatal(err)
		}
		m := new(dns.Msg).SetUpdate(tc.zone)
		m.Insert([]dns.RR{rr})
		client := &dns.Client{Net: "tcp", Timeout: queryTimeout, TsigSecret: tc.key.sign(m, time.Now().Unix())}
		reply, _, err := client.ExchangeContext(t.Context(), m, l.Primary.String())
		if reply == nil {
			t.Errorf("%s by %s: %v", tc.line, tc.key, err)
			continue
		}
		if allowed := reply.Rcode == dns.RcodeSuccess; allowed != tc.allowed || allowed && err != nil {
			t.Errorf("%s by %s: %s, %v, want allowed %t", tc.line, tc.key, dns.RcodeToString[reply.Rcode], err, tc.allowed)
		}
	}
	if _, err := l.content(t.Context(), Domain); err != nil {
		t.Errorf("a transfer with the key: %v", err)
	}
	key := l.transfer
	l.transfer = l.hand
	if all, err := l.content(t.Context(), Domain); err == nil {
		t.Errorf("a transfer with another's key gives %d records", len(all))
	}
	l.transfer = key
}

// PowerDNS is asked over HTTP with the key alone, which is one of the lab's secrets.
func TestPowerDNSAPI(t *testing.T) {
	t.Parallel()
	l := Start(t, Options{Primary: PowerDNS, Resolvers: 1})
	key, err := os.ReadFile(l.PowerDNS.KeyFile)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: queryTimeout}
	call := func(method, key, body string) int {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, l.PowerDNS.URL+"/api/v1/servers/localhost/zones/"+Domain, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-API-Key", key)
		reply, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer reply.Body.Close()
		text, err := io.ReadAll(reply.Body)
		if reply.StatusCode == http.StatusOK && (err != nil || !strings.Contains(string(text), l.Live.TLSA(t, tlsa.EE)[len("3 1 1 "):])) {
			t.Errorf("the zone lacks the live pair's record: %v\n%s", err, text)
		}
		return reply.StatusCode
	}
	token := strings.TrimSpace(string(key))
	change := fmt.Sprintf(`{"rrsets": [{"name": %q, "type": "TLSA", "ttl": 10, "changetype": "REPLACE", "records": [{"content": "3 1 1 %s"}]}]}`, Owner(25), strings.Repeat("0f", 32))
	for _, tc := range []struct {
		method, key, body string
		want              int
	}{
		{http.MethodGet, "guessed", "", http.StatusUnauthorized},
		{http.MethodGet, token, "", http.StatusOK},
		{http.MethodPatch, token, change, http.StatusNoContent},
	} {
		if got := call(tc.method, tc.key, tc.body); got != tc.want {
			t.Errorf("%s: status %d, want %d", tc.method, got, tc.want)
		}
	}
	// The change raises the serial, and so the secondary comes to have it.
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	err = await(ctx, func(ctx context.Context) error {
		a, err := l.Query(ctx, l.Secondary, Question{Owner(25), "TLSA"})
		if err == nil && (len(a.RDATA) != 1 || !strings.HasSuffix(a.RDATA[0], "0f0f")) {
			err = fmt.Errorf("the secondary has %v", a.RDATA)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	if h := l.Finger(0, Host, 25); h.Outcome != Unverified {
		t.Errorf("with another's record alone: %s\n%s", h.Outcome, h.Output)
	}
	if found := l.Secrets().Find([]byte("X-API-Key: " + token)); len(found) == 0 {
		t.Error("the API key is not among the secrets")
	}
}
