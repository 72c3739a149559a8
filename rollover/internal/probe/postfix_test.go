package probe

import (
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestPostfix(t *testing.T) {
	const master = "/usr/lib/postfix/sbin/master"
	dir := startable(t, master, "postmap")
	for _, d := range []string{"queue", "queue/pid", "queue/public", "queue/private", "data"} {
		if err := os.Mkdir(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := exec.Command("chown", "postfix", dir+"/data", dir+"/queue/private", dir+"/queue/public").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	writePair(t, dir, "rsa.pem", certificate(t, "rsa", "mx.example"))
	writePair(t, dir, "ecdsa.pem", certificate(t, "ecdsa", "mx.example"))
	writePair(t, dir, "named.pem", certificate(t, "ecdsa", "named.example"))
	torn := certificate(t, "ecdsa", "mx.example")
	torn.PrivateKey = keyOf["rsa"]()
	writePair(t, dir, "torn.pem", torn)
	write(t, dir, "sni", "named.example DIR/named.pem\n")
	p := freePorts(t, 10)
	write(t, dir, "main.cf", `
compatibility_level = 3.6
queue_directory = DIR/queue
data_directory = DIR/data
maillog_file = DIR/log
maillog_file_prefixes = DIR
myhostname = mx.example
mydestination =
alias_maps =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
smtpd_tls_security_level = may
smtpd_tls_chain_files = DIR/ecdsa.pem, DIR/rsa.pem
tls_server_sni_maps = hash:DIR/sni
postscreen_greet_wait = 1s
postscreen_cache_map =
postscreen_access_list =
`)
	smtpd := func(i int, options string) string {
		return fmt.Sprintf("%s inet n - n - - smtpd %s\n", p[i], options)
	}
	write(t, dir, "master.cf", `
tlsmgr    unix - - n - 1 tlsmgr
anvil     unix - - n - 1 anvil
proxymap  unix - - n - - proxymap
rewrite   unix - - n - - trivial-rewrite
tlsproxy  unix - - n - 0 tlsproxy
dnsblog   unix - - n - 0 dnsblog
smtpd     pass - - n - - smtpd
postlog   unix-dgram n - n - 1 postlogd
`+
		smtpd(0, "")+
		smtpd(1, "-o smtpd_tls_wrappermode=yes")+
		smtpd(2, "-o smtpd_tls_security_level=none")+
		smtpd(3, "-o smtpd_tls_protocols=>=TLSv1.3")+
		smtpd(4, "-o smtpd_tls_chain_files=DIR/missing.pem")+
		smtpd(5, "-o smtpd_tls_chain_files=DIR/rsa.pem -o smtpd_tls_security_level=encrypt -o smtpd_tls_req_ccert=yes")+
		smtpd(6, "-o smtpd_delay_reject=no -o smtpd_helo_required=yes -o smtpd_helo_restrictions=reject_invalid_helo_hostname,reject_non_fqdn_helo_hostname,reject_unknown_helo_hostname")+
		fmt.Sprintf("%s inet n - n - 1 postscreen\n", p[7])+
		smtpd(8, "-o smtpd_tls_protocols=TLSv1.2 -o tls_medium_cipherlist=aRSA+kRSA -o smtpd_tls_chain_files=DIR/rsa.pem")+
		smtpd(9, "-o smtpd_tls_chain_files=DIR/torn.pem"))
	if out, err := exec.Command("postmap", "-c", dir, "-F", "hash:"+dir+"/sni").CombinedOutput(); err != nil {
		t.Fatalf("postmap: %v: %s", err, out)
	}
	run(t, dir+"/log", "daemon started", master, "-c", dir, "-d")

	both := []string{
		"SNI: served rsa of mx.example in TLS 1.3", // OpenSSL follows the order of our signature algorithms
		"SNI, rsa only: served rsa of mx.example in TLS 1.2",
		"SNI, ecdsa only: served ecdsa of mx.example in TLS 1.2",
		"no SNI: served rsa of mx.example in TLS 1.3",
		"no SNI, rsa only: served rsa of mx.example in TLS 1.2",
		"no SNI, ecdsa only: served ecdsa of mx.example in TLS 1.2",
	}
	for _, tt := range []struct {
		name, url string
		addr      netip.AddrPort
		hello     string
		want      []string
		err       string // of the first result
	}{
		{"both algorithms", "smtp://mx.example", p[0], "", both, ""},
		{"by name", "smtp://named.example", p[0], "", []string{
			"SNI: served ecdsa of named.example in TLS 1.3",
			"SNI, rsa only: not-offered",
			"SNI, ecdsa only: served ecdsa of named.example in TLS 1.2",
			both[3], both[4], both[5],
		}, ""},
		{"implicit TLS", "submissions://mx.example", p[1], "", both, ""},
		{"no TLS", "smtp://mx.example", p[2], "", all(NoSTARTTLS), "STARTTLS: not offered (hint: is TLS on, and for every client? RFC 7672, section 9.2)"},
		{"TLS 1.3 only", "smtp://mx.example", p[3], "", []string{
			both[0], "SNI, rsa only: algorithm-untested", "SNI, ecdsa only: algorithm-untested",
			both[3], "no SNI, rsa only: algorithm-untested", "no SNI, ecdsa only: algorithm-untested",
		}, ""},
		{"no certificate", "smtp://mx.example", p[4], "", all(HandshakeFailed), "TLS handshake (SNI): remote error: tls: handshake failure"},
		{"a key that does not fit", "smtp://mx.example", p[9], "", all(NoSTARTTLS), `STARTTLS: the server said "454 4.7.0 TLS not available due to local problem"`},
		{"client certificate", "smtp://mx.example", p[5], "", []string{
			"SNI: served rsa of mx.example in TLS 1.3",
			"SNI, rsa only: served rsa of mx.example in TLS 1.2",
			"SNI, ecdsa only: not-offered",
			"no SNI: served rsa of mx.example in TLS 1.3",
			"no SNI, rsa only: served rsa of mx.example in TLS 1.2",
			"no SNI, ecdsa only: not-offered",
		}, ""},
		{"picky about names", "smtp://mx.example", p[6], "", both, ""},
		{"picky about names, bad name", "smtp://mx.example", p[6], "localhost", all(Refused),
			`EHLO: the server said "504 5.5.2 <localhost>: Helo command rejected: need fully-qualified hostname" (hint: does it dislike the name localhost?)`},
		{"postscreen", "smtp://mx.example", p[7], "", both, ""},
		{"RSA key transport", "smtp://mx.example", p[8], "", []string{
			"SNI: served rsa of mx.example in TLS 1.2",
			"SNI, rsa only: served rsa of mx.example in TLS 1.2",
			"SNI, ecdsa only: not-offered",
			"no SNI: served rsa of mx.example in TLS 1.2",
			"no SNI, rsa only: served rsa of mx.example in TLS 1.2",
			"no SNI, ecdsa only: not-offered",
		}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			compare(t, &Prober{Hello: tt.hello, Timeout: 5 * time.Second, BannerTimeout: 10 * time.Second}, tt.url, tt.addr, tt.want, tt.err)
		})
	}
	for line := range strings.Lines(read(dir + "/log")) {
		// After STARTTLS, a handshake that is turned down is the end.
		if strings.Contains(line, "lost connection after") && !strings.Contains(line, "after STARTTLS from") || strings.Contains(line, "PREGREET") ||
			strings.Contains(line, "improper command pipelining") || strings.Contains(line, "HANGUP") {
			t.Errorf("impolite: %s", line)
		}
	}
	t.Run("implicit TLS where STARTTLS is due", func(t *testing.T) {
		compare(t, new(Prober), "submissions://mx.example", p[0], all(ProtocolError), `TLS handshake (SNI): tls: first record does not look like a TLS handshake: "220 m"`)
	})
}
