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
		t.Run(test.name, func(t *testing.T) { test.run(newBench(t, newFixture(t))) })
	}
}

type test struct {
	name string
	run  func(*bench)
}

func tests() []test {
	return []test{
		{"ReadAbsent", readAbsent},
		{"AddWhereAbsent", addWhereAbsent},
		{"TwoRecords", twoRecords},
		{"ThreeRecords", threeRecords},
		{"TwelveRecords", twelveRecords},
		{"TwoCombinations", twoCombinations},
		{"WholeCertificate", wholeCertificate},
		{"UnknownParametersKept", unknownParametersKept},
		{"ForeignRecordsKept", foreignRecordsKept},
		{"AddAndRemoveTogether", addAndRemoveTogether},
		{"RemoveOneOfTwo", removeOneOfTwo},
		{"RemoveLast", removeLast},
		{"RemoveTwice", removeTwice},
		{"RemoveAbsent", removeAbsent},
		{"AppliedTwice", appliedTwice},
		{"SameOwnerTwice", sameOwnerTwice},
		{"UpperCaseHex", upperCaseHex},
		{"TTLKept", ttlKept},
		{"TTLChange", ttlChange},
		{"ConflictWhereAbsent", conflictWhereAbsent},
		{"ConflictWithMore", conflictWithMore},
		{"ConflictWithLess", conflictWithLess},
		{"ConflictOfOneOwner", conflictOfOneOwner},
		{"OrderOfResults", orderOfResults},
		{"NoChanges", noChanges},
		{"LostReply", lostReply},
		{"LostReplyOfSeveral", lostReplyOfSeveral},
		{"EditMeanwhile", editMeanwhile},
		{"AliasRefused", aliasRefused},
		{"OutsideTheZone", outsideTheZone},
		{"ZoneSpelling", zoneSpelling},
		{"ZoneFound", zoneFound},
		{"Malformed", malformed},
		{"Cancelled", cancelled},
		{"ConcurrentOwners", concurrentOwners},
		{"ConcurrentAtOneOwner", concurrentAtOneOwner},
		{"OthersKept", othersKept},
		{"WildcardBeside", wildcardBeside},
		{"BelowDelegation", belowDelegation},
		{"InternationalNames", internationalNames},
		{"MinimumTTL", minimumTTL},
		{"OneListing", oneListing},
		{"Faults", faults},
		{"RateLimit", rateLimit},
		{"SlowHost", slowHost},
		{"PartialSuccess", partialSuccess},
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
