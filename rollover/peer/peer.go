// Package peer tells who is at the other end of a Unix socket. Only Linux is asked; elsewhere
// nobody is known.
package peer

import "log/slog"

// A Process is the one at the other end of a connection, as the kernel knows it: with what it
// was when it connected, or began to listen (SO_PEERCRED of unix(7)).
type Process struct {
	UID, GID uint32
	Groups   []uint32 // supplementary; none where the kernel does not tell, which gives fewer rights, not more
	PID      int32
}

// LogValue is the process in a log.
func (p Process) LogValue() slog.Value {
	return slog.GroupValue(slog.Uint64("uid", uint64(p.UID)), slog.Uint64("gid", uint64(p.GID)), slog.Int("pid", int(p.PID)))
}
