package journal

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.etcd.io/bbolt"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// Contents is all that a journal holds. Its zero value is an empty journal's.
type Contents struct {
	Stamp    Stamp          // zero: nothing was ever saved
	Kept     []tlsa.ChainID // see [Journal.Keep]
	Lineages map[string]rollover.Lineage
	Ledgers  []OwnerLedger
	Chains   map[tlsa.ChainID]*tlsa.Chain
	Offers   map[string][]rollover.Offer // not taken up by a pass, by lineage
	Orders   map[string]rollover.Issuing // for certificates, by lineage

	mentions  map[string][]tlsa.ChainID // by the name of the entry: what may be ids of chains
	byLineage map[string][]int          // of Ledgers, by the lineages that kept them
	byOwner   map[tlsa.Owner][]int
}

// OwnerLedger is the ledger of one owner name, as one group kept it.
type OwnerLedger struct {
	Owner    tlsa.Owner
	Lineages []string // of the group
	Ledger   rollover.Ledger

	entry string // its name
}

// Load reads everything. What cannot be read is [ErrCorrupt].
func (j *Journal) Load() (Contents, error) {
	c := Contents{
		Lineages: map[string]rollover.Lineage{}, Chains: map[tlsa.ChainID]*tlsa.Chain{}, Offers: map[string][]rollover.Offer{}, Orders: map[string]rollover.Issuing{},
		mentions: map[string][]tlsa.ChainID{}, byLineage: map[string][]int{}, byOwner: map[tlsa.Owner][]int{},
	}
	err := j.db.View(func(tx *bbolt.Tx) error {
		if b := stored(tx, bucketMeta, keyStamp); b != nil {
			if err := decode(bucketMeta, []byte(keyStamp), b, &c.Stamp); err != nil {
				return err
			}
		}
		if b := stored(tx, bucketMeta, keyKept); b != nil {
			if err := decode(bucketMeta, []byte(keyKept), b, &c.Kept); err != nil {
				return err
			}
		}
		return first(
			each(tx, bucketLineages, c.lineage),
			each(tx, bucketLedgers, c.ledger),
			each(tx, bucketChains, c.chain),
			each(tx, bucketOffers, c.offers),
			each(tx, bucketOrders, c.order),
		)
	})
	if err != nil {
		return Contents{}, fmt.Errorf("journal %s: %w: %w", j.path, ErrCorrupt, err)
	}
	return c, nil
}

// stored is a value as it stands in the file, nil where there is none.
func stored(tx *bbolt.Tx, bucket []byte, key string) []byte {
	b := tx.Bucket(bucket)
	if b == nil {
		return nil
	}
	return b.Get([]byte(key))
}

func each[T any](tx *bbolt.Tx, bucket []byte, take func(e entry, value T) error) error {
	b := tx.Bucket(bucket)
	if b == nil {
		return nil // in a file that was made and never written
	}
	return b.ForEach(func(k, v []byte) error {
		var value T
		if err := decode(bucket, k, v, &value); err != nil {
			return err
		}
		return take(entry{bucket, k, v}, value)
	})
}

func (c *Contents) lineage(e entry, l rollover.Lineage) error {
	c.Lineages[string(e.key)] = l
	c.mentions[e.name()] = idsIn(e.value)
	return nil
}

func (c *Contents) ledger(e entry, l ledger) error {
	_, owner, ok := strings.Cut(string(e.key), separator)
	if !ok {
		return fmt.Errorf("%s %q: no owner name", e.bucket, e.key)
	}
	i := len(c.Ledgers)
	c.Ledgers = append(c.Ledgers, OwnerLedger{tlsa.Owner(owner), l.Lineages, l.Ledger, e.name()})
	c.byOwner[tlsa.Owner(owner)] = append(c.byOwner[tlsa.Owner(owner)], i)
	for _, name := range l.Lineages {
		c.byLineage[name] = append(c.byLineage[name], i)
	}
	c.mentions[e.name()] = idsIn(e.value)
	return nil
}

func (c *Contents) chain(e entry, chain *tlsa.Chain) error {
	if chain == nil || string(chain.ID()) != string(e.key) {
		return fmt.Errorf("%s %q: another chain", e.bucket, e.key)
	}
	c.Chains[chain.ID()] = chain
	return nil
}

