package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/tlsaroll/tlsaroll/certwatch"
	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/control"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/agent"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// rolloverOptions are what rollover was asked for.
type rolloverOptions struct {
	Wait      string        `json:"wait,omitempty"` // "", served or retired
	DryRun    bool          `json:"dry_run,omitempty"`
	Emergency bool          `json:"emergency,omitempty"`
	AtOnce    bool          `json:"at_once,omitempty"` // in an emergency, the price is accepted
	TTL       time.Duration `json:"ttl,omitempty"`
}

const (
	untilServed  = "served"
	untilRetired = "retired"
)

func (p *program) rolloverCommand() *cobra.Command {
	var o rolloverOptions
	var files certwatch.Files
	var yes bool
	c := &cobra.Command{
		Use:                   "rollover [--cert FILE --key FILE] [--wait[=served|retired]] [--dry-run] [--ttl TTL] [--emergency [--yes]] LINEAGE",
		DisableFlagsInUseLine: true,
		Short:                 "bring a new certificate into service",
		Long: `
			Publishes the TLSA records of a new certificate beside those that stand, waits until no resolver that obeys
			TTLs can still hold an answer without them, makes the certificate the live one, reloads its services, looks
			whether they serve it, and takes the old records out.

			The pair is copied at once: its files may go. Without --cert it is the one in the staged files, or the
			successor that is on its way already; one whose swap was undone is tried again. Where certificates are
			ordered here (acme:, issue:) and nothing is on its way, one is ordered now.

			Use --emergency when the live key is compromised: tlsaroll never uses that key again. If there is a standby
			key whose record has stood long enough for every cache, its certificate is swapped in without a wait. If there is none, the
			command says which mail is deferred and until when, and asks before it does anything; --yes answers. The
			records of the compromised key are taken out as soon as every endpoint presents the new certificate, and
			--wait stays until then. Answers that were signed before can be replayed until their signatures end: it says
			when that is. If someone broke into the whole host, the standby key and the key of the successor have leaked
			as well: first run tlsaroll cancel LINEAGE, and remove STATE/keys/LINEAGE.pem.

			Without --wait one step is made, and the next call of tlsaroll makes the next one: rollover, once, or the
			daemon. With --wait it stays until the new certificate is served and verified, with --wait=retired until the
			old records are gone too. Stopping it loses nothing: the time already waited counts, and a daemon that runs
			goes on by itself.`,
		Example: `
			A manual rollover, watched to its end:
			$ tlsaroll rollover mx1 --cert fullchain.pem --key privkey.pem --wait=retired

			What it would do now:
			$ tlsaroll rollover mx1 --cert fullchain.pem --key privkey.pem --dry-run

			The key has leaked:
			$ tlsaroll rollover mx1 --emergency --wait`,
		Annotations: map[string]string{exitStatus: "0\tdone: with --wait what was waited for, without it all of it\n1\tan error; nothing is lost, and nothing half done\n2\twrong usage or configuration\n3\tit waits, and says for what and until when\n4\tit needs a person, and says what to do"},
		Args:        oneLineage,
		RunE: func(c *cobra.Command, args []string) error {
			if err := o.validate(files, yes); err != nil {
				return err
			}
			if o.Emergency {
				var err error
				if o.AtOnce, err = p.accepted(c.Context(), args[0], files, yes || o.DryRun); err != nil {
					return err
				}
				if o.Wait != "" {
					o.Wait = untilRetired // it is over when the compromised record is gone
				}
			}
			return stopped(p, c.Context(), args[0], p.rollover(c.Context(), o, args[0], files))
		},
	}
	f := c.Flags()
	f.StringVar(&files.Cert, "cert", "", "the new certificate and its issuers, PEM, in `FILE`")
	f.StringVar(&files.Key, "key", "", "its private key, PEM, in `FILE`; without it, in the --cert file, or one that next-key gave a request for")
	f.StringVar(&o.Wait, "wait", "", "stay until `served|retired`: until the new certificate is served and verified, which --wait alone means, or until the old records are retired too")
	f.Lookup("wait").NoOptDefVal = untilServed
	f.BoolVar(&o.DryRun, "dry-run", false, "look, say what would be done now, and change nothing")
	f.DurationVar(&o.TTL, "ttl", 0, "give the RRset another `TTL` first, in a step of its own, as in 30m; a wait that has begun gets no shorter")
	f.BoolVar(&o.Emergency, "emergency", false, "the live key is compromised: swap at once, and take its records out as soon as every endpoint presents the new certificate")
	f.BoolVar(&yes, "yes", false, "accept what --emergency costs: do not ask back")
	return c
}

// oneLineage wants one argument, and knows who wrote --wait retired.
func oneLineage(c *cobra.Command, args []string) error {
	for _, goal := range []string{untilServed, untilRetired} {
		if len(args) == 2 && slices.Contains(args, goal) && c.Flags().Changed("wait") {
			return usage(fmt.Errorf("--wait %s: an optional value needs an equals sign (hint: --wait=%s)", goal, goal))
		}
	}
	return exactlyOne("LINEAGE")(c, args)
}

