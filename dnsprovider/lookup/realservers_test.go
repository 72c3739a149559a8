package lookup_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tlsaroll/tlsaroll/dnsprovider/lookup"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// zoneText has a name for each kind of answer and denial.
const zoneText = `
@ NS a.lab.
@ NS b.lab.
mx A 192.0.2.25
_25._tcp.mx TLSA ` + one + `
_25._tcp.alias CNAME tlsa.nsec3.lab.
_tcp.under DNAME tcp.nsec3.lab.
*._tcp.wild TLSA ` + two + `
*._tcp.other TXT x
_25._tcp.text TXT x
tlsa 120 TLSA ` + three + `
_25.tcp 120 TLSA ` + three + `
zz A 192.0.2.1
`

// makeRealWorld signs the zones and starts all servers; the records of big.* do
// not fit into a datagram.
func makeRealWorld(t *testing.T) *realWorld {
	w := newRealWorld(t)
	var big strings.Builder
	for i := range 40 {
		fmt.Fprintf(&big, "_25._tcp.big TLSA 3 1 1 %064x\n", i)
	}
	for _, z := range []string{"nsec.lab.", "nsec3.lab.", "optout.lab.", "plain.lab.", "bogus.lab."} {
		w.zone(z, zoneText+big.String())
	}
	w.sign("nsec.lab.")
	w.sign("nsec3.lab.", "-3", "aabb", "-H", "1")
	w.sign("optout.lab.", "-3", "-", "-H", "0", "-A")
	// Signed so that its time is over, and delegated as if it were not.
	w.sign("bogus.lab.", "-P", "-s", "20200101000000", "-e", "20200201000000")
	w.zone("lab.", fmt.Sprintf(`
@ NS a
a A %s
b A %s
nsec NS a
nsec NS b
nsec3 NS a
nsec3 NS b
optout NS a
plain NS a
bogus NS a
`, w.bind, w.nsd), "nsec.lab.", "nsec3.lab.", "optout.lab.", "bogus.lab.")
	w.sign("lab.", "-3", "-", "-H", "0", "-A")
	w.zone(".", fmt.Sprintf("@ NS a.lab.\nlab NS a.lab.\na.lab. A %s\n", w.bind), "lab.")
	w.sign(".")

	// NSD holds the same zones, but one of them as it was before a change.
	w.write("zone-nsec.lab.old", w.read("zone-nsec.lab.signed"))
	w.write("zone-nsec.lab.", w.read("zone-nsec.lab.")+"_25._tcp.mx TLSA "+two+"\n")
	w.run("dnssec-signzone", "-q", "-S", "-z", "-K", w.dir, "-d", w.dir, "-o", "nsec.lab.", "-f", "zone-nsec.lab.signed", "zone-nsec.lab.")
	w.startAll("nsec.lab.=zone-nsec.lab.old", "nsec3.lab.=zone-nsec3.lab.signed")
	return w
}

