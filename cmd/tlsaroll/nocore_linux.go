package main

import "golang.org/x/sys/unix"

// undumpable goes beyond the limit, which does not hold where core_pattern of
// core(5) is a pipe, as with systemd-coredump. It also closes our memory to other
// processes of the same user (ptrace(2), /proc/PID/mem), and is not inherited by
// commands. What we read of /proc/self ourselves stays open to us.
func undumpable() error { return unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0) }
