package libdnsbridge_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/dnsprovider/libdnsbridge"
	"github.com/tlsaroll/tlsaroll/dnsprovider/providertest"
	"github.com/tlsaroll/tlsaroll/dnsprovider/providertest/fakeapi"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// transipKeys makes the keys of two accounts, once.
var transipKeys = sync.OnceValue(func() (keys [2]*rsa.PrivateKey) {
	for i := range keys {
		keys[i], _ = rsa.GenerateKey(rand.Reader, 2048)
	}
	return keys
})

func pemText(blockType string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: blockType, Bytes: der}))
}

func pkcs8(t *testing.T, key any) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pemText("PRIVATE KEY", der)
}

func newTransIP(t *testing.T) (*fakeapi.TransIP, *libdnsbridge.Provider) {
	t.Helper()
	s := fakeapi.NewTransIP(fakeapi.NewZone("example.org."), "example", &transipKeys()[0].PublicKey)
	internet.Route(fakeapi.TransIPHost, s)
	return s, through(t, "transip", libdnsbridge.Values{"login": "example", "private-key": pkcs8(t, transipKeys()[0])})
}

func TestTransIP(t *testing.T) {
	t.Parallel() // beside those of other hosts, after all other tests
	providertest.Run(t, func(t *testing.T) providertest.Fixture {
		s, p := newTransIP(t)
		f := s.Fixture()
		f.Provider, f.Secrets = p, []string{pkcs8(t, transipKeys()[0])[40:80]}
		f.Without = without(map[providertest.Part]string{providertest.MinimumTTLs: "TransIP takes any TTL from a second"})
		return f
	})
}

func TestTransIPTXT(t *testing.T) {
	providertest.RunTXT(t, func(t *testing.T) providertest.TXTFixture {
		s, p := newTransIP(t)
		f := s.TXTFixture()
		f.Provider = p
		return f
	})
}

// TestTransIPTokens: one token serves for a while, stays in memory, and is replaced if the
// account's owner revokes it; a change that meets that is made all the same.
func TestTransIPTokens(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	s, p := newTransIP(t)
	if err := edit(t, p, mxOwner, digest("1")); err != nil {
		t.Fatal(err)
	}
	if n := s.Revoke(); n != 1 {
		t.Errorf("%d tokens for one provider", n)
	}
	if err := edit(t, p, mxOwner, digest("1"), digest("2")); err != nil {
		t.Errorf("after the token was revoked: %v", err)
	}
	revoked := false
	s.Fixture().Meanwhile(t, func() { revoked = s.Revoke() == 1 })
	if err := edit(t, p, mxOwner, digest("2")); err != nil || !revoked {
		t.Errorf("a token that is revoked between looking and changing: %v, %v", revoked, err)
	}
	if got := s.Zone.Records(string(mxOwner), "TLSA"); len(got) != 1 || got[0].Data != digest("2") {
		t.Errorf("the zone holds %v", got)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("tokens on the disk: %v, %v", left, err)
	}
}

// TestTransIPWhitelist: a token that works from whitelisted addresses only.
func TestTransIPWhitelist(t *testing.T) {
	for value, global := range map[string]string{"true": `"gk":false`, "false": `"gk":true`} {
		s, _ := newTransIP(t)
		p := through(t, "transip", libdnsbridge.Values{"login": "example", "private-key": pkcs8(t, transipKeys()[0]), "whitelisted": value})
		if _, err := p.RRset(t.Context(), "", mxOwner); err != nil {
			t.Fatal(err)
		}
		for _, token := range s.Tokens() {
			claims, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
			if err != nil || !strings.Contains(string(claims), global) || !strings.Contains(string(claims), `"ro":false`) {
				t.Errorf("whitelisted: %s: a token that says %s, %v", value, claims, err)
			}
		}
	}
}

// TestTransIPZones: without a zone in the configuration it is looked for in the account.
func TestTransIPZones(t *testing.T) {
	newTransIP(t)
	p, err := libdnsbridge.New(libdnsbridge.Config{
		Host: host(t, "transip"), Values: libdnsbridge.Values{"login": "example", "private-key": pkcs8(t, transipKeys()[0])},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := edit(t, p, mxOwner, digest("1")); err != nil {
		t.Error(err)
	}
	if err := edit(t, p, tlsa.Owner("_25._tcp.mx.example.net."), digest("1")); dnsprovider.KindOf(err) != dnsprovider.NoZone {
		t.Errorf("a name in no zone: %v", err)
	}
}

// TestTransIPWrongKey: the host does not know the key, or the login.
func TestTransIPWrongKey(t *testing.T) {
	newTransIP(t)
	for name, v := range map[string]libdnsbridge.Values{
		"key":   {"login": "example", "private-key": pkcs8(t, transipKeys()[1])},
		"login": {"login": "another", "private-key": pkcs8(t, transipKeys()[0])},
	} {
		_, err := through(t, "transip", v).RRset(t.Context(), "", mxOwner)
		if dnsprovider.KindOf(err) != dnsprovider.Refused || !strings.Contains(err.Error(), "provider list transip") {
			t.Errorf("wrong %s: %v", name, err)
		}
	}
}

// TestTransIPUnparsable: a record that libdns cannot parse hides no other, and a name that is
// an alias of the zone's is one.
func TestTransIPUnparsable(t *testing.T) {
	s, p := newTransIP(t)
	s.Zone.Add("_sip._tcp.example.org.", "SRV", 3600, "not a service")
	s.Zone.Add(string(mxOwner), "TLSA", 3600, digest("1"))
	if err := edit(t, p, mxOwner, digest("1"), digest("2")); err != nil {
		t.Error(err)
	}
}

// TestTransIPSettings: keys in both forms are taken, anything else is not, and nothing of it is
// in the error: the module would take it for the name of a file.
func TestTransIPSettings(t *testing.T) {
	key := transipKeys()[0]
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	good := pkcs8(t, key)
	for _, text := range []string{good, "\n" + good, pemText("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(key))} {
		newTransIP(t)
		p := through(t, "transip", libdnsbridge.Values{"login": "example", "private-key": text})
		if _, err := p.RRset(t.Context(), "", mxOwner); err != nil {
			t.Errorf("a key that begins %.20q: %v", text, err)
		}
	}
	cut := strings.Replace(good, "\n", "\nAAAA", 1)
	for name, v := range map[string]libdnsbridge.Values{
		"no PEM":           {"login": "example", "private-key": "secret-of-nobody"},
		"a file's name":    {"login": "example", "private-key": "/etc/tlsaroll/transip.key"},
		"cut":              {"login": "example", "private-key": cut},
		"an EC key":        {"login": "example", "private-key": pkcs8(t, ec)},
		"a public key":     {"login": "example", "private-key": pemText("PUBLIC KEY", x509.MarshalPKCS1PublicKey(&key.PublicKey))},
		"with passphrase":  {"login": "example", "private-key": pemText("ENCRYPTED PRIVATE KEY", []byte("who knows"))},
		"a blank login":    {"login": "example user", "private-key": good},
		"no login":         {"private-key": good},
		"neither true nor": {"login": "example", "private-key": good, "whitelisted": "perhaps"},
	} {
		_, err := libdnsbridge.New(libdnsbridge.Config{Host: host(t, "transip"), Zone: "example.org", Values: v})
		switch key := v["private-key"]; {
		case err == nil:
			t.Errorf("%s: no error", name)
		case strings.Contains(err.Error(), strings.TrimSpace(key)), len(key) > 100 && strings.Contains(err.Error(), key[40:80]):
			t.Errorf("%s: the key is in the error", name)
		}
	}
}
