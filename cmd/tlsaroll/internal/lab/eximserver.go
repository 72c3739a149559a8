package lab

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"testing"
)

// It takes no mail: without a list of rules Exim denies every recipient. What stands in the last
// lines Debian's own files make of that macro (main/03_exim4-config_tlsoptions).
const eximServerConf = `%[5]s
primary_hostname = %[1]s
spool_directory = %[2]s/spool
log_file_path = %[3]s/exim-mx-%%slog
pid_file_path = %[2]s/spool/pid
exim_user = Debian-exim
exim_group = Debian-exim
local_interfaces = <; %[4]s
daemon_smtp_ports = 25
disable_ipv6 = true
host_lookup =
keep_environment =
tls_advertise_hosts = *
tls_require_ciphers = NORMAL:-VERS-TLS1.0:-VERS-TLS1.1
.ifdef MAIN_TLS_CERTKEY
tls_certificate = MAIN_TLS_CERTKEY
.endif
`

// As for sending, see eximScript.
const eximServerScript = `#!/bin/sh
[ "$1" = inside ] || exec %[1]s --mount --propagation private "$0" inside "$@"
shift
%[2]s --bind %[3]s/passwd /etc/passwd || exit
%[2]s --bind %[3]s/group /etc/group || exit
exec %[4]s -C %[3]s/conf "$@"
`

// ServeExim starts Exim with a pair on port 25 of an address of its own, once. It needs
// Exim among Options.Servers, and ends with the lab.
func (l *Lab) ServeExim(t testing.TB, p *Pair) netip.Addr {
	t.Helper()
	at := l.Spare(t)
	tls, err := l.eximPair(p)
	if err != nil {
		t.Fatalf("lab: exim: %v", err)
	}
	l.Serve(t, Serving{Kind: Exim, Host: p.Leaf().DNSNames[0], At: at, Port: 25, Config: tls})
	return at
}

// eximPair puts a pair where Exim can read it, and returns the lines that say so.
func (l *Lab) eximPair(p *Pair) (lines string, err error) {
	dir := l.path("exim-pair")
	if err := p.writeTo(dir); err != nil {
		return "", err
	}
	uid, gid, err := eximIDs()
	if err != nil {
		return "", err
	}
	for _, name := range []string{"fullchain.pem", "privkey.pem"} {
		if err := os.Chown(filepath.Join(dir, name), uid, gid); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("tls_certificate = %[1]s/fullchain.pem\ntls_privatekey = %[1]s/privkey.pem", dir), nil
}

// EximGroup is the group by which Exim may read a file, as the machine has it.
func EximGroup(t testing.TB) string {
	t.Helper()
	_, gid, err := eximIDs()
	if err != nil {
		t.Fatal(err)
	}
	return strconv.Itoa(gid)
}

// eximIDs are those of Exim's user, which the machine may know.
func eximIDs() (uid, gid int, err error) {
	known, err := user.Lookup("Debian-exim")
	if err != nil {
		return accountID, accountID, nil
	}
	uid, uerr := strconv.Atoi(known.Uid)
	gid, gerr := strconv.Atoi(known.Gid)
	return uid, gid, errors.Join(uerr, gerr)
}

// startExim starts Exim's daemon. It has no reload here: it has to notice by itself.
func (l *Lab) startExim(m *MailServer, s Serving) error {
	dir := filepath.Dir(m.Config)
	if err := l.eximUser(dir); err != nil {
		return err
	}
	if err := m.configure(eximServerConf, s.Host, dir, l.path("log"), s.At, s.Config); err != nil {
		return err
	}
	script := fmt.Sprintf(eximServerScript, l.programs["unshare"], l.programs["mount"], dir, l.programs["exim4"])
	m.Check = []string{dir + "/exim", "-bV"}
	if err := WriteExecutable(m.Check[0], []byte(script), 0o755); err != nil {
		return err
	}
	return l.serve(m.Name, m.Check[0], "-bdf")
}
