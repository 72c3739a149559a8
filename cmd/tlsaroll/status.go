package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/control"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/agent"
)

func (p *program) statusCommand() *cobra.Command {
	var asJSON, watch bool
	c := &cobra.Command{
		Use:                   "status [--json | --watch] [LINEAGE]",
		DisableFlagsInUseLine: true,
		Short:                 "say where everything stands",
		Long: `
			Prints, for each lineage, what is live, what is on its way, what it waits for and until when, what every
			authoritative server gave and what every endpoint presented at the last look. It does not look now:
			tlsaroll plan does.

			With --watch it stays: on a terminal as a view that changes, elsewhere it prints whenever something has changed.`,
		Example: `
			$ tlsaroll status --json mx1`,
		Annotations: map[string]string{exitStatus: "0\tprinted\n1\tthe journal cannot be read\n2\twrong usage or configuration"},
		Args:        atMostOne("LINEAGE"),
		RunE: func(c *cobra.Command, args []string) error {
			switch {
			case watch && asJSON:
				return usage(errors.New("--watch and --json do not go together (hint: leave out one; --json prints the status once)"))
			case watch:
				return p.watchStatus(c.Context(), first(args))
			}
			return p.errand(c.Context(), "status", first(args), statusOptions{asJSON})
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON, for programs")
	c.Flags().BoolVar(&watch, "watch", false, "stay, and show what changes")
	return c
}

// statusOptions are what status was asked for.
type statusOptions struct {
	JSON bool `json:"json,omitempty"`
}

// status says where everything stands.
func (o *office) status(_ context.Context, r control.Request) error {
	asked, err := options[statusOptions](r)
	if err != nil {
		return err
	}
	return with(o.reading, r.Lineage, func(a *agent.Agent) error {
		out := rollover.Status{Lineages: []rollover.LineageStatus{}, Warnings: o.told()}
		for _, name := range lineages(a, r.Lineage) {
			s, err := lastStatus(a, name)
			if err != nil {
				return err
			}
			out.Lineages = append(out.Lineages, s)
		}
		if asked.JSON {
			return o.ui.printJSON(out)
		}
		if text := process(out.Warnings); text != "" {
			o.ui.result(text)
		}
		for _, s := range out.Lineages {
			o.ui.result(s.Explain(a.Now()))
		}
		return nil
	})
}

// lastStatus is where a lineage stands, by what is remembered of it.
func lastStatus(a *agent.Agent, lineage string) (rollover.LineageStatus, error) {
	state, policy, err := a.State(lineage)
	if err != nil {
		return rollover.LineageStatus{}, err
	}
	return status(agent.Report{State: state, Policy: policy}, lineage, a.Now()), nil
}

// process is what should be known that is about no lineage, a line each.
func process(warnings []rollover.Warning) string {
	var b strings.Builder
	for _, w := range warnings {
		fmt.Fprintf(&b, "%-10s  %-8s  %-10s  %s: %s\n", "tlsaroll", "", w.Severity, w.Code, w.Text)
	}
	return b.String()
}
