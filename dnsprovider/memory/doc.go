// Package memory is an authoritative zone in memory, for tests, simulations and
// demonstrations: a primary copy, secondaries that follow it late or not at all,
// people who edit it by hand, calls that go wrong.
//
// A [Zone] is a [dnsprovider.Provider] that changes the primary copy. What each
// server of the zone would answer at this moment is told by [Zone.Answer]; nothing
// here opens a socket, starts a goroutine or reads a clock of its own.
//
//	zone, err := memory.New(memory.Options{Name: "example.org", Secondaries: []string{"ns2"}, Now: time.Now})
//	zone.Follow("ns2", 5*time.Minute)   // ns2 gets every change five minutes late
//	zone.Inject(memory.LostReply())     // the next change is made, and the reply lost
//	zone.Set(owner, rrset)              // somebody edits the zone by hand
package memory
