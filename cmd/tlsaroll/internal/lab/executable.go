package lab

import (
	"io/fs"
	"os"
	"syscall"
)

// WriteExecutable writes a program that can be started at once. Without the lock a process that
// another test starts meanwhile has the open file, too, until it becomes another program, and
// so long nobody can start this one: ETXTBSY, execve(2).
func WriteExecutable(path string, text []byte, mode fs.FileMode) error {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	return os.WriteFile(path, text, mode)
}
