package main

import (
	"log/slog"
	"strings"

	"github.com/tlsaroll/tlsaroll/certwatch/issuers"
	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/config"
	"github.com/tlsaroll/tlsaroll/rollover/agent"
)

// load reads the configuration and builds what the agent works with. Warnings
// are said; every error is in the result.
func (p *program) load() (*config.Config, agent.Config, error) {
	return p.loadWarning(func(text string) { p.ui.warn(text, "") })
}

func (p *program) loadWarning(warn func(text string)) (*config.Config, agent.Config, error) {
	l := loader()
	l.CheckProvider = p.checkProvider
	cfg, warnings, err := l.Load(p.configFile)
	for _, w := range warnings {
		warn(w.Error())
	}
	if err != nil {
		return nil, agent.Config{}, err
	}
	wired, err := p.wire(cfg)
	if err != nil {
		return nil, agent.Config{}, usage(err)
	}
	return cfg, wired, nil
}

// loader reads configurations with all that this build knows.
func loader() config.Loader {
	l := config.System(providerTypes()...)
	l.RefusedTypes = refusedTypes()
	l.IssuerSets = issuers.Sets()
	return l
}

func list(names []string) string { return strings.Join(names, ", ") }

// logger is where the agent, and whoever works for it, have their say.
func (p *program) logger() *slog.Logger {
	if p.logs != nil {
		return p.logs
	}
	return p.ui.logger()
}

// logger writes what the agent has to say in the form of every other line.
func (u *ui) logger() *slog.Logger {
	return slog.New(&lineHandler{ui: u})
}
