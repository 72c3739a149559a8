package main

import (
	"context"
	"errors"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/demo"
)

func (p *program) demoCommand() *cobra.Command {
	return &cobra.Command{
		Use:                   "demo",
		DisableFlagsInUseLine: true,
		Short:                 "show a rollover in a world of its own",
		Long: `
			Shows the same renewal twice, while senders that enforce DANE deliver without a pause: first as scripts do it,
			the certificate first and then its record; then as tlsaroll does it, with the code that the daemon runs. It
			counts the handshakes that fail.

			The world is this process's own, on loopback, and gone afterwards: a signed zone on two name servers, one of
			which follows late, validating resolvers that keep each answer for its TTL, a mail server with STARTTLS. It
			needs no rights, no configuration and no network, and takes about half a minute.`,
		Example: `
			$ tlsaroll demo`,
		Annotations: map[string]string{exitStatus: "0\thandshakes failed as scripts do it, and none failed with tlsaroll\n1\tanything else, and why\n2\twrong usage"},
		Args:        noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			_, err := p.demo(c.Context())
			return err
		},
	}
}

// demo ends in good order too when nobody watches any more: its terminal or the
// program that reads it has gone.
func (p *program) demo(ctx context.Context) (demo.Result, error) {
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGHUP, syscall.SIGPIPE)
	defer stop()
	r, err := p.showDemo(ctx)
	if errors.Is(err, context.Canceled) {
		return r, errors.New("demo: stopped before its end; nothing is left behind")
	}
	return r, err
}

func (p *program) showDemo(ctx context.Context) (demo.Result, error) {
	return demo.Run(ctx, demo.Options{Stage: p.ui.stage(), Clock: systemClock(p.now)})
}
