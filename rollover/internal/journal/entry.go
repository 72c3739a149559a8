package journal

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"strings"

	"go.etcd.io/bbolt"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// What stands where: meta has the schema and the stamp; lineages, ledgers, chains,
// offers, orders and events have one entry each.
var (
	bucketMeta     = []byte("meta")
	bucketLineages = []byte("lineages") // by name
	bucketLedgers  = []byte("ledgers")  // by the group's first lineage and the owner name
	bucketChains   = []byte("chains")   // by id
	bucketOffers   = []byte("offers")   // by lineage
	bucketOrders   = []byte("orders")   // by lineage; a journal of an older program lacks it
	bucketEvents   = []byte("events")   // by lineage, kind and number, see enter; likewise
)

func buckets() [][]byte { return append(oldBuckets(), newBuckets()...) }

// newBuckets are those that a journal of an older program lacks, and that such a program
// leaves alone.
func newBuckets() [][]byte { return [][]byte{bucketOrders, bucketEvents} }

// oldBuckets are those that every journal has.
func oldBuckets() [][]byte {
	return [][]byte{bucketMeta, bucketLineages, bucketLedgers, bucketChains, bucketOffers}
}

const (
	keySchema = "schema"
	keyStamp  = "stamp"
	keyKept   = "kept"
)

// entry is one key with its value, as it stands in the file: a checksum, then JSON.
type entry struct{ bucket, key, value []byte }

func (e entry) name() string { return string(e.bucket) + "/" + string(e.key) }

const sumSize = 4

var errSum = errors.New("the checksum does not fit")

// checksum covers bucket and key, too: a value in the wrong place is damage.
func checksum(bucket, key, text []byte) uint32 {
	table := crc32.MakeTable(crc32.Castagnoli)
	sum := crc32.Update(0, table, bucket)
	sum = crc32.Update(sum, table, key)
	return crc32.Update(sum, table, text)
}

func encoded(bucket []byte, key string, value any) (entry, error) {
	text, err := json.Marshal(value)
	if err != nil {
		return entry{}, fmt.Errorf("%s %q: %w", bucket, key, err)
	}
	e := entry{bucket: bucket, key: []byte(key)}
	e.value = binary.BigEndian.AppendUint32(make([]byte, 0, sumSize+len(text)), checksum(bucket, e.key, text))
	e.value = append(e.value, text...)
	return e, nil
}

// decode reads a value as it stands in the file.
func decode(bucket, key, value []byte, into any) error {
	if len(value) < sumSize || binary.BigEndian.Uint32(value) != checksum(bucket, key, value[sumSize:]) {
		return fmt.Errorf("%s %q: %w", bucket, key, errSum)
	}
	if err := json.Unmarshal(value[sumSize:], into); err != nil {
		return fmt.Errorf("%s %q: %w", bucket, key, err)
	}
	return nil
}

// ledger is an owner's ledger as it is stored: with the lineages of its group, as
// an owner name need not be that of an endpoint.
type ledger struct {
	Lineages []string        `json:"lineages"`
	Ledger   rollover.Ledger `json:"ledger"`
}

// separator stands in no lineage's name and no owner name.
const separator = "\x00"

// groupEntries are the entries of a group, by name.
type groupEntries struct {
	lineages []string
	all      []entry
	offers   bool // they are among them, and others must go
}

func (g Group) entries() (groupEntries, error) {
	want := groupEntries{lineages: slices.Sorted(slices.Values(g.Lineages)), offers: g.Offers != nil}
	var errs []error
	add := func(bucket []byte, key string, value any) {
		e, err := encoded(bucket, key, value)
		want.all, errs = append(want.all, e), append(errs, err)
	}
	for name, l := range g.State.Lineages {
		add(bucketLineages, name, l)
	}
	for owner, l := range g.State.Owners {
		add(bucketLedgers, want.lineages[0]+separator+string(owner), ledger{want.lineages, l})
	}
	for id, c := range g.State.Chains {
		add(bucketChains, string(id), c)
	}
	for name, offers := range g.Offers {
		if len(offers) > 0 {
			add(bucketOffers, name, offers)
		}
	}
	return want, errors.Join(errs...)
}

// against gives what must be written and what must go, so that the group stands in the
// file as it is wanted. What it kept together with lineages that are of another group by
// now is left to those, unless they keep it already: it may be all that is known of their
// owner names.
func (want groupEntries) against(tx *bbolt.Tx) (puts, left, gone []entry, err error) {
	wanted := map[string]bool{}
	for _, e := range want.all {
		wanted[e.name()] = true
		if !bytes.Equal(tx.Bucket(e.bucket).Get(e.key), e.value) {
			puts = append(puts, e)
		}
	}
	ledgers := tx.Bucket(bucketLedgers).Cursor()
	for _, name := range want.lineages {
		prefix := []byte(name + separator)
		for key, value := ledgers.Seek(prefix); bytes.HasPrefix(key, prefix); key, value = ledgers.Next() {
			e := entry{bucket: bucketLedgers, key: bytes.Clone(key)}
			if wanted[e.name()] {
				continue
			}
			gone = append(gone, e)
			theirs, others, err := want.left(key, value)
			if err != nil {
				return nil, nil, nil, err
			}
			if others {
				left = append(left, theirs)
			}
		}
		if e := (entry{bucket: bucketOffers, key: []byte(name)}); want.offers && !wanted[e.name()] && tx.Bucket(bucketOffers).Get(e.key) != nil {
			gone = append(gone, e)
		}
	}
	return puts, left, gone, nil
}

// left is a ledger that goes, as those of its lineages keep it that are not of the group.
func (want groupEntries) left(key, value []byte) (theirs entry, others bool, err error) {
	var kept struct {
		Lineages []string        `json:"lineages"`
		Ledger   json.RawMessage `json:"ledger"`
	}
	if err := decode(bucketLedgers, key, value, &kept); err != nil {
		return entry{}, false, err
	}
	kept.Lineages = slices.DeleteFunc(kept.Lineages, func(name string) bool { return slices.Contains(want.lineages, name) })
	if len(kept.Lineages) == 0 {
		return entry{}, false, nil
	}
	_, owner, _ := strings.Cut(string(key), separator)
	theirs, err = encoded(bucketLedgers, kept.Lineages[0]+separator+owner, kept)
	return theirs, true, err
}

// names reports whether some entry names a chain. To decode them all would be
// slow; an id stands in few.
func names(tx *bbolt.Tx, id tlsa.ChainID) (bool, error) {
	var found bool
	look := func(bucket []byte, holds func(key, value []byte) (bool, error)) error {
		return tx.Bucket(bucket).ForEach(func(key, value []byte) (err error) {
			if !found && bytes.Contains(value, []byte(id)) {
				found, err = holds(key, value)
			}
			return err
		})
	}
	return found, errors.Join(
		look(bucketLineages, func(key, value []byte) (bool, error) {
			var l rollover.Lineage
			err := decode(bucketLineages, key, value, &l)
			return rollover.State{Lineages: map[string]rollover.Lineage{"": l}}.Names(id), err
		}),
		look(bucketLedgers, func(key, value []byte) (bool, error) {
			var l ledger
			err := decode(bucketLedgers, key, value, &l)
			return rollover.State{Owners: map[tlsa.Owner]rollover.Ledger{"": l.Ledger}}.Names(id), err
		}),
		look(bucketOffers, func(_, _ []byte) (bool, error) { return true, nil }))
}
