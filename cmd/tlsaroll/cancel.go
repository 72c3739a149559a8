package main

import (
	"github.com/spf13/cobra"

	"github.com/tlsaroll/tlsaroll/rollover"
)

func (p *program) cancelCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "cancel LINEAGE",
		Short: "drop the certificate that is on its way",
		Long: `
			Drops the successor of the live certificate, and the one that is queued behind it. Its records are taken out
			again. The same pair in the ACME client's files does not come again; the next one does.

			A swap that has begun is not cancelled: rollback undoes it.`,
		Example: `
			$ tlsaroll cancel mx1`,
		Annotations: map[string]string{exitStatus: "0\tdropped\n1\tan error, or nothing is on its way\n2\twrong usage or configuration"},
		Args:        exactlyOne("LINEAGE"),
		RunE: func(c *cobra.Command, args []string) error {
			return p.errand(c.Context(), "order", args[0], orderOptions{Verb: "cancel", Orders: rollover.Orders{Cancel: true}})
		},
	}
}
