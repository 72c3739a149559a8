package lookup_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tlsaroll/tlsaroll/dnsprovider/lookup"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

func TestOwnerOfASignedZone(t *testing.T) {
	w := newWorld(t)
	v := w.look(mx)
	if v.Err != "" || v.Incomplete != "" {
		t.Errorf("Err = %q, Incomplete = %q; want none", v.Err, v.Incomplete)
	}
	if v.Target != mx || v.Zone != "example.org." || len(v.Aliases) != 0 {
		t.Errorf("target %s in zone %s, aliases %v", v.Target, v.Zone, v.Aliases)
	}
	if v.Security != lookup.Secure {
		t.Errorf("security %s: %s", v.Security, v.SecurityText)
	}
	if got := names(v); !cmp.Equal(got, []string{"ns1.example.org. (192.0.2.53)", "ns2.example.org. (198.51.100.53)", "ns2.example.org. (2001:db8::53)"}) {
		t.Errorf("servers %v", got)
	}
	a, _ := tlsa.ParseAssociation(one)
	want := tlsa.NewRRset(30*time.Minute, a)
	for _, s := range v.Servers {
		if s.Err != "" || !cmp.Equal(s.RRset, want) {
			t.Errorf("%s gives %v, error %q; want %v", s.Server, s.RRset, s.Err, want)
		}
		if !s.Signed() || s.Proof != lookup.Verified || !s.SignedUntil.Equal(w.now.Add(14*24*time.Hour)) {
			t.Errorf("%s: proof %s until %s", s.Server, s.Proof, s.SignedUntil)
		}
		if s.Source != lookup.SourceBoth || s.NSTTL != 24*time.Hour || s.Zone != "example.org." || s.Asked != mx {
			t.Errorf("%s: source %s, NS TTL %s, zone %s, asked %s", s.Server, s.Source, s.NSTTL, s.Zone, s.Asked)
		}
	}
	if v.Resolved == nil || !v.Resolved.Same(want) {
		t.Errorf("the resolver gave %v", v.Resolved)
	}
	if got := codes(v); len(got) > 0 {
		t.Errorf("findings %v", v.Findings)
	}
}
