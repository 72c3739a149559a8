//go:build gsstsig

package rfc2136_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/dnsprovider/rfc2136"
)

// TestGSSSaysNo: what a real KDC and a real server answer where something is wrong.
func TestGSSSaysNo(t *testing.T) {
	r := startRealm(t)
	m := r.startMember(tlsaOnly)
	path := r.path
	copyOf := func(keytab string) string {
		raw, err := os.ReadFile(r.keytab)
		if err != nil {
			t.Fatal(err)
		}
		write(t, path(keytab), string(raw))
		return path(keytab)
	}
	r.admin("addprinc -randkey other", "ktadd -k "+path("other.keytab")+" other",
		"addprinc -randkey gone", "ktadd -k "+path("gone.keytab")+" gone", "delprinc -force gone",
		"addprinc -randkey old", "ktadd -k "+path("old.keytab")+" old", "cpw -randkey old",
		"addprinc -randkey -requires_preauth lax", "ktadd -k "+path("lax.keytab")+" lax", "cpw -randkey -keepold lax", "purgekeys lax",
		"addprinc -randkey -requires_preauth free", "ktadd -k "+path("free.keytab")+" free",
		"addprinc -randkey -expire 2020-01-01 expired", "ktadd -k "+path("expired.keytab")+" expired",
		"addprinc -randkey -pwexpire 2020-01-01 passed", "ktadd -norandkey -k "+path("passed.keytab")+" passed",
		"addprinc -randkey -allow_tix locked", "ktadd -k "+path("locked.keytab")+" locked",
		"addprinc -randkey -e arcfour-hmac:normal DNS/rc4.example.org", "setstr DNS/rc4.example.org session_enctypes arcfour-hmac",
	)
	as := func(name string) func(*rfc2136.Config) {
		return func(c *rfc2136.Config) {
			c.GSS.Principal, c.GSS.Keytab = name+"@"+realmName, path(name+".keytab")
		}
	}
	secrets := r.secrets(copyOf("copy.keytab"))
	for _, test := range []struct {
		name   string
		change func(*rfc2136.Config)
		kind   dnsprovider.Kind
		want   string
	}{
		{"no rights", as("other"), dnsprovider.Refused, `REFUSED: the server does not let this change be made ` +
			`(hint: may other@EXAMPLE.ORG change TLSA at this name, in BIND as by grant "other@EXAMPLE.ORG" name _25._tcp.mx.example.org. TLSA;`},
		{"principal deleted", as("gone"), dnsprovider.Refused, "no ticket of gone@EXAMPLE.ORG for DNS/ns1.example.org: KDC_ERR_C_PRINCIPAL_UNKNOWN: the KDC does not know the principal (hint: are the principal and its realm written right"},
		{"outdated keytab", as("old"), dnsprovider.Refused, "KDC_ERR_PREAUTH_FAILED: the key is not the right one (hint: make a new keytab: each change of the password makes the old one worthless)"},
		{"outdated keytab and a lax KDC", as("lax"), dnsprovider.Refused, "the KDC's reply cannot be decrypted with the key in the keytab (hint: was the password changed after the keytab was made?)"},
		{"no proof, where the server wants one", as("free"), dnsprovider.Refused, `no ticket of free@EXAMPLE.ORG for DNS/ns1.example.org: KRB_ERR_GENERIC: "NO PREAUTH"`},
		{"principal expired", as("expired"), dnsprovider.Refused, "KDC_ERR_NAME_EXP: the principal has expired (hint: unlock the account, and let it not expire)"},
		{"password expired", as("passed"), dnsprovider.Refused, "KDC_ERR_KEY_EXPIRED: the password has expired (hint: change it, make a new keytab"},
		{"account locked", as("locked"), dnsprovider.Refused, "KDC_ERR_CLIENT_REVOKED: the account is disabled or locked (hint: unlock the account"},
		{"unknown service", func(c *rfc2136.Config) { c.GSS.Service = "DNS/ns3.example.org" }, dnsprovider.Refused,
			"no ticket of tlsaroll@EXAMPLE.ORG for DNS/ns3.example.org: KDC_ERR_S_PRINCIPAL_UNKNOWN: the KDC does not know the principal of the server (hint: configure the server by the name that it has in Kerberos, or set gss-service to its principal)"},
		{"service of an old cipher", func(c *rfc2136.Config) { c.GSS.Service = "DNS/rc4.example.org" }, dnsprovider.Refused,
			"KDC_ERR_ETYPE_NOSUPP: no cipher suits everybody (hint: allow AES for the account and for that of the server)"},
		{"service of another server", func(c *rfc2136.Config) { c.GSS.Service = otherSystem }, dnsprovider.Refused,
			"BADKEY: the server does not accept the ticket for DNS/ns2.example.org (hint: has the server's keytab the current key of that principal, and do its clock and this host's agree; its log says more)"},
		{"clock behind", func(c *rfc2136.Config) { c.Now = func() time.Time { return time.Now().Add(-1000 * time.Second) } }, dnsprovider.Refused,
			"KRB_AP_ERR_SKEW: the clocks are too far apart: its clock says "},
		{"clock ahead", func(c *rfc2136.Config) { c.Now = func() time.Time { return time.Now().Add(1000 * time.Second) } }, dnsprovider.Refused,
			"apart (hint: one of the two clocks is wrong: is NTP running on both)"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var log lockedBuffer
			c := r.config(m.address)
			c.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
			test.change(&c)
			err := apply(t, newProvider(t, c), rrset(), rrset("1"))
			if !errors.Is(err, test.kind.Err()) || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("error is\n%v, want one of kind %v\n%s", err, test.kind, test.want)
			}
			for _, s := range append(secrets, r.secrets(c.GSS.Keytab)...) {
				if strings.Contains(err.Error()+log.String(), s) {
					t.Errorf("a key stands in\n%v\n%s", err, &log)
				}
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("more than one line: %v", err)
			}
		})
	}
	if got := m.stands(t, owner); !got.Denial() {
		t.Errorf("records stand: %v", got)
	}
}

