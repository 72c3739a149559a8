package rollover

import (
	"maps"
	"slices"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// retime gives RRsets the TTL that a person asked for, as a step of its own. It
// shortens no wait that has begun: the ledger keeps what was served with the old
// TTL.
func (x *pass) retime() {
	targets := x.targets()
	for _, target := range slices.Sorted(maps.Keys(targets)) {
		x.retimeAt(target, targets[target])
	}
}

func (x *pass) retimeAt(target tlsa.Owner, owners []tlsa.Owner) {
	l := x.Owners[owners[0]]
	standing := l.latest()
	if l.Retime == 0 || standing.Denial() || x.changing[target] || !x.mayWrite(target, owners, []want{{Association: standing.Associations[0]}}) {
		return
	}
	copied, read := x.seen.Copies[target]
	switch {
	case !read:
		x.needCopy(target)
	case !copied.Known():
		x.waitAt(owners, copyUnknown(target, copied.Err))
	case copied.Value.Denial() || copied.Value.TTL == l.Retime:
		for _, owner := range owners {
			l := x.Owners[owner]
			l.Retime = 0
			x.Owners[owner] = l
		}
	default:
		after := copied.Value
		after.TTL = l.Retime
		x.change(target, owners, Change{Before: copied.Value, After: after}, func(c Change) Action { return Retime{c} })
	}
}
