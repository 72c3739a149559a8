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
			if f.Slow && test.client {
				t.Skip("LEFT OUT: what the provider does by itself, where each call is slow: other fixtures of it show that")
			}
			test.run(newBench(t, f))
		})
	}
}

type test struct {
	name string
	run  func(*bench)
	// client says that it is about what the provider does by itself, whatever it works on.
	client bool
}

func tests() []test {
	return []test{
		{"ReadAbsent", readAbsent, false},
		{"AddWhereAbsent", addWhereAbsent, false},
		{"TwoRecords", twoRecords, false},
		{"ThreeRecords", threeRecords, true},
		{"TwelveRecords", twelveRecords, true},
		{"TwoCombinations", twoCombinations, true},
		{"WholeCertificate", wholeCertificate, false},
		{"UnknownParametersKept", unknownParametersKept, false},
		{"ForeignRecordsKept", foreignRecordsKept, false},
		{"AddAndRemoveTogether", addAndRemoveTogether, false},
		{"RemoveOneOfTwo", removeOneOfTwo, false},
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
		{"LostReply", lostReply, false},
		{"LostReplyOfSeveral", lostReplyOfSeveral, true},
		{"EditMeanwhile", editMeanwhile, false},
		{"AliasRefused", aliasRefused, false},
		{"OutsideTheZone", outsideTheZone, true},
		{"ZoneSpelling", zoneSpelling, true},
		{"ZoneFound", zoneFound, false},
		{"Malformed", malformed, true},
		{"Cancelled", cancelled, true},
		{"ConcurrentOwners", concurrentOwners, true},
		{"ConcurrentAtOneOwner", concurrentAtOneOwner, false},
		{"OthersKept", othersKept, false},
		{"WildcardBeside", wildcardBeside, false},
		{"BelowDelegation", belowDelegation, false},
		{"InternationalNames", internationalNames, true},
		{"MinimumTTL", minimumTTL, false},
		{"OneListing", oneListing, false},
		{"Faults", faults, false},
		{"RateLimit", rateLimit, false},
		{"SlowHost", slowHost, false},
		{"PartialSuccess", partialSuccess, false},
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
