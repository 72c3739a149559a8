package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/renameio/v2"
	"github.com/spf13/cobra"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/config"
	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/control"
	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/draft"
)

// initOptions are what init was asked.
type initOptions struct {
	draft.Answers
	yes, force bool
	output     string // "": the configuration's place; "-": standard output
	resolver   string
	secret     string // of the TSIG key
}

func (p *program) initCommand() *cobra.Command {
	var o initOptions
	c := &cobra.Command{
		Use:                   "init [--yes] [--host NAME]... [--provider TYPE] [--tsig FILE] [--cert CLIENT:NAME]... [--mail ADDRESS] [--resolver ADDRESS] [--output FILE] [--force]",
		DisableFlagsInUseLine: true,
		Short:                 "write a configuration from what is found on this host",
		Long: `
			Looks for certificates of lego, certbot, acme.sh and dehydrated; for Postfix, Exim, OpenSMTPD and Dovecot, and which
			files they read; for a resolver that validates; in DNS for the zone of the mail host, its servers and the TLSA
			records that stand; and for BIND, Knot, PowerDNS or NSD as the zone's primary. It asks for what it
			cannot find, writes a configuration with a reason for each choice, prints what you have to do by hand, and shows
			the plan.

			If the zone takes dynamic updates, it reads the TSIG key from a file, and writes only the secret beside the
			configuration. Nothing else is changed: no mail server, no DNS, no daemon. An existing file is not overwritten
			without --force.

			With --yes nothing is asked. If a choice would be a guess, nothing is written, and the error names the option
			that decides it.`,
		Example: `
			$ tlsaroll init

			Without a terminal:
			$ tlsaroll init --yes --host mx1.example.org --tsig /root/tlsaroll.key

			Only to see it:
			$ tlsaroll init --yes --output -`,
		Annotations: map[string]string{exitStatus: "0\tthe configuration is written\n1\tan error\n2\twrong usage; a choice that would be a guess; a file that is there", files: defaultConfig + "\tthe configuration"},
		Args:        noArguments,
		RunE:        func(c *cobra.Command, _ []string) error { return p.init(c.Context(), o) },
	}
	f := c.Flags()
	f.BoolVar(&o.yes, "yes", false, "ask nothing")
	f.StringArrayVar(&o.Hosts, "host", nil, "the mail host is called `NAME` in MX records; may be given more than once")
	f.StringVar(&o.Provider, "provider", "", "the zone is changed through a provider of `TYPE`, see tlsaroll provider list")
	f.StringVar(&o.TSIG, "tsig", "", "the key for dynamic updates is in `FILE`, as tsig-keygen or keymgr prints it")
	f.StringArrayVar(&o.Certs, "cert", nil, "its certificates come from `CLIENT:NAME`, as in certbot:mx1.example.org; may be given more than once")
	f.StringVar(&o.Mail, "mail", "", "`ADDRESS` is told when something is wrong")
	f.StringVar(&o.resolver, "resolver", "", "the validating resolver is at `ADDRESS`, as in 127.0.0.1 or [::1]:5353")
	f.StringVar(&o.output, "output", "", "write to `FILE` instead of the configuration's place; - is standard output")
	f.BoolVar(&o.force, "force", false, "write over a file that is there")
	return c
}

// init finds, asks and writes, see the command.
func (p *program) init(ctx context.Context, o initOptions) error {
	if o.output == "" {
		o.output = p.configFile
	}
	if o.output != "-" {
		var err error
		if o.output, err = filepath.Abs(o.output); err != nil {
			return err
		}
	}
	if err := p.initWrong(&o); err != nil {
		return usage(err)
	}
	w, err := p.initWorld(ctx, o)
	if err != nil {
		return err
	}
	o, err = p.settle(ctx, &w, o)
	if err != nil {
		return err
	}
	if ctx.Err() != nil { // and what DNS did not say for it would be taken for what it says
		return errStopped
	}
	d := w.Write(o.Answers)
	if err := p.draftLoads(d); err != nil {
		return err
	}
	if o.output == "-" {
		p.ui.result(strings.TrimSuffix(d.YAML, "\n"))
		p.tellSteps(p.sayPlain, d)
		if o.secret != "" {
			p.sayPlain("the secret of " + o.Key.Name + " was not written: " + w.SecretFile() + " is to have it alone, mode 0600")
		}
		return nil
	}
	if err := writeDraft(o.output, d); err != nil {
		return err
	}
	p.ui.result("wrote " + o.output + ": " + list(d.Lineages))
	if o.secret != "" {
		if err := renameio.WriteFile(w.SecretFile(), []byte(o.secret+"\n"), 0o600, renameio.IgnoreUmask()); err != nil {
			return fmt.Errorf("%s: %w", w.SecretFile(), fileError(w.SecretFile(), err))
		}
		p.ui.result("wrote " + w.SecretFile() + ": the secret of " + o.Key.Name + ", out of " + o.TSIG)
	}
	p.tellSteps(p.ui.result, d)
	p.configFile = o.output
	p.showPlan(ctx, w, d)
	p.tellNext(w, d)
	return nil
}

