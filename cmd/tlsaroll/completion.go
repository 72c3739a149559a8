package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/suggest"
)

func (p *program) completionCommand() *cobra.Command {
	shells := []string{"bash", "zsh", "fish"}
	return &cobra.Command{
		Use:   "completion SHELL",
		Short: "print a script that completes commands and options",
		Long: `
			Prints what bash, zsh or fish needs to complete tlsaroll's commands and options.`,
		Example: `
			$ tlsaroll completion bash >/etc/bash_completion.d/tlsaroll
			$ tlsaroll completion zsh >/usr/share/zsh/vendor-completions/_tlsaroll
			$ tlsaroll completion fish >/etc/fish/completions/tlsaroll.fish`,
		Annotations: map[string]string{exitStatus: "0\tprinted\n2\twrong usage"},
		Args:        exactlyOne("SHELL"),
		ValidArgs:   shells,
		RunE: func(c *cobra.Command, args []string) error {
			switch args[0] {
			case "bash":
				return c.Root().GenBashCompletionV2(p.ui.own.stdout, true)
			case "zsh":
				return c.Root().GenZshCompletion(p.ui.own.stdout)
			case "fish":
				return c.Root().GenFishCompletion(p.ui.own.stdout, true)
			}
			return usage(fmt.Errorf("no completion for %q (hint: %s)", args[0], suggest.Hint(args[0], shells, "there is: ")))
		},
	}
}

// completeLineage completes the name of a lineage of the configuration.
func (p *program) completeLineage(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	cfg, err := p.withoutSecrets()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp // it is said when the command is run
	}
	var names []string
	for _, l := range cfg.Lineages {
		names = append(names, l.Name)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
