package lab

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// groupMembers returns the processes of a group that still run, with their names.
// Those that have ended and that nobody has waited for yet do not count: an
// orphan's end is for the init process to see, in its own time.
func groupMembers(pgid int) ([]string, error) {
	if err := killGroup(pgid, 0); errors.Is(err, syscall.ESRCH) {
		return nil, nil
	}
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil, err
	}
	var running []string
	for _, path := range stats {
		data, err := os.ReadFile(path)
		if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if s, ok := parseStat(string(data)); ok && s.pgrp == pgid && s.state != "Z" && s.state != "X" {
			running = append(running, fmt.Sprintf("%d %s", s.pid, s.comm))
		}
	}
	return running, nil
}

type stat struct {
	pid, pgrp   int
	comm, state string
}

// parseStat reads the beginning of proc_pid_stat(5). The name stands in
// parentheses and may hold anything, these too.
func parseStat(text string) (s stat, ok bool) {
	open, end := strings.Index(text, " ("), strings.LastIndex(text, ") ")
	if open < 0 || end < open {
		return stat{}, false
	}
	rest := strings.Fields(text[end+2:])
	if len(rest) < 3 {
		return stat{}, false
	}
	pid, err := strconv.Atoi(text[:open])
	if err != nil {
		return stat{}, false
	}
	pgrp, err := strconv.Atoi(rest[2])
	return stat{pid, pgrp, text[open+2 : end], rest[0]}, err == nil
}
