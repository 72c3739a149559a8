package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tlsaroll/tlsaroll/rollover"
)

func (p *program) freezeCommand() *cobra.Command {
	var until string
	c := &cobra.Command{
		Use:                   "freeze [--until TIME] [LINEAGE]",
		DisableFlagsInUseLine: true,
		Short:                 "swap and retire nothing for a while",
		Long: `
			Keeps a lineage, or all of them, from having its certificate swapped and its records retired, as for a holiday
			or for work on the mail server. Publishing and repair go on, so that a successor is ready when it is over.
			A swap that has begun comes to its end.`,
		Example: `
			$ tlsaroll freeze --until 2027-01-04T08:00:00Z mx1`,
		Annotations: map[string]string{exitStatus: "0\tfrozen\n1\tan error\n2\twrong usage or configuration"},
		Args:        atMostOne("LINEAGE"),
		RunE: func(c *cobra.Command, args []string) error {
			freeze := &rollover.Freeze{}
			if until != "" {
				at, err := parseTime(until)
				switch {
				case err != nil:
					return usage(fmt.Errorf("--until: %w", err))
				case !at.After(p.now()):
					return usage(errors.New("--until: that is past (hint: write a time to come, in UTC or with its offset)"))
				}
				freeze.Until = at
			}
			return p.errand(c.Context(), "order", first(args), orderOptions{Verb: "freeze", Orders: rollover.Orders{Freeze: freeze}})
		},
	}
	c.Flags().StringVar(&until, "until", "", "end it by itself at `TIME`, as in 2027-01-31 or 2027-01-31T12:00:00Z; without it, until it is thawed")
	return c
}

func (p *program) thawCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "thaw [LINEAGE]",
		Short: "end a freeze",
		Long: `
			Ends the freeze of a lineage, or of all. A successor that is ready is swapped in at once.`,
		Example: `
			$ tlsaroll thaw mx1`,
		Annotations: map[string]string{exitStatus: "0\tthawed\n1\tan error\n2\twrong usage or configuration"},
		Args:        atMostOne("LINEAGE"),
		RunE: func(c *cobra.Command, args []string) error {
			return p.errand(c.Context(), "order", first(args), orderOptions{Verb: "thaw", Orders: rollover.Orders{Thaw: true}})
		},
	}
}
