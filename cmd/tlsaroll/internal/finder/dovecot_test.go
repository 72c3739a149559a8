package finder

import (
	"context"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// dovecot24 is of what Dovecot 2.4.1 of Debian 13 prints of its configuration, where that names
// a second certificate, too.
const dovecot24 = `dovecot_config_version = 2.4.1
protocols {
  imap = yes
  sieve = yes
}
ssl = yes
ssl_client_cert_file = 
ssl_server_alt_cert_file = 
ssl_server_alt_key_file = 
ssl_server_cert_file = 
ssl_server_key_file = 
service imap-login {
  inet_listener imap {
    port = 0
  }
  inet_listener imaps {
  }
}
service pop3-login {
  inet_listener pop3 {
  }
  inet_listener pop3s {
  }
}
service imap {
  unix_listener imap {
  }
}
ssl_server {
  alt_cert_file = /etc/dovecot/private/rsa.pem
  alt_key_file = /etc/dovecot/private/rsa.key
  cert_file = /etc/dovecot/private/dovecot.pem
  key_file = /etc/dovecot/private/dovecot.key
}
service managesieve-login {
  inet_listener sieve {
    port = 4190
  }
  inet_listener sieve_deprecated {
    port = 2000
  }
}
`

func TestDovecot24(t *testing.T) {
	run := func(_ context.Context, argv ...string) ([]byte, error) {
		if strings.Join(argv, " ") != "doveconf -c /etc/dovecot/dovecot.conf -a" {
			t.Errorf("asked: %q", argv)
		}
		return []byte(dovecot24), nil
	}
	found := Found{}
	got := Host{Files: fstest.MapFS{"etc/dovecot/dovecot.conf": {}}, Run: run}.dovecot(t.Context(), found.note)
	want := []Server{{
		Program: "Dovecot", Ports: []uint16{993, 2000, 4190}, Check: [][]string{{"doveconf", "-n"}}, Reload: [][]string{{"doveadm", "reload"}},
		Reads: []Reads{
			{Cert: "/etc/dovecot/private/dovecot.pem", Key: "/etc/dovecot/private/dovecot.key", Name: "ssl_server_cert_file"},
			{Cert: "/etc/dovecot/private/rsa.pem", Key: "/etc/dovecot/private/rsa.key", Name: "ssl_server_alt_cert_file"},
		},
	}}
	if diff := cmp.Diff(want, got); diff != "" || found.Notes != nil {
		t.Errorf("want -, got +:\n%s%q", diff, found.Notes)
	}
}
