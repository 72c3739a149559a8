package agent

import (
	"errors"
	"io/fs"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/internal/journal"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// nothing is the store of an agent that only looks. It has a history where its journal
// is not somebody else's to tell.
type nothing struct{ journal string }

func (nothing) Save(journal.Group, journal.Stamp) error       { return nil }
func (nothing) Offer(string, []rollover.Offer) error          { return nil }
func (nothing) Order(string, rollover.Issuing) error          { return nil }
func (nothing) Keep([]tlsa.ChainID) error                     { return nil }
func (nothing) Forget([]tlsa.ChainID) ([]tlsa.ChainID, error) { return nil, nil }
func (nothing) Note([]rollover.Event) error                   { return nil }
func (nothing) Load() (journal.Contents, error)               { return journal.Contents{}, nil }
func (nothing) There() error                                  { return nil }
func (nothing) Close() error                                  { return nil }

func (n nothing) Events(lineages ...string) ([]rollover.Event, error) {
	if n.journal == "" {
		return nil, nil
	}
	events, err := journal.ReadEvents(n.journal, lockTimeout, lineages...)
	if isAbsent(err) {
		return nil, nil
	}
	return events, err
}

func isAbsent(err error) bool { return errors.Is(err, fs.ErrNotExist) }
