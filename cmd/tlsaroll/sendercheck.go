package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/config"
	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/scratch"
	mailsink "github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/sink"
	"github.com/tlsaroll/tlsaroll/rollover/subprocess"
)

// senderCheck is one check of a sender.
type senderCheck struct {
	*program
	options     senderOptions
	place       senderPlace
	certificate tls.Certificate
	local       string // of the recipients
	domains     *scratch.Domains
	watch       *mailsink.Watch
	told        map[mailsink.Kind]mailsink.Outcome
}

// run puts up the domains and the sink, waits for the mails, and says what became of them.
func (c *senderCheck) run(ctx context.Context) (err error) {
	if err := c.prepare(ctx); err != nil {
		return err
	}
	sink, err := mailsink.Listen(ctx, c.place.addresses, mailsink.Config{
		Name: c.place.base, Local: c.local, Cases: c.place.cases, Certificate: c.certificate, Now: c.now, Seen: c.watch.Seen,
	})
	if err != nil {
		return err
	}
	defer sink.Close()
	defer func() { err = errors.Join(err, c.domains.TakeOut(ctx)) }()
	if err := c.publish(ctx); err != nil {
		return err
	}
	if err := c.rounds(ctx, sink); err != nil {
		return err
	}
	return c.report()
}

// prepare looks whether the zone is as it has to be, while nothing is written.
func (c *senderCheck) prepare(ctx context.Context) error {
	err := c.domains.CheckAddresses(ctx)
	for _, bogus := range c.place.cases {
		if err == nil && bogus.Kind == mailsink.Bogus {
			err = c.domains.CheckBogus(ctx, bogus, c.place.addresses)
		}
	}
	missing, ok := errors.AsType[*scratch.MissingError](err)
	if !ok {
		return err
	}
	for _, line := range missing.Lines {
		c.ui.result(line)
	}
	return usage(fmt.Errorf("%s (hint: write the lines above into the zone, where they may stay, and check again)", missing.Why))
}

// publish returns when all the world sees the records.
func (c *senderCheck) publish(ctx context.Context) error {
	bounded, cancel := context.WithTimeout(ctx, c.options.timeout+c.place.provider.Margin)
	defer cancel()
	refused, err := c.domains.Publish(bounded)
	if err != nil {
		return err
	}
	for kind, why := range refused {
		c.ui.warn(fmt.Sprintf("%s (%s) is left out: %s", kind, kind.About(), why), "")
	}
	c.watch.Cases = c.domains.Cases
	c.ui.say(fmt.Sprintf("the records of %d domains below %s are written; waiting until every server and the resolver give them", len(c.domains.Lines()), c.place.base), "")
	return c.domains.Await(bounded)
}

// rounds has the mails sent, those that may go at once together, and waits for them. That time
// is up is no error: what has come by then counts.
func (c *senderCheck) rounds(ctx context.Context, sink *mailsink.Sink) error {
	bounded, cancel := context.WithTimeout(ctx, c.options.timeout)
	defer cancel()
	c.told = map[mailsink.Kind]mailsink.Outcome{}
	c.watch.Progress = c.progress
	for n := range mailsink.Rounds(c.domains.Cases) {
		sink.Round(n)
		began := c.now()
		if err := c.ask(bounded, n); err != nil {
			return err
		}
		if err := c.watch.Await(bounded, n, began); err != nil {
			return ctx.Err()
		}
	}
	return nil
}

// ask has the mails of a round sent.
func (c *senderCheck) ask(ctx context.Context, round int) error {
	var mailboxes []string
	for _, x := range c.domains.Cases {
		if x.Round == round {
			mailboxes = append(mailboxes, c.local+"@"+x.Domain)
		}
	}
	if !c.options.submit {
		c.ui.say("now have the mail server send something to "+strings.Join(mailboxes, ", "), "one mail to all of them will do; --submit sends them by itself")
		return nil
	}
	for _, mailbox := range mailboxes {
		if err := c.submit(ctx, mailbox); err != nil {
			return err
		}
	}
	c.ui.say(fmt.Sprintf("%s has mails for %s", c.place.sendmail, strings.Join(mailboxes, ", ")), "")
	return nil
}

// submit hands in a mail as sendmail(8) takes it: a dot alone does not end it, and who it is
// from, the mail system adds.
func (c *senderCheck) submit(ctx context.Context, mailbox string) error {
	program := c.place.sendmail
	mail := fmt.Sprintf("To: %s\nSubject: tlsaroll check --sender\nAuto-Submitted: auto-generated\n\n"+
		"This mail finds out what the mail server does with it. Where it is kept, it may be deleted.\n", mailbox)
	call := subprocess.Command{Program: program, Argv: []string{program, "-i", mailbox}, Path: subprocess.Path, Stdin: []byte(mail)}
	if out, err := call.Run(ctx); err != nil {
		return fmt.Errorf("%s: %w%s", program, err, subprocess.Quoted(out))
	}
	return nil
}

// progress says what is new since it was called last.
func (c *senderCheck) progress(results []mailsink.Result) {
	for _, r := range results {
		if r.Outcome == mailsink.Absent || c.told[r.Kind] == r.Outcome {
			continue
		}
		c.told[r.Kind] = r.Outcome
		c.ui.say(fmt.Sprintf("%s: %s so far, by %s", r.Kind, r.Outcome, visitor(r.Best())), "")
	}
}

// report says what became of the mails, and what follows.
func (c *senderCheck) report() error {
	results := c.watch.Results()
	verdict := mailsink.Judge(results)
	if c.options.json {
		if err := c.ui.printJSON(shownSender(results, verdict)); err != nil {
			return err
		}
	} else {
		for _, line := range senderLines(results, verdict) {
			c.ui.result(line)
		}
	}
	if slices.ContainsFunc(results, func(r mailsink.Result) bool { return r.Outcome == mailsink.Kept }) {
		c.ui.say("mail that was kept is still in the mail server's queue", "delete it there, else it comes back undeliverable in some days")
	}
	switch verdict.Stance {
	case mailsink.Enforces:
		return nil
	case mailsink.Opportunistic, mailsink.Ignores, mailsink.Cleartext:
		return &exitCode{code: exitPerson} // all is said
	case mailsink.Silent, mailsink.Unknown:
	}
	return fmt.Errorf("check --sender: %s within %s (hint: the mail server's log says what it tried; --timeout gives it longer)", verdict.Stance.About(), config.ShortDuration(c.options.timeout))
}
