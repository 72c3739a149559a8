// Package swap makes a pair the live one on this host, and goes back the same
// way: it checks the pair once more, asks the servers' own check commands,
// installs the files, turns the live symlink and reloads the servers.
//
// It decides nothing. When to swap, how long to watch and whether to go back is
// the planner's; going back is a [Host.Switch] to the entry before.
//
// A server never reads a key and a chain of different pairs where it reads one
// file or one directory: a file is replaced by one rename, a directory by one
// rename of a symlink. (Who opens the two files of a directory by their paths, one
// before the rename and one after it, gets one of each all the same, and the right
// ones at the next connection; one combined file has no such instant.) All that can fail is done beside the old files first; if
// something fails afterwards all the same, what was switched is put back. A crash
// at any moment leaves every path with the old content or the new, and the next
// Switch finishes the work and clears up.
package swap
