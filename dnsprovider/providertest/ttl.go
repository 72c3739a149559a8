package providertest

import (
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// ttlKept: an RRset that exists keeps its TTL, whatever the change says.
func ttlKept(b *bench) {
	b.Seed(b.T, b.owner, 2*b.TTL, record("1").String())
	kept := func(as ...tlsa.Association) tlsa.RRset { return tlsa.NewRRset(2*b.TTL, as...) }

	b.mustApply(b.read(b.owner), b.rrset(record("1"), record("2"))) // After.TTL differs from what stands
	b.holds(b.owner, kept(record("1"), record("2")))
	b.mustApply(b.rrset(record("1"), record("2")), b.rrset(record("2"))) // Before.TTL too
	b.holds(b.owner, kept(record("2")))
	b.mustApply(b.rrset(record("2")), b.rrset(record("3"))) // nothing of the content stays
	b.holds(b.owner, kept(record("3")))
}

// ttlChange: equal contents and unequal TTLs are a change of the TTL, for all records.
func ttlChange(b *bench) {
	b.needs(b.T, TTLChanges, true)
	before := b.seed(b.owner, record("1"), record("2"))
	after := before
	after.TTL = 2 * b.TTL
	b.mustApply(before, after)
	b.holds(b.owner, after)
	b.mustApply(before, after)
	b.holds(b.owner, after)
	b.mustApply(after, before)
	b.holds(b.owner, before)

	other := b.rrset(record("1"))
	other.TTL = 2 * b.TTL
	b.wants(b.apply(b.rrset(record("1")), other), conflict)
	b.holds(b.owner, before)
}
