package main

import (
	"github.com/spf13/cobra"

	"github.com/tlsaroll/tlsaroll/rollover"
)

func (p *program) withdrawCommand() *cobra.Command {
	var wait bool
	c := &cobra.Command{
		Use:                   "withdraw [--wait] LINEAGE",
		DisableFlagsInUseLine: true,
		Short:                 "take the lineage's TLSA records out, as to leave DANE",
		Long: `
			Takes our TLSA records out of DNS, and says when no cache can hold one any more: until then the server must
			keep its certificate. Nothing is published for the lineage from then on, and new certificates are swapped in
			without records; tlsaroll rollover LINEAGE publishes again.

			Records of others stay. Where they would refuse what is served, ours stay too, and it says whose they are. Of
			lineages that share an RRset, as those of an RSA and an ECDSA certificate, all must be withdrawn.`,
		Example: `
			$ tlsaroll withdraw mx1 --wait`,
		Annotations: map[string]string{exitStatus: "0\tdone: the server may change\n1\tan error\n2\twrong usage or configuration\n3\tthe records are out, or going, and caches may hold them: it says until when\n4\tit needs a person, and says what to do"},
		Args:        exactlyOne("LINEAGE"),
		RunE: func(c *cobra.Command, args []string) error {
			o := orderOptions{Verb: "withdraw", Orders: rollover.Orders{Withdraw: true}}
			if wait {
				o.Wait = untilWithdrawn
			}
			return stopped(p, c.Context(), args[0], p.errand(c.Context(), "order", args[0], o))
		},
	}
	c.Flags().BoolVar(&wait, "wait", false, "stay until no cache can hold a record")
	return c
}
