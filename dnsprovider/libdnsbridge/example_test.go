package libdnsbridge_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/libdns/libdns"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/dnsprovider/libdnsbridge"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// A provider of any DNS host for which there is a module of libdns. Here the module keeps its
// records in memory; Open would return the Provider of a package such as
// github.com/libdns/glesys instead, with its fields set from the values.
func Example() {
	host := libdnsbridge.Host{
		Capability: dnsprovider.Capability{
			Type: "inmemory", Name: "In Memory", Atomic: dnsprovider.AddThenRemove, DNSSEC: "always", TXT: true,
			Margin: 5 * time.Minute, MarginSource: "our own, cautious figure",
		},
		Settings: []libdnsbridge.Setting{{Name: "token", Secret: true, Required: true, Example: "0123456789abcdef"}},
		Quirks:   libdnsbridge.Quirks{MayBeEmpty: true}, // it lists neither SOA nor NS records
		Open: func(v libdnsbridge.Values) (libdnsbridge.Backend, error) {
			return &inMemory{token: v["token"], records: []libdns.Record{libdns.NS{Name: "@", Target: "ns1.example.net."}}}, nil
		},
	}
	provider, err := libdnsbridge.New(libdnsbridge.Config{
		Host: host, Zone: "example.org", Values: libdnsbridge.Values{"token": "fedcba9876543210"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}

	ctx := context.Background()
	owner := tlsa.Owner("_25._tcp.mx1.example.org.")
	now := tlsa.Association{Params: tlsa.EE, Data: strings.Repeat("ab", 32)}
	next := tlsa.Association{Params: tlsa.EE, Data: strings.Repeat("cd", 32)}
	for _, after := range []tlsa.RRset{tlsa.NewRRset(time.Hour, now), tlsa.NewRRset(time.Hour, now, next), tlsa.NewRRset(time.Hour, next)} {
		before, err := provider.RRset(ctx, "example.org.", owner)
		if err != nil {
			fmt.Println(err)
			return
		}
		change := dnsprovider.Change{Owner: owner, Before: before, After: after}
		if err := provider.Apply(ctx, "example.org.", []dnsprovider.Change{change})[0]; err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(len(before.Associations), "records became", len(after.Associations))
	}
	// Output:
	// 0 records became 1
	// 1 records became 2
	// 2 records became 1
}

// inMemory is a module of libdns.
type inMemory struct {
	token   string
	mu      sync.Mutex
	records []libdns.Record
}

func (m *inMemory) GetRecords(context.Context, string) ([]libdns.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.records), nil
}

func (m *inMemory) AppendRecords(_ context.Context, _ string, records []libdns.Record) ([]libdns.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.records = append(m.records, records...)
	return records, nil
}

func (m *inMemory) DeleteRecords(_ context.Context, _ string, records []libdns.Record) ([]libdns.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, record := range records {
		gone := record.RR()
		m.records = slices.DeleteFunc(m.records, func(r libdns.Record) bool {
			rr := r.RR()
			return rr.Name == gone.Name && rr.Type == gone.Type && rr.Data == gone.Data
		})
	}
	return records, nil
}
