package providertest_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/dnsprovider/memory"
	"github.com/tlsaroll/tlsaroll/dnsprovider/providertest"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// broken is a provider with one defect, each seen in the wild.
type broken struct {
	*memory.Zone
	apply func(ctx context.Context, z *memory.Zone, zone string, changes []dnsprovider.Change) []error
	read  func(ctx context.Context, z *memory.Zone, zone string, owner tlsa.Owner) (tlsa.RRset, error)
}

func (b broken) Apply(ctx context.Context, zone string, changes []dnsprovider.Change) []error {
	if b.apply == nil {
		return b.Zone.Apply(ctx, zone, changes)
	}
	return b.apply(ctx, b.Zone, zone, changes)
}

func (b broken) RRset(ctx context.Context, zone string, owner tlsa.Owner) (tlsa.RRset, error) {
	if b.read == nil {
		return b.Zone.RRset(ctx, zone, owner)
	}
	return b.read(ctx, b.Zone, zone, owner)
}

// each makes an Apply of what is done for one change.
func each(do func(ctx context.Context, z *memory.Zone, zone string, c dnsprovider.Change) error) func(context.Context, *memory.Zone, string, []dnsprovider.Change) []error {
	return func(ctx context.Context, z *memory.Zone, zone string, changes []dnsprovider.Change) []error {
		var errs []error
		for _, c := range changes {
			errs = append(errs, do(ctx, z, zone, c))
		}
		return errs
	}
}

func one(ctx context.Context, z *memory.Zone, zone string, c dnsprovider.Change) error {
	return z.Apply(ctx, zone, []dnsprovider.Change{c})[0]
}

// defects are the providers that the suite has to turn down, and a test that says so.
func defects() map[string]struct {
	provider broken
	caught   string
} {
	type defect = struct {
		provider broken
		caught   string
	}
	return map[string]defect{
		"writes what it wants over what is there": {broken{apply: each(func(ctx context.Context, z *memory.Zone, zone string, c dnsprovider.Change) error {
			if err := one(ctx, z, zone, c); !errors.Is(err, dnsprovider.ErrConflict) {
				return err
			}
			z.Set(c.Owner, c.After)
			return nil
		})}, "ConflictWithMore"},
		"keeps one record a name": {broken{apply: each(func(ctx context.Context, z *memory.Zone, zone string, c dnsprovider.Change) error {
			err := one(ctx, z, zone, c)
			if err == nil && len(c.After.Associations) > 1 {
				z.Set(c.Owner, tlsa.NewRRset(c.After.TTL, c.After.Associations[0]))
			}
			return err
		})}, "TwoRecords"},
		"says yes and does nothing": {broken{apply: func(_ context.Context, _ *memory.Zone, _ string, changes []dnsprovider.Change) []error {
			return make([]error, len(changes))
		}}, "AddWhereAbsent"},
		"turns down a change that is made": {broken{apply: each(func(ctx context.Context, z *memory.Zone, zone string, c dnsprovider.Change) error {
			found, err := z.RRset(ctx, zone, c.Owner)
			if err == nil && !found.Same(c.Before) {
				return &dnsprovider.Error{Op: "change", Owner: c.Owner, Kind: dnsprovider.Conflict}
			}
			return one(ctx, z, zone, c)
		})}, "AppliedTwice"},
		"sets the TTL of the change": {broken{apply: each(func(ctx context.Context, z *memory.Zone, zone string, c dnsprovider.Change) error {
			err := one(ctx, z, zone, c)
			if err == nil && !c.After.Denial() {
				z.Set(c.Owner, c.After)
			}
			return err
		})}, "TTLKept"},
		"fails all for one": {broken{apply: func(ctx context.Context, z *memory.Zone, zone string, changes []dnsprovider.Change) []error {
			for _, c := range changes {
				if found, err := z.RRset(ctx, zone, c.Owner); err == nil && !found.Same(c.Before) && !c.Done(found) {
					return slices.Repeat([]error{&dnsprovider.Error{Op: "change", Kind: dnsprovider.Conflict}}, len(changes))
				}
			}
			return z.Apply(ctx, zone, changes)
		}}, "ConflictOfOneOwner"},
		"mixes up the results": {broken{apply: func(ctx context.Context, z *memory.Zone, zone string, changes []dnsprovider.Change) []error {
			errs := z.Apply(ctx, zone, changes)
			slices.Reverse(errs)
			return errs
		}}, "OrderOfResults"},
		"ignores an alias": {broken{apply: each(func(ctx context.Context, z *memory.Zone, zone string, c dnsprovider.Change) error {
			if err := one(ctx, z, zone, c); !errors.Is(err, dnsprovider.ErrAlias) {
				return err
			}
			return nil
		})}, "AliasRefused"},
		"hears no cancellation": {broken{
			apply: func(_ context.Context, z *memory.Zone, zone string, changes []dnsprovider.Change) []error {
				return z.Apply(context.Background(), zone, changes)
			},
		}, "Cancelled"},
		"looks and changes in two steps": {broken{apply: each(func(ctx context.Context, z *memory.Zone, zone string, c dnsprovider.Change) error {
			found, err := z.RRset(ctx, zone, c.Owner)
			if err != nil {
				return err
			}
			if !found.Same(c.Before) && !c.Done(found) {
				return &dnsprovider.Error{Op: "change", Owner: c.Owner, Kind: dnsprovider.Conflict}
			}
			if err := one(ctx, z, zone, c); !errors.Is(err, dnsprovider.ErrConflict) { // and here Meanwhile strikes
				return err
			}
			z.Set(c.Owner, c.After)
			return nil
		})}, "EditMeanwhile"},
		"wants the trailing dot": {broken{read: func(ctx context.Context, z *memory.Zone, zone string, owner tlsa.Owner) (tlsa.RRset, error) {
			if !strings.HasSuffix(zone, ".") {
				return tlsa.RRset{}, &dnsprovider.Error{Op: "read", Owner: owner, Kind: dnsprovider.NoZone}
			}
			return z.RRset(ctx, zone, owner)
		}}, "ZoneSpelling"},
		"has errors of its own": {broken{apply: each(func(ctx context.Context, z *memory.Zone, zone string, c dnsprovider.Change) error {
			if err := one(ctx, z, zone, c); err != nil {
				return errors.New("something went wrong")
			}
			return nil
		})}, "ConflictWhereAbsent"},
		"takes anything for hex": {broken{apply: each(func(ctx context.Context, z *memory.Zone, zone string, c dnsprovider.Change) error {
			if err := one(ctx, z, zone, c); !errors.Is(err, dnsprovider.ErrMalformed) {
				return err
			}
			return nil
		})}, "Malformed"},
	}
}

