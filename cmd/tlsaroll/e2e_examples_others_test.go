package main

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/lab"
)

// serve starts a server at the host's address with the lines of a file of the example.
func (n *neighbour) serve(kind lab.ServerKind, file string, table ...aReplacement) *lab.MailServer {
	n.t.Helper()
	return n.Serve(n.t, lab.Serving{Kind: kind, Host: n.name, At: n.at, Port: n.ports[0], Config: filled(n.t, n.example+"/"+file, table...)})
}

// tls is a path of the example's for keys, with what a server reads there at first.
func (n *neighbour) tls(name string, parts ...string) string {
	n.t.Helper()
	path := filepath.Join(n.dir, "tls", name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		n.t.Fatal(err)
	}
	n.write(path, strings.Join(parts, ""))
	return path
}

// tlsDir is a directory of the example's with both files of a pair.
func (n *neighbour) tlsDir(p *lab.Pair) string {
	n.t.Helper()
	n.tls("mx1/fullchain.pem", n.read(p.Fullchain()))
	return filepath.Dir(n.tls("mx1/privkey.pem", n.read(p.Privkey())))
}

func (n *neighbour) haproxy(first *lab.Pair) []aReplacement {
	n.t.Helper()
	pem := n.tls("mx1.pem", n.read(first.Fullchain()), n.read(first.Privkey()))
	behind := n.Postfix.Addr.String() // whose words go through, whatever the port
	s := n.serve(lab.HAProxy, "haproxy.cfg.snippet",
		aReplacement{"/etc/haproxy/tls/mx1.pem", pem},
		aReplacement{"bind :", "bind " + n.at.String() + ":"},
		aReplacement{"192.0.2.10:10465 send-proxy-v2", behind},
		aReplacement{"192.0.2.10:10143 send-proxy-v2", behind},
		aReplacement{"192.0.2.10:10025 send-proxy-v2", behind},
	)
	return []aReplacement{
		{"/etc/haproxy/tls/mx1.pem", pem},
		{"/etc/haproxy/haproxy.cfg", s.Config},
		{"[systemctl, reload, haproxy]", argv(s.Reload)},
	}
}

func (n *neighbour) exim(first *lab.Pair) []aReplacement {
	n.t.Helper()
	pem, group := n.tls("mx1.pem", n.read(first.Fullchain()), n.read(first.Privkey())), lab.EximGroup(n.t)
	n.mayRead(group, pem)
	s := n.serve(lab.Exim, "exim4.conf.localmacros.snippet", aReplacement{"/etc/exim4/tls/mx1.pem", pem})
	return []aReplacement{
		{"/etc/exim4/tls/mx1.pem", pem},
		{"root:Debian-exim", "root:" + group},
		{"[exim4, -bV]", argv(s.Check)},
	}
}

// mayRead lets a group read a file of the example, and enter its directory.
func (n *neighbour) mayRead(group, file string) {
	n.t.Helper()
	gid, err := strconv.Atoi(group)
	dir := filepath.Dir(file)
	if err := errors.Join(err, os.Chown(dir, 0, gid), os.Chmod(dir, 0o750), os.Chown(file, 0, gid), os.Chmod(file, 0o640)); err != nil {
		n.t.Fatal(err)
	}
}

func (n *neighbour) dovecot(first *lab.Pair) []aReplacement {
	n.t.Helper()
	dir := n.tlsDir(first)
	s := n.serve(lab.Dovecot, "dovecot.conf.snippet", aReplacement{"/etc/dovecot/tls/mx1", dir})
	return []aReplacement{
		{"/etc/dovecot/tls/mx1", dir},
		{"[doveconf, -n]", argv([]string{"doveconf", "-n", "-c", s.Config})},
		{"[systemctl, reload, dovecot]", argv(s.Reload)},
	}
}

func (n *neighbour) sendmail(first *lab.Pair) []aReplacement {
	n.t.Helper()
	dir := n.tlsDir(first)
	s := n.serve(lab.Sendmail, "sendmail.mc.snippet", aReplacement{"/etc/mail/tls/mx1", dir})
	return []aReplacement{
		{"/etc/mail/tls/mx1", dir},
		{"[systemctl, reload, sendmail]", argv(s.Reload)},
	}
}

// refused wants that no handshake failed but for want of a connection, at one moment: what a
// sender tries again.
func (n *neighbour) refused(hammer *lab.Tally, atLeast int) {
	n.t.Helper()
	if err := hammer.Until(n.t.Context(), func(c lab.Counts) bool { return c.Total >= atLeast }); err != nil {
		n.t.Error(err)
	}
	counts := hammer.Stop()
	n.t.Log(counts)
	if other := counts.Failed - counts.ByOutcome[lab.NoTLS]; other > 0 || counts.Total < atLeast {
		n.t.Errorf("%d of %d handshakes failed for another reason than that nobody answered", other, counts.Total)
	}
	if span := counts.LastFailure.Sub(counts.FirstFailure); span > 3*time.Second {
		n.t.Errorf("it took no connections for %s", span)
	}
}
