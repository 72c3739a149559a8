package libdnsbridge_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/libdns/libdns"

	"github.com/tlsaroll/tlsaroll/dnsprovider/libdnsbridge"
)

// host is the one of a type.
func host(t *testing.T, name string) libdnsbridge.Host {
	t.Helper()
	hosts := libdnsbridge.Hosts()
	i := slices.IndexFunc(hosts, func(h libdnsbridge.Host) bool { return h.Type == name })
	if i < 0 {
		t.Fatalf("there is no host of type %s", name)
	}
	return hosts[i]
}

// backendBench is a backend at work, without what the bridge does about it.
type backendBench struct {
	*testing.T
	libdnsbridge.Backend
}

func openBackend(t *testing.T, name string, v libdnsbridge.Values) *backendBench {
	t.Helper()
	b, err := host(t, name).Open(v)
	if err != nil {
		t.Fatal(err)
	}
	return &backendBench{t, b}
}

const benchZone = "example.org."

// rr is a record at the same name each time.
func rr(rrtype, data string) libdns.RR {
	return libdns.RR{Name: "_25._tcp.mx", Type: rrtype, Data: data, TTL: time.Hour}
}

func (b *backendBench) add(records ...libdns.Record) {
	b.Helper()
	if _, err := b.AppendRecords(b.Context(), benchZone, records); err != nil {
		b.Fatal(err)
	}
}

// stand are the records of a type at the name, as they are read.
func (b *backendBench) stand(rrtype string) (data []string, ttl time.Duration) {
	b.Helper()
	records, err := b.GetRecords(b.Context(), benchZone)
	if err != nil {
		b.Fatal(err)
	}
	for _, record := range records {
		if r := record.RR(); r.Name == rr("", "").Name && r.Type == rrtype {
			data, ttl = append(data, r.Data), r.TTL
		}
	}
	return data, ttl
}

// takeAway deletes a record as it was read.
func (b *backendBench) takeAway(rrtype, data string) {
	b.Helper()
	if _, err := b.DeleteRecords(b.Context(), benchZone, []libdns.Record{rr(rrtype, data)}); err != nil {
		b.Fatal(err)
	}
}

// A refusal is what is said to wrong settings, before anybody is asked and without a secret.
type refusal struct {
	values libdnsbridge.Values
	want   string
}

func refuses(t *testing.T, name string, refusals []refusal) {
	t.Helper()
	for _, r := range refusals {
		_, err := host(t, name).Open(r.values)
		if err == nil || err.Error() != r.want {
			t.Errorf("%v: error is\n%v, want\n%s", r.values, err, r.want)
			continue
		}
		for key, value := range r.values {
			if key != "endpoint" && len(value) > 4 && strings.Contains(err.Error(), value) {
				t.Errorf("an error shows the %s: %v", key, err)
			}
		}
	}
}
