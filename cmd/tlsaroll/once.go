package main

import (
	"context"
	"errors"
	"slices"

	"github.com/spf13/cobra"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/control"
	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/rollover"
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
			A successor is swapped in by the first call after it is ready, so call it often; waiting costs nothing. An
			order for a certificate that is due (acme:, issue:) is placed first, and waited for. One that fails is put off: a
			minute, then longer each time, up to a day. What was issued when the process was killed, and not stored yet, is
			lost: it is ordered again, as after an order that failed.`,
		Example: `
			$ tlsaroll once`,
		Annotations: map[string]string{exitStatus: "0\tdone, or everything that is due is done and the rest waits\n1\tan error\n2\twrong usage or configuration\n3\twith --exit-code: something waits\n4\twith --exit-code: something needs a person"},
		Args:        atMostOne("LINEAGE"),
		RunE: func(c *cobra.Command, args []string) error {
			err := p.errand(c.Context(), "once", first(args), exitCodes{code})
			if errors.Is(err, agent.ErrLocked) {
				p.ui.say(err.Error(), "") // whoever holds the journal does what is due: no failure for a timer
				return busy(code)
			}
			return err
		},
	}
	c.Flags().BoolVar(&code, "exit-code", false, "end with 3 while something waits, with 4 where it needs a person")
	return c
}

// exitCodes says whether an exit code tells of what waits.
type exitCodes struct {
	Wanted bool `json:"exit_code,omitempty"`
}

// first is the argument that may be left out.
func first(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return args[0]
}

// once makes a pass over one lineage or all.
func (o *office) once(ctx context.Context, r control.Request) error {
	code, err := options[exitCodes](r)
	if err != nil {
		return err
	}
	worst := exitDone
	err = with(o.acting, r.Lineage, func(a *agent.Agent) error {
		var errs []error
		var happened []rollover.Event
		for _, name := range lineages(a, r.Lineage) {
			errs = append(errs, o.orderDue(ctx, a, name))
			report, err := o.onceOver(ctx, a, name)
			happened = append(happened, report.Events...)
			if err != nil {
				errs = append(errs, err)
				continue
			}
			if len(report.Failed) > 0 {
				o.failed(report)
				if waitsForPerson(report.Failed) {
					worst = exitPerson
				} else {
					errs = append(errs, &exitCode{code: exitError})
				}
			}
			s := status(report, name, a.Now())
			o.ui.result(s.Explain(a.Now()))
			worst = max(worst, standing(report, name))
			errs = append(errs, unmendable(o.refusals(places(s)...)))
		}
		if !o.hired { // else the daemon does
			errs = append(errs, o.tellPeople(ctx, a, happened))
		}
		return errors.Join(errs...)
	})
	if err == nil && code.Wanted && worst != exitDone {
		return &exitCode{code: worst}
	}
	return err
}

// waitsForPerson reports whether nothing went wrong but that a person has not yet changed a
// zone that is changed by hand. A timer makes a pass every minute until then.
func waitsForPerson(failed []error) bool {
	return !slices.ContainsFunc(failed, func(err error) bool {
		var byHand *dnsprovider.ByHandError
		return !errors.As(err, &byHand)
	})
}

// onceOver makes passes as long as something is done and succeeds: adopt,
// publish, swap and verify may follow each other without a wait. It gives the last one,
// with the events of all.
func (o *office) onceOver(ctx context.Context, a *agent.Agent, name string) (agent.Report, error) {
	var r agent.Report
	for range lull {
		next, err := a.Pass(ctx, name)
		if err != nil {
			return r, err
		}
		next.Events = append(r.Events, next.Events...)
		if r = next; !r.Changed || len(r.Failed) > 0 {
			break
		}
	}
	return r, nil
}

// failed says what went wrong with actions, where the agent's own words go elsewhere.
func (o *office) failed(r agent.Report) {
	if !o.hired {
		return
	}
	for _, err := range r.Failed {
		what := paint(o.ui.colourErr, red, "error: ")
		var byHand *dnsprovider.ByHandError
		if errors.As(err, &byHand) {
			what = "waits for a person: "
		}
		o.ui.say(what+err.Error(), "")
	}
}

// busy is how a command ends that leaves something in progress.
func busy(code bool) error {
	if code {
		return &exitCode{code: exitWaiting}
	}
	return nil
}
