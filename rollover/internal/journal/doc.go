// Package journal keeps what must survive a restart in one bbolt file. What is
// saved is there whole or not at all, and synced before the call returns: what
// was decided is durable before it is done.
//
// An owner group is saved at a time, each lineage, ledger and chain as an entry of
// its own, so that a lineage that moves to another group keeps what is known of
// its names. Every entry carries a checksum. The file is locked: a second instance
// that opens it is told so.
package journal
