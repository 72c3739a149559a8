package lab

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Each way to send is a router and a transport of its own, by the sender's address.
const eximConf = `
primary_hostname = mta.example.org
spool_directory = %[1]s/spool
log_file_path = %[2]s/exim-%%slog
pid_file_path = %[1]s/pid
exim_path = %[5]s
exim_user = Debian-exim
exim_group = Debian-exim
trusted_users = root
deliver_drop_privilege = true
disable_ipv6 = true
dns_dnssec_ok = 1
keep_environment =
host_lookup =
never_users =

begin routers
%[3]s
begin transports
%[4]s
begin retry
* * F,1h,5m
`

const eximRouter = `
%[1]s:
	driver = dnslookup
	senders = %[2]s@mta.example.org
	domains = *
	dnssec_request_domains = *
	self = send
	transport = %[1]s
`

const eximTransport = `
%[1]s:
	driver = smtp
	dnssec_request_domains = *
	hosts_try_dane = %[2]s
	hosts_require_dane = %[3]s
`

// Exim wants to run as a user that has this name, whether the machine knows it or not, and to
// ask the first sender's resolver.
const eximScript = `#!/bin/sh
[ "$1" = inside ] || exec %[1]s --mount --propagation private "$0" inside "$@"
shift
%[2]s --bind %[3]s/passwd /etc/passwd || exit
%[2]s --bind %[3]s/group /etc/group || exit
%[2]s --bind %[4]s/resolv-0.conf /etc/resolv.conf || exit
exec %[5]s -C %[3]s/exim.conf -odf -f %[6]s@mta.example.org "$@"
`

// prepareExim writes what Exim needs. It runs when a mail is handed in, and ends when it has tried.
func (l *Lab) prepareExim(programs string) error {
	dir, err := l.mkdir("exim")
	if err != nil {
		return err
	}
	if err := l.eximUser(dir); err != nil {
		return err
	}
	var routers, transports string
	for m, dane := range map[MTA]struct{ try, require string }{EximTry: {"*", ""}, EximRequire: {"*", "*"}, EximWithout: {"", ""}} {
		name := strings.ReplaceAll(string(m), "-", "_") // as Exim wants it
		routers += fmt.Sprintf(eximRouter, name, m)
		transports += fmt.Sprintf(eximTransport, name, dane.try, dane.require)
		script := fmt.Sprintf(eximScript, l.programs["unshare"], l.programs["mount"], dir, l.path("senders"), l.programs["exim4"], m)
		if err := WriteExecutable(filepath.Join(programs, string(m)), []byte(script), 0o755); err != nil {
			return err
		}
	}
	conf := fmt.Sprintf(eximConf, dir, l.path("log"), routers, transports, l.programs["exim4"])
	return os.WriteFile(dir+"/exim.conf", []byte(conf), 0o644)
}

// eximUser makes the spool, and tables of users and groups in which Exim finds itself.
func (l *Lab) eximUser(dir string) error {
	if err := writeAccounts(dir, "Debian-exim"); err != nil {
		return err
	}
	return errors.Join(os.Mkdir(dir+"/spool", 0o777), os.Chmod(dir+"/spool", fs.ModePerm), os.Chmod(l.path("log"), fs.ModePerm))
}
