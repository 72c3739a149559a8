package rollover

import (
	"maps"
	"slices"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// retime gives the RRsets of a lineage the TTL that a person asked for, as a
// step of its own. It shortens no wait that has begun: the ledger keeps what
// was served with the old TTL.
func (x *pass) retime() {
	targets := x.targets()
	for _, target := range slices.Sorted(maps.Keys(targets)) {
		owners := targets[target]
		ttl := x.wantedTTL(owners)
		l := x.Owners[owners[0]]
		standing := l.latest()
		if ttl == 0 || standing.Denial() || standing.TTL-l.AliasTTL == ttl {
			continue
		}
		copied, read := x.seen.Copies[target]
		switch {
		case !x.mayWrite(target, owners, []want{{Association: standing.Associations[0]}}):
		case !read:
			x.needCopy(target)
		case copied.Known() && !copied.Value.Denial() && copied.Value.TTL != ttl:
			after := copied.Value
			after.TTL = ttl
			x.change(target, owners, Change{Before: copied.Value, After: after}, func(c Change) Action { return Retime{c} })
		}
	}
}

func (x *pass) wantedTTL(owners []tlsa.Owner) time.Duration {
	for _, name := range x.usersAt(owners) {
		if ttl := x.seen.Lineages[name].Orders.TTL; ttl > 0 {
			return ttl
		}
	}
	return 0
}
