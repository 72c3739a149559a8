package main

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// leaveNoCore has a crash leave no image of this process, which holds private keys
// and the secrets of providers: a core file outlives the process, and whoever
// collects them (systemd-coredump, apport) sends or keeps them elsewhere.
//
// What Go itself prints when it crashes holds no secret: a stack trace shows where
// functions were called and with which words, and keys and secrets are slices and
// closures there, whose words are addresses and lengths.
//
// The hard limit stays as it is: what a command under reload: starts is another's
// program, which may want its cores.
func leaveNoCore() error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_CORE, &limit); err != nil {
		return fmt.Errorf("core dumps: %w", err)
	}
	limit.Cur = 0
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &limit); err != nil {
		return fmt.Errorf("core dumps: %w", err)
	}
	if err := undumpable(); err != nil {
		return fmt.Errorf("core dumps: %w", err)
	}
	return nil
}