// validate says all that is wrong with what was asked for.
func (o rolloverOptions) validate(files certwatch.Files, yes bool) error {
	var errs []error
	if files.Key != "" && files.Cert == "" {
		errs = append(errs, errors.New("--key without --cert (hint: name the certificate's file too)"))
	}
	if o.Wait != "" && o.Wait != untilServed && o.Wait != untilRetired {
		errs = append(errs, fmt.Errorf("--wait=%s: unknown (hint: served or retired)", o.Wait))
	}
	if o.TTL < 0 || o.TTL != o.TTL.Truncate(time.Second) || o.TTL > 7*24*time.Hour {
		errs = append(errs, fmt.Errorf("--ttl %s: not from 1s to 168h, in whole seconds (hint: --ttl 1h)", o.TTL))
	}
	if yes && !o.Emergency {
		errs = append(errs, errors.New("--yes without --emergency: nothing is asked (hint: leave it out)"))
	}
	if o.DryRun && o.Wait != "" {
		errs = append(errs, errors.New("--dry-run does not wait (hint: leave one out)"))
	}
	if len(errs) > 0 {
		return usage(errs...)
	}
	return nil
}

// rollover sends the errand, with the pair that was named.
func (p *program) rollover(ctx context.Context, o rolloverOptions, lineage string, files certwatch.Files) error {
	if files.Cert == "" {
		return p.errand(ctx, "rollover", lineage, o)
	}
	return p.handIn(ctx, "rollover", lineage, o, files)
}

// stopped says what becomes of a rollover that somebody stops watching in a daemon.
func stopped(p *program, ctx context.Context, lineage string, err error) error {
	if err == nil || ctx.Err() == nil || !errors.Is(err, ctx.Err()) {
		return err
	}
	p.ui.say("stopped watching; the daemon goes on", "tlsaroll rollover "+lineage+" --wait watches again")
	return &exitCode{code: exitWaiting}
}

// rollover brings a pair into service, see the command.
func (o *office) rollover(ctx context.Context, r control.Request) error {
	asked, err := options[rolloverOptions](r)
	if err != nil {
		return err
	}
	take := taking(o.acting)
	if asked.DryRun {
		take = o.looking
	}
	return with(take, r.Lineage, func(a *agent.Agent) error {
		orders := rollover.Orders{Retry: true, Emergency: asked.Emergency, AtOnce: asked.AtOnce, TTL: asked.TTL}
		if asked.Emergency {
			if orders.Leaked, err = o.leaked(a, r); err != nil {
				return err
			}
		}
		id, err := o.newPair(ctx, a, r, asked)
		if err != nil {
			return err
		}
		if err := a.Order(r.Lineage, orders); err != nil {
			return err
		}
		job := &job{office: o, agent: a, lineage: r.Lineage, goal: asked.Wait, want: id, shown: newProgress(o.ui, r.Lineage)}
		switch {
		case asked.DryRun:
			return job.dryRun(ctx)
		case asked.Wait == "":
			return job.step(ctx)
		}
		return job.stay(ctx)
	})
}

// take copies the pair that was handed in into the stash. One that nobody may use is
// refused before anything is looked at.
func (o *office) take(a *agent.Agent, r control.Request) (tlsa.ChainID, error) {
	if r.Pair == nil {
		return "", nil
	}
	where := r.Pair.ChainFile
	pair, err := pairOf(a, r)
	if err != nil {
		return "", err
	}
	if err := a.Fits(r.Lineage, pair); err != nil {
		return "", fmt.Errorf("%s: %w", where, err)
	}
	state, _, err := a.State(r.Lineage)
	if err != nil {
		return "", err
	}
	if why := state.AgainstKey(r.Lineage, pair.Chain); why != nil { // else a pass of the daemon's may hear it, and nobody is told
		return "", &exitCode{exitPerson, fmt.Errorf("%s: %s: %s", where, why.Code, why.Text)}
	}
	if err := pair.InDate(o.now()); errors.Is(err, certwatch.ErrExpired) {
		return "", fmt.Errorf("%s: %w", where, err)
	} else if err != nil {
		o.ui.warn(fmt.Sprintf("%s: not valid before %s", where, rollover.Stamp(pair.Chain.Leaf().NotBefore)), "its record is published now, and it is swapped in then; if it should be valid, is the clock right")
	}
	for _, text := range r.Pair.Findings {
		o.ui.warn(text, "")
	}
	for _, host := range a.Uncovered(r.Lineage, pair) {
		o.ui.warn(fmt.Sprintf("%s: the certificate is not for %s", where, host), "DANE-EE does not mind (RFC 7672, section 3.1.1), MTA-STS and mail programs do")
	}
	return a.Offer(r.Lineage, pair)
}
