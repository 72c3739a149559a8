package providertest

import (
	"strings"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

const conflict = dnsprovider.Conflict

func conflictWhereAbsent(b *bench) {
	stands := b.seed(b.owner, record("f"))
	b.wants(b.apply(tlsa.RRset{}, b.rrset(record("1"))), conflict)
	b.holds(b.owner, stands)
}

func conflictWithMore(b *bench) {
	stands := b.seed(b.owner, record("1"), record("f"))
	b.wants(b.apply(b.rrset(record("1")), b.rrset(record("2"))), conflict)
	b.wants(b.apply(b.rrset(record("1")), b.rrset(record("1"), record("2"))), conflict)
	b.wants(b.apply(b.rrset(record("1")), tlsa.RRset{}), conflict)
	b.holds(b.owner, stands)
}

func conflictWithLess(b *bench) {
	stands := b.seed(b.owner, record("1"))
	b.wants(b.apply(b.rrset(record("1"), record("f")), b.rrset(record("1"), record("f"), record("2"))), conflict)
	b.wants(b.apply(b.rrset(record("1"), record("f")), b.rrset(record("f"))), conflict)
	b.holds(b.owner, stands)
}

// conflictOfOneOwner: the others in the same call are carried out.
func conflictOfOneOwner(b *bench) {
	owners := []tlsa.Owner{b.ownerAt("a"), b.ownerAt("b"), b.ownerAt("c"), b.ownerAt("d"), b.ownerAt("e")}
	const odd = 2
	var changes []dnsprovider.Change
	for _, owner := range owners {
		before := b.seed(owner, record("1"))
		changes = append(changes, dnsprovider.Change{Owner: owner, Before: before, After: before.With(record("2"))})
	}
	stands := b.seed(owners[odd], record("1"), record("f"))
	for i, err := range b.applyAll(b.Context(), changes...) {
		if i == odd {
			b.wants(err, conflict)
			b.holds(owners[i], stands)
			continue
		}
		if err != nil {
			b.Errorf("change %d: %v", i, err)
		}
		b.holds(owners[i], b.rrset(record("1"), record("2")))
	}
}

// orderOfResults: good and bad changes in turn, each with its own result.
func orderOfResults(b *bench) {
	good, clash, gone := b.ownerAt("good"), b.ownerAt("clash"), b.ownerAt("gone")
	b.seed(clash, record("f"))
	b.seed(gone, record("1"))
	elsewhere := tlsa.Owner("_25._tcp.mx.elsewhere.example.")
	errs := b.applyAll(b.Context(),
		dnsprovider.Change{Owner: elsewhere, After: b.rrset(record("1"))},
		dnsprovider.Change{Owner: good, After: b.rrset(record("1"))},
		dnsprovider.Change{Owner: clash, After: b.rrset(record("1"))},
		dnsprovider.Change{Owner: gone, Before: b.rrset(record("1"))},
		dnsprovider.Change{Owner: clash, Before: b.rrset(record("2")), After: b.rrset(record("3"))},
	)
	b.wants(errs[0], dnsprovider.OutsideZone, dnsprovider.NoZone)
	b.wants(errs[2], conflict)
	b.wants(errs[4], conflict)
	for _, i := range []int{1, 3} {
		if errs[i] != nil {
			b.Errorf("change %d: %v", i, errs[i])
		}
	}
	b.holds(good, b.rrset(record("1")))
	b.holds(clash, b.rrset(record("f")))
	b.holds(gone, tlsa.RRset{})
}

func noChanges(b *bench) {
	if errs := b.Provider.Apply(b.Context(), b.Zone, nil); len(errs) != 0 {
		b.Errorf("no changes have results: %v", errs)
	}
	if errs := b.Provider.Apply(b.Context(), b.Zone, []dnsprovider.Change{}); len(errs) != 0 {
		b.Errorf("no changes have results: %v", errs)
	}
}

// editMeanwhile: whoever looks first and changes then must not overwrite what came between.
func editMeanwhile(b *bench) {
	b.needs(b.T, Races, b.Meanwhile != nil)
	before := b.seed(b.owner, record("1"))
	b.Meanwhile(b.T, func() { b.seed(b.owner, record("1"), record("f")) })
	b.wants(b.apply(before, before.With(record("2"))), conflict)
	if reason, left := b.Without[Conditions]; left {
		// The change is made then, beside what came; whoever made it hears of that.
		b.Logf("LEFT OUT: %s: %s", Conditions, reason)
		b.holds(b.owner, b.rrset(record("1"), record("2"), record("f")))
		return
	}
	b.holds(b.owner, b.rrset(record("1"), record("f")))
}

// aliasRefused: no record can stand beside a CNAME, and servers differ in how they say
// so; BIND says nothing and ignores the change (RFC 2136, section 3.4.2.2).
func aliasRefused(b *bench) {
	b.needs(b.T, Aliases, b.Alias != nil)
	target, beside := b.ownerAt("target"), b.ownerAt("beside")
	b.Alias(b.T, b.owner, target)
	errs := b.applyAll(b.Context(),
		dnsprovider.Change{Owner: b.owner, After: b.rrset(record("1"))},
		dnsprovider.Change{Owner: beside, After: b.rrset(record("1"))})
	b.wants(errs[0], dnsprovider.Alias)
	if errs[1] != nil {
		b.Errorf("the owner beside the alias: %v", errs[1])
	}
	if errs[0] != nil && !strings.Contains(errs[0].Error(), string(target)) {
		b.Errorf("the error does not say where the alias leads: %v", errs[0])
	}
	_, err := b.Provider.RRset(b.Context(), b.Zone, b.owner)
	b.wants(err, dnsprovider.Alias)
	if stands := b.Look(b.T, b.owner); !stands.Denial() {
		b.Errorf("records stand beside the alias: %v", stands)
	}
	b.holds(target, tlsa.RRset{})
	b.holds(beside, b.rrset(record("1")))
}
