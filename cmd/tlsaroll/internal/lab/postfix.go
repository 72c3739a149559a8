package lab

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
)

const postfixMain = `
compatibility_level = 3.7
queue_directory = %[1]s/queue
data_directory = %[1]s/data
command_directory = /usr/sbin
daemon_directory = %[2]s
myhostname = %[3]s
mydestination =
alias_maps =
alias_database =
inet_interfaces = %[4]s
inet_protocols = ipv4
maillog_file = %[5]s
maillog_file_prefixes = %[6]s
smtpd_peername_lookup = no
smtpd_client_connection_count_limit = 0
smtpd_client_connection_rate_limit = 0
smtpd_tls_security_level = may
smtpd_tls_protocols = >=TLSv1.2
smtpd_tls_chain_files = %[7]s
smtpd_tls_loglevel = 1
tls_random_source = dev:/dev/urandom
`

const postfixMaster = `
%s:25 inet n - n - 100 smtpd
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
proxymap unix - - n - - proxymap
anvil unix - - n - 1 anvil
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
error unix - - n - - error
postlog unix-dgram n - n - 1 postlogd
`

// startPostfixes starts Postfix, and the one of a second MX.
func (l *Lab) startPostfixes() (err error) {
	l.Postfix = l.newPostfix("postfix", hostMX)
	if l.opts.LegoFiles {
		l.Postfix.Lego, l.Postfix.Combined = newLego(l.path("lego")), ""
	}
	if err := l.startPostfix(l.Postfix, l.Live); err != nil {
		return err
	}
	if l.opts.SecondMX {
		l.SecondPostfix = l.newPostfix("postfix-2", hostSecondMX)
		return l.startPostfix(l.SecondPostfix, l.SecondLive)
	}
	return nil
}

func (l *Lab) newPostfix(name string, host byte) *MailServer {
	dir := l.path(name)
	s := &MailServer{
		Name: name, Addr: netip.AddrPortFrom(l.block.addr(host), 25),
		Config: dir + "/etc", Combined: dir + "/tls/" + Host + ".pem",
		Reload: []string{l.programs["postfix"], "-c", dir + "/etc", "reload"},
	}
	if l.opts.RSA {
		s.CombinedRSA = dir + "/tls/" + Host + ".rsa.pem"
	}
	return s
}

// startPostfix starts Postfix's master in the foreground, as "postfix start"
// would in the background.
func (l *Lab) startPostfix(s *MailServer, live *Pair) error {
	dir, err := l.mkdir(s.Name)
	if err != nil {
		return err
	}
	if err := postfixQueue(dir); err != nil {
		return err
	}
	for _, d := range []string{s.Config, dir + "/tls"} {
		if err := os.Mkdir(d, 0o755); err != nil {
			return err
		}
	}
	if err := s.install(live); err != nil {
		return err
	}
	if l.LiveRSA != nil {
		if err := s.install(l.LiveRSA); err != nil {
			return err
		}
	}
	at := s.Addr.Addr()
	main := fmt.Sprintf(postfixMain, dir, postfixDaemons, Host, at, l.logPath(s.Name), l.path("log"), strings.Join(s.chainFiles(), ", "))
	if err := os.WriteFile(s.Config+"/main.cf", []byte(main), 0o644); err != nil {
		return err
	}
	if err := os.WriteFile(s.Config+"/master.cf", fmt.Appendf(nil, postfixMaster, at), 0o644); err != nil {
		return err
	}
	return l.serve(s.Name, l.programs[postfixDaemons+"/master"], "-c", s.Config, "-d")
}

// chainFiles are Postfix's: each key stands before its chain.
func (s *MailServer) chainFiles() []string {
	if s.Lego != nil {
		return []string{s.Lego.Key, s.Lego.Cert}
	}
	files := []string{s.Combined}
	if s.CombinedRSA != "" {
		files = append(files, s.CombinedRSA)
	}
	return files
}

// postfixQueue makes the directories that "postfix check" would make, which
// takes it two seconds.
func postfixQueue(dir string) error {
	owner, err := user.Lookup("postfix")
	if err != nil {
		return err
	}
	drop, err := user.LookupGroup("postdrop")
	if err != nil {
		return err
	}
	uid, err := strconv.Atoi(owner.Uid)
	if err != nil {
		return err
	}
	gid, err := strconv.Atoi(drop.Gid)
	if err != nil {
		return err
	}
	mkdir := func(name string, mode fs.FileMode, uid, gid int) error {
		path := filepath.Join(dir, name)
		if err := os.Mkdir(path, 0o755); err != nil {
			return err
		}
		return errors.Join(os.Chown(path, uid, gid), os.Chmod(path, mode))
	}
	errs := []error{mkdir("queue", 0o755, 0, 0), mkdir("queue/pid", 0o755, 0, 0), mkdir("data", 0o700, uid, 0),
		mkdir("queue/maildrop", 0o730, uid, gid), mkdir("queue/public", 0o710, uid, gid)}
	for _, name := range []string{"active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "private", "saved", "trace"} {
		errs = append(errs, mkdir("queue/"+name, 0o700, uid, 0))
	}
	return errors.Join(errs...)
}
