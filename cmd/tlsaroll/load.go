package main

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/config"
	"github.com/tlsaroll/tlsaroll/rollover/agent"
)

// load reads the configuration and builds what the agent works with. Warnings
// are said; every error is in the result.
func (p *program) load() (agent.Config, error) {
	cfg, warnings, err := config.System(config.RFC2136()).Load(p.configFile)
	for _, w := range warnings {
		p.ui.warn(w.Error(), "")
	}
	if err != nil {
		return agent.Config{}, err
	}
	wired, err := p.wire(cfg)
	if err != nil {
		return agent.Config{}, usage(err)
	}
	return wired, nil
}

// open takes the journal's lock: from here on this process alone acts.
func (p *program) open() (*agent.Agent, error) {
	cfg, err := p.load()
	if err != nil {
		return nil, err
	}
	a, err := agent.Open(cfg)
	if errors.Is(err, agent.ErrLocked) {
		return nil, fmt.Errorf("%w", err)
	}
	return a, err
}

// openDry opens for looking only.
func (p *program) openDry() (*agent.Agent, error) {
	cfg, err := p.load()
	if err != nil {
		return nil, err
	}
	return agent.OpenDry(cfg)
}

// known refuses a lineage that the configuration does not have.
func known(a *agent.Agent, lineage string) error {
	if names := a.Lineages(); !slices.Contains(names, lineage) {
		return usage(fmt.Errorf("no lineage %q (hint: the configuration has: %s)", lineage, list(names)))
	}
	return nil
}

func list(names []string) string {
	s := ""
	for i, name := range names {
		if i > 0 {
			s += ", "
		}
		s += name
	}
	return s
}

// logger writes what the agent has to say in the form of every other line.
func (u *ui) logger() *slog.Logger {
	return slog.New(&lineHandler{ui: u})
}
