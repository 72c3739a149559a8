package rfc2136

import (
	"encoding/binary"
	"errors"

	"github.com/miekg/dns"
)

// record says where in a message a record begins, and what it is.
type record struct {
	offset     int
	rrtype     uint16
	additional bool // in the additional section
}

var (
	errShort = errors.New("the message is cut off")
	errLong  = errors.New("something follows the message")
)

// headerLen is the length of the header of a message (RFC 1035, section 4.1.1).
const headerLen = 12

// locate returns all records of a message in order, without unpacking them.
func locate(raw []byte) ([]record, error) {
	if len(raw) < headerLen {
		return nil, errShort
	}
	var counts [4]int
	for i := range counts {
		counts[i] = int(binary.BigEndian.Uint16(raw[4+2*i:]))
	}
	offset := headerLen
	for range counts[0] {
		end, err := skipName(raw, offset)
		if err != nil {
			return nil, err
		}
		offset = end + 4 // type and class
	}
	var records []record
	for section := 1; section < 4; section++ {
		for range counts[section] {
			end, err := skipName(raw, offset)
			if err != nil || end+10 > len(raw) {
				return nil, errShort
			}
			records = append(records, record{offset, binary.BigEndian.Uint16(raw[end:]), section == 3})
			offset = end + 10 + int(binary.BigEndian.Uint16(raw[end+8:]))
			if offset > len(raw) {
				return nil, errShort
			}
		}
	}
	if offset != len(raw) {
		return nil, errLong
	}
	return records, nil
}

// skipName returns the offset after the name that begins at offset.
func skipName(raw []byte, offset int) (int, error) {
	for offset < len(raw) {
		switch n := int(raw[offset]); {
		case n == 0:
			return offset + 1, nil
		case n&0xc0 == 0xc0: // a pointer ends the name (RFC 1035, section 4.1.4)
			return offset + 2, nil
		case n&0xc0 != 0:
			return 0, errors.New("a label of unknown kind")
		default:
			offset += 1 + n
		}
	}
	return 0, errShort
}

// wireName is the canonical name on the wire, not compressed.
func wireName(name string) ([]byte, error) {
	buf := make([]byte, 256)
	end, err := dns.PackDomainName(dns.CanonicalName(name), buf, 0, nil, false)
	if err != nil {
		return nil, err
	}
	return buf[:end:end], nil
}
