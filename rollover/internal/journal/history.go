package journal

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"github.com/tlsaroll/tlsaroll/rollover"
)

const (
	// kept is for how long an event is: a year, and what a leap year has more.
	kept = 366 * 24 * time.Hour

	// stepsKept and warningsKept are how many are kept of one lineage at most. Warnings
	// count apart: a server that comes and goes must not push the last swap out.
	stepsKept    = 1000
	warningsKept = 400

	// agedOut is how many leave for their age when one is entered. They are more than
	// come, and a clock that is a year ahead for a moment costs no more than these.
	agedOut = 4
)

// Note makes events durable that belong to no state.
func (j *Journal) Note(events []rollover.Event) error {
	return j.commit(func(tx *bbolt.Tx) error { return enter(tx, events) })
}

// Events are what is remembered of some lineages, or of all and the program where none is
// named, the oldest first. One that cannot be read is left out: nothing is decided by it.
func (j *Journal) Events(lineages ...string) ([]rollover.Event, error) {
	events := []rollover.Event{}
	err := j.db.View(func(tx *bbolt.Tx) error {
		b := tx.Bucket(bucketEvents)
		if b == nil {
			return nil // in a file of an older program
		}
		return b.ForEach(func(key, value []byte) error {
			name, _, _ := bytes.Cut(key, []byte(separator))
			var e rollover.Event
			if len(lineages) > 0 && !slices.Contains(lineages, string(name)) || decode(bucketEvents, key, value, &e) != nil {
				return nil
			}
			events = append(events, e)
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("journal %s: %w", j.path, err)
	}
	slices.SortStableFunc(events, func(a, b rollover.Event) int { return a.At.Compare(b.At) })
	return events, nil
}

// ReadEvents is [Journal.Events] of a file that is let go at once, as by [Read].
func ReadEvents(path string, timeout time.Duration, lineages ...string) ([]rollover.Event, error) {
	j, _, err := look(path, timeout)
	if err != nil || j == nil {
		return nil, err
	}
	events, err := j.Events(lineages...)
	return events, first(err, j.Close())
}

// shelf is where events of one lineage and kind stand: its prefix of their keys, behind
// which they are numbered, and how many it has room for.
type shelf struct {
	prefix []byte
	room   uint64
}

func shelfOf(e rollover.Event) shelf {
	if e.OfWarnings() {
		return shelf{[]byte(e.Lineage + separator + "w"), warningsKept}
	}
	return shelf{[]byte(e.Lineage + separator + "s"), stepsKept}
}

// enter adds events, and takes out what there is no more room for or is too old. With one
// of the program that is looked for on every shelf: no more may come of some lineage.
func enter(tx *bbolt.Tx, events []rollover.Event) error {
	for _, e := range events {
		s := shelfOf(e)
		number := s.last(tx) + 1
		put, err := encoded(bucketEvents, string(s.key(number)), e)
		if err != nil {
			return err
		}
		if err := tx.Bucket(bucketEvents).Put(put.key, put.value); err != nil {
			return err
		}
		clean := []shelf{s}
		if e.Lineage == "" {
			clean = shelves(tx)
		}
		for _, s := range clean {
			if err := s.clear(tx, e.At); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s shelf) key(number uint64) []byte {
	return binary.BigEndian.AppendUint64(bytes.Clone(s.prefix), number)
}

// number is that of a key, if it stands on the shelf.
func (s shelf) number(key []byte) (uint64, bool) {
	digits, ok := bytes.CutPrefix(key, s.prefix)
	if !ok || len(digits) != 8 {
		return 0, false
	}
	return binary.BigEndian.Uint64(digits), true
}

// last is the highest number on the shelf, 0 where it is empty.
func (s shelf) last(tx *bbolt.Tx) uint64 {
	c := tx.Bucket(bucketEvents).Cursor()
	key, _ := c.Seek(s.key(^uint64(0)))
	if key == nil {
		key, _ = c.Last()
	} else {
		key, _ = c.Prev()
	}
	number, _ := s.number(key)
	return number
}

// clear takes the oldest out.
func (s shelf) clear(tx *bbolt.Tx, now time.Time) error {
	last, b := s.last(tx), tx.Bucket(bucketEvents)
	for aged := 0; ; {
		key, value := b.Cursor().Seek(s.prefix)
		number, ours := s.number(key)
		if !ours {
			return nil
		}
		if last-number < s.room {
			var e rollover.Event
			if aged++; aged > agedOut || decode(bucketEvents, key, value, &e) == nil && now.Sub(e.At) <= kept {
				return nil
			}
		}
		if err := b.Delete(bytes.Clone(key)); err != nil {
			return err
		}
	}
}

// shelves are all that there are.
func shelves(tx *bbolt.Tx) []shelf {
	var all []shelf
	c := tx.Bucket(bucketEvents).Cursor()
	for key, _ := c.First(); key != nil; {
		at := bytes.IndexByte(key, separator[0])
		if at < 0 || at+2 > len(key) {
			key, _ = c.Next() // nothing of ours
			continue
		}
		s := shelf{bytes.Clone(key[:at+2]), stepsKept}
		if key[at+1] == 'w' {
			s.room = warningsKept
		}
		all = append(all, s)
		if key, _ = c.Seek(s.key(^uint64(0))); bytes.HasPrefix(key, s.prefix) {
			key, _ = c.Next()
		}
	}
	return all
}
