package rollover

import "github.com/tlsaroll/tlsaroll/rollover/tlsa"

// retime gives RRsets the TTL that a person asked for, as a step of its own. It
// shortens no wait that has begun: the ledger keeps what was served with the old
// TTL.
func (x *pass) retime() {
	for _, s := range x.sites() {
		if l := x.ledger(s); l.Retime > 0 {
			x.retimeAt(s, l)
		}
	}
}

func (x *pass) retimeAt(s *site, l Ledger) {
	standing := l.latest()
	if standing.Denial() || !x.mayWrite(s, standing.Associations[:1]) {
		return
	}
	copied, read := x.seen.Copies[s.target]
	switch {
	case !read:
		x.needCopy(s.target)
	case !copied.Known():
		x.waitAt(s, copyUnknown(s.target, copied.Err))
	case copied.Value.Denial() || copied.Value.TTL == l.Retime:
		x.update(s, func(l *Ledger) { l.Retime = 0 })
	default:
		after := tlsa.RRset{TTL: l.Retime, Associations: copied.Value.Associations}
		x.change(s, Change{Before: copied.Value, After: after}, func(c Change) Action { return Retime{c} })
	}
}
