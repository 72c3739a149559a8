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
	got := Find(t.Context(), Host{Files: os.DirFS("/"), Run: run, Now: time.Now(), Postfix: dir + "/postfix", Dovecot: dovecot, BIND: named, Knot: dir + "/none", NSD: dir + "/none", PowerDNS: dir + "/none"})
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
	if diff := cmp.Diff([]Primary{
		{Server: "BIND", Zone: "example.net.", Provider: "rfc2136", Keys: []Key{{"k.", "hmac-sha256", dir + "/zones.conf"}}},
		{Server: "BIND", Zone: "example.org.", Provider: "rfc2136", Keys: []Key{{"k.", "hmac-sha256", dir + "/zones.conf"}}},
	}, got.Primaries); diff != "" {
		t.Errorf("primaries: want -, got +:\n%s", diff)
	}
	if text := fmt.Sprint(got); strings.Contains(text, "c2VjcmV0") {
		t.Errorf("a secret is found:\n%s", text)
	}
	if len(asked) != 5 {
		t.Errorf("asked: %q", asked)
	}
}

// TestPrimaries has the other name servers tell which zones are theirs, and by whom they are changed.
func TestPrimaries(t *testing.T) {
	programs(t, "knotc", "nsd-checkconf", "pdnsutil", "sqlite3")
	dir := t.TempDir()
	write(t, dir, "knot/keys.conf", "key:\n  - id: tlsaroll.example.org.\n    algorithm: hmac-sha512\n    secret: c2VjcmV0\n  - id: all.\n    algorithm: hmac-sha256\n    secret: c2VjcmV0\n  - id: txt.\n    algorithm: hmac-sha256\n    secret: c2VjcmV0\n")
	knot := write(t, dir, "knot/knot.conf", `include: keys.conf
acl:
  - id: all
    key: all.
    action: update
  - id: tlsa
    key: [tlsaroll.example.org.]
    action: [update, transfer]
    update-type: [TLSA]
  - id: txt
    key: txt.
    action: update
    update-type: TXT
remote:
  - id: up
    address: 192.0.2.1
template:
  - id: default
    acl: [all, tlsa, txt]
zone:
  - domain: Example.org
    dnssec-signing: on
  - domain: example.net
    acl: txt
  - domain: example.com
    master: up
  - domain: 2.0.192.in-addr.arpa
`)
	write(t, dir, "nsd/keys.conf", "key:\n\tname: \"k\"\n\talgorithm: hmac-sha256\n\tsecret: \"c2VjcmV0\"\n")
	nsd := write(t, dir, "nsd/nsd.conf", "include: \""+dir+"/nsd/keys.conf\"\npattern:\n\tname: \"follows\"\n\trequest-xfr: 192.0.2.1 k\nzone:\n\tname: \"example.org\"\n\tzonefile: \"x\"\nzone:\n\tname: \"example.net\"\n\tinclude-pattern: \"follows\"\n\tzonefile: \"y\"\n")
	write(t, dir, "pdns/pdns.conf", "launch=gsqlite3\ngsqlite3-database="+dir+"/pdns/db\ngsqlite3-dnssec=yes\ninclude-dir="+dir+"/pdns/d\n")
	api := write(t, dir, "pdns/d/api.conf", "api=yes\napi-key=c2VjcmV0\nwebserver-port=8090\n")
	for _, argv := range [][]string{
		{"sqlite3", dir + "/pdns/db", ".read /usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql",
			"INSERT INTO domains (id, name, type) VALUES (1, 'example.org', 'NATIVE'), (2, 'example.net', 'MASTER'), (3, 'example.com', 'SLAVE')",
			"INSERT INTO records (domain_id, name, type, content, ttl, disabled, auth) SELECT id, name, 'SOA', 'ns1.example.org hostmaster.example.org 1 1 1 1 1', 60, 0, 1 FROM domains",
			"INSERT INTO domainmetadata (domain_id, kind, content) VALUES (2, 'TSIG-ALLOW-DNSUPDATE', 'a.example.net'), (2, 'TSIG-ALLOW-DNSUPDATE', 'b.example.net')"},
	} {
		if _, err := execute(t.Context(), argv...); err != nil {
			t.Fatalf("%s: %v", argv[0], err)
		}
	}
	find := func() []Primary {
		t.Helper()
		found := Found{}
		primaries := Host{Files: os.DirFS("/"), Run: execute, BIND: dir + "/none", Knot: knot, NSD: nsd, PowerDNS: dir + "/pdns"}.primaries(t.Context(), found.note)
		if text := fmt.Sprint(primaries, found.Notes); strings.Contains(text, "c2VjcmV0") {
			t.Errorf("a secret is found:\n%s", text)
		}
		if found.Notes != nil {
			t.Errorf("notes: %q", found.Notes)
		}
		return primaries
	}
	want := []Primary{
		{Server: "Knot", Zone: "example.net.", Provider: "rfc2136"},
		{Server: "Knot", Zone: "example.org.", Provider: "rfc2136", Keys: []Key{{"tlsaroll.example.org.", "hmac-sha512", dir + "/knot/keys.conf"}, {"all.", "hmac-sha256", dir + "/knot/keys.conf"}}},
		{Server: "NSD", Zone: "example.org."},
		{Server: "PowerDNS", Zone: "example.org.", Provider: "powerdns", API: "http://127.0.0.1:8090"},
		{Server: "PowerDNS", Zone: "example.net.", Provider: "powerdns", API: "http://127.0.0.1:8090"},
	}
	if diff := cmp.Diff(want, find()); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
	write(t, filepath.Dir(api), "api.conf", "dnsupdate=yes\n")
	want[3].Provider, want[3].API, want[4].Provider, want[4].API = "rfc2136", "", "rfc2136", ""
	want[4].Keys = []Key{{Name: "a.example.net."}, {Name: "b.example.net."}}
	if diff := cmp.Diff(want, find()); diff != "" {
		t.Errorf("with updates: want -, got +:\n%s", diff)
	}
}
