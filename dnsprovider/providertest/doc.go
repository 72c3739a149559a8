// Package providertest is the common suite of all implementations of
// [dnsprovider.Provider]. It holds them to the contract of that package: two records
// in one RRset, foreign ones kept, conflicts seen, changes applied twice, replies
// lost, whatever case the zone writes its hex in.
//
//	func TestProvider(t *testing.T) {
//		providertest.Run(t, func(t *testing.T) providertest.Fixture { … })
//	}
//
// What an implementation cannot do, or a fixture cannot arrange, has to be declared
// with its reason in [Fixture.Without]; the suite then says so and skips that part.
// A hook that is missing without a word is a failure.
package providertest