// chosen names, in the process that a test starts, the defect to be tried.
const chosen = "PROVIDERTEST_DEFECT"

// TestDefective runs the suite on a provider with a defect; only TestSuiteCatchesDefects
// has it run.
func TestDefective(t *testing.T) {
	name, ok := os.LookupEnv(chosen)
	if !ok {
		return
	}
	providertest.Run(t, func(t *testing.T) providertest.Fixture {
		zone, err := memory.New(memory.Options{Name: "example.org", Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		provider := defects()[name].provider
		provider.Zone = zone
		fixture := providertest.Fixture{
			Provider: provider,
			Zone:     zone.Name(),
			Seed: func(t *testing.T, owner tlsa.Owner, ttl time.Duration, rdata ...string) {
				rrset := tlsa.NewRRset(ttl)
				for _, s := range rdata {
					a, err := tlsa.ParseAssociation(s)
					if err != nil {
						t.Fatal(err)
					}
					rrset = rrset.With(a)
				}
				zone.Set(owner, rrset)
			},
			Look: func(t *testing.T, owner tlsa.Owner) tlsa.RRset {
				answer, _ := zone.Answer("primary", owner)
				return answer.RRset
			},
			Alias:     func(t *testing.T, owner, target tlsa.Owner) { zone.Alias(owner, target, time.Hour) },
			LoseReply: func(*testing.T) { zone.Inject(memory.LostReply()) },
			Meanwhile: func(_ *testing.T, edit func()) { zone.Inject(memory.Meanwhile(edit)) },
			Without: map[providertest.Part]string{
				providertest.OtherRecords: "memory has TLSA and TXT alone",
				providertest.Delegations:  "memory has no delegations",
				providertest.MinimumTTLs:  "memory takes any TTL",
				providertest.Faults:       "memory has no API that could fail",
				providertest.Listings:     "memory is read as often as one likes",
			},
		}
		switch name {
		case lacksHook:
			fixture.Alias = nil
		case leavesOut:
			fixture.Alias, fixture.Without[providertest.Aliases] = nil, "this API has no CNAME"
		}
		return fixture
	})
}

// Fixtures that are not whole, by the names under which they are tried.
const (
	lacksHook = "a hook is missing and nothing is said"
	leavesOut = "a hook is missing and the reason given"
)

// TestSuiteCatchesDefects: a suite that passes everything proves nothing.
func TestSuiteCatchesDefects(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	run := func(t *testing.T, name string) string {
		cmd := exec.CommandContext(t.Context(), program, "-test.v", "-test.run=^TestDefective$", "-test.timeout=60s")
		cmd.Env = append(os.Environ(), chosen+"="+name)
		out, err := cmd.CombinedOutput()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
		return string(out)
	}
	for name, d := range defects() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if out := run(t, name); !strings.Contains(out, "--- FAIL: TestDefective/"+d.caught+" ") {
				t.Errorf("the defect is not caught by %s:\n%s", d.caught, out)
			}
		})
	}
	t.Run(lacksHook, func(t *testing.T) {
		if out := run(t, lacksHook); !strings.Contains(out, "the fixture has no hook for an alias at the owner name, and does not declare it left out") {
			t.Errorf("nobody complains:\n%s", out)
		}
	})
	t.Run(leavesOut, func(t *testing.T) {
		out := run(t, leavesOut)
		if !strings.Contains(out, "LEFT OUT: an alias at the owner name: this API has no CNAME") || strings.Contains(out, "FAIL") {
			t.Errorf("it is not said:\n%s", out)
		}
	})
	t.Run("none", func(t *testing.T) {
		if out := run(t, "no such defect"); !strings.Contains(out, "PASS") || strings.Contains(out, "FAIL") {
			t.Errorf("a sound provider is turned down:\n%s", out)
		}
	})
}
