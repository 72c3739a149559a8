package agent

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/dnsprovider/memory"
	"github.com/tlsaroll/tlsaroll/rollover"
)

// TestBadConfig: an embedding program is told all that is wrong at once.
func TestBadConfig(t *testing.T) {
	zone, err := memory.New(memory.Options{Name: "example.org", Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	good := func() Config {
		l := Lineage{Name: "mx1", Policy: rollover.LineagePolicy{Endpoints: []rollover.Endpoint{{Owner: owner25(mx1)}}}}
		return Config{State: t.TempDir(), Timing: rollover.DefaultTiming(), Lineages: []Lineage{l}, Providers: []Provider{{Name: "ns1", Provider: zone}},
			Resolver: resolverAt, Clock: Clock{Wall: time.Now, Boot: func() time.Duration { return time.Hour }}}
	}
	for _, test := range []struct {
		name   string
		change func(*Config)
		want   []string
	}{
		{"nothing is wrong", func(*Config) {}, nil},
		{"nothing is right", func(c *Config) { *c = Config{Workers: -1} },
			[]string{"agent: no state directory", "agent: no clock", "agent: look 0s: not above zero", "agent: poll 0s: not above zero", "agent: workers -1: below zero"}},
		{"lineages", func(c *Config) {
			c.Lineages = append(c.Lineages, c.Lineages[0], Lineage{})
		}, []string{`agent: lineage "mx1" is given twice`, "agent: a lineage without a name", `agent: lineage "": no endpoint`}},
		{"providers", func(c *Config) {
			c.Providers = append(c.Providers, Provider{Name: "ns1", Provider: zone}, Provider{Name: "ns2"})
			c.Lineages[0].Providers = map[string]string{"smtp://" + mx1: "ns3"}
		}, []string{`agent: provider "ns1" is given twice`, `agent: provider "ns2": nothing that could change records`, `agent: lineage "mx1": smtp://mx1.example.org: no provider "ns3"`}},
		{"resolver", func(c *Config) { c.Resolver = netip.AddrPort{} }, []string{"lookup: resolver: no address and port (hint: name a validating resolver, as in 127.0.0.1:53)"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			cfg := good()
			test.change(&cfg)
			a, err := Open(cfg)
			if len(test.want) == 0 {
				if err != nil {
					t.Fatal(err)
				}
				if err := a.Close(); err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil {
				t.Fatal("it was taken")
			}
			got := strings.Split(err.Error(), "\n")
			for _, want := range test.want {
				found := false
				for _, line := range got {
					found = found || line == want
				}
				if !found {
					t.Errorf("not said: %s\nbut %q", want, got)
				}
			}
			if len(got) != len(test.want) {
				t.Errorf("said: %q", got)
			}
			// what was refused holds no lock
			if a, err := Open(good()); err != nil {
				t.Error(err)
			} else if err := a.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}
