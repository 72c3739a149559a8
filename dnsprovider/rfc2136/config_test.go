package rfc2136_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/dnsprovider/rfc2136"
)

func TestConfigRefused(t *testing.T) {
	for _, test := range []struct {
		change func(*rfc2136.Config)
		want   string
	}{
		{func(c *rfc2136.Config) { c.Secret = rfc2136.NewSecret("not base64!") },
			`ns1: key "tlsaroll.example.org.": the secret is not base64: wrong at character 10 of 10 (hint: the secret alone, not the whole key block of the server's configuration)`},
		{func(c *rfc2136.Config) { c.Secret = rfc2136.NewSecret("c2VjcmV0LX") },
			`ns1: key "tlsaroll.example.org.": the secret is not base64: wrong at character 9 of 10 (hint: the secret alone, not the whole key block of the server's configuration)`},
		{func(c *rfc2136.Config) { c.Secret = rfc2136.NewSecret("  \n") }, `ns1: key "tlsaroll.example.org.": no secret`},
		{func(c *rfc2136.Config) { c.KeyName = "" }, "ns1: a TSIG secret and no name of the key (hint: the name has to be the one that the server knows)"},
		{func(c *rfc2136.Config) { c.KeyName = "a..b" }, `ns1: key: name "a..b": an empty label`},
		{func(c *rfc2136.Config) { c.KeyName, c.Secret = "", rfc2136.Secret{} },
			"ns1: no TSIG key (hint: set key, algorithm and secret-file; tsig-keygen makes a key)"},
		{func(c *rfc2136.Config) { c.Unsigned = true }, `ns1: key "tlsaroll.example.org." and unsigned updates: one or the other`},
		{func(c *rfc2136.Config) { c.Algorithm = "hmac-md5" },
			`ns1: key "tlsaroll.example.org.": algorithm "hmac-md5": must not be used any more, RFC 8945, section 6 says (hint: make a new key, as by tsig-keygen -a hmac-sha256)`},
		{func(c *rfc2136.Config) { c.Algorithm = "HMAC-MD5.SIG-ALG.REG.INT." },
			`ns1: key "tlsaroll.example.org.": algorithm "HMAC-MD5.SIG-ALG.REG.INT.": must not be used any more, RFC 8945, section 6 says (hint: make a new key, as by tsig-keygen -a hmac-sha256)`},
		{func(c *rfc2136.Config) { c.Algorithm = "sha256" },
			`ns1: key "tlsaroll.example.org.": algorithm "sha256": unknown (known: hmac-sha1, hmac-sha224, hmac-sha256, hmac-sha384, hmac-sha512)`},
		{func(c *rfc2136.Config) { c.Zone = "example..org" }, `ns1: zone: name "example..org": an empty label`},
		{func(c *rfc2136.Config) { c.Server = "ns1.example.org:domain" }, `ns1: server "ns1.example.org:domain": "domain" is not a port`},
		{func(c *rfc2136.Config) { c.Server = "ns1.example.org:0" }, `ns1: server "ns1.example.org:0": "0" is not a port`},
		{func(c *rfc2136.Config) { c.Server = "ns 1" }, `ns1: server "ns 1": name "ns 1": ' ' is not allowed in a name`},
		{func(c *rfc2136.Config) { c.Resolver = "127.0.0.1:65536" }, `ns1: resolver "127.0.0.1:65536": "65536" is not a port`},
		{func(c *rfc2136.Config) { c.Now = nil }, "ns1: no clock"},
		{func(c *rfc2136.Config) { c.Timeout = -time.Second }, "ns1: timeouts of -1s and 100ms: below zero"},
		{func(c *rfc2136.Config) { c.MaxBatch = -1 }, "ns1: batches of -1 owners: below zero"},
		{func(c *rfc2136.Config) { c.Zone, c.Algorithm = "a..b", "x" }, // all at once
			"ns1: zone: name \"a..b\": an empty label\nns1: key \"tlsaroll.example.org.\": algorithm \"x\": unknown (known: hmac-sha1, hmac-sha224, hmac-sha256, hmac-sha384, hmac-sha512)"},
	} {
		c := config(&server{address: "127.0.0.1:53"})
		c.Name = "ns1"
		test.change(&c)
		if _, err := rfc2136.New(c); err == nil || err.Error() != test.want {
			t.Errorf("error is\n%v, want\n%s", err, test.want)
		}
	}
}

func TestConfigTaken(t *testing.T) {
	for _, change := range []func(*rfc2136.Config){
		func(c *rfc2136.Config) {},
		func(c *rfc2136.Config) { c.Server = "ns1.example.org" },
		func(c *rfc2136.Config) { c.Server = "2001:db8::1" },
		func(c *rfc2136.Config) { c.Server = "[2001:db8::1]:5353" },
		func(c *rfc2136.Config) { c.Server = "fe80::1%eth0" },
		func(c *rfc2136.Config) { c.Server = "" },
		func(c *rfc2136.Config) { c.Secret = rfc2136.NewSecret("  " + secret[:20] + "\n" + secret[20:] + "\n") },
	} {
		c := config(&server{address: "127.0.0.1:53"})
		change(&c)
		if _, err := rfc2136.New(c); err != nil {
			t.Error(err)
		}
	}
}

