//go:build !linux

package rfc2136

import "net"

// quickAck is for Linux; elsewhere replies come a little later.
func quickAck(net.Conn) {}
