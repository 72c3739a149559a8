package lab

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

func TestRestoreZone(t *testing.T) {
	t.Parallel()
	l := Start(t, Options{Resolvers: 1})
	q := Question{Owner(25), "TLSA"}
	first := l.Live.TLSA(t, tlsa.EE)
	octets := func(octet string) string { return "3 1 1 " + strings.Repeat(octet, 32) }
	check := func(when string, primary, secondary []string) {
		t.Helper()
		slices.Sort(primary)
		slices.Sort(secondary)
		for _, tc := range []struct {
			server netip.AddrPort
			want   []string
		}{{l.Primary, primary}, {l.Secondary, secondary}} {
			a, err := l.Query(t.Context(), tc.server, q)
			if diff := cmp.Diff(tc.want, a.RDATA); err != nil || diff != "" {
				t.Errorf("%s: %s: %v, -want +got:\n%s", when, tc.server, err, diff)
			}
		}
	}
	l.Update(t, Add(q.Name+" 10 TLSA "+octets("01")))
	old := l.SnapshotZone(t, Domain)
	l.Update(t, Add(q.Name+" 10 TLSA "+octets("02")), Remove(q.Name+" 10 TLSA "+octets("01")))
	l.ReleaseSecondary(t)
	check("before", []string{first, octets("02")}, []string{first, octets("02")})

	l.RestoreZone(t, old)
	l.ReleaseSecondary(t)
	check("restored", []string{first, octets("01")}, []string{first, octets("01")})
	before, err := l.unsignedSerial(t.Context(), Domain)
	if err != nil {
		t.Fatal(err)
	}
	l.Update(t, Add(q.Name+" 10 TLSA "+octets("03")))
	if after, err := l.unsignedSerial(t.Context(), Domain); err != nil || !later(after, before) {
		t.Errorf("serial %d, and after a change %d: %v", before, after, err)
	}
	l.ReleaseSecondary(t)
	check("changed again", []string{first, octets("01"), octets("03")}, []string{first, octets("01"), octets("03")})
	if h := l.Finger(0, Host, 25); h.Outcome != Verified {
		t.Errorf("a resolver, after all: %s\n%s", h.Outcome, h.Output)
	}

	l.RestoreFiles(t, old)
	if err := l.second.notify(t.Context(), Domain); err != nil {
		t.Error(err)
	}
	time.Sleep(500 * time.Millisecond) // in which it would have followed
	check("restored from a backup", []string{first, octets("01")}, []string{first, octets("01"), octets("03")})
	l.ForceTransfer(t, Domain)
	check("forced", []string{first, octets("01")}, []string{first, octets("01")})
	l.Update(t, Add(q.Name+" 10 TLSA "+octets("04")))
	l.ReleaseSecondary(t)
	check("changed", []string{first, octets("01"), octets("04")}, []string{first, octets("01"), octets("04")})
}
