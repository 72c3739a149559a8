package rfc2136

import (
	"crypto/sha1" // RFC 8945, section 6 requires it to be there; it has to be asked for by name
	"crypto/sha256"
	"crypto/sha512"
	"fmt"
	"hash"
	"maps"
	"slices"
	"strings"
)

// defaultAlgorithm is the one that RFC 8945, section 6 recommends.
const defaultAlgorithm = "hmac-sha256"

// algorithms returns the hash functions of the TSIG algorithms that are spoken.
func algorithms() map[string]func() hash.Hash {
	return map[string]func() hash.Hash{
		"hmac-sha1":   sha1.New,
		"hmac-sha224": sha256.New224,
		"hmac-sha256": sha256.New,
		"hmac-sha384": sha512.New384,
		"hmac-sha512": sha512.New,
	}
}

// parseAlgorithm returns the canonical name, as it goes over the wire, and the hash.
func parseAlgorithm(s string) (string, func() hash.Hash, error) {
	if s == "" {
		s = defaultAlgorithm
	}
	name := strings.ToLower(strings.TrimSuffix(s, "."))
	if name == "hmac-md5" || strings.HasPrefix(name, "hmac-md5.") || name == "md5" {
		return "", nil, fmt.Errorf("algorithm %q: must not be used any more, RFC 8945, section 6 says (hint: make a new key, as by tsig-keygen -a %s)", s, defaultAlgorithm)
	}
	known := algorithms()
	if h, ok := known[name]; ok {
		return name + ".", h, nil
	}
	return "", nil, fmt.Errorf("algorithm %q: unknown (known: %s)", s, strings.Join(slices.Sorted(maps.Keys(known)), ", "))
}
