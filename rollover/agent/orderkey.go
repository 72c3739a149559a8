package agent

import (
	"errors"

	"github.com/tlsaroll/tlsaroll/certwatch"
)

// orderKey is the key of a lineage's next order: the standby key, whose record stands
// already, where the scheme has one; else a fresh one. An order that fails consumes
// nothing: the standby key stays where it is.
func (a *Agent) orderKey(l Lineage) (certwatch.Key, error) {
	if !l.Policy.Scheme.Standby {
		return l.KeyType.Generate()
	}
	return certwatch.Key{}, errors.New("no standby keys yet")
}
