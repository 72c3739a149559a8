package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/renameio/v2"
	"github.com/spf13/cobra"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/config"
)

// nextKeyOptions are what next-key was asked for.
type nextKeyOptions struct {
	csr bool
	out string
}

func (p *program) nextKeyCommand() *cobra.Command {
	var o nextKeyOptions
	c := &cobra.Command{
		Use:                   "next-key [--csr] [--out FILE] LINEAGE",
		DisableFlagsInUseLine: true,
		Short:                 "hand the key of the next certificate to another ACME client",
		Long: `
			Under a scheme with standby the key of the next certificate is made ahead, and its record is published long
			before there is a certificate for it. A certificate of that key is swapped in without a wait. This gives the
			key, in PEM, to the ACME client that orders the certificate. With --csr it gives a certificate request for the
			key and for the hosts of the lineage's endpoints instead, so that the key never leaves the state directory: a
			certificate that comes back without its key, in staged files or by hook or rollover, gets it from there.

			It does not make the key: the first pass of the daemon, or of once, does. When the key's certificate is live and
			is seen to be served, the next key is made. A key is never shown on a terminal.`,
		Example: `
			A certificate request for lego, which needs no key then:
			$ tlsaroll next-key --csr --out mx1.csr mx1
			$ lego … --csr mx1.csr renew --renew-hook "tlsaroll hook --lineage mx1 --cert mx1.example.org.crt"

			The key itself, for certbot or another client:
			$ tlsaroll next-key --out /root/mx1-next.key mx1`,
		Annotations: map[string]string{exitStatus: "0\tprinted, or written\n1\tan error: there is no key yet, or it cannot be read\n2\twrong usage or configuration: the lineage has no standby key"},
		Args:        exactlyOne("LINEAGE"),
		RunE:        func(_ *cobra.Command, args []string) error { return p.nextKey(args[0], o) },
	}
	c.Flags().BoolVar(&o.csr, "csr", false, "print a certificate request for the key instead of the key")
	c.Flags().StringVar(&o.out, "out", "", "write it to `FILE`, whole or not at all; only the owner can read a key")
	return c
}

// nextKey reads the state directory itself, whoever has the journal: a key never goes
// over the control socket, and only root can read it.
func (p *program) nextKey(lineage string, o nextKeyOptions) error {
	if !o.csr && o.out == "" && p.ui.readable {
		return usage(errors.New("next-key: a private key is not for a terminal (hint: --out FILE, a pipe, or --csr for a certificate request)"))
	}
	cfg, err := p.withoutSecrets()
	if err != nil {
		return err
	}
	l, err := standbyLineage(cfg, lineage)
	if err != nil {
		return usage(err)
	}
	key, err := keyring(cfg).Next(lineage)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("next-key: %s has no standby key yet (hint: the daemon makes it with its next pass, and so does tlsaroll once)", lineage)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("next-key: %w (hint: only root may have it)", err)
	case err != nil:
		return fmt.Errorf("next-key: %w", err)
	}
	content, mode := key.PEM(), fs.FileMode(0o600)
	if o.csr {
		mode = 0o644
		if content, err = key.CSR(hostsOf(l)...); err != nil {
			return fmt.Errorf("next-key: %s: %w", lineage, err)
		}
	}
	if o.out == "" {
		p.ui.result(strings.TrimSuffix(string(content), "\n"))
		return nil
	}
	if err := writeOut(o.out, content, mode); err != nil {
		return fmt.Errorf("next-key: --out: %w (hint: nothing was written)", err)
	}
	return nil
}

// writeOut puts a file in its place whole, whatever mode was there before.
func writeOut(path string, content []byte, mode fs.FileMode) error {
	file, err := renameio.NewPendingFile(path, renameio.WithTempDir(filepath.Dir(path)), renameio.WithStaticPermissions(mode))
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	if err == nil {
		err = file.CloseAtomicallyReplace()
	}
	if err != nil {
		return errors.Join(err, file.Cleanup())
	}
	return nil
}

// standbyLineage is a lineage whose standby key is made here.
func standbyLineage(cfg *config.Config, name string) (config.Lineage, error) {
	var names []string
	for _, l := range cfg.Lineages {
		names = append(names, l.Name)
		if l.Name != name {
			continue
		}
		if !l.Scheme.Standby {
			return l, fmt.Errorf("next-key: lineage %s has no standby key: its scheme is %s (hint: write scheme: %s+standby)", name, l.Scheme, l.Scheme)
		}
		if theirs := nextKeyFile(l.Staged); theirs != "" {
			return l, fmt.Errorf("next-key: lineage %s: its ACME client makes its next key itself, in %s (hint: hand that over, or write staged: {cert: …} for a client that takes a request)", name, theirs)
		}
		return l, nil
	}
	return config.Lineage{}, fmt.Errorf("no lineage %q (hint: the configuration has: %s)", name, list(names))
}

// hostsOf are the hosts of a lineage's endpoints, in their order.
func hostsOf(l config.Lineage) []string {
	var hosts []string
	for _, e := range l.Endpoints {
		if !slices.Contains(hosts, e.Host) {
			hosts = append(hosts, e.Host)
		}
	}
	return hosts
}
