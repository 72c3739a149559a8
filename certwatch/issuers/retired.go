package issuers

import (
	"encoding/hex"
	"fmt"
	"strings"
)

// Retired are the SHA-256 of the keys (SubjectPublicKeyInfo), in hex, of intermediates
// that the CAs of all sets sign with no more, as each certificate of them has ended.
func Retired() ([]string, error) {
	const name = "letsencrypt-retired.txt"
	text, err := files.ReadFile(name)
	if err != nil {
		return nil, err
	}
	_, list, _ := strings.Cut(strings.TrimSpace(string(text)), "\n\n")
	_, list, _ = strings.Cut(list, "\n\n")
	var out []string
	for line := range strings.Lines(list) {
		fields := strings.Fields(line)
		if len(fields) != 2 {
			return nil, fmt.Errorf("issuers: %s: %q: want a name and a digest", name, line)
		}
		if digest, err := hex.DecodeString(fields[1]); err != nil || len(digest) != 32 {
			return nil, fmt.Errorf("issuers: %s: %s: no SHA-256", name, fields[0])
		}
		out = append(out, fields[1])
	}
	return out, nil
}
