package finder

import (
	"os"
	"slices"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// TestPostfixChains has the real one tell how chain files, continued lines and services of its
// own are set, and wants a key that is alone in a file told from a chain by what is in it.
func TestPostfixChains(t *testing.T) {
	programs(t, "postconf")
	dir := t.TempDir()
	key, cert := "-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n", "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n"
	write(t, dir, "postfix/main.cf", "compatibility_level = 3.6\nmyhostname = mx1.example.org\nsmtpd_tls_security_level = may\nmulti_instance_directories = /etc/postfix-out\n"+
		"smtpd_tls_chain_files = "+dir+"/private/mx1.pem\t"+dir+"/certs/mx1.pem,\n# the older one\n  "+dir+"/rsa.pem "+dir+"/issuer.pem\n  /nowhere/mx1.key, /nowhere/mx1.crt\n")
	write(t, dir, "postfix/master.cf", "smtp inet n - y - 1 postscreen\nsmtpd pass - - y - - smtpd -o smtpd_tls_cert_file=/a.pem\nsubmission inet n - y - - smtpd\n  -o { smtpd_tls_chain_files = /b.key, /b.pem }\n  -o smtpd_tls_security_level=encrypt\n")
	for name, text := range map[string]string{"private/mx1.pem": key, "certs/mx1.pem": cert, "rsa.pem": key + cert, "issuer.pem": cert} {
		write(t, dir, name, text)
	}
	found := Found{}
	got := Host{Files: os.DirFS("/"), Run: execute, Postfix: dir + "/postfix"}.postfix(t.Context(), found.note)
	if len(got) != 1 {
		t.Fatal(got, found.Notes)
	}
	if diff := cmp.Diff([]Reads{
		{Cert: dir + "/certs/mx1.pem", Key: dir + "/private/mx1.pem"}, {Cert: dir + "/rsa.pem", Key: dir + "/rsa.pem"}, {Cert: "/nowhere/mx1.crt", Key: "/nowhere/mx1.key"},
	}, got[0].Reads); diff != "" {
		t.Errorf("reads: want -, got +:\n%s", diff)
	}
	if diff := cmp.Diff([]string{
		"Postfix: multi_instance_directories = /etc/postfix-out: other instances are not looked at, and what they present is left alone",
		"Postfix: in master.cf smtpd has smtpd_tls_cert_file of its own, which is not looked at: take it out, so that the service presents what main.cf names",
		"Postfix: in master.cf submission has smtpd_tls_chain_files of its own, which is not looked at: take it out, so that the service presents what main.cf names",
	}, found.Notes); diff != "" {
		t.Errorf("notes: want -, got +:\n%s", diff)
	}
}

// TestPostfixWithin holds on which addresses it has to listen: mail that comes from this host
// alone makes it no mail exchanger.
func TestPostfixWithin(t *testing.T) {
	for _, test := range []struct {
		interfaces, smtp string
		want             []uint16
	}{
		{"all", "smtp", []uint16{25, 587}}, {"", "smtp", []uint16{25, 587}}, {"loopback-only", "smtp", nil}, {"127.0.0.1, [::1]", "smtp", nil},
		{"localhost", "192.0.2.25:smtp", []uint16{25}}, {"all", "127.0.0.1:smtp", []uint16{587}}, {"192.0.2.25, localhost", "[::1]:smtp", []uint16{587}}, {"localhost, 2001:db8::25", "smtp", []uint16{25, 587}},
	} {
		text := "smtpd_tls_security_level = may\ninet_interfaces = " + test.interfaces + "\n" + test.smtp + " inet n - y - - smtpd\nsubmission inet n - y - - smtpd\n"
		found := Found{}
		got := Host{Files: fstest.MapFS{"etc/postfix/main.cf": {}}, Run: printing(text)}.postfix(t.Context(), found.note)
		switch {
		case test.want == nil && (got != nil || len(found.Notes) != 1 || found.Notes[0] != "Postfix: it listens for this host alone, and its certificate is left alone: if a proxy here passes mail on to it, name what it reads in install:"):
			t.Errorf("%+v: %+v %q", test, got, found.Notes)
		case test.want != nil && (len(got) != 1 || !slices.Equal(got[0].Ports, test.want)):
			t.Errorf("%+v: %+v %q", test, got, found.Notes)
		}
	}
}

// TestEximPorts holds that ports may be named.
func TestEximPorts(t *testing.T) {
	got := Host{Files: fstest.MapFS{"etc/exim4/x": {}}, Run: printing("daemon_smtp_ports = smtp : submission : 2525 : ftp\ntls_on_connect_ports = smtps\n")}.exim(t.Context(), nil)
	if len(got) != 1 || !slices.Equal(got[0].Ports, []uint16{25, 465, 587, 2525}) {
		t.Errorf("%+v", got)
	}
}

// TestDovecotOwn has the real one tell of certificates for some names and protocols.
func TestDovecotOwn(t *testing.T) {
	programs(t, "doveconf")
	dir := t.TempDir()
	conf := write(t, dir, "dovecot.conf", "protocols = imap\nssl = yes\nssl_cert = < "+dir+"/a.pem\nssl_key = </a.key\nlocal_name imap.example.net {\n  ssl_cert = <"+dir+"/b.pem\n}\nprotocol imap {\n  mail_max_userip_connections = 9\n}\n")
	write(t, dir, "a.pem", "")
	write(t, dir, "b.pem", "")
	found := Found{}
	got := Host{Files: os.DirFS("/"), Run: execute, Dovecot: conf}.dovecot(t.Context(), found.note)
	if len(got) != 1 || len(got[0].Reads) != 1 || got[0].Reads[0].Cert != dir+"/a.pem" {
		t.Errorf("%+v", got)
	}
	if diff := cmp.Diff([]string{"Dovecot: local_name imap.example.net has a certificate of its own, which is not looked at: if TLSA records stand for it, it needs a lineage of its own"}, found.Notes); diff != "" {
		t.Errorf("notes: want -, got +:\n%s", diff)
	}
}

// TestViews has the real one tell of a zone that is in two views, by whom it may be changed.
func TestViews(t *testing.T) {
	programs(t, "named-checkconf")
	dir := t.TempDir()
	named := write(t, dir, "named.conf", "options { directory \"/tmp\"; };\nkey k. { algorithm hmac-sha256; secret \"c2VjcmV0\"; };\n"+
		"view in { match-clients { 10.0.0.0/8; }; zone example.org { type primary; file \"a\"; allow-update { !key other.; key k.; }; }; };\n"+
		"view out { zone example.org IN { type master; file \"b\"; update-policy { grant k. zonesub tlsa; }; }; zone example.net { type primary; file \"c\"; update-policy { grant k. zonesub tlsa; }; }; };\n")
	found := Found{}
	got := Host{Files: os.DirFS("/"), Run: execute, BIND: named}.bind(t.Context(), found.note)
	keys := []Key{{"k.", "hmac-sha256", named}}
	if diff := cmp.Diff([]Primary{{Server: "BIND", Zone: "example.org.", Provider: "rfc2136", Keys: keys}, {Server: "BIND", Zone: "example.net.", Provider: "rfc2136", Keys: keys}}, got); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
	if diff := cmp.Diff([]string{"BIND: the zone example.org is in more than one view, and which one a change reaches is up to named.conf: it has to be the one that the world sees"}, found.Notes); diff != "" {
		t.Errorf("notes: want -, got +:\n%s", diff)
	}
}