// initWrong says what of the command line cannot be, before anything is looked at.
func (p *program) initWrong(o *initOptions) error {
	var errs []error
	for i, name := range o.Hosts {
		host, err := config.Host(name)
		if err == nil && !strings.Contains(host, ".") {
			err = errors.New("no full name (hint: write it whole, as in mx1.example.org)")
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("--host %q: %w", name, err))
		}
		o.Hosts[i] = host
	}
	o.Hosts = once(o.Hosts)
	if o.Provider != "" {
		known := draft.World{Types: providerTypes()}
		if refused, ok := refusedTypes()[o.Provider]; ok {
			errs = append(errs, fmt.Errorf("--provider %s: not supported: %s (hint: %s)", o.Provider, refused.Reason, refused.Instead))
		} else if what, hint := known.WrongProvider(o.Provider); what != "" {
			errs = append(errs, fmt.Errorf("--provider %s: %s (hint: %s)", o.Provider, what, hint))
		}
	}
	if o.resolver != "" {
		if _, err := parseResolver(o.resolver); err != nil {
			errs = append(errs, err)
		}
	}
	secret := (draft.World{File: o.output}).SecretFile()
	switch info, err := os.Stat(o.output); {
	case o.output == "-":
	case err == nil && info.IsDir():
		errs = append(errs, fmt.Errorf("%s: is a directory (hint: --output %s)", o.output, filepath.Join(o.output, filepath.Base(defaultConfig))))
	case o.force:
	case stands(o.output):
		errs = append(errs, fmt.Errorf("%s: is there already (hint: tlsaroll check says whether it is in order; --force writes over it, --output FILE elsewhere, and --output - shows what would be written)", o.output))
	case o.TSIG != "" && stands(secret):
		errs = append(errs, fmt.Errorf("--tsig %s: %s is there already (hint: without --tsig it is used as it is; --force writes over it)", o.TSIG, secret))
	}
	if !o.yes && !p.ui.asks() {
		errs = append(errs, errors.New("init: nobody sits at a terminal who could be asked (hint: --yes asks nothing)"))
	}
	return errors.Join(errs...)
}

// draftLoads wants the draft to be a configuration without a fault: whatever was found, a
// person can go on from what is written. Secrets may be yet to come.
func (p *program) draftLoads(d draft.Draft) (err error) {
	dir, err := os.MkdirTemp("", "tlsaroll-init-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	file := filepath.Join(dir, "tlsaroll.yaml")
	if err := os.WriteFile(file, []byte(d.YAML), 0o600); err != nil {
		return err
	}
	l := loader()
	l.SkipSecrets = true
	_, warnings, err := l.Load(file)
	for _, w := range warnings {
		p.ui.warn(w.Error(), "")
	}
	if err != nil {
		return fmt.Errorf("init: nothing was written, as the configuration would not be valid:\n%w", err)
	}
	return nil
}

// writeDraft writes it in one step; a directory that is made for it is its owner's alone.
func writeDraft(file string, d draft.Draft) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return fmt.Errorf("%s: %w", filepath.Dir(file), fileError(filepath.Dir(file), err))
	}
	if err := renameio.WriteFile(file, []byte(d.YAML), 0o600, renameio.IgnoreUmask()); err != nil {
		return fmt.Errorf("%s: %w", file, fileError(file, err))
	}
	return nil
}

// showPlan shows what tlsaroll plan would, by the same way. That it cannot be told yet is no
// fault of the configuration.
func (p *program) showPlan(ctx context.Context, w draft.World, d draft.Draft) {
	var lacks []string
	for _, file := range d.Secrets {
		lacks = append(lacks, file+" is not there yet")
	}
	for _, setting := range d.Unfinished {
		lacks = append(lacks, setting+" is an example's")
	}
	if w.Blind != "" {
		lacks = append(lacks, w.Blind)
	}
	p.ui.result("")
	if len(lacks) > 0 {
		p.ui.result("no plan can be told yet: " + strings.Join(lacks, "; "))
		return
	}
	if d.Moves {
		p.ui.result("the plan, as tlsaroll plan tells it, which is another one when the steps above are done:")
	} else {
		p.ui.result("the plan, as tlsaroll plan tells it:")
	}
	r := control.Request{Version: p.version, Command: "plan", Args: []byte("{}"), Terminal: p.ui.facts()}
	err := (&office{program: p, keeper: &own{program: p}}).carry(ctx, r)
	for _, line := range findings(err) {
		p.ui.warn("no plan can be told yet: "+line, "")
	}
}

// stands reports whether something would be written over, if only a link that leads nowhere.
func stands(file string) bool {
	_, err := os.Lstat(file)
	return err == nil
}

// isThere reports whether a file is there.
func isThere(file string) bool {
	_, err := os.Stat(file)
	return !errors.Is(err, fs.ErrNotExist)
}
