package fakeapi

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// A Record is one record as the host keeps it.
type Record struct {
	ID   string
	Name string // absolute, lower case, with the trailing dot
	Type string // upper case
	TTL  int    // in seconds
	Data string // RDATA in zone file form, as it was written
}

// A Zone is the host's copy of one zone. It is safe for concurrent use.
type Zone struct {
	Name string // absolute, with the trailing dot

	mu      sync.Mutex
	records []Record
	last    int
}

// NewZone makes a zone with an SOA and two NS records.
func NewZone(name string) *Zone {
	z := &Zone{Name: name}
	z.Add(name, "SOA", 3600, "ns1.host.example. hostmaster.host.example. 1 10800 3600 604800 3600")
	z.Add(name, "NS", 3600, "ns1.host.example.")
	z.Add(name, "NS", 3600, "ns2.host.example.")
	return z
}

// Records returns the records that match, in the order in which they came. An empty name
// or type matches all.
func (z *Zone) Records(name, rrtype string) []Record {
	z.mu.Lock()
	defer z.mu.Unlock()
	var out []Record
	for _, r := range z.records {
		if (name == "" || r.Name == fqdn(name)) && (rrtype == "" || r.Type == rrtype) {
			out = append(out, r)
		}
	}
	return out
}

// ByID returns the record with this ID.
func (z *Zone) ByID(id string) (Record, bool) {
	z.mu.Lock()
	defer z.mu.Unlock()
	i := slices.IndexFunc(z.records, func(r Record) bool { return r.ID == id })
	if i < 0 {
		return Record{}, false
	}
	return z.records[i], true
}

// Add adds a record as it is, and returns it with its ID. Whether there is one like it is
// the caller's question.
func (z *Zone) Add(name, rrtype string, ttl int, data string) Record {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.last++
	r := Record{ID: strconv.Itoa(z.last), Name: fqdn(name), Type: rrtype, TTL: ttl, Data: data}
	z.records = append(z.records, r)
	return r
}

// Remove removes the records for which gone is true, and returns how many.
func (z *Zone) Remove(gone func(Record) bool) int {
	z.mu.Lock()
	defer z.mu.Unlock()
	before := len(z.records)
	z.records = slices.DeleteFunc(z.records, gone)
	return before - len(z.records)
}

// Update changes the record with this ID, and reports whether there is one.
func (z *Zone) Update(id string, change func(*Record)) bool {
	z.mu.Lock()
	defer z.mu.Unlock()
	for i := range z.records {
		if z.records[i].ID == id {
			change(&z.records[i])
			return true
		}
	}
	return false
}

// Replace puts an RRset in the place of what stands at name; no data removes it. All in
// one step.
func (z *Zone) Replace(name, rrtype string, ttl int, data ...string) {
	z.mu.Lock()
	defer z.mu.Unlock()
	name = fqdn(name)
	z.records = slices.DeleteFunc(z.records, func(r Record) bool { return r.Name == name && r.Type == rrtype })
	for _, d := range data {
		z.last++
		z.records = append(z.records, Record{ID: strconv.Itoa(z.last), Name: name, Type: rrtype, TTL: ttl, Data: d})
	}
}

// Relative is the name below the zone, "" for the zone itself.
func (z *Zone) Relative(name string) string {
	return strings.TrimSuffix(strings.TrimSuffix(name, z.Name), ".")
}

// Absolute is the name of what is written relative to the zone; "" and "@" are the zone.
func (z *Zone) Absolute(relative string) string {
	if relative == "" || relative == "@" {
		return z.Name
	}
	return fqdn(relative + "." + z.Name)
}

func (z *Zone) String() string {
	var b strings.Builder
	for _, r := range z.Records("", "") {
		fmt.Fprintf(&b, "%s %d IN %s %s\n", r.Name, r.TTL, r.Type, r.Data)
	}
	return b.String()
}

func fqdn(name string) string {
	return strings.ToLower(strings.TrimSuffix(name, ".")) + "."
}
