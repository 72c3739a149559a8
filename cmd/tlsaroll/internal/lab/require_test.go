package lab

import (
	"fmt"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLacking(t *testing.T) {
	t.Parallel()
	without := func(missing ...string) func(string, string) (string, error) {
		return func(_, program string) (string, error) {
			for _, m := range missing {
				if strings.Contains(program, m) {
					return "", exec.ErrNotFound
				}
			}
			return "/bin/" + program, nil
		}
	}
	for _, tc := range []struct {
		name    string
		opts    Options
		euid    int
		armor   string
		missing []string
		want    string
	}{
		{name: "nothing"},
		{name: "dovecot not asked for", missing: []string{"dove"}},
		{
			name: "programs of one package", missing: []string{"postfix", "posttls"},
			want: "no postfix, /usr/lib/postfix/sbin/master, posttls-finger (hint: apt-get install postfix)",
		},
		{
			name: "several packages", opts: Options{Dovecot: true}, missing: []string{"nsd", "named", "dove"},
			want: "no named, nsd, nsd-control, dovecot, doveadm, /usr/lib/dovecot/imap-login (hint: apt-get install bind9 nsd dovecot-core dovecot-imapd)",
		},
		{
			name: "pebble", opts: Options{Pebble: &PebbleOptions{}}, missing: []string{"unbound", "pebble"},
			want: "no pebble (hint: .ci/run builds it, or go install github.com/letsencrypt/pebble/v2/cmd/pebble@v2.10.1); no unbound (hint: apt-get install unbound)",
		},
		{
			name: "clients", opts: Options{Pebble: &PebbleOptions{}, Clients: []ClientKind{Certbot, Dehydrated}}, missing: []string{"certbot", "dehydrated", "nsupdate"},
			want: "no certbot, nsupdate, dehydrated (hint: apt-get install certbot bind9-dnsutils dehydrated)",
		},
		{name: "oracles not asked for", missing: []string{"openssl", "ldns-dane", "danetool"}},
		{
			name: "oracles", opts: Options{Oracles: true}, missing: []string{"openssl", "ldns-dane", "danetool"},
			want: "no openssl, ldns-dane, danetool (hint: apt-get install openssl ldnsutils gnutls-bin)",
		},
		{name: "powerdns not asked for", missing: []string{"pdns", "sqlite3"}},
		{
			name: "powerdns", opts: Options{Primary: PowerDNS}, missing: []string{"pdns", "sqlite3", "knotd"},
			want: "no pdns_server, pdnsutil, /usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql, sqlite3 (hint: apt-get install pdns-server pdns-backend-sqlite3 sqlite3)",
		},
		{name: "knot", opts: Options{Primary: Knot}, missing: []string{"pdns", "knotd"}, want: "no knotd (hint: apt-get install knot)"},
		{
			name: "mail servers that send", opts: Options{MTAs: true}, missing: []string{"exim", "unshare"},
			want: "no exim4 (hint: .ci/run unpacks it beside Postfix); no unshare (hint: apt-get install util-linux)",
		},
		{name: "haproxy", opts: Options{Servers: []ServerKind{HAProxy}}, missing: []string{"haproxy"}, want: "no haproxy (hint: apt-get install haproxy)"},
		{
			name: "servers beside Postfix", opts: Options{Servers: []ServerKind{Exim, Sendmail}}, missing: []string{"exim4", "sendmail"},
			want: "no exim4 (hint: .ci/run unpacks it beside Postfix); no sendmail-mta (hint: .ci/run unpacks it beside Postfix)",
		},
		{name: "haproxy not asked for", missing: []string{"haproxy"}},
		{name: "mail servers not asked for", missing: []string{"exim"}},
		{name: "pebble not asked for", missing: []string{"pebble"}},
		{
			name: "no root, no unbound", euid: 1000, missing: []string{"unbound"},
			want: "no unbound (hint: apt-get install unbound); not root (hint: it needs ports 25 and 53, loopback addresses and mount namespaces)",
		},
		{
			name: "apparmor", armor: "/usr/bin/man (enforce)\n/bin/unbound (enforce)\nnamed (enforce)\nnsd (complain)\n/bin/nsd (unconfined)\n",
			want: "AppArmor confines /bin/named, /bin/unbound (hint: aa-complain /bin/named /bin/unbound)",
		},
	} {
		paths, got := lacking(machine{without(tc.missing...), tc.euid, tc.armor}, tc.opts)
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", tc.name, diff)
		}
		if paths["ip"] != "/bin/ip" {
			t.Errorf("%s: paths %v", tc.name, paths)
		}
	}
}

// A spy takes down how a test was left.
type spy struct {
	testing.TB
	said string
}

func (s *spy) Helper()                          {}
func (s *spy) Skipf(format string, args ...any) { s.said = "skip: " + fmt.Sprintf(format, args...) }
func (s *spy) Fatalf(format string, args ...any) {
	s.said = "fatal: " + fmt.Sprintf(format, args...)
	runtime.Goexit()
}

func TestRequire(t *testing.T) {
	nobody := machine{locate: func(_, p string) (string, error) { return "/bin/" + p, nil }, euid: 1000}
	const lacks = "not root (hint: it needs ports 25 and 53, loopback addresses and mount namespaces)"
	for env, want := range map[string]string{
		"":        "skip: LEFT OUT, a test with real servers: " + lacks,
		"require": "fatal: lab: " + lacks + "; TLSAROLL_E2E=require forbids leaving it out",
	} {
		t.Setenv("TLSAROLL_E2E", env)
		s := &spy{TB: t}
		done := make(chan struct{})
		go func() {
			defer close(done)
			require(s, Options{}, nobody)
		}()
		<-done
		if s.said != want {
			t.Errorf("TLSAROLL_E2E=%s: %q, want %q", env, s.said, want)
		}
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	for want, opts := range map[string]Options{
		`lab: TTL 1.5s: want whole seconds`:                                                              {TTL: 1500e6},
		`lab: Pebble with Knot: its clients have rights at BIND alone`:                                   {Primary: Knot, Pebble: &PebbleOptions{}},
		`lab: no primary of kind "djbdns"`:                                                               {Primary: "djbdns"},
		`lab: TTL -1s: want whole seconds`:                                                               {TTL: -1e9},
		`lab: TTL 1ns: want whole seconds`:                                                               {NSTTL: 1},
		`lab: SecondLeaf without SecondMX`:                                                               {SecondLeaf: &LeafOptions{}},
		`lab: RSA beside a leaf that is RSA, or in lego's files`:                                         {RSA: true, LegoFiles: true},
		`lab: 101 resolvers: at most 100 fit the address block`:                                          {Resolvers: 101},
		`lab: zone "example.net": want a name directly below a top-level domain, with a final dot`:       {Zones: []string{"example.net"}},
		`lab: zone "deep.example.net.": want a name directly below a top-level domain, with a final dot`: {Zones: []string{"deep.example.net."}},
	} {
		if _, err := opts.withDefaults(); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
