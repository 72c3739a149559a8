//go:build gsstsig

package rfc2136_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jcmturner/gokrb5/v8/iana/etypeID"
	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/dnsprovider/rfc2136"
)

// counting counts the keys that are negotiated through the proxy.
func counting(t *testing.T, p *proxy) (negotiated func() int) {
	n := 0
	p.twist = func(request, reply []byte) []byte {
		if isTKEY(unpack(t, request)) {
			n++
		}
		return reply
	}
	return func() int {
		p.mu.Lock()
		defer p.mu.Unlock()
		return n
	}
}

// TestGSSServerStartedAgain: a server that was started again has forgotten all keys. It is
// asked for another, before a change and in the middle of it.
func TestGSSServerStartedAgain(t *testing.T) {
	r := startRealm(t)
	m := r.startMember(tlsaOnly)
	proxy := newProxy(t, m.address)
	negotiated := counting(t, proxy)
	p := newProvider(t, r.config(proxy.address))
	if err := apply(t, p, rrset(), rrset("1")); err != nil {
		t.Fatal(err)
	}
	if _, err := p.RRset(t.Context(), zone, owner); err != nil {
		t.Fatal(err)
	}
	if n := negotiated(); n != 1 {
		t.Errorf("%d keys for a change and a look, want 1", n)
	}
	m.restart()
	if got, err := p.RRset(t.Context(), zone, owner); err != nil || !got.Same(rrset("1")) {
		t.Errorf("after a restart: %v, %v", got, err)
	}
	if n := negotiated(); n != 2 {
		t.Errorf("%d keys after a restart, want 2", n)
	}
	proxy.meanwhile(m.restart) // the update is lost, and the key with it
	if err := apply(t, p, rrset("1"), rrset("2")); err != nil {
		t.Errorf("a restart between a look and the change: %v", err)
	}
	if got := m.stands(t, owner); !got.Same(rrset("2")) {
		t.Errorf("%v stands", got)
	}
	if n := negotiated(); n != 3 {
		t.Errorf("%d keys after another restart, want 3", n)
	}
}

// TestGSSKeyEnds: a key is given up five minutes before the ticket ends, and another is
// negotiated. The server goes by the ticket as well.
func TestGSSKeyEnds(t *testing.T) {
	r := startRealm(t)
	m := r.startMember(tlsaOnly)
	r.admin("modprinc -maxlife 6minutes tlsaroll")
	proxy := newProxy(t, m.address)
	negotiated := counting(t, proxy)
	c := r.config(proxy.address)
	var later time.Duration
	c.Now = func() time.Time { return time.Now().Add(later) }
	p := newProvider(t, c)
	for _, step := range []struct {
		later time.Duration
		want  int
	}{{0, 1}, {50 * time.Second, 1}, {70 * time.Second, 2}} {
		later = step.later
		if _, err := p.RRset(t.Context(), zone, owner); err != nil {
			t.Fatal(err)
		}
		if n := negotiated(); n != step.want {
			t.Errorf("after %s %d keys were negotiated, want %d", step.later, n, step.want)
		}
	}

	r.admin("modprinc -maxlife 2seconds tlsaroll")
	p = newProvider(t, r.config(proxy.address))
	if err := apply(t, p, rrset(), rrset("1")); err != nil {
		t.Errorf("with tickets for two seconds: %v", err)
	}
}

// TestGSSKeytabs: a keytab made by hand, whose keys have numbers that the KDC does not know, and
// one that is replaced.
func TestGSSKeytabs(t *testing.T) {
	r := startRealm(t)
	m := r.startMember(tlsaOnly)
	p := newProvider(t, r.config(m.address))
	r.admin("ktadd -k " + r.keytab + " tlsaroll") // with keys that are new
	if err := apply(t, p, rrset(), rrset("1")); err != nil {
		t.Errorf("a keytab that was replaced: %v", err)
	}

	r.admin("cpw -pw " + password + " tlsaroll")
	c := r.config(m.address)
	c.GSS.Keytab = r.path("byhand.keytab")
	for _, cipher := range []int32{etypeID.AES256_CTS_HMAC_SHA1_96, etypeID.AES128_CTS_HMAC_SHA1_96} {
		writeKeytab(t, c.GSS.Keytab, "tlsaroll", 77, cipher)
		if _, err := newProvider(t, c).RRset(t.Context(), zone, owner); err != nil {
			t.Errorf("a keytab made by hand, of cipher %d: %v", cipher, err)
		}
	}
}

// TestGSSServerFound: the server is the zone's MNAME, and its principal is made of that
// name; so it is with a server that is configured by name.
func TestGSSServerFound(t *testing.T) {
	r := startRealm(t)
	m := r.startMember(tlsaOnly)
	for _, server := range []string{"", "NS1.example.org"} {
		c := r.config(m.address)
		c.Server, c.Resolver, c.GSS.Service = server, m.address, ""
		c.GSS.Principal = "tlsaroll" // in the default realm
		c.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			if address == "127.0.0.1:53" {
				address = m.address
			}
			return new(net.Dialer).DialContext(ctx, network, address)
		}
		m.put(t, owner)
		if err := apply(t, newProvider(t, c), rrset(), rrset("1")); err != nil {
			t.Errorf("server %q: %v", server, err)
		}
	}
}

