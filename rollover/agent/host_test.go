package agent

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tlsaroll/tlsaroll/rollover"
)

func TestFilesThatServersRead(t *testing.T) {
	for _, test := range []struct {
		install []Install
		want    []string
	}{
		{nil, []string{"/var/lib/tlsaroll/live/mx1"}},
		{[]Install{{Path: "/etc/postfix/mx1.pem"}, {Dir: "/etc/dovecot/mx1"}}, []string{"/etc/postfix/mx1.pem", "/etc/dovecot/mx1"}},
	} {
		g := newGroup([]Lineage{{Name: "mx1", Install: test.install}}, Config{State: "/var/lib/tlsaroll"})
		if diff := cmp.Diff(test.want, g.policy.Lineages["mx1"].Files); diff != "" {
			t.Error(diff)
		}
	}
}

// TestSettingsOfServers: which line people are told to write, by the protocol and by what
// is installed.
func TestSettingsOfServers(t *testing.T) {
	both := Install{Path: "/etc/postfix/mx1.pem", Content: []string{"key", "chain"}}
	for _, test := range []struct {
		url     string
		install []Install
		want    string
	}{
		{"smtp://mx1.example.org", []Install{both}, "in Postfix smtpd_tls_chain_files = /etc/postfix/mx1.pem"},
		{"submissions://mx1.example.org", []Install{{Dir: "/etc/dovecot/mx1"}, both}, "in Postfix smtpd_tls_chain_files = /etc/postfix/mx1.pem"},
		{"smtp://mx1.example.org", nil, "in Postfix smtpd_tls_chain_files = /var/lib/tlsaroll/live/mx1/privkey.pem, /var/lib/tlsaroll/live/mx1/fullchain.pem"},
		{"submission://mx1.example.org:5587", []Install{{Path: "/tls/mx1.key", Content: []string{"key"}}, {Path: "/tls/mx1.crt", Content: []string{"cert", "ca"}}}, "in Postfix smtpd_tls_chain_files = /tls/mx1.key, /tls/mx1.crt"},
		{"imaps://mx1.example.org", []Install{both, {Dir: "/etc/dovecot/mx1"}}, "in Dovecot ssl_cert = </etc/dovecot/mx1/fullchain.pem and ssl_key = </etc/dovecot/mx1/privkey.pem"},
		{"sieve://mx1.example.org", []Install{both}, "in Dovecot ssl_cert = </etc/postfix/mx1.pem and ssl_key = </etc/postfix/mx1.pem"},
		{"tls://mx1.example.org:8443", []Install{both}, ""},
		{"smtp://mx1.example.org", []Install{{Path: "/tls/mx1.key", Content: []string{"key"}}}, ""},
	} {
		l := Lineage{Name: "mx1", Install: test.install, Policy: rollover.LineagePolicy{Endpoints: []rollover.Endpoint{{URL: test.url}}}}
		g := newGroup([]Lineage{l}, Config{State: "/var/lib/tlsaroll"})
		if got := g.policy.Lineages["mx1"].Endpoints[0].Setting; got != test.want {
			t.Errorf("%s: %q\nwant %q", test.url, got, test.want)
		}
		if l.Policy.Endpoints[0].Setting != "" {
			t.Error("what was handed over is changed")
		}
	}
}
