package lab

import (
	"fmt"
	"net/netip"
	"path/filepath"
)

// dovecotTLS is how Dovecot 2.3 names what it reads.
const dovecotTLS = `ssl = required
ssl_cert = <%[1]s/fullchain.pem
ssl_key = <%[1]s/privkey.pem`

// Only what takes TLS connections: nobody can log in.
const dovecotConf = `
protocols = imap
base_dir = %[1]s/run
state_dir = %[1]s/state
log_path = %[2]s
%[3]s
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
	s := &MailServer{Name: "dovecot", Addr: netip.AddrPortFrom(l.MX, 993), Config: dir + "/dovecot.conf", TLS: dir + "/tls"}
	if err := s.install(l.Live); err != nil {
		return err
	}
	l.Dovecot = s
	return l.serveDovecot(s, Serving{At: l.MX, Config: fmt.Sprintf(dovecotTLS, s.TLS)})
}

// serveDovecot starts a Dovecot with its lines about TLS.
func (l *Lab) serveDovecot(m *MailServer, s Serving) error {
	m.Reload = []string{l.programs["doveadm"], "-c", m.Config, "reload"}
	if err := m.configure(dovecotConf, filepath.Dir(m.Config), l.logPath(m.Name), s.Config, s.At); err != nil {
		return err
	}
	return l.serve(m.Name, l.programs["dovecot"], "-F", "-c", m.Config)
}
