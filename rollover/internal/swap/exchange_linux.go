package swap

import (
	"io/fs"

	"golang.org/x/sys/unix"
)

// exchange swaps what two names stand for, in one step (renameat2(2)).
func exchange(a, b string) error {
	if err := unix.Renameat2(unix.AT_FDCWD, a, unix.AT_FDCWD, b, unix.RENAME_EXCHANGE); err != nil {
		return &fs.PathError{Op: "exchange", Path: b, Err: err}
	}
	return nil
}