func (c *Contents) offers(e entry, offers []rollover.Offer) error {
	c.Offers[string(e.key)] = offers
	c.mentions[e.name()] = idsIn(e.value)
	return nil
}

// order names no chain that must stay: it may be gone by now.
func (c *Contents) order(e entry, i rollover.Issuing) error {
	c.Orders[string(e.key)] = i
	return nil
}

// State is what is known of a group of lineages: their own entries, the ledgers
// of the owner names that are theirs by configuration, whoever kept them, and those
// that they kept themselves. Where there are several of one name, the one that
// supersedes the others counts.
func (c Contents) State(lineages []string, owners []tlsa.Owner) rollover.State {
	s := rollover.State{Lineages: map[string]rollover.Lineage{}, Owners: map[tlsa.Owner]rollover.Ledger{}, Chains: map[tlsa.ChainID]*tlsa.Chain{}}
	var mentioned []tlsa.ChainID
	var ledgers []int
	for _, name := range lineages {
		if l, known := c.Lineages[name]; known {
			s.Lineages[name] = l
			mentioned = append(mentioned, c.mentions[entry{bucket: bucketLineages, key: []byte(name)}.name()]...)
		}
		ledgers = append(ledgers, c.byLineage[name]...)
	}
	for _, owner := range owners {
		ledgers = append(ledgers, c.byOwner[owner]...)
	}
	counts := map[tlsa.Owner]OwnerLedger{}
	for _, i := range ledgers {
		l := c.Ledgers[i]
		if other, twice := counts[l.Owner]; !twice || l.supersedes(other, lineages) {
			counts[l.Owner] = l
			s.Owners[l.Owner] = l.Ledger
		}
		mentioned = append(mentioned, c.mentions[l.entry]...)
	}
	for _, id := range mentioned {
		if chain := c.Chains[id]; chain != nil && s.Names(id) {
			s.Chains[id] = chain
		}
	}
	return s
}

// supersedes reports which of two ledgers of one name counts for some lineages. Of two groups'
// that have become one it is the one that reaches back further. Else the older one was left
// behind: by a group whose first lineage another configuration took from it or gave it, or
// by a lineage that the name, or another name for the lineage, has gone on from.
func (l OwnerLedger) supersedes(other OwnerLedger, lineages []string) bool {
	in := func(names []string) func(string) bool {
		return func(name string) bool { return slices.Contains(names, name) }
	}
	two := slices.ContainsFunc(l.Lineages, in(lineages)) && slices.ContainsFunc(other.Lineages, in(lineages)) && !slices.ContainsFunc(l.Lineages, in(other.Lineages))
	if !two && !l.Ledger.Looked.Equal(other.Ledger.Looked) {
		return l.Ledger.Looked.After(other.Ledger.Looked)
	}
	return l.Ledger.ReachesBackFurther(other.Ledger)
}

// Orphans are the chains that nothing names: a crash came before they could be
// forgotten.
func (c Contents) Orphans() []tlsa.ChainID {
	named := c.Named()
	return slices.DeleteFunc(slices.Sorted(maps.Keys(c.Chains)), func(id tlsa.ChainID) bool { return named[id] })
}

// Named are the chains that something other than themselves names.
func (c Contents) Named() map[tlsa.ChainID]bool {
	named := map[tlsa.ChainID]bool{}
	for _, ids := range c.mentions {
		for _, id := range ids {
			named[id] = true
		}
	}
	return named
}

// idsIn are the strings in a JSON text that may be ids of chains. To look for all
// ids in all values would take the square of their number.
func idsIn(text []byte) []tlsa.ChainID {
	const digits = 2 * sha256.Size
	var ids []tlsa.ChainID
	begin := 0
	for i, c := range text {
		if '0' <= c && c <= '9' || 'a' <= c && c <= 'f' {
			continue
		}
		if c == '"' && i-begin == digits {
			ids = append(ids, tlsa.ChainID(text[begin:i]))
		}
		begin = i + 1
	}
	return ids
}

func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
