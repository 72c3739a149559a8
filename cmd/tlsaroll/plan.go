package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/control"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/agent"
)

func (p *program) planCommand() *cobra.Command {
	var code bool
	c := &cobra.Command{
		Use:                   "plan [--exit-code] [LINEAGE]",
		DisableFlagsInUseLine: true,
		Short:                 "say what would be done now",
		Long: `
			Looks at everything as a pass of the daemon would, and prints what would be done now, why nothing more, and
			until when. Nothing is changed: not in DNS, not on this host, not in the journal.`,
		Example: `
			$ tlsaroll plan mx1`,
		Annotations: map[string]string{exitStatus: "0\tthe plan is printed\n1\tan error\n2\twrong usage or configuration\n3\twith --exit-code: something waits\n4\twith --exit-code: something needs a person"},
		Args:        atMostOne("LINEAGE"),
		RunE: func(c *cobra.Command, args []string) error {
			return p.errand(c.Context(), "plan", first(args), exitCodes{code})
		},
	}
	c.Flags().BoolVar(&code, "exit-code", false, "end with 3 while something waits, with 4 where it needs a person")
	return c
}

// plan says what a pass would do.
func (o *office) plan(ctx context.Context, r control.Request) error {
	code, err := options[exitCodes](r)
	if err != nil {
		return err
	}
	return with(o.looking, r.Lineage, func(a *agent.Agent) error {
		worst := exitDone
		for _, name := range lineages(a, r.Lineage) {
			report, err := a.Pass(ctx, name)
			if err != nil {
				return err
			}
			o.ui.plan(name, report, a.Now())
			worst = max(worst, standing(report, name))
		}
		if code.Wanted && worst != exitDone {
			return &exitCode{code: worst}
		}
		return nil
	})
}

// plan prints what a pass over a lineage's group would do, and why nothing more.
func (u *ui) plan(lineage string, r agent.Report, now time.Time) {
	u.result(status(r, lineage, now).Explain(now))
	for _, action := range r.Plan.Actions {
		u.result("  would " + action.String())
	}
	if s := status(r, lineage, now).Renewal; s != nil && s.At != nil && !s.At.After(now) {
		u.result("  would order a certificate for " + list(r.Policy.Lineages[lineage].Names))
	}
}

// standing is the exit code that says how a lineage stands after a pass.
func standing(r agent.Report, lineage string) int {
	l := r.State.Lineages[lineage]
	for _, reason := range l.Waiting {
		if reason.Code.NeedsPerson() {
			return exitPerson
		}
	}
	if l.Phase != rollover.Steady || len(l.Waiting) > 0 {
		return exitWaiting
	}
	return exitDone
}
