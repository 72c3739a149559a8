package finder

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/lab"
)

// asUsers runs a program where the users are known that its package makes. It wants root.
func asUsers(t *testing.T, users ...string) func(ctx context.Context, argv ...string) ([]byte, error) {
	t.Helper()
	if os.Geteuid() != 0 {
		if os.Getenv("TLSAROLL_E2E") == "require" {
			t.Fatal("not root; TLSAROLL_E2E=require forbids leaving it out")
		}
		t.Skip("LEFT OUT, a test with real programs: not root, as mount(2) wants it")
	}
	dir := t.TempDir()
	for _, table := range []string{"passwd", "group"} {
		text, err := os.ReadFile("/etc/" + table)
		if err != nil {
			t.Fatal(err)
		}
		for i, user := range users {
			line := fmt.Sprintf("%s:x:%d:", user, 64925+i)
			if table == "passwd" {
				line += fmt.Sprintf("%d::/nonexistent:/bin/false", 64925+i)
			}
			text = append([]byte(line+"\n"), text...)
		}
		write(t, dir, table, string(text))
		if err := os.Chmod(dir+"/"+table, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return func(ctx context.Context, argv ...string) ([]byte, error) {
		const within = `mount --bind "$1/passwd" /etc/passwd && mount --bind "$1/group" /etc/group && shift && exec "$@"`
		cmd := exec.CommandContext(ctx, "unshare", append([]string{"--mount", "--propagation", "private", "sh", "-c", within, "sh", dir}, argv...)...)
		out, err := cmd.Output()
		if ended := (*exec.ExitError)(nil); errors.As(err, &ended) {
			err = fmt.Errorf("%w: %s", err, ended.Stderr)
		}
		return out, err
	}
}

// TestExim has the real one tell what stands in a configuration of its own.
func TestExim(t *testing.T) {
	program := lab.Cached(t, "exim4-daemon-light", "exim4")
	within := asUsers(t, "Debian-exim")
	for _, test := range []struct {
		name, conf string
		want       Server
		note       string
	}{
		{"two certificates", "primary_hostname = MX1.example.org\ndaemon_smtp_ports = 25 : 465 : 587\ntls_on_connect_ports = 465\ntls_certificate = /a.crt : /b.crt\ntls_privatekey = /a.key : /b.key\n",
			Server{Host: "mx1.example.org", Ports: []uint16{25, 465, 587}, Reads: []Reads{{Cert: "/a.crt", Key: "/a.key"}, {Cert: "/b.crt", Key: "/b.key"}}}, ""},
		{"one file, the usual port", "primary_hostname = mx1.example.org\ntls_certificate = /both.pem\n", Server{Host: "mx1.example.org", Ports: []uint16{25}, Reads: []Reads{{Cert: "/both.pem", Key: "/both.pem"}}}, ""},
		{"worked out", "primary_hostname = mx1.example.org\ntls_certificate = ${if eq{$tls_in_sni}{x}{/a}{/b}}\n", Server{Host: "mx1.example.org", Ports: []uint16{25}}, "Exim: tls_certificate is worked out for each connection, so which file it reads cannot be told"},
	} {
		t.Run(test.name, func(t *testing.T) {
			conf := write(t, t.TempDir(), "exim.conf", "exim_user = Debian-exim\nexim_group = Debian-exim\nkeep_environment =\n"+test.conf)
			run := func(ctx context.Context, argv ...string) ([]byte, error) {
				return within(ctx, append([]string{program, "-C", conf}, argv[1:]...)...)
			}
			found := Found{}
			got := Host{Files: fstest.MapFS{"etc/exim4/x": {}, "usr/sbin/exim4": {}}, Run: run}.exim(t.Context(), found.note)
			test.want.Program, test.want.Check = "Exim", [][]string{{"exim4", "-bV"}}
			if diff := cmp.Diff([]Server{test.want}, got); diff != "" {
				t.Errorf("want -, got +:\n%s", diff)
			}
			if strings.Join(found.Notes, "\n") != test.note {
				t.Errorf("notes: %q", found.Notes)
			}
			if _, err := run(t.Context(), "exim4", "-bV"); err != nil {
				t.Errorf("the check: %v", err)
			}
		})
	}
}

// TestOpenSMTPD has the real one take the configurations that are read here.
func TestOpenSMTPD(t *testing.T) {
	program := lab.Cached(t, "opensmtpd", "smtpd")
	within := asUsers(t, "opensmtpd", "opensmtpq")
	dir := t.TempDir()
	if out, err := exec.CommandContext(t.Context(), "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=mx1.example.org", "-keyout", dir+"/k", "-out", dir+"/c").CombinedOutput(); err != nil {
		t.Fatalf("openssl: %v: %s", err, out)
	}
	const rest = "action \"relay\" relay\nmatch from local for any action \"relay\"\n"
	pki := "pki mx1.example.org cert \"" + dir + "/c\"\npki mx1.example.org key \"" + dir + "/k\" # by a hook\n"
	reads := []Reads{{Cert: dir + "/c", Key: dir + "/k", Name: "mx1.example.org"}}
	for _, test := range []struct {
		name, conf, host string
		ports            []uint16
	}{
		{"words", pki + "listen on localhost\nlisten on 192.0.2.2 tls pki mx1.example.org\nlisten on 192.0.2.1 port submission tls-require \\\n\tpki mx1.example.org auth\nlisten on 192.0.2.1 smtps pki mx1.example.org auth\n", "mail.example.org", []uint16{25, 465, 587}},
		{"macros", "name = mx1.example.org\nother = \"2525\"\nat = 192.0.2.1\n" + pki + "listen on $at tls-require pki $name hostname mx2.example.org\nlisten on $at port $other tls pki $name hostname mx2.example.org\n", "mx2.example.org", []uint16{25, 2525}},
	} {
		t.Run(test.name, func(t *testing.T) {
			conf := write(t, t.TempDir(), "smtpd.conf", test.conf+rest)
			if out, err := within(t.Context(), program, "-n", "-f", conf); err != nil {
				t.Fatalf("smtpd -n: %v %s", err, out)
			}
			found := Found{}
			got := Host{Files: fstest.MapFS{"etc/smtpd.conf": {Data: []byte(test.conf + rest)}, "etc/mailname": {Data: []byte("mail.example.org\n")}}}.openSMTPD(t.Context(), found.note)
			want := []Server{{Program: "OpenSMTPD", Host: test.host, Ports: test.ports, Reads: reads, Check: [][]string{{"smtpd", "-n"}}, Reload: [][]string{{"smtpctl", "stop"}, {"smtpd"}}}}
			if diff := cmp.Diff(want, got); diff != "" || found.Notes != nil {
				t.Errorf("want -, got +:\n%s%q", diff, found.Notes)
			}
		})
	}
}
