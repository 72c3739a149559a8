package main

import (
	"encoding/json"
	"errors"

	"github.com/spf13/cobra"

	"github.com/tlsaroll/tlsaroll/rollover"
)

func (p *program) statusCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:                   "status [--json] [LINEAGE]",
		DisableFlagsInUseLine: true,
		Short:                 "say where everything stands",
		Long: `
			Prints, for each lineage, what is live, what is on its way, what it waits for and until when, what every
			authoritative server gave and what every endpoint presented, as of the last look. Nothing is looked at now:
			see tlsaroll plan for that.`,
		Example: `
			$ tlsaroll status --json mx1`,
		Annotations: map[string]string{exitStatus: "0\tprinted\n1\tthe journal cannot be read\n2\twrong usage or configuration"},
		Args:        atMostOne("LINEAGE"),
		RunE:        func(_ *cobra.Command, args []string) error { return p.status(args, asJSON) },
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON, for programs")
	return c
}

func (p *program) status(args []string, asJSON bool) (err error) {
	a, err := p.openDry()
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
	out := rollover.Status{Lineages: []rollover.LineageStatus{}}
	for _, name := range names {
		state, policy, err := a.State(name)
		if err != nil {
			return err
		}
		for _, s := range rollover.Describe(state, policy, a.Now()) {
			if s.Name == name {
				out.Lineages = append(out.Lineages, s)
			}
		}
	}
	if asJSON {
		b, err := json.MarshalIndent(out, "", "  ")
		if err != nil {
			return err
		}
		p.ui.result(string(b))
		return nil
	}
	for _, s := range out.Lineages {
		p.ui.result(s.Explain(a.Now()))
	}
	return nil
}
