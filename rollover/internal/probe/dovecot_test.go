package probe

import (
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"
)

func TestDovecot(t *testing.T) {
	dir := startable(t, "dovecot", "/usr/lib/dovecot/imap-login", "/usr/lib/dovecot/pop3-login", "/usr/lib/dovecot/managesieve-login")
	for _, d := range []string{"run", "state"} {
		if err := os.Mkdir(dir+"/"+d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	writePair(t, dir, "rsa.pem", certificate(t, "rsa", "mx.example"))
	writePair(t, dir, "ecdsa.pem", certificate(t, "ecdsa", "mx.example"))
	writePair(t, dir, "named.pem", certificate(t, "ecdsa", "named.example"))
	p := freePorts(t, 5)
	listener := func(name string, port netip.AddrPort, ssl string) string {
		return fmt.Sprintf("  inet_listener %s {\n address = %s\n port = %d\n ssl = %s\n }\n", name, port.Addr(), port.Port(), ssl)
	}
	config := func(name, ssl string) {
		write(t, dir, name, `
base_dir = DIR/run
state_dir = DIR/state
log_path = DIR/log
ssl_dh =
protocols = imap pop3 sieve
ssl = `+ssl+`
ssl_cert = <DIR/rsa.pem
ssl_key = <DIR/rsa.pem
ssl_alt_cert = <DIR/ecdsa.pem
ssl_alt_key = <DIR/ecdsa.pem
local_name named.example {
  ssl_cert = <DIR/named.pem
  ssl_key = <DIR/named.pem
  ssl_alt_cert =
  ssl_alt_key =
}
passdb {
  driver = static
  args = nopassword=y
}
service imap-login {
`+listener("imap", p[0], "no")+listener("imaps", p[1], "yes")+`}
service pop3-login {
`+listener("pop3", p[2], "no")+listener("pop3s", p[3], "yes")+`}
service managesieve-login {
`+listener("sieve", p[4], "no")+`}
`)
	}
	both := []string{
		"SNI: served rsa of mx.example in TLS 1.3",
		"SNI, rsa only: served rsa of mx.example in TLS 1.2",
		"SNI, ecdsa only: served ecdsa of mx.example in TLS 1.2",
		"no SNI: served rsa of mx.example in TLS 1.3",
		"no SNI, rsa only: served rsa of mx.example in TLS 1.2",
		"no SNI, ecdsa only: served ecdsa of mx.example in TLS 1.2",
	}
	schemes := []string{"imap", "imaps", "pop3", "pop3s", "sieve"}
	t.Run("with TLS", func(t *testing.T) {
		config("dovecot.conf", "yes")
		run(t, dir+"/log", "starting up", "dovecot", "-F", "-c", dir+"/dovecot.conf")
		for i, scheme := range schemes {
			t.Run(scheme, func(t *testing.T) { compare(t, new(Prober), scheme+"://mx.example", p[i], both, "") })
		}
		for line := range strings.Lines(read(dir + "/log")) {
			if strings.Contains(line, "Disconnected") && !strings.Contains(line, "Aborted login by logging out") {
				t.Errorf("impolite: %s", line)
			}
		}
		t.Run("by name", func(t *testing.T) {
			compare(t, new(Prober), "imap://named.example", p[0], []string{
				"SNI: served ecdsa of named.example in TLS 1.3",
				"SNI, rsa only: not-offered",
				"SNI, ecdsa only: served ecdsa of named.example in TLS 1.2",
				both[3], both[4], both[5],
			}, "")
		})
	})
	t.Run("without TLS", func(t *testing.T) {
		if err := os.Remove(dir + "/log"); err != nil {
			t.Fatal(err)
		}
		config("plain.conf", "no")
		run(t, dir+"/log", "starting up", "dovecot", "-F", "-c", dir+"/plain.conf")
		for i, err := range map[int]string{
			0: `STARTTLS: the server said "a BAD TLS support isn't enabled."`,
			2: `STLS: the server said "-ERR TLS support isn't enabled."`,
			4: "STARTTLS: not offered (hint: is TLS on?)",
		} {
			t.Run(schemes[i], func(t *testing.T) { compare(t, new(Prober), schemes[i]+"://mx.example", p[i], all(NoSTARTTLS), err) })
		}
	})
}
