//go:build gsstsig

package rfc2136_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jcmturner/gokrb5/v8/iana/etypeID"
	"github.com/jcmturner/gokrb5/v8/keytab"
	"github.com/tlsaroll/tlsaroll/dnsprovider/rfc2136"
)

const password = "a-password-of-a-test"

// writeKeytab writes a keytab with one key, made of the password.
func writeKeytab(t *testing.T, path, principal string, number uint8, cipher int32) {
	t.Helper()
	kt := keytab.New()
	if err := kt.AddEntry(principal, realmName, password, time.Now(), number, cipher); err != nil {
		t.Fatal(err)
	}
	raw, err := kt.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	write(t, path, string(raw))
}

// TestGSSConfig: what is wrong is found before a ticket is needed, and needs no KDC.
func TestGSSConfig(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	write(t, path("krb5.conf"), "[libdefaults]\n\tdefault_realm = EXAMPLE.ORG\n")
	write(t, path("without.conf"), "[realms]\n\tEXAMPLE.ORG = {\n\t\tkdc = 127.0.0.1\n\t}\n")
	write(t, path("blocks.conf"), "[realms]\n\tEXAMPLE.ORG = {\n\t\tkdc = 127.0.0.1\n\t\tauth_to_local_names = {\n\t\t\ta = b\n\t\t}\n\t}\n")
	write(t, path("wrong.conf"), "[libdefaults]\n\tdefault_realm\n")
	write(t, path("empty.keytab"), "\x05\x02")
	write(t, path("text.keytab"), "tlsaroll@EXAMPLE.ORG\n")
	writeKeytab(t, path("good.keytab"), "tlsaroll", 1, etypeID.AES128_CTS_HMAC_SHA1_96)
	writeKeytab(t, path("rc4.keytab"), "tlsaroll", 1, etypeID.RC4_HMAC)
	raw, err := os.ReadFile(path("good.keytab"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, path("short.keytab"), string(raw[:len(raw)-3]))

	good := func() rfc2136.Config {
		return rfc2136.Config{
			Server: "ns1.example.org", Now: time.Now,
			GSS: &rfc2136.GSS{Keytab: path("good.keytab"), Principal: "tlsaroll", Krb5Conf: path("krb5.conf")},
		}
	}
	if _, err := rfc2136.New(good()); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		change func(*rfc2136.Config)
		want   string
	}{
		{func(c *rfc2136.Config) { c.GSS.Keytab = "" }, "rfc2136: GSS-TSIG: it takes a principal and a keytab (hint: set gss-principal and gss-keytab)"},
		{func(c *rfc2136.Config) { c.GSS.Principal = "" }, "rfc2136: GSS-TSIG: it takes a principal and a keytab (hint: set gss-principal and gss-keytab)"},
		{func(c *rfc2136.Config) { c.GSS.Principal = "tlsaroll@" }, `rfc2136: GSS-TSIG: principal "tlsaroll@": not of the form name@REALM or service/host@REALM`},
		{func(c *rfc2136.Config) { c.GSS.Principal = "EXAMPLE\\tlsaroll" }, `rfc2136: GSS-TSIG: principal "EXAMPLE\\tlsaroll": not of the form name@REALM or service/host@REALM`},
		{func(c *rfc2136.Config) { c.GSS.Service = "DNS/@EXAMPLE.ORG" }, `rfc2136: GSS-TSIG: gss-service: principal "DNS/@EXAMPLE.ORG": not of the form name@REALM or service/host@REALM`},
		{func(c *rfc2136.Config) { c.Server = "[2001:db8::1]:53" }, "rfc2136: GSS-TSIG: the server 2001:db8::1 is an address, and tickets are for names (hint: configure the server by its name, or set gss-service to its principal, such as DNS/ns1.example.org)"},
		{func(c *rfc2136.Config) { c.KeyName = keyName }, "rfc2136: GSS-TSIG and a TSIG key, or unsigned updates: one or the other"},
		{func(c *rfc2136.Config) { c.Unsigned = true }, "rfc2136: GSS-TSIG and a TSIG key, or unsigned updates: one or the other"},
		{func(c *rfc2136.Config) { c.GSS.Krb5Conf = path("none.conf") }, "rfc2136: GSS-TSIG: gss-krb5-conf: open " + path("none.conf") + ": no such file or directory"},
		{func(c *rfc2136.Config) { c.GSS.Krb5Conf = path("without.conf") }, `rfc2136: GSS-TSIG: principal "tlsaroll": without a realm, and the Kerberos configuration has no default_realm (hint: add @ and the realm, which for Active Directory is the domain in capitals)`},
		{func(c *rfc2136.Config) { c.GSS.Krb5Conf = path("blocks.conf") }, fmt.Sprintf("rfc2136: GSS-TSIG: gss-krb5-conf %q: it cannot be read, as blocks within a block of [realms] are not understood (hint: write one with the realm and its KDCs alone)", path("blocks.conf"))},
		{func(c *rfc2136.Config) { c.GSS.Krb5Conf = path("wrong.conf") }, fmt.Sprintf("rfc2136: GSS-TSIG: gss-krb5-conf %q: error processing libdefaults section: invalid krb5 config libdefaults section line (default_realm) (hint: write one with the realm and its KDCs alone)", path("wrong.conf"))},
		{func(c *rfc2136.Config) { c.GSS.Keytab = path("none.keytab") }, "rfc2136: GSS-TSIG: gss-keytab: open " + path("none.keytab") + ": no such file or directory"},
		{func(c *rfc2136.Config) { c.GSS.Keytab = path("empty.keytab") }, fmt.Sprintf("rfc2136: GSS-TSIG: gss-keytab %q: this is not a keytab, or not all of it", path("empty.keytab"))},
		{func(c *rfc2136.Config) { c.GSS.Keytab = path("text.keytab") }, fmt.Sprintf("rfc2136: GSS-TSIG: gss-keytab %q: this is not a keytab, or not all of it", path("text.keytab"))},
		{func(c *rfc2136.Config) { c.GSS.Keytab = path("short.keytab") }, fmt.Sprintf("rfc2136: GSS-TSIG: gss-keytab %q: this is not a keytab, or not all of it", path("short.keytab"))},
		{func(c *rfc2136.Config) { c.GSS.Keytab = path("rc4.keytab") }, fmt.Sprintf(`rfc2136: GSS-TSIG: gss-keytab %q: its keys of "tlsaroll@EXAMPLE.ORG" are of old ciphers (hint: make one with keys of AES)`, path("rc4.keytab"))},
		{func(c *rfc2136.Config) { c.GSS.Principal = "TLSAroll" }, fmt.Sprintf(`rfc2136: GSS-TSIG: gss-keytab %q: it has no key of "TLSAroll@EXAMPLE.ORG", but of tlsaroll@EXAMPLE.ORG (hint: is the name right, upper and lower case too?)`, path("good.keytab"))},
		{func(c *rfc2136.Config) { c.GSS.Principal = "tlsaroll@EXAMPLE.NET" }, fmt.Sprintf(`rfc2136: GSS-TSIG: gss-keytab %q: it has no key of "tlsaroll@EXAMPLE.NET", but of tlsaroll@EXAMPLE.ORG (hint: is the name right, upper and lower case too?)`, path("good.keytab"))},
	} {
		c := good()
		test.change(&c)
		if _, err := rfc2136.New(c); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("error is\n%v, want\n%s", err, test.want)
		}
	}
}
