package memory

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// By says who made an edit.
type By string

// Who edits a zone.
const (
	ByProvider By = "provider" // a change through [Zone.Apply]
	ByHand     By = "hand"     // somebody else
)

// A Version is what an owner name held from At on.
type Version struct {
	At     time.Time
	Serial uint32
	RRset  tlsa.RRset
	Alias  tlsa.Owner
	By     By
}

// History returns what the primary copy held at owner, oldest first.
func (z *Zone) History(owner tlsa.Owner) []Version {
	z.mu.Lock()
	defer z.mu.Unlock()
	var versions []Version
	for _, e := range z.edits {
		if e.owner == owner {
			versions = append(versions, Version{e.at, e.serial, e.node.rrset.With(), e.node.alias, e.by})
		}
	}
	return versions
}

// Set edits the primary copy by hand: whatever stands at owner, an alias too, is
// replaced. A denial removes it. The owner may be a wildcard.
func (z *Zone) Set(owner tlsa.Owner, rrset tlsa.RRset) {
	z.edit(owner, node{rrset: rrset})
}

// Alias puts a CNAME at owner, in place of whatever stands there.
func (z *Zone) Alias(owner, target tlsa.Owner, ttl time.Duration) {
	z.edit(owner, node{alias: target, aliasTTL: ttl})
}

// Remove takes away whatever stands at owner.
func (z *Zone) Remove(owner tlsa.Owner) { z.edit(owner, node{}) }

// Restore puts the whole primary copy back to what it was at that time, as somebody
// does with an old zone file.
func (z *Zone) Restore(at time.Time) {
	z.mu.Lock()
	defer z.mu.Unlock()
	old, now := newServer(), z.copyOf()
	old.advance(z.edits[:z.until(at)])
	owners := map[tlsa.Owner]bool{}
	for owner := range old.nodes {
		owners[owner] = true
	}
	for owner := range now.nodes {
		owners[owner] = true
	}
	for _, owner := range slices.Sorted(maps.Keys(owners)) {
		if was := old.nodes[owner]; !was.equal(now.nodes[owner]) {
			z.commit(edit{owner: owner, node: was, by: ByHand})
		}
	}
}

func (z *Zone) edit(owner tlsa.Owner, n node) {
	if !z.holds(owner) {
		panic(fmt.Sprintf("memory: zone %s: %s lies outside of it", z.name, owner))
	}
	z.mu.Lock()
	defer z.mu.Unlock()
	z.commit(edit{owner: owner, node: n, by: ByHand})
}

func (z *Zone) holds(owner tlsa.Owner) bool { return dnsprovider.InZone(string(owner), z.name) }
