package agent

import (
	"fmt"

	"github.com/tlsaroll/tlsaroll/certwatch"
)

// orderKey is the key of a lineage's next order: the standby key, whose record stands
// already, where the scheme has one that is not live yet; else a fresh one. An order that fails consumes
// nothing: the standby key stays where it is.
func (a *Agent) orderKey(l Lineage) (certwatch.Key, error) {
	state, _, err := a.State(l.Name)
	if err != nil {
		return certwatch.Key{}, err
	}
	live := state.Chains[state.Lineages[l.Name].Live]
	if !l.Policy.Scheme.Standby {
		return l.keyType(live).Generate()
	}
	a.keying.lock() // a pass may make the next one at the same moment
	defer a.keying.unlock()
	k, err := a.rooms.Keys.Next(l.Name)
	if err != nil && !isAbsent(err) {
		return certwatch.Key{}, fmt.Errorf("standby key: %w", err)
	}
	if err != nil {
		return a.makeKey(l, false, live)
	}
	record, err := k.Association()
	if err != nil {
		return certwatch.Key{}, err
	}
	switch {
	case spent(state.Lineages[l.Name], record, state.Chains):
		return a.makeKey(l, true, live)
	case isOf(record, live): // and its swap may be undone, so that the next one is not made yet
		return l.keyType(live).Generate()
	}
	return k, nil
}
