package tlsa

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// parseGeneric reads what follows \# where a record is written without regard to
// its type (RFC 3597, section 5): the number of octets, then all of them as hex, in
// which white space is allowed.
func parseGeneric(fields []string) (Association, error) {
	if len(fields) == 0 {
		return Association{}, errors.New(`no length (hint: \# 35 030101…, RFC 3597)`)
	}
	length, err := strconv.ParseUint(fields[0], 10, 16)
	if err != nil {
		return Association{}, fmt.Errorf("the length %q is not a number from 0 to 65535", fields[0])
	}
	octets, err := hex.DecodeString(strings.Join(fields[1:], ""))
	switch {
	case err != nil:
		return Association{}, fmt.Errorf("the data is not hex: %w", err)
	case uint64(len(octets)) != length:
		return Association{}, fmt.Errorf("the length is given as %d octets, and there are %d", length, len(octets))
	case length < 4:
		return Association{}, errors.New("no association data behind usage, selector and matching type")
	}
	return Association{
		Params{Usage(octets[0]), Selector(octets[1]), MatchingType(octets[2])},
		hex.EncodeToString(octets[3:]),
	}, nil
}