// TestGSSOverTLS: the key is negotiated over TLS as well.
func TestGSSOverTLS(t *testing.T) {
	r := startRealm(t)
	m := r.startMember(tlsaOnly)
	s := startSecureNamed(t) // for its certificate
	proxy := newTLSProxy(t, m.address, &tls.Config{Certificates: []tls.Certificate{s.pair}, MinVersion: tls.VersionTLS13, NextProtos: []string{"dot"}}, nil)
	negotiated := counting(t, proxy)
	c := r.config(proxy.address)
	c.TLS = &rfc2136.TLS{ServerName: serverName, Roots: s.roots}
	if err := apply(t, newProvider(t, c), rrset(), rrset("1")); err != nil {
		t.Error(err)
	}
	if n := negotiated(); n != 1 {
		t.Errorf("%d keys were negotiated, want 1", n)
	}
	c.TLS.Roots = x509.NewCertPool()
	if _, err := newProvider(t, c).RRset(t.Context(), zone, owner); !errors.Is(err, dnsprovider.ErrUnauthentic) || !strings.Contains(err.Error(), "and from a CA that is believed") {
		t.Errorf("another CA: %v", err)
	}
}

// TestGSSManyOwners: hundreds of signatures over one connection, many of them on the way
// at once.
func TestGSSManyOwners(t *testing.T) {
	r := startRealm(t)
	m := r.startMember(tlsaOnly)
	changes := additions(600)
	begin := time.Now()
	for i, err := range newProvider(t, r.config(m.address)).Apply(t.Context(), zone, changes) {
		if err != nil {
			t.Fatalf("change %d: %v", i, err)
		}
	}
	t.Logf("600 owners added, looked at before and after: %s", time.Since(begin).Round(time.Millisecond))
}

// TestGSSSideBySide: several providers, and several callers of one, with one account.
func TestGSSSideBySide(t *testing.T) {
	r := startRealm(t)
	m := r.startMember(tlsaOnly)
	shared := newProvider(t, r.config(m.address))
	var wg sync.WaitGroup
	for i := range 12 {
		p := shared
		if i%2 == 0 {
			p = newProvider(t, r.config(m.address))
		}
		wg.Go(func() {
			for _, err := range p.Apply(t.Context(), zone, additions(12)[i:i+1]) {
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

// TestGSSAgreesWithNsupdate: what BIND's own client does with the same account is seen, and
// can be undone.
func TestGSSAgreesWithNsupdate(t *testing.T) {
	r := startRealm(t)
	m := r.startMember(tlsaOnly)
	r.run("kinit", "", "-k", "-t", r.keytab, account)
	address, port, err := net.SplitHostPort(m.address)
	if err != nil {
		t.Fatal(err)
	}
	r.run("nsupdate", "server "+address+" "+port+"\nzone "+zone+"\nupdate add "+string(owner)+" 3600 TLSA "+record("1").String()+"\nsend\n", "-g")
	p := newProvider(t, r.config(m.address))
	if got, err := p.RRset(t.Context(), zone, owner); err != nil || !got.Same(rrset("1")) {
		t.Errorf("%v, %v", got, err)
	}
	if err := apply(t, p, rrset("1"), rrset("2")); err != nil {
		t.Error(err)
	}
	if got := m.stands(t, owner); !got.Same(rrset("2")) {
		t.Errorf("%v stands", got)
	}
}

// TestGSSOtherCiphers: AES with SHA-2 (RFC 8009), which MIT's library prefers where it may.
func TestGSSOtherCiphers(t *testing.T) {
	r := startRealm(t)
	for _, cipher := range []string{"aes256-cts-hmac-sha384-192", "aes128-cts-hmac-sha256-128", "aes128-cts-hmac-sha1-96"} {
		t.Run(cipher, func(t *testing.T) {
			r.admin("cpw -e "+cipher+":normal -randkey "+dnsService, "setstr "+dnsService+" session_enctypes "+cipher,
				"cpw -e "+cipher+":normal -randkey tlsaroll")
			for path, principal := range map[string]string{r.keytab: "tlsaroll", r.path("server.keytab"): dnsService} {
				if err := os.Remove(path); err != nil {
					t.Fatal(err)
				}
				r.admin("ktadd -norandkey -k " + path + " " + principal)
			}
			m := r.startMember(tlsaOnly)
			if err := apply(t, newProvider(t, r.config(m.address)), rrset(), rrset("1")); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestGSSTrustedRealm: the name server is in another realm, which trusts the account's.
func TestGSSTrustedRealm(t *testing.T) {
	home, away := startRealm(t), startRealmOf(t, "EXAMPLE.NET")
	both := fmt.Sprintf("[realms]\n\tEXAMPLE.ORG = {\n\t\tkdc = %s\n\t}\n\tEXAMPLE.NET = {\n\t\tkdc = %s\n\t}\n", home.address, away.address)
	for _, r := range []*realm{home, away} {
		r.admin("addprinc -pw trust -e aes256-cts:normal krbtgt/EXAMPLE.NET@EXAMPLE.ORG")
	}
	for name, domains := range map[string]string{"realm in the principal": "", "realm of the domain": "[domain_realm]\n\tns1.example.org = EXAMPLE.NET\n"} {
		t.Run(name, func(t *testing.T) {
			m := away.startMember(tlsaOnly)
			c := home.config(m.address)
			c.GSS.Krb5Conf = home.path("both.conf")
			write(t, c.GSS.Krb5Conf, both+domains)
			if domains == "" {
				c.GSS.Service = dnsService + "@EXAMPLE.NET"
			}
			if err := apply(t, newProvider(t, c), rrset(), rrset("1")); err != nil {
				t.Error(err)
			}
		})
	}
}
