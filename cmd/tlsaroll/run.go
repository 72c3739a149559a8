package main

import (
	"context"

	"github.com/spf13/cobra"
)

func (p *program) runCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "run",
		Short: "be the daemon: watch, and roll over whatever is due",
		Long: `
			Watches the staged files of every lineage, publishes the records of what is new, waits until no cache can be
			without them, swaps it in, reloads, verifies, and retires the old records. It stays until it gets SIGTERM or
			SIGINT, and loses nothing however it ends.

			Other commands reach it over the control socket. On SIGHUP, as systemctl reload sends it, it reads the
			configuration again: if there is an error in it, the log says so, and the old one stays in force. Where state:,
			control:, control-group:, listen: or web: change, it has to be restarted. Under systemd
			it tells when it is ready, and feeds the watchdog as long as it works. The log goes to standard error; each line
			ends with when it looks again.`,
		Example: `
			$ tlsaroll run -c /etc/tlsaroll/tlsaroll.yaml`,
		Annotations: map[string]string{exitStatus: "0\tit was asked to end\n1\tan error: another one runs, or the state directory cannot be used\n2\twrong usage or configuration"},
		Args:        noArguments,
		RunE:        func(c *cobra.Command, _ []string) error { return p.runDaemon(c.Context()) },
	}
}

func (p *program) runDaemon(ctx context.Context) error {
	hangups, ignore := p.hangups() // from the start: one that comes early must not end us
	defer ignore()
	d, err := p.startDaemon(ctx)
	if err != nil {
		return err
	}
	return d.live(ctx, hangups)
}
