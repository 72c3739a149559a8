package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/scratch"
	mailsink "github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/sink"
	"github.com/tlsaroll/tlsaroll/dnsprovider/lookup"
)

// senderOptions are what a check of this host's mail server as a sender was asked for.
type senderOptions struct {
	wanted   bool
	json     bool // of the command
	zone     string
	provider string
	name     string
	listen   []string
	bogus    string
	submit   bool   // else a person sends the mails
	sendmail string // program
	ttl      time.Duration
	timeout  time.Duration

	quiet, patience time.Duration // see [mailsink.Watch]
}

// senderFlags adds the options of such a check to a command, but for --json, which it has.
func senderFlags(c *cobra.Command, o *senderOptions) {
	*o = senderOptions{name: "dane-check", sendmail: "/usr/sbin/sendmail", ttl: time.Minute, timeout: 10 * time.Minute, quiet: 15 * time.Second, patience: 30 * time.Second}
	c.Flags().BoolVar(&o.wanted, "sender", false, "find out whether this host's mail server enforces DANE when it sends")
	f := o.flags()
	f.VisitAll(func(f *pflag.Flag) { f.Usage = "with --sender: " + f.Usage })
	c.Flags().AddFlagSet(f)
}

// flags are those that go with --sender alone.
func (o *senderOptions) flags() *pflag.FlagSet {
	f := pflag.NewFlagSet("sender", pflag.ContinueOnError)
	f.StringVar(&o.zone, "zone", o.zone, "put the scratch domains into `ZONE`, which a provider of the configuration can change")
	f.StringVar(&o.provider, "provider", o.provider, "have provider `NAME` change the zone, if several can")
	f.StringVar(&o.name, "name", o.name, "put the scratch domains below `LABEL` in the zone; with a new one nothing has to leave the caches of resolvers first")
	f.StringArrayVar(&o.listen, "listen", o.listen, "take the mail at `ADDRESS`, with port 25 if it names none; may be given more than once, and with three all mails may be sent at once")
	f.StringVar(&o.bogus, "bogus", o.bogus, "have mail sent to `DOMAIN` too: one whose DNSSEC is broken, and whose address is that of --listen")
	f.BoolVar(&o.submit, "submit", o.submit, "hand the mails to sendmail; without it you are told where to send them")
	f.StringVar(&o.sendmail, "sendmail", o.sendmail, "and --submit: call `PROGRAM` as sendmail")
	f.DurationVar(&o.ttl, "ttl", o.ttl, "publish the records with this `TTL`")
	f.DurationVar(&o.timeout, "timeout", o.timeout, "wait up to this `DURATION` for the records to be seen, and as long again for the mails")
	return f
}

// alone says what was asked that does not go together: nothing else of check does with --sender
// but --json.
func (o senderOptions) alone(c *cobra.Command, args []string) (err error) {
	own := new(senderOptions).flags()
	if o.wanted && len(args) > 0 {
		return fmt.Errorf("--sender %s: what is checked is this host's mail server (hint: leave %[1]s out; --zone names the zone to do it in)", args[0])
	}
	c.Flags().Visit(func(f *pflag.Flag) {
		switch mine := own.Lookup(f.Name) != nil; {
		case err != nil || f.Name == "sender" || f.Name == "json" || c.InheritedFlags().Lookup(f.Name) != nil:
		case o.wanted && !mine:
			err = fmt.Errorf("--%s: does not go with --sender (hint: leave it out)", f.Name)
		case !o.wanted && mine:
			err = fmt.Errorf("--%s: goes with --sender alone (hint: tlsaroll check --sender)", f.Name)
		}
	})
	return err
}

// The pause between looks at the servers, and the time for tidying up.
const (
	senderLook = time.Second
	senderTidy = 30 * time.Second
)

// checkSender finds out whether this host's mail server enforces DANE when it sends. However it
// ends, it takes its records out again: when its terminal or who reads it has gone, too.
func (p *program) checkSender(ctx context.Context, o senderOptions) error {
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGHUP, syscall.SIGPIPE)
	defer stop()
	return p.runSenderCheck(ctx, o)
}

// runSenderCheck does it without heeding signals.
func (p *program) runSenderCheck(ctx context.Context, o senderOptions) error {
	cfg, wired, err := p.load()
	if err != nil {
		return err
	}
	place, err := placeForSender(cfg, wired.Providers, o)
	if err != nil {
		return usage(err)
	}
	client, err := lookup.New(lookup.Config{Resolver: cfg.Resolver, TrustResolver: cfg.TrustResolver, SelfTestName: cfg.ResolverTest, Now: p.now})
	if err != nil {
		return err
	}
	zones := lookupZones(cfg)
	look := func() *lookup.Pass { return client.NewPass(zones) }
	zone, err := look().ZoneOf(ctx, place.zone)
	if err != nil {
		return err
	}
	if zone != place.zone {
		return usage(fmt.Errorf("--zone %s: no zone of its own, it lies in %s (hint: name the zone)", place.zone, zone))
	}
	certificate, record, err := mailsink.NewIdentity(place.base, p.now())
	if err != nil {
		return err
	}
	check := &senderCheck{
		program: p, options: o, place: place, certificate: certificate, local: "check-" + strings.ToLower(rand.Text()[:8]),
		domains: &scratch.Domains{
			Provider: place.provider.Provider, Zone: place.zone, TTL: o.ttl, Cases: place.cases, Key: record, Margin: place.provider.Margin,
			Look: func() scratch.Eyes { return look() }, Every: senderLook, Tidy: senderTidy,
		},
		watch: &mailsink.Watch{Cases: place.cases, Local: localAddresses(), Now: p.now, Quiet: o.quiet, Patience: o.patience},
	}
	err = check.run(ctx)
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("check --sender: stopped: %w", err)
	}
	return err
}
