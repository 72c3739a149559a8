// Package journal keeps what must survive a restart in one bbolt file. A state
// is written whole or not at all, and synced before the call returns: what was
// decided is durable before it is done.
//
// Lineages, owners' ledgers and chains have a bucket each, so that a lineage that
// moves to another owner group keeps what is known of its names. The file is
// locked: a second instance that opens it is told so.
package journal
