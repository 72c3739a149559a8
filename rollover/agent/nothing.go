package agent

import (
	"errors"
	"io/fs"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/internal/journal"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// nothing is the store of a host that has no journal yet, for looking only.
type nothing struct{}

func (nothing) Load(func(string) bool) (rollover.State, journal.Stamp, error) {
	return rollover.State{}, journal.Stamp{}, nil
}
func (nothing) Save(rollover.State, journal.Stamp) error      { return nil }
func (nothing) Forget([]tlsa.ChainID) ([]tlsa.ChainID, error) { return nil, nil }
func (nothing) Close() error                                  { return nil }

func isAbsent(err error) bool { return errors.Is(err, fs.ErrNotExist) }
