package audit

import (
	"errors"
	"slices"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// ldnsVerifies answers as "ldns-dane -n -c CHAIN -f CAS verify HOST PORT" does, and names the record
// that matches. Its parser drops what it has no number for; the rest goes to OpenSSL, and
// one record that OpenSSL does not take fails the whole set, where RFC 7671 passes over it.
// Names are not looked at, usages 0 and 1 count if the chain leads to one of the CAs.
func ldnsVerifies(rrset tlsa.RRset, c *tlsa.Chain, trusted bool, at time.Time) (by tlsa.Association, err error) {
	known := slices.DeleteFunc(slices.Clone(rrset.Associations), func(a tlsa.Association) bool {
		return a.Usage > tlsa.DANEEE || a.Selector > tlsa.SPKI || a.Matching > tlsa.SHA512
	})
	if len(known) == 0 {
		return by, errors.New("no usable TLSA records")
	}
	// Any of the leaf's own names is right.
	ref := tlsa.Reference{Names: c.Names(), Time: at}
	for _, a := range known {
		if err := a.Unusable(ref); err != nil {
			return by, err
		}
	}
	if !trusted {
		known = slices.DeleteFunc(known, func(a tlsa.Association) bool { return a.Usage < tlsa.DANETA })
	}
	if len(known) == 0 {
		return by, errors.New("usages 0 and 1 want a CA that browsers believe")
	}
	by, _, err = tlsa.NewRRset(rrset.TTL, known...).MatchedBy(c, ref)
	var miss *tlsa.MatchError
	if errors.As(err, &miss) && miss.Kind == tlsa.KindNames {
		return miss.Association, nil // a leaf without a name
	}
	return by, err
}
