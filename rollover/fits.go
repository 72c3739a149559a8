package rollover

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// Fits says why a chain cannot become the lineage's successor, whatever the time:
// its scheme asks for a record that the chain cannot match. Nil if it can.
func (p LineagePolicy) Fits(chain *tlsa.Chain) error {
	if _, err := p.Needs(chain); err != nil {
		return fmt.Errorf("does not fit scheme %s: %w", p.Scheme, err)
	}
	if lacking := p.Uncovered(chain); p.Scheme.TA && len(lacking) > 0 {
		return fmt.Errorf("the certificate is not for %s, which DANE-TA asks for (RFC 7672, section 3.2.2) (hint: have it issued for that name too, or set scheme: ee)", strings.Join(lacking, ", "))
	}
	return nil
}

// Uncovered are the endpoints' names that the leaf is not for. DANE-EE does not
// mind (RFC 7672, section 3.1.1), other clients do.
func (p LineagePolicy) Uncovered(chain *tlsa.Chain) []string {
	var lacking []string
	for _, e := range p.Endpoints {
		if !chain.IsFor(e.Host) && !slices.Contains(lacking, e.Host) {
			lacking = append(lacking, e.Host)
		}
	}
	return lacking
}