func TestRealServers(t *testing.T) {
	w := makeRealWorld(t)
	bind, nsd := netip.AddrPortFrom(w.bind, w.port), netip.AddrPortFrom(w.nsd, w.port)
	p := w.pass(0, ".", "lab", "nsec.lab", "nsec3.lab", "optout.lab", "plain.lab", "bogus.lab")

	for _, zone := range []string{"nsec", "nsec3"} {
		t.Run(zone, func(t *testing.T) {
			v := p.Owner(t.Context(), owner("_25._tcp.mx.%s.lab.", zone))
			if v.Err != "" || v.Incomplete != "" || v.Zone != zone+".lab." || v.Security != lookup.Secure || len(v.Servers) != 2 {
				t.Fatalf("%#v", v)
			}
			want := map[netip.AddrPort]string{bind: one, nsd: one}
			if zone == "nsec" {
				want[bind] = one + ", " + two // NSD lags
			}
			for _, s := range v.Servers {
				if s.Err != "" || s.Proof != lookup.Verified || records(s.RRset) != want[s.Address] || s.RRset.TTL != 5*time.Minute || s.Source != lookup.SourceBoth {
					t.Errorf("%#v", s)
				}
				if left := time.Until(s.SignedUntil); left < 29*24*time.Hour || left > 31*24*time.Hour {
					t.Errorf("signed until %s", s.SignedUntil)
				}
			}
			if len(v.Findings) > 0 {
				t.Errorf("findings %v", v.Findings)
			}
		})
		t.Run(zone+"/aliases", func(t *testing.T) {
			for from, to := range map[string]tlsa.Owner{"_25._tcp.alias": "tlsa.nsec3.lab.", "_25._tcp.under": "_25.tcp.nsec3.lab."} {
				v := p.Owner(t.Context(), owner("%s.%s.lab.", from, zone))
				if v.Err != "" || v.Target != to || v.Security != lookup.Secure || v.AliasTTL != 5*time.Minute {
					t.Errorf("%#v", v)
				}
				for _, s := range v.Servers {
					if s.Err != "" || s.Proof != lookup.Verified || records(s.RRset) != three || s.RRset.TTL != 7*time.Minute {
						t.Errorf("%s: %#v", from, s)
					}
				}
			}
		})
		t.Run(zone+"/wildcard", func(t *testing.T) {
			v := p.Owner(t.Context(), owner("_25._tcp.wild.%s.lab.", zone))
			for _, s := range v.Servers {
				if s.Err != "" || s.Proof != lookup.Verified || !s.Wildcard || records(s.RRset) != two {
					t.Errorf("%#v", s)
				}
			}
			if v.Security != lookup.Secure || !cmp.Equal(codes(v), []string{lookup.FindingWildcard}) {
				t.Errorf("security %s, findings %v", v.Security, v.Findings)
			}
		})
		t.Run(zone+"/denials", func(t *testing.T) {
			for _, name := range []string{"_25._tcp.gone", "_465._tcp.mx", "_tcp.mx", "mx", "_25._tcp.text", "_25._tcp.other", "aaa", "zzz", "x.y.z.mx"} {
				v := p.Owner(t.Context(), owner("%s.%s.lab.", name, zone))
				if v.Security != lookup.Secure || len(v.Servers) != 2 || len(v.Findings) > 0 {
					t.Errorf("%s: security %s (%s), findings %v", name, v.Security, v.SecurityText, v.Findings)
				}
				for _, s := range v.Servers {
					if s.Err != "" || s.Proof != lookup.Verified || !s.Denied || s.NegativeTTL != time.Minute {
						t.Errorf("%s: %#v", name, s)
					}
				}
			}
		})
		t.Run(zone+"/truncated", func(t *testing.T) {
			for _, s := range p.Owner(t.Context(), owner("_25._tcp.big.%s.lab.", zone)).Servers {
				if s.Err != "" || len(s.RRset.Associations) != 40 {
					t.Errorf("%#v", s)
				}
			}
		})
	}
	t.Run("opt-out", func(t *testing.T) {
		v := p.Owner(t.Context(), "_25._tcp.mx.optout.lab.")
		if s := at(t, v, bind); s.Err != "" || s.Proof != lookup.Verified || v.Security != lookup.Secure {
			t.Errorf("security %s, %#v", v.Security, s)
		}
		v = p.Owner(t.Context(), "_25._tcp.gone.optout.lab.")
		if s := at(t, v, bind); s.Err != "" || s.Proof != lookup.Unproved || !s.Denied || v.Security != lookup.Insecure || text(t, v, lookup.FindingOptOut) == "" {
			t.Errorf("security %s, %#v, findings %v", v.Security, s, v.Findings)
		}
	})
	t.Run("unsigned", func(t *testing.T) {
		for _, name := range []tlsa.Owner{"_25._tcp.mx.plain.lab.", "_25._tcp.gone.plain.lab."} {
			v := p.Owner(t.Context(), name)
			if s := at(t, v, bind); s.Err != "" || s.Proof != lookup.Unproved || s.Denied != strings.Contains(string(name), "gone") || v.Security != lookup.Insecure {
				t.Errorf("security %s (%s), %#v", v.Security, v.SecurityText, s)
			}
		}
	})
	t.Run("bogus", func(t *testing.T) {
		v := p.Owner(t.Context(), "_25._tcp.mx.bogus.lab.")
		if v.Security != lookup.Bogus || v.Resolved != nil || v.Zone != "bogus.lab." {
			t.Errorf("security %s (%s), zone %q, error %q", v.Security, v.SecurityText, v.Zone, v.Err)
		}
		if s := at(t, v, bind); s.Fault != lookup.FaultExpired || !strings.Contains(s.Err, "signature expired 2020-02-01T00:00:00Z") {
			t.Errorf("%#v", s)
		}
	})
	t.Run("lame", func(t *testing.T) {
		// The zone names NSD, which is not configured for it. The parent does not, but
		// its server is the child's too and gives the child's NS set.
		v := p.Owner(t.Context(), "_25._tcp.mx.optout.lab.")
		if s := at(t, v, nsd); s.Fault != lookup.FaultLame || !strings.HasPrefix(s.Err, "REFUSED") || s.Source != lookup.SourceBoth {
			t.Errorf("%#v", s)
		}
		if !cmp.Equal(codes(v), []string{lookup.FindingLame}) {
			t.Errorf("findings %v", v.Findings)
		}
	})
	t.Run("retained", func(t *testing.T) {
		v := w.pass(300*time.Millisecond).Owner(t.Context(), "_25._tcp.mx.nsec3.lab.", lookup.Retained{Server: lookup.Server{Name: "c.lab.", Address: netip.MustParseAddrPort("127.83.17.9:9")}, NSTTL: time.Hour})
		if s := v.Servers[len(v.Servers)-1]; s.Fault != lookup.FaultSilent || s.Source != lookup.SourceRetained || s.NSTTL != time.Hour {
			t.Errorf("%#v", s)
		}
	})
	t.Run("host", func(t *testing.T) {
		v := p.Host(t.Context(), "mx.nsec.lab")
		if v.Security != lookup.Secure || len(v.Addresses()) != 1 || v.IPv4.TTL != 5*time.Minute || !cmp.Equal(v.Candidates(), []string{"mx.nsec.lab"}) {
			t.Errorf("%#v", v)
		}
	})
	t.Run("private addresses in a public zone", func(t *testing.T) {
		if got := codes(w.pass(0).Owner(t.Context(), "_25._tcp.mx.nsec3.lab.")); !cmp.Equal(got, []string{lookup.FindingSplitDNS}) {
			t.Errorf("findings %v", got)
		}
	})
}
