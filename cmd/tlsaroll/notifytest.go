package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/control"
	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/notify"
)

func (p *program) notifyCommand() *cobra.Command {
	return &cobra.Command{
		Use:                   "notify test [OUTLET]",
		DisableFlagsInUseLine: true,
		Short:                 "try whether people can be told of warnings",
		Long: `
			Sends one test message through every entry under notify: in the configuration, or through those that are named: by
			number, as in 0 for the first, or by kind: command, mail, smtp, webhook, slack, matrix, ntfy or json. It says
			what became of each. A mail that was taken may still be lost on its way: see whether it arrives.

			A daemon that runs sends them itself, as it would a warning, with the secrets and the rights that it has.
			Commands get "event": "test" in their JSON.`,
		Example: `
			$ tlsaroll notify test mail`,
		Annotations: map[string]string{exitStatus: "0\teach was taken\n1\tone was not\n2\twrong usage or configuration"},
		Args:        notifyArgs,
		ValidArgs:   []string{"test"},
		RunE: func(c *cobra.Command, args []string) error {
			return p.errand(c.Context(), "notify-test", "", notifyOptions{first(args[1:])})
		},
	}
}

func notifyArgs(c *cobra.Command, args []string) error {
	const hint = "tlsaroll notify test"
	switch {
	case len(args) == 0:
		return usage(errors.New("notify: what? (hint: " + hint + ")"))
	case args[0] != "test":
		return usage(fmt.Errorf("notify: unknown word %q (hint: %s)", args[0], hint))
	}
	return atMostOne("OUTLET")(c, args[1:])
}

// notifyOptions are what notify test was asked for.
type notifyOptions struct {
	Outlet string `json:"outlet,omitempty"`
}

// notifyTest sends a test message through the outlets that are meant.
func (o *office) notifyTest(ctx context.Context, r control.Request) error {
	asked, err := options[notifyOptions](r)
	if err != nil {
		return err
	}
	cfg := o.configured()
	if cfg == nil {
		if cfg, _, err = o.load(); err != nil {
			return err
		}
	}
	telling := o.telling(cfg, o.logger())
	outlets, err := notify.Outlets(telling)
	switch {
	case err != nil:
		return usage(err)
	case len(outlets) == 0:
		return usage(fmt.Errorf("%s: nobody is told of warnings (hint: write notify: [{mail: postmaster@example.org}])", o.configFile))
	}
	failed := false
	meant, err := notify.Try(ctx, telling, asked.Outlet, func(t notify.Tried) {
		if t.Err == nil {
			o.ui.result(t.Outlet + ": " + paint(o.ui.colourOut, green, "sent"))
			return
		}
		failed = true
		o.ui.result(t.Outlet + ": " + paint(o.ui.colourOut, red, "failed") + ": " + t.Err.Error())
	})
	switch {
	case err != nil:
		return err
	case meant == 0:
		return usage(fmt.Errorf("notify test: no outlet %q (hint: there are %s)", asked.Outlet, list(outlets)))
	case failed:
		return &exitCode{code: exitError}
	}
	return nil
}
