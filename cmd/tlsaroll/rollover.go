package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/tlsaroll/tlsaroll/certwatch"
	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/agent"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// rolloverOptions are what rollover was asked for.
type rolloverOptions struct {
	cert, key string
	wait      string // "", served or retired
	dryRun    bool
	emergency bool
	yes       bool
	ttl       time.Duration
}

const (
	untilServed  = "served"
	untilRetired = "retired"
)

func (p *program) rolloverCommand() *cobra.Command {
	var o rolloverOptions
	c := &cobra.Command{
		Use:                   "rollover [--cert FILE --key FILE] [--wait[=served|retired]] [--dry-run] [--ttl TTL] [--emergency [--yes]] LINEAGE",
		DisableFlagsInUseLine: true,
		Short:                 "bring a new certificate into service",
		Long: `
			Publishes the TLSA records of a new certificate beside those that stand, waits until no resolver that obeys
			TTLs can still hold an answer without them, makes the certificate the live one, reloads its services, looks
			whether they serve it, and takes the old records out.

			The pair is copied at once: its files may go. Without --cert it is the one in the staged files, or the
			successor that is on its way already; one whose swap was undone is tried again.

			Without --wait one step is made, and whatever calls tlsaroll next goes on: rollover, once, or the daemon.
			With --wait it stays until the new certificate is served and verified, with --wait=retired until the old
			records are gone too. Whoever stops it loses nothing: what was waited stays waited.`,
		Example: `
			A manual rollover, watched to its end:
			$ tlsaroll rollover mx1 --cert fullchain.pem --key privkey.pem --wait=retired

			What it would do now:
			$ tlsaroll rollover mx1 --cert fullchain.pem --key privkey.pem --dry-run`,
		Annotations: map[string]string{exitStatus: "0\tdone: with --wait what was waited for, without it all of it\n1\tan error; nothing is lost, and nothing half done\n2\twrong usage or configuration\n3\tit waits, and says for what and until when\n4\tit needs a person, and says what to do"},
		Args:        oneLineage,
		RunE:        func(c *cobra.Command, args []string) error { return p.rollover(c.Context(), o, args[0]) },
	}
	f := c.Flags()
	f.StringVar(&o.cert, "cert", "", "the new certificate and its issuers, PEM, in `FILE`")
	f.StringVar(&o.key, "key", "", "its private key, PEM, in `FILE`; without it, in the --cert file")
	f.StringVar(&o.wait, "wait", "", "stay until the certificate is `served` and verified, or until the old records are retired too")
	f.Lookup("wait").NoOptDefVal = untilServed
	f.BoolVar(&o.dryRun, "dry-run", false, "look, say what would be done now, and change nothing")
	f.DurationVar(&o.ttl, "ttl", 0, "give the RRset another `TTL` first, in a step of its own; a wait that has begun gets no shorter")
	f.BoolVar(&o.emergency, "emergency", false, "the old key is compromised: any match is enough, and the old records go as soon as every endpoint was seen with the new certificate")
	f.BoolVar(&o.yes, "yes", false, "do not ask back about --emergency")
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

func (o rolloverOptions) validate() error {
	var errs []error
	if o.key != "" && o.cert == "" {
		errs = append(errs, errors.New("--key without --cert (hint: name the certificate's file too)"))
	}
	if o.wait != "" && o.wait != untilServed && o.wait != untilRetired {
		errs = append(errs, fmt.Errorf("--wait=%s: unknown (hint: served or retired)", o.wait))
	}
	if o.ttl < 0 || o.ttl != o.ttl.Truncate(time.Second) || o.ttl > 7*24*time.Hour {
		errs = append(errs, fmt.Errorf("--ttl %s: not from 1s to 168h in whole seconds", o.ttl))
	}
	if o.emergency && !o.yes {
		errs = append(errs, errors.New("--emergency may cost mail: senders that cannot use every record of the RRset may fail until caches expire (hint: add --yes if the old key is compromised)"))
	}
	if o.dryRun && o.wait != "" {
		errs = append(errs, errors.New("--dry-run does not wait (hint: leave one out)"))
	}
	if len(errs) > 0 {
		return usage(errs...)
	}
	return nil
}

func (p *program) rollover(ctx context.Context, o rolloverOptions, lineage string) (err error) {
	if err := o.validate(); err != nil {
		return err
	}
	open := p.open
	if o.dryRun {
		open = p.openDry
	}
	a, err := open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	if err := known(a, lineage); err != nil {
		return err
	}
	id, err := p.handIn(a, o, lineage)
	if err != nil {
		return err
	}
	if err := a.Order(lineage, rollover.Orders{Retry: true, Emergency: o.emergency, TTL: o.ttl}); err != nil {
		return err
	}
	job := &job{program: p, agent: a, lineage: lineage, goal: o.wait, want: id, shown: newProgress(p.ui, lineage)}
	switch {
	case o.dryRun:
		return job.dryRun(ctx)
	case o.wait == "":
		return job.step(ctx)
	}
	return job.stay(ctx)
}

// handIn reads the pair that was named and copies it into the stash. A pair
// that nobody may use is refused before anything is looked at.
func (p *program) handIn(a *agent.Agent, o rolloverOptions, lineage string) (tlsa.ChainID, error) {
	if o.cert == "" {
		return "", nil
	}
	pair, err := certwatch.Load(certwatch.Files{Cert: o.cert, Key: o.key})
	if err != nil {
		return "", err
	}
	if err := a.Fits(lineage, pair); err != nil {
		return "", fmt.Errorf("%s: %w", o.cert, err)
	}
	if err := pair.InDate(p.now()); errors.Is(err, certwatch.ErrExpired) {
		return "", fmt.Errorf("%s: %w", o.cert, err)
	} else if err != nil {
		p.ui.warn(fmt.Sprintf("%s: not valid before %s", o.cert, pair.Chain.Leaf().NotBefore.UTC().Format(time.RFC3339)), "its record is published now, and it is swapped in then; if it should be valid, is the clock right")
	}
	for _, f := range pair.Findings {
		p.ui.warn(f.Text, "")
	}
	for _, host := range a.Uncovered(lineage, pair) {
		p.ui.warn(fmt.Sprintf("%s: the certificate is not for %s", o.cert, host), "DANE-EE does not mind (RFC 7672, section 3.1.1), MTA-STS and mail programs do")
	}
	return a.Offer(lineage, pair)
}

// job is one rollover as far as this process sees to it.
type job struct {
	*program
	agent   *agent.Agent
	lineage string
	goal    string       // served or retired
	want    tlsa.ChainID // the pair handed in; "": whatever is newest
	shown   *progress
	failed  error // why it ends although passes could go on
}

// lull is how many passes in a row may follow each other without waiting, so that
// one call comes as far as it can: adopt, publish, swap, verify.
const lull = 5

// step makes passes as long as something is done, and says what remains.
func (j *job) step(ctx context.Context) error {
	var last agent.Report
	for range lull {
		r, err := j.agent.Pass(ctx, j.lineage)
		if err != nil {
			return err
		}
		last = r
		if err := j.hopeless(r); err != nil {
			return err
		}
		if !r.Changed {
			break
		}
	}
	return j.outcome(last)
}

// stay makes passes until the goal is reached, or nothing but a person can help.
func (j *job) stay(ctx context.Context) error {
	var last agent.Report
	err := j.agent.Run(ctx, j.lineage, func(r agent.Report) bool {
		last = r
		if j.failed = j.hopeless(r); j.failed != nil || !r.Changed && (j.reached(r) || j.stuck(r)) {
			return true
		}
		j.shown.pass(j.agent.Now(), r)
		return false
	})
	j.shown.end()
	switch {
	case err != nil:
		return err
	case j.failed != nil:
		return j.failed
	case ctx.Err() != nil:
		p := status(last, j.lineage, j.agent.Now())
		j.ui.say("stopped; nothing is lost: "+p.Name+" is "+string(p.Phase), "tlsaroll rollover "+j.lineage+" --wait goes on")
		return &exitCode{code: exitWaiting}
	}
	return j.outcome(last)
}

// outcome says where the rollover stands, by words and exit code.
func (j *job) outcome(r agent.Report) error {
	s := status(r, j.lineage, j.agent.Now())
	switch {
	case j.reached(r):
		j.ui.result(s.Explain(j.agent.Now()))
		return nil
	case j.stuck(r):
		for _, reason := range s.Waiting {
			if reason.Code.NeedsPerson() {
				j.ui.say(paint(j.ui.colourErr, red, string(reason.Code)+": ")+cmp.Or(unadoptable(s, reason), reason.Text), "")
			}
		}
		if why := unserved(s); why != "" && j.swapped(r) {
			j.ui.say(paint(j.ui.colourErr, red, "not-served: ")+why, "")
		}
		return &exitCode{code: exitPerson}
	}
	if why := blind(r, s); why != "" {
		j.ui.say(string(rollover.CodeServersUnknown)+": "+why, "") // all else is as of the last look
		return &exitCode{code: exitWaiting}
	}
	for _, reason := range s.Waiting {
		if why := unadoptable(s, reason); why != "" {
			j.ui.say(string(reason.Code)+": "+why, "")
			return &exitCode{code: exitWaiting}
		}
	}
	j.ui.result(s.Explain(j.agent.Now()))
	return &exitCode{code: exitWaiting}
}

// reached reports whether what was asked for is done.
func (j *job) reached(r agent.Report) bool {
	if !j.swapped(r) || looking(r) || unserved(status(r, j.lineage, j.agent.Now())) != "" {
		return false
	}
	return j.goal == untilServed || r.State.Lineages[j.lineage].Phase == rollover.Steady
}

// swapped reports whether the pair that was asked for is live, and nothing else on
// its way.
func (j *job) swapped(r agent.Report) bool {
	l := r.State.Lineages[j.lineage]
	return l.Successor == "" && l.Swapping == nil && l.Live != "" && (j.want == "" || l.Live == j.want)
}

// stuck reports whether nothing will come of waiting.
func (j *job) stuck(r agent.Report) bool {
	s := status(r, j.lineage, j.agent.Now())
	settled := r.State.Lineages[j.lineage].Swapped.Add(r.Policy.Timing.Settle)
	switch {
	case j.swapped(r) && !looking(r) && looked(s) && !r.At.Before(settled) && unserved(s) != "":
		return true
	case blind(r, s) != "":
		return false
	}
	for _, reason := range r.State.Lineages[j.lineage].Waiting {
		if reason.Code.NeedsPerson() && !adopting(r, reason) {
			return true
		}
	}
	return false
}

// adopting reports whether a lineage without a live pair may still get one by itself.
func adopting(r agent.Report, reason rollover.Reason) bool {
	return reason.Code == rollover.CodeNotAdopted && !reason.Until.IsZero() && reason.Until.After(r.At)
}

// dryRun says what one pass would do.
func (j *job) dryRun(ctx context.Context) error {
	r, err := j.agent.Pass(ctx, j.lineage)
	if err != nil {
		return err
	}
	j.ui.plan(j.lineage, r, j.agent.Now())
	return nil
}

// hopeless says why no further pass will help, nil while one may. What an action
// ended with was said when it did.
func (j *job) hopeless(r agent.Report) error {
	if unmendable(r.Failed) != nil {
		return &exitCode{code: exitError}
	}
	return unmendable(j.heard.refusals())
}

// unmendable gives the first error that no further try will mend: a key that the
// server does not know, a zone that it does not have.
func unmendable(errs []error) error {
	for _, err := range errs {
		for _, kind := range []error{dnsprovider.ErrRefused, dnsprovider.ErrNoZone, dnsprovider.ErrOutsideZone, dnsprovider.ErrAlias, dnsprovider.ErrUnauthentic, dnsprovider.ErrMalformed, dnsprovider.ErrUnsupported} {
			if errors.Is(err, kind) {
				return err
			}
		}
	}
	return nil
}

// status is one lineage of a report as it is shown.
func status(r agent.Report, lineage string, now time.Time) rollover.LineageStatus {
	for _, s := range rollover.Describe(r.State, r.Policy, now) {
		if s.Name == lineage {
			return s
		}
	}
	return rollover.LineageStatus{Name: lineage}
}
