// What tests outside of the package may know of its insides.

package rollover

import (
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// Spacing is how far apart looks must be to count as several.
func Spacing(ttl time.Duration) time.Duration { return spacing(ttl) }

// Short writes a record as they do.
func Short(a tlsa.Association) string { return short(a) }

// Fits reports whether a reply has room for the RRset.
func Fits(owner tlsa.Owner, s tlsa.RRset) bool { return fits(owner, s) }

// Lit is since when some server was in sight.
func (l *Ledger) Lit() time.Time { return l.lit() }

// Accepts reports whether a version accepts a chain of a lineage at an owner name.
func Accepts(s State, o Observation, p Policy, now time.Time, lineage string, v Version, chain *tlsa.Chain, owner tlsa.Owner) bool {
	return begin(s, o, p, now).accepts(lineage, v, chain, owner)
}
