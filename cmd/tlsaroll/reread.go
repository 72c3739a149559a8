package main

import (
	"fmt"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/config"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/agent"
)

// reread reads the configuration anew. A bad one is said, and the old one stays in force.
func (d *daemon) reread() (*config.Config, agent.Config, error) {
	d.service.reloading(d.log)
	cfg, wired, err := d.read()
	if err == nil {
		err = d.unchangeable(cfg)
	}
	if err != nil {
		d.stale(err)
	}
	return cfg, wired, err
}

// unchangeable says what of the configuration cannot change while the daemon runs.
func (d *daemon) unchangeable(cfg *config.Config) error {
	old := d.configured()
	for _, part := range []struct {
		key  string
		same bool
	}{
		{"state", old.State == cfg.State}, {"control", old.Control == cfg.Control}, {"control-group", old.ControlGroup == cfg.ControlGroup},
		{"listen", old.Listen == cfg.Listen}, {"web", old.Web.Equal(cfg.Web)},
	} {
		if !part.same {
			return fmt.Errorf("%s: %s: cannot change while the daemon runs (hint: restart it)", d.configFile, part.key)
		}
	}
	return nil
}

// change puts another configuration in force. No pass is under way.
func (d *daemon) change(cfg *config.Config, wired agent.Config) {
	teller, err := d.tellerFor(cfg, d.log)
	if err != nil {
		d.stale(err)
		return
	}
	next, err := d.agent().With(wired)
	if err != nil {
		d.stale(err)
		return
	}
	d.heard.forget()
	d.enforce(&present{cfg, next, teller})
	d.over(rollover.CodeConfigStale)
	d.happened(rollover.Reread, d.configFile+" was read again")
	d.rememberTroubles()
	d.log.Info("the configuration was read again", "file", d.configFile, "lineages", next.Lineages(), "next_look", d.now().UTC())
	d.service.ready(d.log)
}

// stale tells of a configuration that cannot be put in force.
func (d *daemon) stale(err error) {
	for _, line := range findings(err) {
		d.log.Error("the configuration was not changed", "err", line, "next_look", d.agent().NextPass())
	}
	d.trouble(rollover.CodeConfigStale, d.configFile, fmt.Sprintf("the file cannot be put in force, and the configuration that was read before is: %s", findings(err)[0]))
	d.rememberTroubles()
	d.service.ready(d.log)
}
