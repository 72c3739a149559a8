package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/suggest"
)

// dress gives a command and all below it our words for what goes wrong.
func (p *program) dress(root *cobra.Command) {
	root.SilenceErrors, root.SilenceUsage = true, true
	root.SetIn(p.ui.stdin)
	root.SetOut(p.ui.own.stdout)
	root.SetErr(p.ui.own.stderr)
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetFlagErrorFunc(flagError)
	root.SetHelpFunc(func(c *cobra.Command, _ []string) { fmt.Fprint(p.ui.own.stdout, manual(c)) })
	root.SetHelpCommand(helpCommand())
	for _, c := range append(root.Commands(), root) {
		c.DisableFlagsInUseLine = true
		c.InitDefaultHelpFlag()
		c.Flags().Lookup("help").Usage = "show this page"
		if strings.HasSuffix(c.Use, "LINEAGE") || strings.HasSuffix(c.Use, "[LINEAGE]") {
			c.ValidArgsFunction = p.completeLineage
		}
	}
}

// noCommand is the root command, which nobody wants.
func noCommand(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return usage(fmt.Errorf("no command (hint: %s --help lists them)", c.Name()))
	}
	return usage(unknownCommand(c, args[0]))
}

func unknownCommand(root *cobra.Command, name string) error {
	var known []string
	for _, c := range root.Commands() {
		if !c.Hidden {
			known = append(known, c.Name())
		}
	}
	return fmt.Errorf("unknown command %q (hint: %s)", name, suggest.Hint(name, known, "there are: "))
}

func helpCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "help [COMMAND]",
		Short:  "show a command's page",
		Hidden: true,
		RunE: func(c *cobra.Command, args []string) error {
			about := c.Root()
			for _, name := range args {
				next, _, err := about.Find([]string{name})
				if err != nil || next == about {
					return usage(unknownCommand(about, name))
				}
				about = next
			}
			return about.Help()
		},
	}
}

// flagError puts what pflag says into a sentence of ours.
func flagError(c *cobra.Command, err error) error {
	if args := c.Flags().Args(); c.HasSubCommands() && len(args) > 0 {
		return usage(unknownCommand(c, args[0])) // whose option that may be
	}
	see := c.CommandPath() + " --help lists them"
	var unknown *pflag.NotExistError
	var lacking *pflag.ValueRequiredError
	var invalid *pflag.InvalidValueError
	switch {
	case errors.As(err, &unknown):
		name := "--" + unknown.GetSpecifiedName()
		if unknown.GetSpecifiedShortnames() != "" {
			name = "-" + unknown.GetSpecifiedName()[:1]
		}
		var known []string
		c.Flags().VisitAll(func(f *pflag.Flag) { known = append(known, "--"+f.Name) })
		if near := suggest.Nearest(name, known); near != "" && strings.HasPrefix(name, "--") {
			see = "did you mean " + near + "?"
		}
		return usage(fmt.Errorf("unknown option %s (hint: %s)", name, see))
	case errors.As(err, &lacking):
		f := lacking.GetFlag()
		placeholder, _ := pflag.UnquoteUsage(f)
		return usage(fmt.Errorf("--%s needs a value (hint: write --%s %s; %s --help explains it)", f.Name, f.Name, placeholder, c.CommandPath()))
	case errors.As(err, &invalid):
		return usage(fmt.Errorf("--%s %q: %w", invalid.GetFlag().Name, invalid.GetValue(), invalid.Unwrap()))
	}
	return usage(fmt.Errorf("%w (hint: %s)", err, see))
}

// atLeastOne wants arguments; what says of which kind.
func atLeastOne(what string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) == 0 {
			return usage(fmt.Errorf("no %s (hint: %s)", what, c.UseLine()))
		}
		return nil
	}
}

// exactlyOne wants one argument; what says of which kind.
func exactlyOne(what string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) > 1 {
			return usage(fmt.Errorf("%q is one argument too many (hint: %s)", args[1], c.UseLine()))
		}
		return atLeastOne(what)(c, args)
	}
}

// noArguments wants none.
func noArguments(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usage(fmt.Errorf("%q is one argument too many (hint: %s)", args[0], c.UseLine()))
	}
	return nil
}

// atMostOne wants one argument or none; what says of which kind.
func atMostOne(what string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		return exactlyOne(what)(c, args)
	}
}
