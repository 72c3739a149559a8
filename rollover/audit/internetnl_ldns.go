package audit

import (
	"errors"
	"slices"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// ldnsVerifies answers as "ldns-dane -n -T -c CHAIN -f CAS verify HOST PORT" does, and names
// the record that matches. Records that OpenSSL does not take are passed over, as RFC 7671
// wants; it is an error if no other is left. What -n takes away is the name check of
// DANE-EE alone: with the other usages the certificate must be for the host, and may not be
// for the mail domain. Usages 0 and 1 count if the chain leads to one of the CAs.
func ldnsVerifies(rrset tlsa.RRset, c *tlsa.Chain, host string, trusted bool, at time.Time) (by tlsa.Association, err error) {
	ref := tlsa.Reference{Names: []string{host}, Time: at}
	usable := slices.DeleteFunc(slices.Clone(rrset.Associations), func(a tlsa.Association) bool { return a.Unusable(ref) != nil })
	if len(usable) == 0 {
		return by, errors.New("no usable TLSA records")
	}
	if !trusted {
		usable = slices.DeleteFunc(usable, func(a tlsa.Association) bool { return a.Usage < tlsa.DANETA })
	}
	if len(usable) == 0 {
		return by, errors.New("usages 0 and 1 want a CA that browsers believe")
	}
	by, _, err = tlsa.NewRRset(rrset.TTL, usable...).MatchedBy(c, ref)
	return by, err
}
