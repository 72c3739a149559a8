package providertest

import (
	"fmt"
	"strings"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

func readAbsent(b *bench) { b.holds(b.owner, tlsa.RRset{}) }

func addWhereAbsent(b *bench) {
	b.mustApply(tlsa.RRset{}, b.rrset(record("1")))
	b.holds(b.owner, b.rrset(record("1")))
}

func twoRecords(b *bench) {
	one := b.rrset(record("1"))
	b.mustApply(tlsa.RRset{}, one)
	b.mustApply(b.read(b.owner), one.With(record("2")))
	b.holds(b.owner, b.rrset(record("1"), record("2")))
}

func threeRecords(b *bench) {
	b.mustApply(tlsa.RRset{}, b.rrset(record("1"), record("2"), record("3")))
	b.holds(b.owner, b.rrset(record("1"), record("2"), record("3")))
}

func twelveRecords(b *bench) {
	b.needs(b.T, ManyRecords, true)
	want := b.rrset()
	for i := range 12 {
		want = want.With(record(fmt.Sprintf("%x", i)))
	}
	b.mustApply(tlsa.RRset{}, want)
	b.holds(b.owner, want)
}

func twoCombinations(b *bench) {
	ee, ta := record("1"), record("1")
	ta.Params = tlsa.TA
	b.mustApply(tlsa.RRset{}, b.rrset(ee, ta))
	b.holds(b.owner, b.rrset(ee, ta))
	b.mustApply(b.rrset(ee, ta), b.rrset(ee))
	b.holds(b.owner, b.rrset(ee))
}

// wholeCertificate has 2,000 octets of data: more than one 255-octet string, more
// than a UDP reply.
func wholeCertificate(b *bench) {
	b.needs(b.T, LargeRecords, true)
	whole := tlsa.Association{
		Params: tlsa.Params{Usage: tlsa.DANEEE, Selector: tlsa.Cert, Matching: tlsa.Full},
		Data:   strings.Repeat("30", 2000),
	}
	b.mustApply(tlsa.RRset{}, b.rrset(whole, record("1")))
	b.holds(b.owner, b.rrset(whole, record("1")))
	b.mustApply(b.rrset(whole, record("1")), b.rrset(record("1")))
	b.holds(b.owner, b.rrset(record("1")))
}

func unknownParametersKept(b *bench) {
	b.needs(b.T, UnknownParameters, true)
	odd := tlsa.Association{Params: tlsa.Params{Usage: 52, Selector: 7, Matching: 200}, Data: "abcdef"}
	private := tlsa.Association{Params: tlsa.Params{Usage: 255, Selector: 255, Matching: 255}, Data: "00"}
	b.seed(b.owner, odd, private)
	b.mustApply(b.read(b.owner), b.rrset(odd, private, record("1")))
	b.holds(b.owner, b.rrset(odd, private, record("1")))
	b.mustApply(b.read(b.owner), b.rrset(odd, private))
	b.holds(b.owner, b.rrset(odd, private))
}

func foreignRecordsKept(b *bench) {
	foreign := b.seed(b.owner, record("f"), record("e"))
	before := b.read(b.owner)
	b.mustApply(before, before.With(record("1")))
	b.holds(b.owner, foreign.With(record("1")))

	before = b.read(b.owner)
	b.mustApply(before, before.With(record("2")).Without(record("1")))
	b.holds(b.owner, foreign.With(record("2")))

	before = b.read(b.owner)
	b.mustApply(before, before.Without(record("2")))
	b.holds(b.owner, foreign)
}

func addAndRemoveTogether(b *bench) {
	before := b.seed(b.owner, record("1"), record("2"))
	b.mustApply(before, b.rrset(record("2"), record("3")))
	b.holds(b.owner, b.rrset(record("2"), record("3")))

	b.mustApply(b.rrset(record("2"), record("3")), b.rrset(record("4")))
	b.holds(b.owner, b.rrset(record("4")))
}

func removeOneOfTwo(b *bench) {
	before := b.seed(b.owner, record("1"), record("2"))
	b.mustApply(before, before.Without(record("1")))
	b.holds(b.owner, b.rrset(record("2")))
}

func removeLast(b *bench) {
	before := b.seed(b.owner, record("1"))
	b.mustApply(before, before.Without(record("1")))
	b.holds(b.owner, tlsa.RRset{})

	b.mustApply(b.read(b.owner), b.rrset(record("2")))
	b.holds(b.owner, b.rrset(record("2")))
}

func removeTwice(b *bench) {
	before := b.seed(b.owner, record("1"), record("2"))
	after := before.Without(record("1"))
	b.mustApply(before, after)
	b.mustApply(before, after)
	b.holds(b.owner, b.rrset(record("2")))
}

// removeAbsent: what is to be removed was never there, and nothing else is.
func removeAbsent(b *bench) {
	b.mustApply(b.rrset(record("1")), tlsa.RRset{})
	b.holds(b.owner, tlsa.RRset{})
}

func appliedTwice(b *bench) {
	before := b.seed(b.owner, record("1"))
	after := before.With(record("2"))
	b.mustApply(before, after)
	b.mustApply(before, after)
	b.mustApply(after, after)
	b.holds(b.owner, after)
}

// sameOwnerTwice: two changes of one owner in one call are carried out in order.
func sameOwnerTwice(b *bench) {
	one, two := b.rrset(record("1")), b.rrset(record("1"), record("2"))
	errs := b.applyAll(b.Context(),
		dnsprovider.Change{Owner: b.owner, After: one},
		dnsprovider.Change{Owner: b.owner, Before: one, After: two})
	for i, err := range errs {
		if err != nil {
			b.Errorf("change %d: %v", i, err)
		}
	}
	b.holds(b.owner, two)
}

// upperCaseHex: hex is data and not text, in whatever case it is stored.
func upperCaseHex(b *bench) {
	shout := record("b")
	b.Seed(b.T, b.owner, b.TTL, strings.ToUpper(shout.String()))
	before := b.read(b.owner)
	if !before.Has(shout) {
		b.Fatalf("read %v, want %v", before.Associations, shout)
	}
	b.mustApply(before, before.With(record("1")))
	b.holds(b.owner, b.rrset(shout, record("1")))
	b.mustApply(b.rrset(shout, record("1")), b.rrset(record("1")))
	b.holds(b.owner, b.rrset(record("1")))
}
