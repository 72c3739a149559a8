//go:build !linux

package control

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"syscall"
)

// peerOf is what only Linux tells us: elsewhere nobody comes in.
func peerOf(net.Conn) (peer, error) { return peer{}, errors.ErrUnsupported }

// ownersOf is asked for messages only where peerOf does not answer.
func ownersOf(fs.FileInfo) (uid, gid uint32) { return uint32(os.Geteuid()), uint32(os.Getegid()) }

// private does nothing: until chmod, only the temporary name protects the socket.
func private(string, string, syscall.RawConn) error { return nil }
