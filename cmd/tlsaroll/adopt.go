package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tlsaroll/tlsaroll/certwatch"
	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/control"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/agent"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

func (p *program) adoptCommand() *cobra.Command {
	var cert, key string
	var o adoptOptions
	c := &cobra.Command{
		Use:                   "adopt [--cert FILE --key FILE] [--record RECORD]... [--dry-run] LINEAGE",
		DisableFlagsInUseLine: true,
		Short:                 "take over the certificate and the records that are in service",
		Long: `
			For the first use: copies the pair that the endpoints serve, makes it the live one, and takes over the TLSA
			records that match it, so that they can be retired when their time comes. Nothing that is served or published
			changes. A pair that is not the one served is refused.

			What is taken over is said before it is done: the pair, the copies that are tlsaroll's alone from then on, the
			records that become ours, and those that stay foreign. With --dry-run nothing is done.

			Without --cert it is the pair that the lineage's install files hold. run, once and rollover do the same by
			themselves where these hold what is served.

			--record makes a record ours that matches no certificate of ours, so that it may be taken out.`,
		Example: `
			$ tlsaroll adopt mx1 --cert /etc/postfix/tls/mx1.pem

			What it would take over:
			$ tlsaroll adopt mx1 --dry-run`,
		Annotations: map[string]string{exitStatus: "0\tdone\n1\tan error\n2\twrong usage or configuration\n4\tthe pair is not the one that is served"},
		Args:        exactlyOne("LINEAGE"),
		RunE: func(c *cobra.Command, args []string) error {
			return p.adopt(c.Context(), args[0], certwatch.Files{Cert: cert, Key: key}, o)
		},
	}
	c.Flags().StringVar(&cert, "cert", "", "the certificate in service and its issuers, PEM, in `FILE`")
	c.Flags().StringVar(&key, "key", "", "its private key, PEM, in `FILE`; without it, in the --cert file")
	c.Flags().StringArrayVar(&o.Records, "record", nil, "make `RECORD`, as in \"3 1 1 ab…\", ours; may be given more than once")
	c.Flags().BoolVar(&o.DryRun, "dry-run", false, "look, say what would be taken over, and change nothing")
	return c
}

// adoptOptions are what adopt was asked for.
type adoptOptions struct {
	Records []string `json:"records,omitempty"` // become ours
	DryRun  bool     `json:"dry_run,omitempty"`
}

// adopt sends the errand, with the pair that was named.
func (p *program) adopt(ctx context.Context, lineage string, files certwatch.Files, o adoptOptions) error {
	if files.Key != "" && files.Cert == "" {
		return usage(errors.New("--key without --cert (hint: name the certificate's file too)"))
	}
	if _, err := parseRecords(o.Records); err != nil {
		return usage(err)
	}
	if files.Cert == "" {
		return p.errand(ctx, "adopt", lineage, o)
	}
	return p.handIn(ctx, "adopt", lineage, o, files)
}

// adopt takes over what is in service, see the command.
func (o *office) adopt(ctx context.Context, r control.Request) error {
	asked, err := options[adoptOptions](r)
	if err != nil {
		return err
	}
	records, err := parseRecords(asked.Records)
	if err != nil {
		return usage(err)
	}
	take := taking(o.acting)
	if asked.DryRun {
		take = o.looking
	}
	return with(take, r.Lineage, func(a *agent.Agent) error {
		var pair certwatch.Pair
		if r.Pair != nil {
			if pair, err = pairOf(a, r); err != nil {
				return err
			}
		}
		if asked.DryRun {
			return o.foretell(ctx, a, r, pair, records)
		}
		if err := o.beforehand(ctx, a, r, pair, records); err != nil {
			return err
		}
		if r.Pair != nil {
			if err := a.Adopt(r.Lineage, pair); err != nil {
				return err
			}
		}
		report, err := o.onceOver(ctx, a, r.Lineage)
		if err != nil {
			return err
		}
		o.failed(report)
		if err := o.adopted(report, r, pair); err != nil {
			return err
		}
		if len(records) > 0 {
			if err := a.Own(r.Lineage, records...); err != nil {
				return err
			}
		}
		s, err := lastStatus(a, r.Lineage)
		if err != nil {
			return err
		}
		o.ui.result(s.Explain(a.Now()))
		return nil
	})
}

// foretell looks, and says what would be taken over, or why nothing.
func (o *office) foretell(ctx context.Context, a *agent.Agent, r control.Request, pair certwatch.Pair, records []tlsa.Association) error {
	if r.Pair != nil {
		if err := a.Adopt(r.Lineage, pair); err != nil {
			return err
		}
	}
	report, err := a.Pass(ctx, r.Lineage)
	if err != nil {
		return err
	}
	t := o.takeoverOf(r.Lineage, report, records)
	if t.pair == nil || t.known {
		if err := o.adopted(report, r, pair); err != nil {
			return err
		}
	}
	if err := t.lacks(records); err != nil {
		return err
	}
	for _, line := range t.lines() {
		o.ui.result(line)
	}
	return nil
}

// beforehand gives foretell an agent that changes nothing: what is said is what comes.
func (o *office) beforehand(ctx context.Context, a *agent.Agent, r control.Request, pair certwatch.Pair, records []tlsa.Association) (err error) {
	dry, err := a.Dry()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dry.Close()) }()
	return o.foretell(ctx, dry, r, pair, records)
}

// adopted says why a lineage still has no live pair, or has another one.
func (o *office) adopted(report agent.Report, r control.Request, pair certwatch.Pair) error {
	l := report.State.Lineages[r.Lineage]
	file := ""
	if r.Pair != nil {
		file = r.Pair.ChainFile
	}
	switch {
	case l.Live == "":
		o.ui.say(string(rollover.CodeNotAdopted)+": "+whyNotAdopted(report, status(report, r.Lineage, report.At), file), "")
		return &exitCode{code: exitPerson}
	case r.Pair != nil && pair.ID() != l.Live:
		return fmt.Errorf("%s: %s has a live pair already, and it is another one (hint: tlsaroll rollover %s brings this one into service)", file, r.Lineage, r.Lineage)
	}
	return nil
}

// whyNotAdopted is one sentence, of all that may be said the one that explains the others.
func whyNotAdopted(r agent.Report, s rollover.LineageStatus, file string) string {
	if why := blind(r, s); why != "" {
		return why
	}
	if at, leaf := presented(s); file != "" && at != "" {
		return fmt.Sprintf("%s: not the pair that is served: %s presents the certificate with SHA-256 %.16s… (hint: hand in the files that the server reads)", file, at, leaf)
	}
	for _, reason := range s.Waiting {
		if reason.Code == rollover.CodeNotAdopted || reason.Code == rollover.CodeAdopting {
			return cmp.Or(unadoptable(s, reason), reason.Text)
		}
	}
	return "no pair is live yet"
}

func parseRecords(records []string) ([]tlsa.Association, error) {
	var as []tlsa.Association
	var errs []error
	for _, text := range records {
		a, err := tlsa.ParseAssociation(text)
		as, errs = append(as, a), append(errs, err)
	}
	return as, errors.Join(errs...)
}
