package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tlsaroll/tlsaroll/rollover/audit"
)

// checkOptions are what check was asked.
type checkOptions struct {
	hosts    bool
	list     string
	json     bool
	csv      string
	html     string
	thorough bool
	verbose  bool
	resolver string
	trust    bool
	parallel int
	roots    string

	tlsrpt bool
	nagios bool

	config bool // a configuration was named
}

func (p *program) checkCommand() *cobra.Command {
	var o checkOptions
	var sender senderOptions
	c := &cobra.Command{
		Use:                   "check [--host] [--file LIST] [--json] [--nagios] [--csv FILE] [--html FILE] [--thorough] [--verbose] [--resolver ADDRESS [--trust-resolver]] [--parallel N] [--roots FILE] [DOMAIN]... | check --sender --listen ADDRESS [OPTION]...",
		DisableFlagsInUseLine: true,
		Short:                 "say whether mail to a domain arrives, with DANE, without, or not at all",
		Long: `
			Looks at each mail domain as its senders do (RFC 7672) and as the Dutch test site Internet.nl does: MX records,
			TLSA records at every authoritative server and through a validating resolver, what every address of every MX host
			presents, MTA-STS. It says what becomes of mail, by how the sender behaves; what is wrong, and what to do about it;
			and what the next renewal of a certificate will meet. Anybody's domain can be checked: no configuration is needed.

			A DOMAIN written as mx1.example.org:25, smtp://mx1.example.org or imaps://mail.example.org is that service
			alone. With --host each is taken for an MX host. Names in any script and with a final dot will do.

			Only a resolver that validates DNSSEC can tell what is signed: the one of --resolver, of the configuration, or the
			first of /etc/resolv.conf if it is on this host.

			Several domains get a line each, with what is to be mended, and a summary; --verbose gives each its page. Ctrl-C
			prints what is known by then.

			Without a DOMAIN it checks this host's own: the configuration, the staged files and the live pairs, the stash,
			and DNS and service of every endpoint. Nothing is changed, and a daemon may run meanwhile.

			With --nagios it is a plugin for Nagios, Icinga and their like: one line with figures, what is to be mended below
			it, nothing on standard error, and their exit codes. An error is UNKNOWN then, whatever it is.

			A FILE that was there before keeps its mode and owner; a new one can be read by its owner alone.

			With --tlsrpt it reads what other mail systems report of their deliveries instead (RFC 8460): each argument is then a
			FILE with a report, as JSON, gzipped JSON or the mail that brought it. It names the failures by host, kind and day,
			and says whether they began in the time of one of our rollovers. Reports are not authenticated: whoever wants to
			can send one.

			With --sender it finds out whether this host's mail server enforces DANE when it sends. It takes mail for scratch
			domains such as wrong.dane-check.ZONE, throws it away, and says what the sender did: where a TLSA record matches,
			where none does, where STARTTLS is not offered, where there is none, where no record is usable, and where only the
			weaker digest matches. A provider of the configuration writes the records, and they are taken out again however
			it ends. The domains' addresses have to stand in the zone; where they do not, it prints the lines. The mail server
			must neither listen at ADDRESS nor take it for its own, in Postfix by inet_interfaces; it may be that of another
			host, where this is run then.`,
		Example: `
			$ tlsaroll check example.org
			$ tlsaroll check --host mx1.example.org
			$ tlsaroll check imaps://mail.example.org

			All domains of a customer list, with a page for the management:
			$ tlsaroll check --file domains.txt --html report.html --csv report.csv

			This host:
			$ tlsaroll check

			As a plugin for Nagios:
			$ tlsaroll check --nagios example.org

			Reports of other mail systems (TLSRPT):
			$ tlsaroll check --tlsrpt reports/*.eml

			Whether the mail server of this host enforces DANE when it sends:
			$ tlsaroll check --sender --zone example.org --listen 192.0.2.7 --submit`,
		Annotations:       map[string]string{exitStatus: "0\tclean, or warnings only; with --sender: it enforces DANE\n1\tan error, or it is not known whether mail arrives: no resolver validates, say, or no host answers; a report cannot be read; with --sender: too little mail came to tell\n2\twrong usage or configuration; with --sender: also if the zone lacks lines\n4\tsomething breaks mail, or reports name failures; with --sender: it does not enforce DANE\nwith --nagios\t0 OK, 1 WARNING, 2 CRITICAL: something breaks mail, 3 UNKNOWN: not known whether it arrives, or any error"},
		Args:              cobra.ArbitraryArgs,
		ValidArgsFunction: o.complete,
		RunE: func(c *cobra.Command, args []string) error {
			o.config = c.Flags().Changed("config")
			if err := sender.alone(c, args); err != nil {
				return usage(err)
			}
			if sender.wanted {
				sender.json = o.json
				return p.checkSender(c.Context(), sender)
			}
			if o.tlsrpt {
				return p.checkReports(c.Context(), reportOptions{files: args, json: o.json, config: o.config, others: othersThan(c, "tlsrpt", "json", "config")})
			}
			if o.nagios {
				p.plugin.begin(p)
			}
			return p.check(c.Context(), o, args)
		},
	}
	f := c.Flags()
	f.BoolVar(&o.hosts, "host", false, "take each DOMAIN for an MX host")
	f.StringVar(&o.list, "file", "", "check the domains in `LIST`, too: one a line, # begins a comment; - is standard input")
	f.BoolVar(&o.json, "json", false, "print JSON, for programs")
	f.BoolVar(&o.nagios, "nagios", false, "print what Nagios and Icinga want of a plugin, and end with their exit codes")
	f.StringVar(&o.csv, "csv", "", "write a table to `FILE`, a line for each host of each domain; - is standard output")
	f.StringVar(&o.html, "html", "", "write a page for a browser to `FILE`, the worst domains first; - is standard output")
	f.BoolVar(&o.thorough, "thorough", false, "find out every TLS version and cipher suite that each address accepts, with a connection for each")
	f.BoolVar(&o.verbose, "verbose", false, "print the whole page of each domain")
	f.StringVar(&o.resolver, "resolver", "", "look through the validating resolver at `ADDRESS`, as in 127.0.0.1 or [::1]:5353")
	f.BoolVar(&o.trust, "trust-resolver", false, "believe the resolver although it is on another host, because the network on the way there is safe")
	f.IntVar(&o.parallel, "parallel", 50, "look at `N` domains at the same time, 1 to 1000")
	f.StringVar(&o.roots, "roots", "", "use the CA certificates in `FILE`, instead of this host's, as those that browsers trust")
	f.BoolVar(&o.tlsrpt, "tlsrpt", false, "read TLSRPT reports: each argument is a FILE; - is standard input")
	senderFlags(c, &sender)
	return c
}

