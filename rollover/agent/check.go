package agent

import (
	"errors"
	"fmt"
	"log/slog"
)

// checked says all that is wrong with a configuration, and fills in what may be
// left out.
func (c Config) checked() (Config, error) {
	var errs []error
	require := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf("agent: "+format, args...))
		}
	}
	require(c.State != "", "no state directory")
	require(c.Clock.Wall != nil && c.Clock.Boot != nil, "no clock")
	if c.Clock.Synchronised == nil {
		c.Clock.Synchronised = func() bool { return false }
	}
	require(c.Timing.Look > 0, "look %s: not above zero", c.Timing.Look)
	require(c.Timing.Poll > 0, "poll %s: not above zero", c.Timing.Poll)
	require(c.Workers >= 0, "workers %d: below zero", c.Workers)
	seen := map[string]bool{}
	for _, l := range c.Lineages {
		require(l.Name != "", "a lineage without a name")
		require(!seen[l.Name], "lineage %q is given twice", l.Name)
		require(len(l.Policy.Endpoints) > 0, "lineage %q: no endpoint", l.Name)
		require(l.Issuer == nil || len(l.Names) > 0, "lineage %q: an issuer, and no name to issue for", l.Name)
		seen[l.Name] = true
	}
	providers := map[string]bool{}
	for _, p := range c.Providers {
		require(p.Provider != nil, "provider %q: nothing that could change records", p.Name)
		require(!providers[p.Name], "provider %q is given twice", p.Name)
		providers[p.Name] = true
	}
	for _, l := range c.Lineages {
		for url, name := range l.Providers {
			require(name == "" || providers[name], "lineage %q: %s: no provider %q", l.Name, url, name)
		}
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Workers == 0 {
		c.Workers = defaultWorkers
	}
	return c, errors.Join(errs...)
}
