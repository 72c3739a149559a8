//go:build !linux

package lab

import (
	"errors"
	"syscall"
)

// Elsewhere than on Linux [Start] finds its programs missing; these only let the
// package compile.

func threadID() int { return 0 }

func senderAttr() *syscall.SysProcAttr { return nil }

func enterNamespace(string) error { return errors.ErrUnsupported }

func killGroup(int, syscall.Signal) error { return errors.ErrUnsupported }
