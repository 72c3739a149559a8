package providertest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// lostReply: the change was carried out, and nobody heard of it. The provider may find
// out by itself or say that it does not know; to apply the change again settles it.
func lostReply(b *bench) {
	b.needs(b.T, LostReplies, b.LoseReply != nil)
	before := b.seed(b.owner, record("1"))
	after := before.With(record("2"))
	b.LoseReply(b.T)
	if err := b.apply(before, after); err != nil {
		b.wants(err, dnsprovider.Temporary)
		b.mustApply(before, after)
	}
	b.holds(b.owner, after)
}

func lostReplyOfSeveral(b *bench) {
	b.needs(b.T, LostReplies, b.LoseReply != nil)
	owners := []tlsa.Owner{b.ownerAt("a"), b.ownerAt("b"), b.ownerAt("c")}
	var changes []dnsprovider.Change
	for _, owner := range owners {
		before := b.seed(owner, record("1"))
		changes = append(changes, dnsprovider.Change{Owner: owner, Before: before, After: b.rrset(record("2"))})
	}
	b.LoseReply(b.T)
	for _, err := range b.applyAll(b.Context(), changes...) {
		if err != nil {
			b.wants(err, dnsprovider.Temporary)
		}
	}
	for i, err := range b.applyAll(b.Context(), changes...) {
		if err != nil {
			b.Errorf("change %d, applied again: %v", i, err)
		}
		b.holds(owners[i], b.rrset(record("2")))
	}
}

func outsideTheZone(b *bench) {
	for _, base := range []string{"mx.elsewhere.example", "not" + b.Zone} {
		owner, err := tlsa.OwnerOf(25, base)
		if err != nil {
			b.Fatal(err)
		}
		_, err = b.Provider.RRset(b.Context(), b.Zone, owner)
		b.wants(err, dnsprovider.OutsideZone, dnsprovider.NoZone)
		errs := b.applyAll(b.Context(), dnsprovider.Change{Owner: owner, After: b.rrset(record("1"))})
		b.wants(errs[0], dnsprovider.OutsideZone, dnsprovider.NoZone)
	}
}

// zoneSpelling: with and without the trailing dot, in any case.
func zoneSpelling(b *bench) {
	bare := strings.TrimSuffix(b.Zone, ".")
	stands := tlsa.RRset{}
	for i, zone := range []string{bare, bare + ".", strings.ToUpper(bare), strings.ToUpper(bare) + "."} {
		b.seesAndAdds(zone, &stands, record(fmt.Sprint(i)))
	}
	b.holds(b.owner, stands)
}

func zoneFound(b *bench) {
	b.needs(b.T, FoundZone, true)
	stands := tlsa.RRset{}
	b.seesAndAdds("", &stands, record("1"))
	b.seesAndAdds("", &stands, record("2"))
	b.holds(b.owner, stands)
}

// seesAndAdds reads and changes in the zone as spelt.
func (b *bench) seesAndAdds(zone string, stands *tlsa.RRset, a tlsa.Association) {
	b.Helper()
	before, err := b.Provider.RRset(b.Context(), zone, b.owner)
	if err != nil {
		b.Fatalf("zone %q: read: %v", zone, err)
	}
	if !before.Same(*stands) {
		b.Fatalf("zone %q: read %v, want %v", zone, before, *stands)
	}
	after := b.rrset(append(slices.Clone(before.Associations), a)...)
	for _, err := range b.Provider.Apply(b.Context(), zone, []dnsprovider.Change{{Owner: b.owner, Before: before, After: after}}) {
		if err != nil {
			b.Fatalf("zone %q: apply: %v", zone, err)
		}
	}
	*stands = after
}

