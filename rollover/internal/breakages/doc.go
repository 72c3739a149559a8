// Package breakages breaks the guards and timings of this module on purpose, one
// at a time, and wants a test to notice. So a rule that no test holds, or a test
// that cannot fail, does not stay in the dark.
//
// There is no switch for it in the product. A breakage is a piece of source and what
// stands there instead; the compiler is shown a broken copy of the file (go build
// -overlay), and the checkout stays as it is. What is demanded of each: it compiles;
// the test named for it fails, and says what was expected of it; and the same test
// passes with nothing broken.
//
// Each takes a build of its own, so go test ./... looks only whether the list still
// fits the source, and says that it left the rest out. These apply all of them, a
// few of each package, and those whose names match a regular expression:
//
//	go test ./rollover/internal/breakages -breakages=all -timeout 30m -v
//	go test ./rollover/internal/breakages -breakages=spread -timeout 30m -v
//	go test ./rollover/internal/breakages -breakages='floor|ttls' -v
//
// Whoever changes a guard changes its breakage with it, and whoever adds a guard
// adds one. The tables are made of the lists by -document.
//
// # Waiting: what may be held in some cache, and for how long
//
//	Ipub is one TTL short                                rollover.TestPublicationInterval, sim.TestRandomWorlds
//	the floor is dropped                                 rollover.TestPublicationInterval
//	ttls is ignored                                      rollover.TestPublicationInterval
//	a floor under two seconds is taken as it is          rollover.TestPublicationInterval
//	the provider's anycast margin is dropped             rollover.TestAnycastMargin
//	the shortest TTL stands for all of one content       rollover.TestLongestTTLStandsForAll
//	the ledger forgets what no server gives any more     rollover.TestLastPossiblyServedIsTheFirstLookWithoutIt, sim.TestRandomWorlds
//	a cold start knows of no earlier answer              rollover.TestColdStart
//	foreign records are left out of versions             rollover.TestForeignCombinationNeedsAPerson
//	a denial counts as an answer that matches nothing    rollover.TestDenialVouchesForAnything
//	denials are no versions                              rollover.TestDenialVouchesForAnything
//	silence never counts                                 rollover.TestSilenceRevivesWhatWasNotDead
//	a silent server counts as converged                  rollover.TestGuardsOfTheSwap
//	a silent server counts as one without records        rollover.TestSilenceRevivesWhatWasNotDead
//	one server is ignored                                rollover.TestServerThatLagsPutsOffTheWait, sim.TestRandomWorlds
//	the provider's own copy does not count as served     rollover.TestCopyCountsUntilEveryServerWasSeenAfter
//	what is about to be written does not count           rollover.TestWhatIsAboutToBeWrittenCounts
//	servers that are listed no more are dropped at once  rollover.TestServerTakenOutOfTheDelegationCounts, sim.TestOrderlyWorlds
//	a new server counts from its first answer only       rollover.TestNewServerCountsAsHavingGivenEverything
//	servers that nobody could tell of do not count       rollover.TestServersThatAreNotKnownMayGiveAnything
//	an excluded server takes its versions along          rollover.TestExcludedServerLeavesWhatItGave
//	a span without looks does not count as served        rollover.TestCopyCountsUntilEveryServerWasSeenAfter
//	a version was last served when it was last seen      rollover.TestLastPossiblyServedIsTheFirstLookWithoutIt
//	a time without any server leaves no trace            rollover.TestDarknessStartsTheLastTTLAgain
//	looks in a row count as many                         rollover.TestCountedLooksAreSpaced
//	Restart goes on with the waits                       rollover.TestRestartBeginsEveryWaitAgain
//
// # Swapping, and going back
//
//	one look at each server is enough                              rollover.TestSwapNeedsThreeSpacedLooks
//	the swap does not ask for the provider's copy                  rollover.TestOldZoneOnThePrimaryStopsTheSwap
//	old versions need not be dead                                  rollover.TestSilentServerMayGiveAnything, sim.TestRandomWorlds
//	a signature that ends does not matter                          rollover.TestGuardsOfTheSwap
//	a server that does not sign does not matter                    rollover.TestGuardsOfTheSwap
//	bogus is as good as secure                                     rollover.TestGuardsOfTheSwap
//	indeterminate is as good as secure                             rollover.TestGuardsOfTheSwap
//	any match is enough without an emergency                       rollover.TestEmergencyNeedsAnyMatchOnly, sim.TestRandomWorlds
//	an emergency needs no order                                    rollover.TestEmergencyNeedsAnyMatchOnly, sim.TestRandomWorlds
//	an emergency takes the compromised key again                   rollover.TestCompromisedKey
//	an emergency takes a pair of the live key                      rollover.TestCompromisedKey
//	an emergency waits for no cache, whoever accepted that or not  rollover.TestEmergencyAtOnceIsForOnePair
//	whoever presents a compromised key gets its record back        rollover.TestCompromisedRecordStaysOut
//	an order undoes a rollback                                     rollover.TestRenewal
//	frozen is ignored                                              rollover.TestGuardsOfTheSwap
//	unlisted owners are ignored                                    rollover.TestUnlistedOwner
//	an unlisted owner that nobody can tell of is ignored           rollover.TestUnlistedOwnerThatNobodyCanTellOf
//	siblings are swapped together                                  rollover.TestSiblingsAreSwappedOneAfterTheOther
//	a pair for other names is taken where trust anchors stand      rollover.TestNamesCountWhereTrustAnchorsStand
//	a pair that cannot be read is swapped in                       rollover.TestGuardsOfTheSwap
//	a pair is swapped in before its time                           rollover.TestNotYetValidPairWaits
//	the deadline swaps whatever was chosen                         rollover.TestDeadline
//	a successor is swapped in by looks of an earlier pass          rollover.TestSwapNeedsALookInTheSamePass
//	an interrupted swap goes on without another thought            rollover.TestInterruptedSwapIsJudgedAgain
//	a swap is verified without a look                              rollover.TestSwapIsNotJudgedUnseen
//	the way back has no guard                                      rollover.TestBack
//	nothing ever goes back                                         rollover.TestBack
//	the way back stays closed where no TLS works                   rollover.TestBack
//	a swap that failed is tried again at once                      rollover.TestFailedReloadGoesBackAndIsHeld
//	Done takes a failed swap for a good one                        rollover.TestFailedReloadGoesBackWhereNobodyJudges
//
// # Publishing
//
//	an insecure zone is published in                          rollover.TestNothingIsPublishedWhereItIsNotSigned
//	a new combination comes in without evidence               rollover.TestNewCombinationWaitsForEvidence
//	a new combination comes in past chains that fail it       rollover.TestTrustAnchorIsHeldBackUntilTheSelfSignedChainIsGone, sim.TestRandomWorlds
//	a new combination comes in beside an address without TLS  rollover.TestNothingIsPublishedWithoutTLS
//	one look at an endpoint is evidence                       rollover.TestRetireNeedsThreeLooks
//	publish replaces what stands                              rollover.TestForeignRecordsAreNeverTouched, sim.TestRandomWorlds
//	a repair takes out what fails                             rollover.TestRepair
//	nothing is repaired                                       rollover.TestRepairDoesNotWaitForEvidence
//	a repair takes a match away                               rollover.TestRepairTakesNoMatchAway
//	a standing combination that the successor fails is left   rollover.TestHopelessCombinationDoesNotWaitForAnAddressOutOfSight
//	a combination is cleared although a chain needs it        rollover.TestHopelessCombinationThatAnotherChainNeedsStays
//	a foreign combination is cleared                          rollover.TestForeignCombinationNeedsAPerson
//	the newest pair always takes the successor's place        rollover.TestPublishedSuccessorKeepsItsPlace
//	the budget is ignored                                     rollover.TestNoRoomAtAllNeedsAPerson
//	adopt takes over foreign records                          rollover.TestAdoptionTakesOverWhatMatches
//	a pair that is not served is adopted                      rollover.TestNothingIsPublishedWithoutTheServedKey
//
// # Retiring
//
//	a foreign record is taken out                                 rollover.TestForeignRecordsAreNeverTouched
//	records are retired without a look                            rollover.TestRetireWaitsForEveryAddress, sim.TestRandomWorlds
//	an old look is enough where nobody was seen to need a record  rollover.TestRecordOfADroppedPairWaitsForALook
//	the retire window is dropped                                  rollover.TestRetireWaitsForTheWindow
//	records are retired before every address is seen              rollover.TestRetireWaitsForEveryAddress, sim.TestRandomWorlds
//	an address presents the old chain, and the record leaves      rollover.TestChainOfAnotherHostKeepsItsRecord
//	an address is forgotten when DNS shows it no more             rollover.TestAddressThatLeftDNSCountsForItsTTL, sim.TestOrderlyWorlds
//	to install a chain does not count as seeing it                rollover.TestRetireWaitsForTheWindow
//	a sibling's records count for nothing                         rollover.TestSiblingsAreSwappedOneAfterTheOther
//	a record inside the window is not published again             rollover.TestRecordInsideTheWindowIsPublishedAgain
//	the last record is retired                                    rollover.TestLastRecordStays
//	a freeze keeps no record                                      rollover.TestFreezeKeepsRecords
//
// # What a person's words may do
//
//	withdraw ignores siblings                                  rollover.TestWithdrawBesideASibling
//	withdraw leaves foreign records alone that fail the chain  rollover.TestWithdrawBesideForeignRecords
//	the server may change before withdrawn records are dead    rollover.TestWithdraw
//	rollback asks nobody                                       rollover.TestRollbackOfARetiredPair
//	rollback trusts answers of unknown content                 rollover.TestRollbackBesideTheUnknown
//
// # Matching
//
//	only the first combination is checked                tlsa.TestVouches, sim.TestRandomWorlds
//	digest agility is dropped                            tlsa.TestVouches
//	a trust anchor need only be the leaf                 tlsa.TestMatch
//	DANE-TA does not ask for the name                    tlsa.TestMatchReasons
//	an expired intermediate is accepted                  tlsa.TestMatchReasons
//	the PKIX usages are taken for SMTP                   tlsa.TestUnusable
//	the PKIX usages do without a trusted CA              tlsa.TestMatchTrusted
//	a publisher counts on trust anchors from the record  tlsa.TestVouches
//
// # Deciding, remembering and acting
//
//	an unsynchronised clock is trusted after a reboot                          agent.TestBegin
//	boot ids are not compared                                                  agent.TestBegin
//	a wall clock that went back is trusted                                     agent.TestBegin
//	a reboot's down time counts though nobody vouched for the clock before it  agent.TestBegin
//	our own time jumps to the wall clock's at a reboot                         agent.TestBegin
//	a wall clock that was set is followed                                      agent.TestWallClockIsSet
//	the back-off of orders is forgotten over a restart                         agent.TestOrdersBackOff
//	an order is placed that cannot be written down                             agent.TestJournalThatTakesNoOrder
//	an order is placed whatever the CA said of the rate                        agent.TestRateIsLimited
//	an order is made although a newer pair is on its way                       rollover.TestRenewal
//	a pair that is refused is ordered again each hour                          agent.TestRefusedPairIsNoStorm
//	the agent acts before it saves                                             agent.TestJournalCannotBeWritten
//	the agent does not save before it acts                                     agent.TestJournalCannotBeWritten
//	the agent does not save what it did                                        agent.TestNotRecorded
//	a pair that was handed in is kept in mind alone                            agent.TestOfferSurvives
//	a look that was cut short counts                                           agent.TestCutShort
//	a group shares look-ups with itself                                        agent.TestNobodySeesAnOldAnswer
//	a chain that another group names is forgotten                              journal.TestForgetKeepsWhatIsNamed
//	a journal of a newer program is read                                       journal.TestNewerSchema
//	the journal is not synced                                                  journal.TestEverySaveIsSynced
//	a save that failed is taken for one that was made                          journal.TestSaveAfterAFailure
//
// # Installing
//
//	a file is written in its place                                                                swap.TestOldOneKept
//	key and chain of different pairs are installed                                                swap.TestBadEntries
//	a half-done switch stays half-done                                                            swap.TestEveryFailure
//	the live link turns before the files                                                          swap.TestEveryCrash
//	a check command that fails is overheard                                                       swap.TestCheckFails
//	the next standby key is made before the swap is verified                                      agent.TestFailedSwapUsesUpNoKey
//	a standby key is dropped when its certificate is handed in, so that a failed swap uses it up  agent.TestFailedSwapUsesUpNoKey
//	a compromised key is the next standby key                                                     agent.TestCompromisedKeyIsNoStandbyKey
//	an order that fails uses up the standby key                                                   agent.TestOrdersAreOfTheStandbyKey
//	a standby key is made by an agent that only looks                                             agent.TestDryAgentMakesNoKey
//	the record of a key that an ACME client has taken up leaves before its certificate is there   agent.TestNextKeyOfAnACMEClient
//	a standby key that cannot be read counts as none                                              agent.TestExposedKeyIsKeptPublished
//
// # Looking at DNS
//
//	the TTL that was signed is left out            lookup.TestTTLIsTheLongestAnyoneMayKeep
//	of mixed TTLs the smallest counts              lookup.TestMixedTTLs
//	the TTLs of aliases are left out               lookup.TestAliasIntoOurZone
//	the AD bit is believed from anywhere           lookup.TestResolverThatIsNotBelieved
//	a resolver that does not validate is believed  lookup.TestResolverThatIsNotBelieved
//	an answer without authority is believed        lookup.TestFaultyServers
//	a truncated answer is not asked for over TCP   lookup.TestLargeRRsetComesOverTCP
//	servers that the parent names are not asked    lookup.TestParentAndChildNameDifferentServers
//	servers that the child names are not asked     lookup.TestParentAndChildNameDifferentServers
//	the smaller NS TTL counts                      lookup.TestNSTTLIsTheLargerOfParentAndChild
//	an expired signature is accepted               lookup.TestSignatureFaults
//	a signature is not checked                     lookup.TestSignatureFaults
//
// # Looking at endpoints and files
//
//	only one algorithm is offered                                           probe.TestAddress
//	nobody asks without SNI                                                 probe.TestAddress
//	TLS sessions are resumed                                                probe.TestClientHello
//	a server without STARTTLS counts as one that is out of reach            probe.TestDialogues
//	STARTTLS that is refused counts as a server that does not want to talk  probe.TestDialogues
//	the quiet period is ignored                                             certwatch.TestTurnedLink
//	a torn pair is accepted                                                 certwatch.TestChangedWhileRead
//	a key that fits no certificate is accepted                              certwatch.TestLoadRefuses
//
// # Writing
//
//	an unsigned reply is believed                           rfc2136.TestUnsignedReplyIsNotBelieved
//	an update has no prerequisites                          rfc2136.TestPrerequisites
//	a lost reply counts as success                          rfc2136.TestRequestLostBeforeTheChange
//	what the server says it has made is not read back       rfc2136.TestServerIgnoresTheAddition
//	compare-and-set is dropped                              memory.TestProvider
//	old records are removed before the new ones are seen    libdnsbridge.TestNothingIsRemovedForWhatIsNotThere
//	records are written below a delegation                  libdnsbridge.TestListings
//	a listing of nothing is a zone in which nothing stands  libdnsbridge.TestNothingAtAll
//	a call is begun beside one that hangs                   libdnsbridge.TestModuleHangs
//	two changes of a zone overlap                           api.TestOneAtATime
//	a reading from before a change counts after it          api.TestReadingDuringAChange
//	half a reply is taken for one                           api.TestWhatMayHaveBeenCarriedOut
//	a listing with records left out is taken for whole      cloudflare.TestShortListing
package breakages
