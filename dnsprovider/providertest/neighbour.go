package providertest

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// othersKept: records of other types at the name, and TLSA records at names that look
// like it, stay as they are.
func othersKept(b *bench) {
	b.needs(b.T, OtherRecords, b.Beside != nil && b.Stands != nil)
	text := `"v=nothing of ours"`
	b.Beside(b.T, string(b.owner), "TXT", text)
	host := strings.TrimPrefix(string(b.owner), "_25._tcp.")
	b.Beside(b.T, host, "MX", "10 mx.elsewhere.example.") // servers refuse a target in the zone without an address
	neighbours := []tlsa.Owner{"_26._tcp." + tlsa.Owner(host), "_25._udp." + tlsa.Owner(host), "_25._tcp.x" + tlsa.Owner(host), "_25._tcp.x." + tlsa.Owner(host)}
	for _, n := range neighbours {
		b.seed(n, record("1"), record("f"))
	}
	before := b.seed(b.owner, record("1"))
	b.mustApply(before, b.rrset(record("1"), record("2")))
	b.mustApply(b.rrset(record("1"), record("2")), b.rrset(record("2")))
	b.mustApply(b.rrset(record("2")), tlsa.RRset{})
	b.holds(b.owner, tlsa.RRset{})
	for _, n := range neighbours {
		b.holds(n, b.rrset(record("1"), record("f")))
	}
	bare := func(ss []string) []string {
		out := slices.Clone(ss)
		for i := range out {
			out[i] = strings.Trim(out[i], `"`)
		}
		return out
	}
	if diff := cmp.Diff(bare([]string{text}), bare(b.Stands(b.T, string(b.owner), "TXT"))); diff != "" {
		b.Errorf("the TXT record beside (-want +got):\n%s", diff)
	}
	if got := b.Stands(b.T, host, "MX"); len(got) != 1 {
		b.Errorf("the MX record is %v", got)
	}
}

// wildcardBeside: what a wildcard gives does not stand at the name, and the wildcard is
// not touched.
func wildcardBeside(b *bench) {
	b.needs(b.T, OtherRecords, b.Beside != nil && b.Stands != nil)
	host := strings.TrimPrefix(string(b.owner), "_25._tcp.")
	wildcard := "*." + host
	b.Beside(b.T, wildcard, "TLSA", record("1").String())
	if stands := b.read(b.owner); !stands.Denial() {
		b.Errorf("read %v at the name itself, and that is the wildcard's", lines(stands))
	}
	b.mustApply(tlsa.RRset{}, b.rrset(record("1")))
	b.mustApply(b.rrset(record("1")), b.rrset(record("1"), record("2")))
	b.mustApply(b.rrset(record("1"), record("2")), tlsa.RRset{})
	if got := b.Stands(b.T, wildcard, "TLSA"); len(got) != 1 || !strings.EqualFold(got[0], record("1").String()) {
		b.Errorf("the wildcard is %v", got)
	}
}

// belowDelegation: what is written below a zone cut nobody sees.
func belowDelegation(b *bench) {
	b.needs(b.T, Delegations, b.Beside != nil)
	child := strings.TrimPrefix(string(b.ownerAt("child")), "_25._tcp.")
	b.Beside(b.T, child, "NS", "ns1.elsewhere.example.")
	owner, err := tlsa.OwnerOf(25, "mx."+child)
	if err != nil {
		b.Fatal(err)
	}
	b.wants(b.applyAll(b.Context(), dnsprovider.Change{Owner: owner, After: b.rrset(record("1"))})[0], dnsprovider.OutsideZone)
	if stands := b.Look(b.T, owner); !stands.Denial() {
		b.Errorf("records stand below the delegation: %v", lines(stands))
	}
}

// internationalNames are A-labels all the way (RFC 5891).
func internationalNames(b *bench) {
	owner, err := tlsa.OwnerOf(25, "xn--brgerbro-n2a."+strings.TrimPrefix(string(b.owner), "_25._tcp."))
	if err != nil {
		b.Fatal(err)
	}
	b.owner = owner
	b.mustApply(tlsa.RRset{}, b.rrset(record("1")))
	b.mustApply(b.read(owner), b.rrset(record("1"), record("2")))
	b.holds(owner, b.rrset(record("1"), record("2")))
	b.mustApply(b.read(owner), b.rrset(record("2")))
	b.holds(owner, b.rrset(record("2")))
}

// minimumTTL: a TTL that is too low is raised, and what counts is what stands there.
func minimumTTL(b *bench) {
	b.needs(b.T, MinimumTTLs, b.MinTTL > time.Second)
	low := tlsa.NewRRset((b.MinTTL / 2).Truncate(time.Second), record("1"))
	b.mustApply(tlsa.RRset{}, low)
	want := low
	want.TTL = b.MinTTL
	b.holds(b.owner, want)
	b.mustApply(low, low.With(record("2")))
	b.holds(b.owner, want.With(record("2")))
}

// oneListing: in one pass the zone is read once, and once more to see what came of the
// changes; however many owners there are, and whoever asks at the same time. No more than two
// requests are on their way at once.
func oneListing(b *bench) {
	b.needs(b.T, Listings, b.Listings != nil && b.InFlight != nil)
	ctx := dnsprovider.OnePass(b.Context())
	owners := []tlsa.Owner{b.ownerAt("a"), b.ownerAt("b"), b.ownerAt("c"), b.ownerAt("d"), b.ownerAt("e")}
	for _, owner := range owners {
		b.seed(owner, record("1"))
	}
	count := b.Listings()
	var wg sync.WaitGroup
	changes := make([]dnsprovider.Change, len(owners))
	for i, owner := range owners {
		wg.Go(func() {
			before, err := b.Provider.RRset(ctx, b.Zone, owner)
			if err != nil {
				b.Error(err)
			}
			changes[i] = dnsprovider.Change{Owner: owner, Before: before, After: before.With(record("2"))}
		})
	}
	wg.Wait()
	if n := b.Listings() - count; n > 1 {
		b.Errorf("%d reads of the zone for %d owners, want 1", n, len(owners))
	}
	for _, err := range b.applyAll(ctx, changes...) {
		if err != nil {
			b.Error(err)
		}
	}
	if n := b.Listings() - count; n > 2+b.Rereads {
		b.Errorf("%d reads of the zone in a pass with changes, want %d", n, 2+b.Rereads)
	}
	if n := b.InFlight(); n > dnsprovider.DefaultInFlight {
		b.Errorf("%d requests on their way at once, want %d at most", n, dnsprovider.DefaultInFlight)
	}
	for _, owner := range owners {
		b.holds(owner, b.rrset(record("1"), record("2")))
	}
}
