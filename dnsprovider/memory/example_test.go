package memory_test

import (
	"context"
	"fmt"
	"time"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/dnsprovider/memory"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// A secondary that lags answers as before until its time has come.
func Example() {
	clock := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	zone, err := memory.New(memory.Options{
		Name: "example.org", Secondaries: []string{"ns2"}, Now: func() time.Time { return clock },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	zone.Follow("ns2", 5*time.Minute)

	const owner = tlsa.Owner("_25._tcp.mx1.example.org.")
	record := tlsa.Association{Params: tlsa.EE, Data: "ab"}
	zone.Apply(context.Background(), "", []dnsprovider.Change{{Owner: owner, After: tlsa.NewRRset(time.Hour, record)}})

	for range 2 {
		for _, server := range zone.Servers() {
			answer, _ := zone.Answer(server, owner)
			fmt.Println(clock.Format("15:04"), server, answer.RRset.Associations)
		}
		clock = clock.Add(5 * time.Minute)
	}
	// Output:
	// 12:00 primary [3 1 1 ab]
	// 12:00 ns2 []
	// 12:05 primary [3 1 1 ab]
	// 12:05 ns2 [3 1 1 ab]
}
