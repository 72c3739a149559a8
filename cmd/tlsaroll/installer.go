package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"time"

	"github.com/coreos/go-systemd/v22/activation"
	"github.com/spf13/cobra"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/config"
	"github.com/tlsaroll/tlsaroll/rollover/agent"
	"github.com/tlsaroll/tlsaroll/rollover/installer"
)

func (p *program) installerCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "installer",
		Short: "be the part that is root, for a daemon that is not: install pairs and reload servers",
		Long: `
			With installer: in the configuration the daemon can be a user without privileges. It decides, asks name servers
			and keeps the journal; this installs the pairs that it hands over, runs what stands under check: and reload:, and
			does nothing else. systemd passes it the socket, on which the user of installer-user: and root are heard.

			It does what the configuration says, which must belong to root, with all directories on the way to it, and be writable
			to nobody else. A pair comes as content; its key has to fit, and its certificate has to be for every endpoint of the lineage. What
			is installed is kept beside the daemon's state, in /var/lib/tlsaroll-installer: servers that need no copy read live/LINEAGE there.`,
		Example: `
			$ tlsaroll installer -c /etc/tlsaroll/tlsaroll.yaml`,
		Annotations: map[string]string{exitStatus: "0\tit was asked to end\n1\tan error: there is no socket, say\n2\twrong usage or configuration"},
		Args:        noArguments,
		RunE:        func(c *cobra.Command, _ []string) error { return p.install(c.Context()) },
	}
}

// install serves the socket that systemd passed until ctx ends.
func (p *program) install(ctx context.Context) error {
	log := p.daemonLog(func() time.Time { return time.Time{} })
	rules := installerRules{program: p}
	_, unusable := rules.now()
	socket, err := passedSocket()
	switch {
	case err != nil && unusable != nil:
		return usage(unusable)
	case err != nil:
		return err
	case unusable != nil:
		// Who asks hears it, until it is mended. To end instead would have systemd start us again for
		// who waits there, a few times at once, and then give up the socket.
		log.Error("installer: nothing is done until the configuration can be used", "err", unusable)
	}
	s := newService(p.lookupEnv)
	s.ready(log)
	defer s.stopping(log)
	return installer.Server{Rules: rules.now, Now: p.now, Log: log}.Serve(ctx, socket)
}

// passedSocket is the one that systemd listens on (sd_listen_fds(3)).
func passedSocket() (net.Listener, error) {
	files := activation.Files(true)
	if len(files) != 1 {
		return nil, fmt.Errorf("installer: systemd passed %d sockets, and one is wanted (hint: systemctl start tlsaroll-installer.socket)", len(files))
	}
	defer files[0].Close() // the listener has a copy
	l, err := net.FileListener(files[0])
	if err != nil {
		return nil, fmt.Errorf("installer: %w", err)
	}
	if _, ok := l.(*net.UnixListener); !ok {
		return nil, errors.Join(errors.New("installer: the socket that systemd passed is no Unix one (hint: ListenStream= wants a path)"), l.Close())
	}
	return l, nil
}

// installerRules reads root's configuration, again whenever it was changed.
type installerRules struct {
	*program
	read  fs.FileInfo
	rules installer.Rules
}

func (r *installerRules) now() (installer.Rules, error) {
	if err := installer.Trusted(r.configFile); err != nil {
		return installer.Rules{}, fmt.Errorf("installer: %w", err)
	}
	info, err := os.Stat(r.configFile)
	if err != nil {
		return installer.Rules{}, fmt.Errorf("installer: %w", err)
	}
	if r.read != nil && os.SameFile(r.read, info) && r.read.ModTime().Equal(info.ModTime()) && r.read.Size() == info.Size() {
		return r.rules, nil
	}
	rules, err := r.load()
	if err == nil {
		r.read, r.rules = info, rules
	}
	return rules, err
}

func (r *installerRules) load() (installer.Rules, error) {
	l := loader()
	l.SkipSecrets = true // none is needed here
	cfg, _, err := l.Load(r.configFile)
	if err != nil {
		return installer.Rules{}, err
	}
	if cfg.Installer == "" {
		return installer.Rules{}, fmt.Errorf("%s: installer: not set, so that the daemon installs itself (hint: write installer: /run/tlsaroll-installer.sock, or disable the unit)", r.configFile)
	}
	if err := trustedState(installer.StateOf(cfg.State)); err != nil {
		return installer.Rules{}, fmt.Errorf("installer: state: %w", err)
	}
	rules := installer.Rules{Sites: map[string]installer.Site{}}
	if rules.User, err = uidOf(cfg.InstallerUser); err != nil {
		return rules, err
	}
	for _, c := range cfg.Lineages {
		lineage, err := wireLineage(c)
		if err != nil {
			return rules, err
		}
		rules.Sites[c.Name] = agent.Site(cfg.State, lineage)
	}
	return rules, nil
}

// trustedState looks at the directory of root's own copies, or at where it is to be made: who
// may write there has root write elsewhere.
func trustedState(dir string) error {
	err := installer.Trusted(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return installer.Trusted(filepath.Dir(dir))
	}
	return err
}

// actsAs refuses to change anything in a state directory that is another user's: what root
// leaves there the daemon cannot read.
func actsAs(cfg *config.Config) error {
	if cfg.Installer == "" {
		return nil
	}
	uid, err := uidOf(cfg.InstallerUser)
	if err == nil && int(uid) != os.Geteuid() {
		return usage(fmt.Errorf("installer-user: %s belongs to %s, and this is uid %d (hint: systemctl start tlsaroll-unprivileged; or runuser -u %[2]s -- tlsaroll)", cfg.State, cfg.InstallerUser, os.Geteuid()))
	}
	return err
}

// uidOf takes a number too, as users from LDAP are not found by name.
func uidOf(name string) (uint32, error) {
	number := name
	if u, err := user.Lookup(name); err == nil {
		number = u.Uid
	}
	uid, err := strconv.ParseUint(number, 10, 31)
	if err != nil {
		return 0, fmt.Errorf("installer-user: unknown user %q (hint: make it with systemd-sysusers, see examples/systemd)", name)
	}
	return uint32(uid), nil
}
