package control

import (
	"fmt"
	"log/slog"
	"slices"
)

// peer is the process at the other end of a connection, as the kernel knows it: with
// what it was when it connected, or began to listen.
type peer struct {
	uid, gid uint32
	groups   []uint32 // supplementary
	pid      int32
}

func (p peer) LogValue() slog.Value {
	return slog.GroupValue(slog.Uint64("uid", uint64(p.uid)), slog.Uint64("gid", uint64(p.gid)), slog.Int("pid", int(p.pid)))
}

// door is who may come in: root, the daemon's own user, members of the group.
type door struct {
	uid   uint32
	group group
}

// refuse says why a peer may not come in, "" if it may.
func (d door) refuse(p peer) string {
	if p.uid == 0 || p.uid == d.uid || p.gid == d.group.gid || slices.Contains(p.groups, d.group.gid) {
		return ""
	}
	return fmt.Sprintf("uid %d is not in group %s (hint: run it as root, or join the group and log in again)", p.uid, d.group.name)
}
