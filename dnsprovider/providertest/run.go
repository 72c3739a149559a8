package providertest

import (
	"errors"
	"testing"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
)

// Run runs the suite. newFixture is called once for each test.
func Run(t *testing.T, newFixture func(t *testing.T) Fixture) {
	t.Helper()
	for _, test := range tests() {
		t.Run(test.name, func(t *testing.T) {
			f := newFixture(t)
			if f.Slow && test.more {
				t.Skip("LEFT OUT: each call is slow here, and other fixtures of the provider show this")
			}
			test.run(newBench(t, f))
		})
	}
}

type test struct {
	name string
	run  func(*bench)
	// more says that another test shows the like of it at what the provider works on.
	more bool
}

func tests() []test {
	return []test{
		{"ReadAbsent", readAbsent, false},
		{"AddWhereAbsent", addWhereAbsent, true},
		{"TwoRecords", twoRecords, false},
		{"ThreeRecords", threeRecords, true},
		{"TwelveRecords", twelveRecords, true},
		{"TwoCombinations", twoCombinations, true},
		{"WholeCertificate", wholeCertificate, false},
		{"UnknownParametersKept", unknownParametersKept, true},
		{"ForeignRecordsKept", foreignRecordsKept, false},
		{"AddAndRemoveTogether", addAndRemoveTogether, false},
		{"RemoveOneOfTwo", removeOneOfTwo, true},
		{"RemoveLast", removeLast, false},
		{"RemoveTwice", removeTwice, true},
		{"RemoveAbsent", removeAbsent, true},
		{"AppliedTwice", appliedTwice, true},
		{"SameOwnerTwice", sameOwnerTwice, true},
		{"UpperCaseHex", upperCaseHex, false},
		{"TTLKept", ttlKept, false},
		{"TTLChange", ttlChange, false},
		{"ConflictWhereAbsent", conflictWhereAbsent, true},
		{"ConflictWithMore", conflictWithMore, false},
		{"ConflictWithLess", conflictWithLess, true},
		{"ConflictOfOneOwner", conflictOfOneOwner, true},
		{"OrderOfResults", orderOfResults, true},
		{"NoChanges", noChanges, true},
		{"LostReply", lostReply, true},
		{"LostReplyOfSeveral", lostReplyOfSeveral, true},
		{"EditMeanwhile", editMeanwhile, true},
		{"AliasRefused", aliasRefused, false},
		{"OutsideTheZone", outsideTheZone, true},
		{"ZoneSpelling", zoneSpelling, true},
		{"ZoneFound", zoneFound, true},
		{"Malformed", malformed, true},
		{"Cancelled", cancelled, true},
		{"ConcurrentOwners", concurrentOwners, true},
		{"ConcurrentAtOneOwner", concurrentAtOneOwner, true},
		{"OthersKept", othersKept, true},
		{"WildcardBeside", wildcardBeside, false},
		{"BelowDelegation", belowDelegation, true},
		{"InternationalNames", internationalNames, true},
		{"MinimumTTL", minimumTTL, true},
		{"OneListing", oneListing, true},
		{"Faults", faults, true},
		{"RateLimit", rateLimit, true},
		{"SlowHost", slowHost, true},
		{"PartialSuccess", partialSuccess, true},
	}
}

// wants checks the kind of an error.
func (b *bench) wants(err error, kinds ...dnsprovider.Kind) {
	b.Helper()
	for _, kind := range kinds {
		if errors.Is(err, kind.Err()) {
			return
		}
	}
	b.Errorf("error is %v, want one of kind %v", err, kinds)
}
