//go:build !linux

package swap

import "errors"

// exchange is what only Linux can do.
func exchange(_, _ string) error { return errors.ErrUnsupported }
