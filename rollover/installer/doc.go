// Package installer is the part of tlsaroll that needs to be root, apart from the rest: it
// installs pairs and has servers reloaded for a daemon without privileges, and does
// nothing else.
//
// The daemon connects to a Unix socket; the kernel says who it is. A request is one line of
// JSON that names a lineage, and carries a pair as content, never as a path; the answer is
// another line, and the connection ends. What is written where, which commands are run
// and for which names a certificate has to be, root's own configuration says. Requests
// are carried out one after the other, in the order in which they came: an answer
// about what is installed counts everything that was asked for before.
//
// What is installed here is kept here, in a state directory of root's own: the pair, and the
// live link of each lineage. The daemon has no such link, and asks.
package installer