func (p *program) check(ctx context.Context, o checkOptions, args []string) error {
	targets, errs := p.targets(o, args)
	errs = append(errs, o.wrong()...)
	roots, err := o.rootsOf()
	if err := errors.Join(append(errs, err)...); err != nil {
		return usage(err)
	}
	if len(targets) == 0 && o.hosts {
		return usage(errors.New("--host: no DOMAIN (hint: write mx1.example.org)"))
	}
	if err := p.newSheets(o, 0).try(); err != nil {
		return err
	}
	if len(targets) == 0 {
		return p.checkHere(ctx, o, roots)
	}
	cfg, err := p.checkConfig(o)
	if err != nil {
		return err
	}
	sight, err := p.sight(ctx, o, cfg, roots)
	if err != nil {
		return cmp.Or(interrupted(ctx, 0, len(targets)), err)
	}
	out := p.newSheets(o, len(targets))
	lookAll(ctx, sight, p.now, targets, o.parallel, out.progress, out.add)
	return errors.Join(out.end(p.now()), interrupted(ctx, out.tally.All(), len(targets)))
}

// wrong is what is wrong with the options.
func (o checkOptions) wrong() (errs []error) {
	printed := 0
	for _, one := range []bool{o.json, o.nagios, o.csv == "-", o.html == "-"} {
		if one {
			printed++
		}
	}
	if printed > 1 {
		errs = append(errs, errors.New("--json, --nagios, --csv - and --html - do not go together (hint: standard output has room for one; name a FILE for the others)"))
	}
	if o.csv == o.html && o.csv != "" && o.csv != "-" {
		errs = append(errs, fmt.Errorf("--csv and --html: both are %s (hint: name a FILE for each)", o.csv))
	}
	if o.parallel < 1 || o.parallel > 1000 {
		errs = append(errs, fmt.Errorf("--parallel %d: not from 1 to 1000 (hint: leave it out for 50)", o.parallel))
	}
	return errs
}

// interrupted says that not everything was looked at.
func interrupted(ctx context.Context, looked, all int) error {
	if ctx.Err() == nil || looked == all {
		return nil
	}
	return fmt.Errorf("interrupted: %d of %d were looked at", looked, all)
}

// verdict is the error that says how a check ends: broken wins over blind.
func verdict(worst audit.State) error {
	switch worst {
	case audit.Broken:
		return &exitCode{code: exitPerson}
	case audit.Blind:
		return &exitCode{code: exitError}
	case audit.Clean, audit.Warnings:
	}
	return nil
}
