package main

import (
	"github.com/spf13/cobra"

	"github.com/tlsaroll/tlsaroll/certwatch"
	"github.com/tlsaroll/tlsaroll/rollover"
)

func (p *program) rollbackCommand() *cobra.Command {
	var wait string
	c := &cobra.Command{
		Use:                   "rollback [--wait[=served|retired]] LINEAGE",
		DisableFlagsInUseLine: true,
		Short:                 "bring the previous certificate back",
		Long: `
			Makes the previous pair the live one again. For a day after a swap (timing: retire) this is normally done at once, as the
			records of both pairs are still published. Later the previous pair's records are published again first, and
			it waits for caches like any other rollover.

			Whatever is on its way is dropped. What was rolled back does not come again by itself; the next pair of the
			ACME client does, unless the lineage is frozen.`,
		Example: `
			$ tlsaroll rollback mx1 --wait`,
		Annotations: map[string]string{exitStatus: "0\tdone: the previous certificate is served\n1\tan error, or there is nothing to go back to\n2\twrong usage or configuration\n3\tit waits, and says for what and until when\n4\tit needs a person, and says what to do"},
		Args:        oneLineage,
		RunE: func(c *cobra.Command, args []string) error {
			if err := (rolloverOptions{Wait: wait}).validate(certwatch.Files{}, false); err != nil {
				return err
			}
			o := orderOptions{Verb: "rollback", Orders: rollover.Orders{Rollback: true}, Wait: wait}
			return stopped(p, c.Context(), args[0], p.errand(c.Context(), "order", args[0], o))
		},
	}
	c.Flags().StringVar(&wait, "wait", "", "stay until `served|retired`: until the previous certificate is served and verified, which --wait alone means, or until the other's records are retired too")
	c.Flags().Lookup("wait").NoOptDefVal = untilServed
	return c
}
