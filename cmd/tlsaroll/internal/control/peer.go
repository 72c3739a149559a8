package control

import (
	"fmt"
	"slices"

	"github.com/tlsaroll/tlsaroll/rollover/peer"
)

// door is who may come in: root, the daemon's own user, members of the group.
type door struct {
	uid   uint32
	group group
}

// refuse says why a peer may not come in, "" if it may.
func (d door) refuse(p peer.Process) string {
	if p.UID == 0 || p.UID == d.uid || p.GID == d.group.gid || slices.Contains(p.Groups, d.group.gid) {
		return ""
	}
	return fmt.Sprintf("uid %d is not in group %s (hint: run it as root, or join the group and log in again)", p.UID, d.group.name)
}
