package finder

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func nobody(_ context.Context, argv ...string) ([]byte, error) {
	return nil, fmt.Errorf("%s: %w", argv[0], exec.ErrNotFound)
}

// TestNotes holds what is said of what is there and cannot be understood.
func TestNotes(t *testing.T) {
	secret := "-----BEGIN PRIVATE KEY-----"
	for _, test := range []struct {
		name  string
		files []string
		run   func(context.Context, ...string) ([]byte, error)
		want  []string
	}{
		{"programs that are gone", []string{"etc/postfix/main.cf", "etc/dovecot/dovecot.conf", "etc/exim4/x", "etc/bind/named.conf"}, nobody, []string{
			"Postfix: its configuration is there, and postconf -c /etc/postfix -x myhostname smtpd_tls_security_level smtpd_use_tls tls_server_sni_maps inet_interfaces multi_instance_directories smtpd_tls_chain_files smtpd_tls_cert_file smtpd_tls_key_file smtpd_tls_eccert_file smtpd_tls_eckey_file smtpd_tls_dcert_file smtpd_tls_dkey_file does not tell it: no such program",
			"Exim: its configuration is there, and exim -bP primary_hostname tls_certificate tls_privatekey daemon_smtp_ports tls_on_connect_ports does not tell it: no such program",
			"Dovecot: its configuration is there, and doveconf -c /etc/dovecot/dovecot.conf -a does not tell it: no such program",
			"BIND: its configuration is there, and named-checkconf -p -x /etc/bind/named.conf does not tell it: no such program",
		}},
		{"no certificate", []string{"var/lib/lego/certificates/mx1.example.org.crt"}, nobody, []string{"lego: /var/lib/lego/certificates/mx1.example.org.crt: no certificate in it"}},
		{"Exim with an expansion", []string{"etc/exim/x"}, printing("tls_certificate = ${if exists{/a}{/a}{/b}}\n"), []string{"Exim: tls_certificate is worked out for each connection, so which file it reads cannot be told"}},
		{"Dovecot with the key in it", []string{"etc/dovecot/dovecot.conf"}, printing("ssl = yes\nssl_cert = </a.pem\nssl_key = " + secret + "\n"), []string{"Dovecot: /a.pem: file does not exist"}},
		{"Postfix without TLS", []string{"etc/postfix/main.cf"}, printing("myhostname = mx1.example.org\nsmtp inet n - y - - smtpd\n"), []string{"Postfix: smtpd_tls_security_level is not set: it offers no TLS yet"}},
		{"OpenSMTPD without a file", []string{"etc/smtpd.conf"}, nobody, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			files := fstest.MapFS{}
			for _, name := range test.files {
				files[name] = &fstest.MapFile{Data: []byte("pki mx1 key \"/k\"\n")}
			}
			want := test.want
			if want == nil {
				want = []string{"OpenSMTPD: pki mx1 names no certificate"}
			}
			got := Find(t.Context(), Host{Files: files, Run: test.run, Now: time.Now()})
			if diff := cmp.Diff(want, got.Notes); diff != "" {
				t.Errorf("want -, got +:\n%s", diff)
			}
			if text := fmt.Sprint(got); strings.Contains(text, secret) {
				t.Errorf("a key is found:\n%s", text)
			}
		})
	}
}

func printing(text string) func(context.Context, ...string) ([]byte, error) {
	return func(context.Context, ...string) ([]byte, error) { return []byte(text), nil }
}

func TestFollow(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a/file", "")
	write(t, dir, "c/x", "")
	for name, to := range map[string]string{"b": "a", "c/up": "../b/file", "d": "/c/up", "e": "f", "f": "e", "g": "nowhere/x"} {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	h := Host{Files: os.DirFS(dir)}
	for in, want := range map[string]string{
		"/a/file": "/a/file", "/b/file": "/a/file", "/c/up": "/a/file", "/d": "/a/file", "/b/none": "/a/none", "/g": "/nowhere/x",
	} {
		if got := h.Follow(in); got != want {
			t.Errorf("%s leads to %s, want %s", in, got, want)
		}
	}
	if _, err := h.read("/e"); err == nil {
		t.Error("a circle is read")
	}
}

// TestKeeps holds which files are a client's own: those that it writes when it renews.
func TestKeeps(t *testing.T) {
	h := Host{Files: fstest.MapFS{
		"etc/letsencrypt/live/a/fullchain.pem": {Data: []byte("../../archive/a/fullchain7.pem"), Mode: fs.ModeSymlink | 0o777},
		"etc/letsencrypt/archive/a/cert7.pem":  {},
	}}
	for _, test := range []struct {
		pair Pair
		file string
		want bool
	}{
		{Pair{Client: "certbot", Dir: "/etc/letsencrypt", Name: "a", Cert: "/etc/letsencrypt/live/a/fullchain.pem"}, "/etc/letsencrypt/live/a/fullchain.pem", true},
		{Pair{Client: "certbot", Dir: "/etc/letsencrypt", Name: "a", Cert: "/etc/letsencrypt/live/a/fullchain.pem"}, "/etc/letsencrypt/archive/a/cert7.pem", true},
		{Pair{Client: "certbot", Dir: "/etc/letsencrypt", Name: "a", Cert: "/etc/letsencrypt/live/a/fullchain.pem"}, "/etc/letsencrypt/live/ab/fullchain.pem", false},
		{Pair{Client: "lego", Dir: "/l", Name: "a", Cert: "/l/certificates/a.crt"}, "/l/certificates/a.pem", true},
		{Pair{Client: "lego", Dir: "/l", Name: "a", Cert: "/l/certificates/a.crt"}, "/l/certificates/b.crt", false},
		{Pair{Client: "acme.sh", Dir: "/r", Name: "a_ecc", Cert: "/r/a_ecc/fullchain.cer"}, "/r/a_ecc/a.cer", true},
		{Pair{Client: "dehydrated", Dir: "/d", Name: "a", Cert: "/d/certs/a/fullchain.pem"}, "/etc/postfix/a.pem", false},
	} {
		if got := test.pair.Keeps(h, test.file); got != test.want {
			t.Errorf("%s and %s: %v", test.pair, test.file, got)
		}
	}
}
