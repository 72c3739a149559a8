package installer

import "log/slog"

// peer is the process at the other end of a connection, as the kernel knows it.
type peer struct {
	uid, gid uint32
	pid      int32
}

// LogValue is the peer in a log.
func (p peer) LogValue() slog.Value {
	return slog.GroupValue(slog.Uint64("uid", uint64(p.uid)), slog.Uint64("gid", uint64(p.gid)), slog.Int("pid", int(p.pid)))
}