// TestAlgorithms: each is spoken, in any spelling; sha1 too, as it was asked for.
func TestAlgorithms(t *testing.T) {
	for _, algorithm := range []string{"hmac-sha1", "hmac-sha224", "HMAC-SHA256", "hmac-sha384.", "hmac-sha512"} {
		s := serve(t)
		s.always(func(w dns.ResponseWriter, req *dns.Msg) bool {
			m := s.reply(req)
			tsig := req.IsTsig()
			m.Extra = append(m.Extra, stub(req))
			raw, _, err := dns.TsigGenerate(m, secret, tsig.MAC, false) // the library's own hand
			if err != nil {
				t.Error(err)
			}
			w.Write(raw)
			return true
		})
		c := config(s)
		c.Algorithm = algorithm
		if err := apply(t, newProvider(t, c), rrset(), rrset("1")); err != nil {
			t.Errorf("%s: %v", algorithm, err)
		}
	}
}

// TestSecretIsShownToNobody: whatever is done with it, and with what holds it.
func TestSecretIsShownToNobody(t *testing.T) {
	s := rfc2136.NewSecret(secret)
	c := config(&server{address: "127.0.0.1:53"})
	p := newProvider(t, c)
	type unexported struct{ inner rfc2136.Config }
	var out bytes.Buffer
	for _, verb := range []string{"%s", "%v", "%+v", "%#v", "%q", "%x", "%X", "%d", "%t", "%p", "%T"} {
		for _, value := range []any{s, &s, c, &c, unexported{c}, []rfc2136.Secret{s}, map[string]rfc2136.Secret{"k": s}, p, *p} {
			fmt.Fprintf(&out, verb+"\n", value)
		}
	}
	fmt.Fprintln(&out, s, c.Secret)
	for _, value := range []any{s, &s, struct{ Secret rfc2136.Secret }{s}} {
		text, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(text)
	}
	text, err := s.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	out.Write(text)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("config", "secret", s)
	slog.New(slog.NewTextHandler(&out, nil)).Info("config", "secret", s, "pointer", &s)
	noSecretIn(t, out.String())
	if !strings.Contains(out.String(), "[hidden]") {
		t.Error("nothing says that it is hidden")
	}
}

// noSecretIn looks for the secret as text, as octets, and as hex.
func noSecretIn(t *testing.T, text string) {
	t.Helper()
	const raw = "secret-secret-secret-secret-32b!"
	for _, form := range []string{secret, raw, fmt.Sprintf("%x", raw), fmt.Sprintf("%X", secret), fmt.Sprintf("%x", secret), secret[:12]} {
		if strings.Contains(text, form) {
			t.Errorf("the secret stands in\n%s", text)
		}
	}
	var numbers []string
	for _, b := range []byte(raw[:8]) {
		numbers = append(numbers, fmt.Sprint(b))
	}
	if strings.Contains(text, strings.Join(numbers, " ")) || strings.Contains(text, strings.Join(numbers, ", ")) {
		t.Errorf("the secret stands in\n%s", text)
	}
}

// TestNoErrorHoldsTheSecret: every error that a server can cause, and every word logged.
func TestNoErrorHoldsTheSecret(t *testing.T) {
	var out bytes.Buffer
	for rcode := range 24 {
		for _, tsigCode := range []uint16{0, dns.RcodeBadSig, dns.RcodeBadKey, dns.RcodeBadTime, dns.RcodeBadTrunc} {
			s := serve(t)
			s.always(func(w dns.ResponseWriter, req *dns.Msg) bool {
				if !isUpdate(req) {
					return false
				}
				m := new(dns.Msg).SetReply(req)
				m.Rcode = rcode
				m.SetEdns0(1232, false)
				if tsigCode != 0 {
					refuse(w, m, req.IsTsig(), tsigCode)
				} else {
					s.write(w, req, m)
				}
				return true
			})
			c := config(s)
			c.ReadBack = time.Millisecond
			c.Log = slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
			err := apply(t, newProvider(t, c), rrset(), rrset("1"))
			fmt.Fprintf(&out, "%v\n%+v\n%#v\n", err, err, err)
		}
	}
	for _, bad := range []string{secret + "!", secret[:9], "key { secret " + secret + "; }"} {
		c := config(&server{address: "127.0.0.1:53"})
		c.Secret = rfc2136.NewSecret(bad)
		_, err := rfc2136.New(c)
		if err == nil {
			t.Errorf("%d characters are taken for base64", len(bad))
		}
		fmt.Fprintf(&out, "%v\n%#v\n", err, err)
	}
	noSecretIn(t, out.String())
	if !strings.Contains(out.String(), dnsprovider.ErrRefused.Error()) && !strings.Contains(out.String(), "REFUSED") {
		t.Error("there was no error to look at")
	}
}
