package lab

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// A MailServer is Postfix or Dovecot with a configuration folder of its own.
type MailServer struct {
	Name   string
	Addr   netip.AddrPort
	Config string   // folder (Postfix) or file (Dovecot)
	Reload []string // the argument list that has it read its certificate again

	// Combined is the file with key and chain that Postfix reads.
	Combined string
	// TLS is the symlink to the directory with fullchain.pem and privkey.pem that
	// Dovecot reads.
	TLS string
}

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

// startPostfix starts Postfix's master in the foreground, as "postfix start"
// would in the background.
func (l *Lab) startPostfix() error {
	dir, err := l.mkdir("postfix")
	if err != nil {
		return err
	}
	s := &MailServer{
		Name: "postfix", Addr: netip.AddrPortFrom(l.MX, 25),
		Config: dir + "/etc", Combined: dir + "/tls/" + Host + ".pem",
		Reload: []string{l.programs["postfix"], "-c", dir + "/etc", "reload"},
	}
	if err := postfixQueue(dir); err != nil {
		return err
	}
	for _, d := range []string{s.Config, filepath.Dir(s.Combined)} {
		if err := os.Mkdir(d, 0o755); err != nil {
			return err
		}
	}
	if err := s.install(l.Live); err != nil {
		return err
	}
	main := fmt.Sprintf(postfixMain, dir, postfixDaemons, Host, l.MX, l.logPath(s.Name), l.path("log"), s.Combined)
	if err := os.WriteFile(s.Config+"/main.cf", []byte(main), 0o644); err != nil {
		return err
	}
	if err := os.WriteFile(s.Config+"/master.cf", fmt.Appendf(nil, postfixMaster, l.MX), 0o644); err != nil {
		return err
	}
	l.Postfix = s
	return l.serve(s.Name, l.programs[postfixDaemons+"/master"], "-c", s.Config, "-d")
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

func (l *Lab) mailServers() []*MailServer {
	servers := []*MailServer{l.Postfix}
	if l.Dovecot != nil {
		servers = append(servers, l.Dovecot)
	}
	return servers
}

// mailReady waits until the server takes connections; Postfix also greets.
func (l *Lab) mailReady(ctx context.Context, s *MailServer) error {
	return await(ctx, func(ctx context.Context) error {
		if err := l.ended(s.Name); err != nil {
			return err
		}
		conn, err := (&net.Dialer{Timeout: queryTimeout}).DialContext(ctx, "tcp", s.Addr.String())
		if err != nil {
			return err
		}
		defer conn.Close()
		if s.Addr.Port() != 25 {
			return nil
		}
		if deadline, ok := ctx.Deadline(); ok {
			if err := conn.SetReadDeadline(deadline); err != nil {
				return err
			}
		}
		line, err := bufio.NewReader(conn).ReadString('\n')
		if err != nil || !strings.HasPrefix(line, "220 ") {
			return fmt.Errorf("%s: greeting %q: %w", s.Name, line, err)
		}
		_, err = conn.Write([]byte("QUIT\r\n"))
		return err
	})
}

// Install puts a pair where the server reads it, in one step, and does nothing
// else: what an ACME client's deploy hook does before it reloads.
func (s *MailServer) Install(t testing.TB, p *Pair) {
	t.Helper()
	if err := s.install(p); err != nil {
		t.Fatal(err)
	}
}

func (s *MailServer) install(p *Pair) error {
	key, chain, err := p.pem()
	if err != nil {
		return err
	}
	if s.Combined != "" {
		return replaceFile(s.Combined, append(key, chain...), 0o600)
	}
	dir := s.TLS + "-" + filepath.Base(p.Dir)
	if err := p.writeTo(dir); err != nil {
		return err
	}
	tmp := s.TLS + ".new"
	if err := os.Symlink(filepath.Base(dir), tmp); err != nil {
		return err
	}
	return os.Rename(tmp, s.TLS)
}

// RunReload runs the server's reload command.
func (s *MailServer) RunReload(t testing.TB) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), s.Reload[0], s.Reload[1:]...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: reload: %v: %s", s.Name, err, out)
	}
}
