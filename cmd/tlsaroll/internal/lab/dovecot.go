package lab

import (
	"fmt"
	"net/netip"
	"os"
)

// Only what takes TLS connections: nobody can log in.
const dovecotConf = `
protocols = imap
base_dir = %[1]s/run
state_dir = %[1]s/state
log_path = %[2]s
ssl = required
ssl_cert = <%[3]s/fullchain.pem
ssl_key = <%[3]s/privkey.pem
mail_location = maildir:%[1]s/mail/%%u
passdb {
  driver = static
  args = nopassword=y
  deny = yes
}
userdb {
  driver = static
  args = uid=65534 gid=65534 home=%[1]s/mail
}
service imap-login {
  inet_listener imap {
    port = 0
  }
  inet_listener imaps {
    address = %[4]s
    port = 993
    ssl = yes
  }
}
`

func (l *Lab) startDovecot() error {
	if !l.opts.Dovecot {
		return nil
	}
	dir, err := l.mkdir("dovecot")
	if err != nil {
		return err
	}
	s := &MailServer{
		Name: "dovecot", Addr: netip.AddrPortFrom(l.MX, 993),
		Config: dir + "/dovecot.conf", TLS: dir + "/tls",
		Reload: []string{l.programs["doveadm"], "-c", dir + "/dovecot.conf", "reload"},
	}
	if err := s.install(l.Live); err != nil {
		return err
	}
	conf := fmt.Sprintf(dovecotConf, dir, l.logPath(s.Name), s.TLS, l.MX)
	if err := os.WriteFile(s.Config, []byte(conf), 0o644); err != nil {
		return err
	}
	l.Dovecot = s
	return l.serve(s.Name, l.programs["dovecot"], "-F", "-c", s.Config)
}
