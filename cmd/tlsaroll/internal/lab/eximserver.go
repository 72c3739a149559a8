package lab

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"testing"
)

// It takes no mail: without a list of rules Exim denies every recipient.
const eximServerConf = `
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
tls_certificate = %[2]s/fullchain.pem
tls_privatekey = %[2]s/privkey.pem
tls_require_ciphers = NORMAL:-VERS-TLS1.0:-VERS-TLS1.1
`

// As for sending, see eximScript.
const eximServerScript = `#!/bin/sh
[ "$1" = inside ] || exec %[1]s --mount --propagation private "$0" inside
%[2]s --bind %[3]s/passwd /etc/passwd || exit
%[2]s --bind %[3]s/group /etc/group || exit
exec %[4]s -C %[3]s/exim.conf -bdf
`

// ServeExim starts Exim with a pair on port 25 of an address of its own, once. It needs
// Options.Exim, and ends with the lab.
func (l *Lab) ServeExim(t testing.TB, p *Pair) netip.Addr {
	t.Helper()
	at := l.Spare(t)
	if err := l.serveExim(t.Context(), at, p); err != nil {
		t.Fatalf("lab: exim: %v", err)
	}
	return at
}

// eximIDs are those of Exim's user, which the machine may know.
func eximIDs() (uid, gid int, err error) {
	known, err := user.Lookup("Debian-exim")
	if err != nil {
		return eximID, eximID, nil
	}
	uid, uerr := strconv.Atoi(known.Uid)
	gid, gerr := strconv.Atoi(known.Gid)
	return uid, gid, errors.Join(uerr, gerr)
}

func (l *Lab) serveExim(ctx context.Context, at netip.Addr, p *Pair) error {
	dir, err := l.mkdir("exim-mx")
	if err != nil {
		return err
	}
	if err := errors.Join(l.eximUser(dir), p.writeTo(dir)); err != nil {
		return err
	}
	uid, gid, err := eximIDs()
	if err != nil {
		return err
	}
	for _, name := range []string{"fullchain.pem", "privkey.pem"} { // it reads them at each connection
		if err := os.Chown(filepath.Join(dir, name), uid, gid); err != nil {
			return err
		}
	}
	conf := fmt.Sprintf(eximServerConf, p.Leaf().DNSNames[0], dir, l.path("log"), at)
	if err := os.WriteFile(dir+"/exim.conf", []byte(conf), 0o644); err != nil {
		return err
	}
	script := fmt.Sprintf(eximServerScript, l.programs["unshare"], l.programs["mount"], dir, l.programs["exim4"])
	if err := os.WriteFile(dir+"/start", []byte(script), 0o755); err != nil {
		return err
	}
	s := &MailServer{Name: "exim-mx", Addr: netip.AddrPortFrom(at, 25)}
	if err := l.serve(s.Name, dir+"/start"); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	return l.mailReady(ctx, s)
}
