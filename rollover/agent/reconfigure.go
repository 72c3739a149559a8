package agent

import (
	"fmt"
	"slices"
)

// With makes an agent of another configuration that goes on where a stops: with its
// journal, which nobody else can take meanwhile, with what lies in its inbox, and with the
// orders that are under way: those that it has no use for are given up.
// [Agent.Run] of a must have returned; passes that others make are waited for. From
// then on the new one, its heir, does what a is asked for, and a need not be closed;
// after an error a goes on as before.
func (a *Agent) With(cfg Config) (*Agent, error) {
	cfg, err := cfg.checked()
	if err != nil {
		return nil, err
	}
	if cfg.State != a.cfg.State {
		return nil, fmt.Errorf("state: %s cannot become %s while it runs (hint: restart it)", a.cfg.State, cfg.State)
	}
	defer a.hold()()
	known, err := a.rooms.Store.Load()
	if err != nil {
		return nil, err
	}
	rooms, err := cfg.rooms(a.rooms.Store)
	if err != nil {
		return nil, err
	}
	next := build(cfg, rooms, known)
	next.inbox, next.stashing, next.keying, next.desk = a.inbox, a.stashing, a.keying, a.desk
	a.heir.Store(next)
	a.desk.drop(renamed(a.lineages, next.lineages))
	a.end()
	a.background.Wait()
	return next, nil
}

// hold takes the turns of all groups until they are given back: one pass with what was
// remembered before would undo what the heir's have written down. They are taken in
// the order of names, as [Agent.join] does.
func (a *Agent) hold() (give func()) {
	var held []*group
	for _, name := range a.Lineages() {
		g, err := a.group(name)
		if err != nil || slices.Contains(held, g) {
			continue
		}
		for waits := true; waits; {
			select {
			case g.turn <- struct{}{}:
				waits = false
			case answer := <-a.pings: // the pass under way has limits of its own
				close(answer)
			}
		}
		held = append(held, g)
	}
	return func() {
		for _, g := range held {
			g.give()
		}
	}
}

// latest is the agent that does what a is asked for: itself, or the last of its heirs.
func (a *Agent) latest() *Agent {
	for next := a.heir.Load(); next != nil; next = a.heir.Load() {
		a = next
	}
	return a
}

// Dry is an agent that only looks, and begins where a stands: whatever its passes
// come to, nothing is changed.
func (a *Agent) Dry() (*Agent, error) {
	a = a.latest()
	known, err := a.rooms.Store.Load()
	if err != nil {
		return nil, err
	}
	rooms := a.rooms
	rooms.Store = nothing{}
	dry := assemble(a.cfg, rooms, known)
	dry.dry = true
	return dry, nil
}
