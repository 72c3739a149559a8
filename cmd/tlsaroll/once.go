package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/tlsaroll/tlsaroll/rollover/agent"
)

func (p *program) onceCommand() *cobra.Command {
	var code bool
	c := &cobra.Command{
		Use:                   "once [--exit-code] [LINEAGE]",
		DisableFlagsInUseLine: true,
		Short:                 "make one pass, for timers and scripts",
		Long: `
			Looks at everything once, does what is due, and ends: what the daemon does, for hosts that run a timer instead.
			A successor is swapped in by the first call after it is ready, so call it often; waiting costs nothing.`,
		Example: `
			$ tlsaroll once`,
		Annotations: map[string]string{exitStatus: "0\tdone, or everything that is due is done and the rest waits\n1\tan error\n2\twrong usage or configuration\n3\twith --exit-code: something waits\n4\twith --exit-code: something needs a person"},
		Args:        atMostOne("LINEAGE"),
		RunE:        func(c *cobra.Command, args []string) error { return p.once(c.Context(), args, code) },
	}
	c.Flags().BoolVar(&code, "exit-code", false, "end with 3 while something waits, with 4 where it needs a person")
	return c
}

func (p *program) once(ctx context.Context, args []string, code bool) (err error) {
	a, err := p.open()
	if errors.Is(err, agent.ErrLocked) {
		p.ui.say(err.Error(), "") // whoever holds the journal does what is due: no failure for a timer
		return busy(code)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	names := a.Lineages()
	if len(args) == 1 {
		if err := known(a, args[0]); err != nil {
			return err
		}
		names = args
	}
	worst := exitDone
	var errs []error
	for _, name := range names {
		r, err := p.onceOver(ctx, a, name)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if len(r.Failed) > 0 {
			errs = append(errs, &exitCode{code: exitError}) // said when it happened
		}
		s := status(r, name, a.Now())
		p.ui.result(s.Explain(a.Now()))
		worst = max(worst, standing(r, name))
	}
	errs = append(errs, unmendable(p.heard.refusals()))
	switch err := errors.Join(errs...); {
	case err != nil:
		return err
	case code && worst != exitDone:
		return &exitCode{code: worst}
	}
	return nil
}

// onceOver makes passes as long as something is done and succeeds: adopt,
// publish, swap and verify may follow each other without a wait.
func (p *program) onceOver(ctx context.Context, a *agent.Agent, name string) (agent.Report, error) {
	var r agent.Report
	for range lull {
		next, err := a.Pass(ctx, name)
		if err != nil {
			return r, err
		}
		if r = next; !r.Changed || len(r.Failed) > 0 {
			break
		}
	}
	return r, nil
}

// busy is how a command ends that leaves something in progress.
func busy(code bool) error {
	if code {
		return &exitCode{code: exitWaiting}
	}
	return nil
}
