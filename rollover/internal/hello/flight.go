package hello

import (
	"encoding/binary"
	"fmt"
	"io"
)

// A flight reads handshake messages out of records, and no more than it may.
type flight struct {
	r    io.Reader
	left int    // octets that may come
	data []byte // of messages not given yet
}

// Record types (RFC 8446, section 5.1).
const (
	recordChangeCipherSpec = 20
	recordAlert            = 21
	recordHandshake        = 22
)

// next gives the next message; its body holds until the one after. An alert is a
// [refusal], but for warnings, which servers send about a name that they do not know (RFC
// 6066, section 3).
func (f *flight) next() (kind uint8, body []byte, err error) {
	for {
		if len(f.data) >= 4 {
			length := int(binary.BigEndian.Uint32(f.data) & 0xffffff)
			if length > maxFlight {
				return 0, nil, fmt.Errorf("%w: a message of %d octets", errNoTLS, length)
			}
			if len(f.data) >= 4+length {
				kind, body = f.data[0], f.data[4:4+length]
				f.data = f.data[4+length:]
				return kind, body, nil
			}
		}
		if err := f.record(); err != nil {
			return 0, nil, err
		}
	}
}

// record takes in the next one.
func (f *flight) record() error {
	var head [5]byte
	if _, err := io.ReadFull(f.r, head[:]); err != nil {
		return err
	}
	kind, length := head[0], int(binary.BigEndian.Uint16(head[3:]))
	if kind < recordChangeCipherSpec || kind > recordHandshake || head[1] != 3 || length > maxRecord || length == 0 {
		return fmt.Errorf("%w: it says %q", errNoTLS, head[:])
	}
	if f.left -= length; f.left < 0 {
		return fmt.Errorf("%w: it says more than %d octets", errNoTLS, maxFlight)
	}
	body := make([]byte, length)
	if _, err := io.ReadFull(f.r, body); err != nil {
		return err
	}
	switch kind {
	case recordHandshake:
		f.data = append(f.data, body...)
	case recordAlert:
		const warning, closeNotify = 1, 0
		if length >= 2 && (body[0] != warning || body[1] == closeNotify) {
			return refusal{body[1]}
		}
	}
	return nil
}
