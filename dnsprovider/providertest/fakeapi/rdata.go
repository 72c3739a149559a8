package fakeapi

import (
	"slices"
	"strings"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// quoted is a TXT value in quotes, whether it has them or not.
func quoted(data string) string { return `"` + strings.Trim(data, `"`) + `"` }

// tlsaData reports whether data are those of a TLSA record.
func tlsaData(data string) bool { _, err := tlsa.ParseAssociation(data); return err == nil }

// aliasInTheWay reports whether a record of the type cannot stand at name, because one of the
// two would be a CNAME (RFC 1034, section 3.6.2).
func aliasInTheWay(zone *Zone, name, rrtype string) bool {
	return slices.ContainsFunc(zone.Records(name, ""), func(r Record) bool { return r.Type == "CNAME" || rrtype == "CNAME" })
}
