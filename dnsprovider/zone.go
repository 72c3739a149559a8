package dnsprovider

import (
	"fmt"
	"strings"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// CanonicalZone brings a zone's name into the form in which zones are compared:
// lower case, with the trailing dot. The empty name stays empty, it means: find it.
// The root is refused, nobody rolls certificates there.
func CanonicalZone(zone string) (string, error) {
	if zone == "" {
		return "", nil
	}
	name, err := tlsa.ParseOwner(zone)
	if err != nil {
		return "", fmt.Errorf("zone: %w", err)
	}
	return string(name), nil
}

// InZone reports whether name is zone or lies below it; both canonical. Labels
// are compared, not letters: notexample.org. is not in example.org.
func InZone(name, zone string) bool {
	return name == zone || strings.HasSuffix(name, "."+zone)
}
