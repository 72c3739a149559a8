package finder

import (
	"context"
	"testing"
	"testing/fstest"
	"time"
)

// FuzzFind takes a text for what every program prints and every file holds: nothing of it is
// to end the search.
func FuzzFind(f *testing.F) {
	for _, seed := range []string{
		"", "=", "{\n}\n}\n", "smtpd_tls_chain_files = a, b.key\nsmtpd_tls_security_level = may\n", "smtp inet n - y - - smtpd\n: inet n - y - - smtpd\n",
		"ssl_cert = <\nssl_key = <x\nprotocols = imap\nservice imap-login {\n inet_listener x {\n  port = 99999\n }\n}\n",
		"zone \"a\" {\n type primary;\n update-policy { grant a; grant \"b\" zonesub \"TLSA\"; };\n allow-update { key \"c\"; };\n", "pki a cert $x\nx = \"y\nlisten on eth0 tls port\nlisten on\n",
		"zone:\n\tname: \"a.b\"\n  - domain: c\n", "key:\n  - id: a\n    secret: b\nacl:\n  - id: c\n    key: a\n    action: update\nzone:\n  - domain: d.e\n    acl: [c]\n", "TSIG-ALLOW-DNSUPDATE = a, b\napi=yes\n", "ssl_server {\n cert_file = /a\n}\nprotocols {\n imap = yes\n}\n",
		"tls_certificate = a : b\ntls_privatekey = c\ndaemon_smtp_ports = smtp:70000\n", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		files := fstest.MapFS{}
		for _, name := range []string{"etc/postfix/main.cf", "etc/exim4/x", "etc/smtpd.conf", "etc/dovecot/dovecot.conf", "etc/bind/named.conf", "etc/knot/knot.conf", "etc/nsd/nsd.conf", "etc/powerdns/pdns.conf", "etc/mailname", "var/lib/lego/certificates/a.crt"} {
			files[name] = &fstest.MapFile{Data: []byte(text)}
		}
		h := Host{Files: files}
		if k, err := h.ReadTSIG("/etc/bind/named.conf", ""); err == nil && k.Secret == "" {
			t.Errorf("a key without a secret: %v", k)
		}
		found := Find(t.Context(), Host{Files: files, Run: func(context.Context, ...string) ([]byte, error) { return []byte(text), nil }, Now: time.Unix(0, 0)})
		if len(found.Servers) != 3 && len(found.Servers) != 4 { // a Dovecot without TLS is left out
			t.Errorf("%d servers", len(found.Servers))
		}
	})
}