func malformed(b *bench) {
	stands := b.seed(b.owner, record("1"))
	bad := func(data string) tlsa.Association { return tlsa.Association{Params: tlsa.EE, Data: data} }
	fresh := b.ownerAt("fresh")
	for name, c := range map[string]dnsprovider.Change{
		"no hex":       {Owner: b.owner, Before: stands, After: stands.With(bad("zz"))},
		"odd hex":      {Owner: b.owner, Before: stands, After: stands.With(bad("abc"))},
		"no data":      {Owner: b.owner, Before: stands, After: stands.With(bad(""))},
		"no TTL":       {Owner: fresh, After: tlsa.NewRRset(0, record("1"))},
		"negative TTL": {Owner: fresh, After: tlsa.NewRRset(-b.TTL, record("1"))},
		"upper case":   {Owner: tlsa.Owner(strings.ToUpper(string(b.owner))), Before: stands, After: stands.With(record("2"))},
		"no owner":     {After: b.rrset(record("1"))},
	} {
		errs := b.Provider.Apply(b.Context(), b.Zone, []dnsprovider.Change{c})
		if len(errs) != 1 || !errors.Is(errs[0], dnsprovider.ErrMalformed) {
			b.Errorf("%s: error is %v, want one of kind %v", name, errs, dnsprovider.Malformed)
		}
	}
	b.holds(b.owner, stands)
	b.holds(fresh, tlsa.RRset{})
}

// cancelled: nothing is begun once the context is done.
func cancelled(b *bench) {
	before := b.seed(b.owner, record("1"))
	ctx, cancel := context.WithCancel(b.Context())
	cancel()
	errs := b.applyAll(ctx,
		dnsprovider.Change{Owner: b.owner, Before: before, After: before.With(record("2"))},
		dnsprovider.Change{Owner: b.ownerAt("other"), After: b.rrset(record("2"))})
	for _, err := range errs {
		if !errors.Is(err, context.Canceled) {
			b.Errorf("error is %v, want context.Canceled", err)
		}
	}
	if _, err := b.Provider.RRset(ctx, b.Zone, b.owner); !errors.Is(err, context.Canceled) {
		b.Errorf("read: error is %v, want context.Canceled", err)
	}
	b.holds(b.owner, before)
	b.holds(b.ownerAt("other"), tlsa.RRset{})
}

func concurrentOwners(b *bench) {
	owners, rounds := 8, 3
	if b.Slow {
		owners, rounds = 3, 2
	}
	want := b.rrset()
	for digit := range rounds {
		want = want.With(record(fmt.Sprint(digit)))
	}
	var wg sync.WaitGroup
	for i := range owners {
		owner := b.ownerAt(fmt.Sprintf("n%d", i))
		wg.Go(func() {
			before := tlsa.RRset{}
			for digit := range rounds {
				after := b.rrset(append(slices.Clone(before.Associations), record(fmt.Sprint(digit)))...)
				if err := b.Provider.Apply(b.Context(), b.Zone, []dnsprovider.Change{{Owner: owner, Before: before, After: after}})[0]; err != nil {
					b.Errorf("%s: %v", owner, err)
					return
				}
				before = after
			}
		})
	}
	wg.Wait()
	for i := range owners {
		b.holds(b.ownerAt(fmt.Sprintf("n%d", i)), want)
	}
}

// concurrentAtOneOwner: each of several writers adds a record of its own, and looks and
// plans again on a conflict. No record is lost; that is what compare-and-set is for.
func concurrentAtOneOwner(b *bench) {
	const tries = 100
	writers := 6
	if b.Slow {
		writers = 3
	}
	var wg sync.WaitGroup
	for i := range writers {
		mine := record(fmt.Sprint(i))
		wg.Go(func() {
			for range tries {
				before, err := b.Provider.RRset(b.Context(), b.Zone, b.owner)
				if err != nil {
					b.Errorf("read: %v", err)
					return
				}
				after := b.rrset(append(slices.Clone(before.Associations), mine)...)
				err = b.Provider.Apply(b.Context(), b.Zone, []dnsprovider.Change{{Owner: b.owner, Before: before, After: after}})[0]
				if err == nil {
					return
				}
				if !errors.Is(err, dnsprovider.ErrConflict) {
					b.Errorf("apply: %v", err)
					return
				}
			}
			b.Errorf("no success in %d tries", tries)
		})
	}
	wg.Wait()
	want := b.rrset()
	for i := range writers {
		want = want.With(record(fmt.Sprint(i)))
	}
	b.holds(b.owner, want)
}
