package lab

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

func TestUnsignedPrimary(t *testing.T) {
	t.Parallel()
	l := Start(t, Options{Resolvers: 1})
	u := l.UnsignedPrimary(t)
	key := l.Key(Domain)

	for _, tc := range []struct {
		server string
		signed bool
		tlsas  int // at the primary afterwards
	}{{u.Addr.String(), false, 1}, {l.Primary.String(), true, 2}} {
		m := new(dns.Msg).SetUpdate(Domain)
		rr, err := dns.NewRR(Owner(25) + " 10 TLSA 3 1 1 " + strings.Repeat("ab", 32))
		if err != nil {
			t.Fatal(err)
		}
		m.Insert([]dns.RR{rr})
		client := &dns.Client{Net: "tcp", TsigSecret: key.sign(m, time.Now().Unix())}
		reply, _, err := client.ExchangeContext(t.Context(), m, tc.server)
		if err != nil {
			t.Fatal(err)
		}
		if reply.Rcode != dns.RcodeSuccess || (reply.IsTsig() != nil) != tc.signed {
			t.Errorf("%s: %s, TSIG %v, want signed %t", tc.server, dns.RcodeToString[reply.Rcode], reply.IsTsig(), tc.signed)
		}
		within, cancel := context.WithTimeout(t.Context(), time.Second)
		err = await(within, func(ctx context.Context) error {
			a, err := l.Query(ctx, u.Addr, Question{Owner(25), "TLSA"})
			if err == nil && len(a.RDATA) != tc.tlsas {
				err = fmt.Errorf("after an update at %s: %v, want %d", tc.server, a.RDATA, tc.tlsas)
			}
			return err
		})
		cancel()
		if err != nil {
			t.Error(err)
		}
	}
	if u.Updates() != 1 {
		t.Errorf("%d updates, want 1", u.Updates())
	}
}

// The program's key may change TLSA records and nothing else; the human's may all.
func TestUpdatePolicy(t *testing.T) {
	t.Parallel()
	l := Start(t, Options{Resolvers: 1})
	txt := "note.example.org. 10 TXT \"by hand\""
	l.Update(t, Add(txt))
	l.Update(t, Add(txt)) // which changes nothing
	l.Update(t, RemoveRRset(txt), Add("note.example.org. 10 TXT \"anew\""))
	a, err := l.Query(t.Context(), l.Primary, Question{"note.example.org.", "TXT"})
	if err != nil || len(a.RDATA) != 1 || a.RDATA[0] != `"anew"` {
		t.Errorf("after the edits: %v, %v", a, err)
	}
	m := new(dns.Msg).SetUpdate(Domain)
	rr, err := dns.NewRR(txt)
	if err != nil {
		t.Fatal(err)
	}
	m.Insert([]dns.RR{rr})
	client := &dns.Client{Net: "tcp", TsigSecret: l.Key(Domain).sign(m, time.Now().Unix())}
	reply, _, err := client.ExchangeContext(t.Context(), m, l.Primary.String())
	if err != nil || reply.Rcode != dns.RcodeRefused {
		t.Errorf("a TXT record with the program's key: %v, %v", reply, err)
	}
	if err := l.Edit(t.Context(), Add("mx1.example.com. 10 A 127.0.0.1")); err == nil || err.Error() != `update: "mx1.example.com. 10 A 127.0.0.1": in none of the zones` {
		t.Errorf("another's zone: %v", err)
	}
}

func TestKeyHidesItsSecret(t *testing.T) {
	t.Parallel()
	k, err := newKey256("tlsaroll.example.org.", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		if got := fmt.Sprintf(format, k); strings.Contains(got, k.secret) {
			t.Errorf("%s shows the secret", format)
		}
	}
	info, err := os.Stat(k.SecretFile)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("secret file: %v, %v", info, err)
	}
}
