//go:build !linux

package peer

import (
	"errors"
	"net"
)

// Of knows nobody here, so that nobody is let in: the error is [errors.ErrUnsupported].
func Of(net.Conn) (Process, error) { return Process{}, errors.ErrUnsupported }

// Gone is not known here.
func Gone(net.Conn) bool { return false }
