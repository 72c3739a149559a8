package agent

import (
	"fmt"
)

// With makes an agent of another configuration that goes on where a stops: with its
// journal, which nobody else can take meanwhile, and with what lies in its inbox.
// [Agent.Run] of a must have returned. a is of no use afterwards and need not be
// closed; after an error it goes on as before.
func (a *Agent) With(cfg Config) (*Agent, error) {
	cfg, err := cfg.checked()
	if err != nil {
		return nil, err
	}
	if cfg.State != a.cfg.State {
		return nil, fmt.Errorf("state: %s cannot become %s while it runs (hint: restart it)", a.cfg.State, cfg.State)
	}
	known, err := a.store.Load()
	if err != nil {
		return nil, err
	}
	next, err := build(cfg, a.store, known)
	if err != nil {
		return nil, err
	}
	next.inbox = a.inbox
	a.end()
	a.background.Wait()
	return next, nil
}

// Dry is an agent that only looks, and begins where a stands: whatever its passes
// come to, nothing is changed.
func (a *Agent) Dry() (*Agent, error) {
	known, err := a.store.Load()
	if err != nil {
		return nil, err
	}
	dry, err := assemble(a.cfg, nothing{}, known)
	if err != nil {
		return nil, err
	}
	dry.dry = true
	return dry, nil
}