// TestGSSDocumentedRights: the line that the documentation and the hint show is enough, and is
// for TLSA at this name alone.
func TestGSSDocumentedRights(t *testing.T) {
	r := startRealm(t)
	m := r.startMember(`update-policy { grant "tlsaroll@EXAMPLE.ORG" name _25._tcp.mx.example.org TLSA; };`)
	p := newProvider(t, r.config(m.address))
	if err := apply(t, p, rrset(), rrset("1")); err != nil {
		t.Error(err)
	}
	if err := apply(t, p, rrset("1"), rrset("2")); err != nil {
		t.Error(err)
	}
	for what, err := range map[string]error{
		"another name": p.Apply(t.Context(), zone, additions(1))[0],
		"another type": p.AddTXT(t.Context(), zone, challenge, "value", time.Minute),
	} {
		if !errors.Is(err, dnsprovider.ErrRefused) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// TestGSSWithoutAKDC: no KDC, one that says nothing, and a caller who does not wait.
func TestGSSWithoutAKDC(t *testing.T) {
	r := startRealm(t)
	m := r.startMember(tlsaOnly)
	p := newProvider(t, r.config(m.address))
	if err := apply(t, p, rrset(), rrset("1")); err != nil {
		t.Fatal(err)
	}
	r.stop()
	if err := apply(t, p, rrset("1"), rrset("1", "2")); err != nil {
		t.Errorf("with a key that was negotiated before: %v", err)
	}
	_, err := newProvider(t, r.config(m.address)).RRset(t.Context(), zone, owner)
	want := "read _25._tcp.mx.example.org.: rfc2136 " + m.address + ": no ticket of tlsaroll@EXAMPLE.ORG for DNS/ns1.example.org: " +
		"no KDC of realm EXAMPLE.ORG can be reached: KDC " + r.address + ": dial tcp " + r.address + ": connect: connection refused " +
		"(hint: is a KDC up, and does it take TCP from here; is the realm right, and does gss-krb5-conf or DNS name its KDCs)"
	if !errors.Is(err, dnsprovider.ErrTemporary) || err.Error() != want {
		t.Errorf("error is\n%v, want\n%s", err, want)
	}

	silent, err := net.Listen("tcp", r.address) // what connects waits in its queue
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	c := r.config(m.address)
	c.Timeout = 100 * time.Millisecond
	_, err = newProvider(t, c).RRset(t.Context(), zone, owner)
	if !errors.Is(err, dnsprovider.ErrTemporary) || !strings.Contains(err.Error(), "KDC "+r.address+": no reply within 100ms (hint: is a KDC up") {
		t.Errorf("a silent KDC: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	begin := time.Now()
	_, err = newProvider(t, r.config(m.address)).RRset(ctx, zone, owner)
	if !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) > 5*time.Second {
		t.Errorf("after %s: %v", time.Since(begin), err)
	}

	silent.Close()
	r.start()
	if _, err := newProvider(t, r.config(m.address)).RRset(t.Context(), zone, owner); err != nil {
		t.Errorf("the KDC is there again: %v", err)
	}
}

// TestGSSWithAServerThatKnowsNoneOfIt: BIND without a keytab.
func TestGSSWithAServerThatKnowsNoneOfIt(t *testing.T) {
	r := startRealm(t)
	n := startNamed(t, `allow-update { key "tlsaroll.example.org."; };`)
	err := apply(t, newProvider(t, r.config(n.address)), rrset(), rrset("1"))
	want := "REFUSED: the server negotiates no keys (hint: is it a server with GSS-TSIG: BIND wants tkey-gssapi-keytab, Windows a zone with secure updates)"
	if !errors.Is(err, dnsprovider.ErrRefused) || !strings.Contains(err.Error(), want) {
		t.Errorf("error is\n%v, want\n%s", err, want)
	}
}
