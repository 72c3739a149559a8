package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version is for packagers, who build without a repository: -ldflags "-X main.version=v1.2.3".
var version string

func (p *program) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "print the version",
		Long: `
			Prints the version, the commit it was built from where that is known, the version of Go, and the platform, in one line.`,
		Example: `
			$ tlsaroll version`,
		Annotations: map[string]string{exitStatus: "0\tprinted"},
		Args:        noArguments,
		RunE:        func(*cobra.Command, []string) error { return p.printVersion() },
	}
}

func (p *program) printVersion() error {
	info, _ := debug.ReadBuildInfo()
	p.ui.result(versionLine(version, info))
	return nil
}

// versionLine is the version, and what it was built for.
func versionLine(linked string, info *debug.BuildInfo) string {
	return fmt.Sprintf("tlsaroll %s %s %s/%s", versionOf(linked, info), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

// versionOf is the version that was linked in, else that of the module, with the
// commit where that is known.
func versionOf(linked string, info *debug.BuildInfo) string {
	v, commit := linked, ""
	if info != nil {
		if v == "" && info.Main.Version != "" && info.Main.Version != "(devel)" {
			v = info.Main.Version
		}
		set := map[string]string{}
		for _, s := range info.Settings {
			set[s.Key] = s.Value
		}
		if rev := set["vcs.revision"]; rev != "" {
			commit = " (" + rev[:min(12, len(rev))]
			if set["vcs.modified"] == "true" {
				commit += ", changed"
			}
			commit += ")"
		}
	}
	if v == "" {
		v = "unreleased"
	}
	return v + commit
}
