package rollover

import "time"

const (
	minFloor       = 2 * time.Second      // resolvers count whole seconds and may hand out an answer a second late
	missGrace      = time.Minute          // a server's silence made good within it does not count
	signatureEnd   = time.Hour            // a signature that ends sooner cannot carry a swap
	signatureTTLs  = 3                    // a signature that ends within so many TTLs is told of
	expiryMargin   = time.Hour            // a swap forced by the deadline comes so long before the end
	settleLook     = 2 * time.Second      // between looks at endpoints while something depends on them
	looksNeeded    = 3                    // sights that make evidence (DESIGN 4.5, 4.8)
	remember       = 10 * time.Minute     // dead versions are kept for so long: a silence may still revive them
	silenceWatched = 5 * time.Minute      // a silence is watched for so long while nothing waits for its end
	missLook       = 30 * time.Second     // between looks at endpoints meanwhile
	behindGrace    = 15 * time.Minute     // a server that differs for so long is told of
	overdue        = 15 * time.Minute     // what keeps a successor that has been ready for so long is told
	expirySoon     = 7 * 24 * time.Hour   // a live certificate without successor that ends within it is told of
	listAge        = 365 * 24 * time.Hour // CAs change their intermediates every year or two
	copyAge        = time.Minute          // what was read from the provider's copy is believed for so long
	retiredKept    = 32                   // so many records that were ours are remembered
	manyVersions   = 24                   // beyond it, versions that differ in the TTL alone are one
	forgetLooks    = 7 * 24 * time.Hour   // owner names that nobody asks for any more are remembered for so long
)

// PublicationInterval is Ipub of RFC 7583, section 3.2.1 for TLSA: how long a
// version may be held somewhere after it was last possibly served. The
// propagation delay Dprp is observed, so it is spent when this begins. The
// factor is RFC 7671, section 8.1's "at least two TTLs".
func (t Timing) PublicationInterval(ttl time.Duration) time.Duration {
	return max(time.Duration(max(t.TTLs, 1))*ttl, ttl+max(t.Floor, minFloor))
}

// spacing is how far apart looks at one server must be to count as several.
func spacing(ttl time.Duration) time.Duration { return min(30*time.Second, ttl/4) }

// closely is how often to look at DNS while convergence or readiness is near: a
// fiftieth of the TTL, so that noticing costs at most 2 % of it.
func closely(ttl time.Duration) time.Duration { return min(max(ttl/50, time.Second), time.Minute) }

func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// evidenceAge is how old looks at endpoints may be to count as evidence for a
// new combination.
func evidenceAge(t Timing) time.Duration { return max(t.Retire, 4*t.Look, time.Minute) }
