package issuers

import (
	"crypto/x509"
	"embed"
	"encoding/pem"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

//go:embed *.pem *.txt
var files embed.FS

// sets are the files that each set is made of. The CA picks the intermediate by the
// kind of the certificate's key: who has but one kind needs but half the records,
// and an RRset has room for twelve (DESIGN 4.15).
var sets = map[string][]string{
	"letsencrypt":       {"letsencrypt-ecdsa.pem", "letsencrypt-rsa.pem"},
	"letsencrypt-ecdsa": {"letsencrypt-ecdsa.pem"},
	"letsencrypt-rsa":   {"letsencrypt-rsa.pem"},
}

// A Set is what one CA signs leaves with: the intermediates in use, and those that it
// keeps in reserve and may use without notice.
type Set struct {
	Name         string
	CAA          string    // the CA's name in CAA records (RFC 8659, section 4.2)
	AsOf         time.Time // the day, in UTC, of which the CA's page was taken
	Certificates []*x509.Certificate
}

// Sets are the names of all sets, sorted.
func Sets() []string { return slices.Sorted(maps.Keys(sets)) }

// Named gives a set. It is an error that there is none of the name.
func Named(name string) (Set, error) {
	s := Set{Name: name, CAA: "letsencrypt.org"} // all sets are that CA's
	of, known := sets[name]
	if !known {
		return s, fmt.Errorf("no set of issuers is called %q (hint: one of %s)", name, strings.Join(Sets(), ", "))
	}
	for _, file := range of {
		asOf, certs, err := read(file)
		if err != nil {
			return s, fmt.Errorf("set of issuers %s: %s: %w", name, file, err)
		}
		if s.AsOf.IsZero() || asOf.Before(s.AsOf) {
			s.AsOf = asOf // a set is as old as its oldest part
		}
		s.Certificates = append(s.Certificates, certs...)
	}
	return s, nil
}

// read takes the date in a file's first line, and the certificates below it.
func read(file string) (asOf time.Time, certs []*x509.Certificate, err error) {
	text, err := files.ReadFile(file)
	if err != nil {
		return asOf, nil, err
	}
	head, _, _ := strings.Cut(string(text), "\n")
	if asOf, err = time.Parse("As of: "+time.DateOnly, head); err != nil {
		return asOf, nil, err
	}
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return asOf, nil, fmt.Errorf("certificate %d: %w", len(certs)+1, err)
		}
		certs = append(certs, cert)
	}
	return asOf, certs, nil
}
