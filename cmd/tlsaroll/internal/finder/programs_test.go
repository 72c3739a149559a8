package finder

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tlsaroll/tlsaroll/rollover/subprocess"
)

// programs leaves a test out, loudly, where one is not installed.
func programs(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		if _, err := subprocess.Find(name); err == nil {
			continue
		}
		if os.Getenv("TLSAROLL_E2E") == "require" {
			t.Fatalf("no %s; TLSAROLL_E2E=require forbids leaving it out", name)
		}
		t.Skipf("LEFT OUT, a test with real programs: no %s", name)
	}
}

func execute(ctx context.Context, argv ...string) ([]byte, error) {
	program, err := subprocess.Find(argv[0])
	if err != nil {
		return nil, err
	}
	return exec.CommandContext(ctx, program, argv[1:]...).Output()
}

func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	file := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestPrograms has the real programs tell what stands in their configurations.
func TestPrograms(t *testing.T) {
	programs(t, "postconf", "doveconf", "named-checkconf")
	dir := t.TempDir()
	write(t, dir, "postfix/main.cf", "compatibility_level = 3.6\nmydomain = example.org\nmyhostname = mx1.$mydomain\nsmtpd_tls_security_level = may\nsmtpd_tls_cert_file = "+dir+"/a.pem\nsmtpd_tls_eccert_file = "+dir+"/$myhostname.pem\n")
	write(t, dir, "postfix/master.cf", "192.0.2.25:smtp inet n - y - - smtpd\n  -o smtpd_helo_required=yes\nsmtps inet n - y - - smtpd\n  -o smtpd_tls_wrappermode=yes\nsmtp unix - - y - - smtp\n2525 inet n - y - - smtpd\n")
	dovecot := write(t, dir, "dovecot.conf", "protocols = imap\nssl = required\nssl_cert = <"+dir+"/tls/fullchain.pem\nssl_key = <"+dir+"/tls/privkey.pem\nservice imap-login {\n  inet_listener imap {\n    port = 0\n  }\n}\n")
	write(t, dir, "tls/fullchain.pem", "no certificate")
	write(t, dir, "tls/privkey.pem", "")
	write(t, dir, "zones.conf", "key k. { algorithm hmac-sha256; secret \"c2VjcmV0\"; };\nzone example.net { type master; file \"x\"; allow-update { key k.; }; };\n")
	named := write(t, dir, "named.conf", "options { directory \"/tmp\"; };\ninclude \""+dir+"/zones.conf\";\nzone \"Example.ORG\" IN { type primary; file \"y\"; update-policy { grant hand. zonesub ANY; grant k. name _25._tcp.mx1.example.org. TLSA; grant * self * TXT; }; };\nzone \"example.com\" { type secondary; primaries { 192.0.2.1; }; };\n")
	var asked [][]string
	run := func(ctx context.Context, argv ...string) ([]byte, error) {
		asked = append(asked, argv)
		return execute(ctx, argv...)
	}
	got := Find(t.Context(), Host{Files: os.DirFS("/"), Run: run, Now: time.Now(), Postfix: dir + "/postfix", Dovecot: dovecot, BIND: named})
	want := []Server{
		{
			Program: "Postfix", Host: "mx1.example.org", Ports: []uint16{25, 465, 2525}, Config: dir + "/postfix",
			Reads: []Reads{{Cert: dir + "/a.pem", Key: dir + "/a.pem"}, {Cert: dir + "/mx1.example.org.pem", Key: dir + "/mx1.example.org.pem"}},
			Check: [][]string{{"postfix", "-c", dir + "/postfix", "check"}}, Reload: [][]string{{"postfix", "-c", dir + "/postfix", "reload"}},
		},
		{
			Program: "Dovecot", Ports: []uint16{993}, Config: dovecot,
			Reads: []Reads{{Cert: dir + "/tls/fullchain.pem", Key: dir + "/tls/privkey.pem", Name: "ssl_cert", Dir: dir + "/tls"}},
			Check: [][]string{{"doveconf", "-c", dovecot, "-n"}}, Reload: [][]string{{"doveadm", "-c", dovecot, "reload"}},
		},
	}
	servers := slices.DeleteFunc(got.Servers, func(s Server) bool { return s.Config == "" }) // Exim may be installed, too
	if diff := cmp.Diff(want, servers); diff != "" {
		t.Errorf("servers: want -, got +:\n%s", diff)
	}
	if diff := cmp.Diff([]Primary{{"example.net.", []string{"k."}}, {"example.org.", []string{"k."}}}, got.Primaries); diff != "" {
		t.Errorf("primaries: want -, got +:\n%s", diff)
	}
	if text := fmt.Sprint(got); strings.Contains(text, "c2VjcmV0") {
		t.Errorf("a secret is found:\n%s", text)
	}
	if len(asked) != 5 {
		t.Errorf("asked: %q", asked)
	}
}
