package providertest

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// A Part of the suite that a fixture may declare to be left out.
type Part string

// The parts that can be left out. Everything else is required of all.
const (
	Aliases           Part = "an alias at the owner name"
	LostReplies       Part = "a reply that is lost after the change"
	Races             Part = "an edit between the provider's look and its change"
	TTLChanges        Part = "a change of the TTL as a step of its own"
	FoundZone         Part = "a zone that the provider finds itself"
	UnknownParameters Part = "records with parameters that nobody has assigned"
	LargeRecords      Part = "records with whole certificates"
	ManyRecords       Part = "twelve records in one RRset"
	OtherRecords      Part = "records of other types, wildcards and delegations"
	Delegations       Part = "a name below a delegation"
	MinimumTTLs       Part = "a TTL below the host's minimum"
	Faults            Part = "an API that fails"
	Listings          Part = "how often the zone is read"
	Conditions        Part = "a change on condition that the RRset is what was read"
)

// A Fixture is one provider with a zone to work in. The zone may be shared by
// several tests: each uses owner names of its own.
type Fixture struct {
	Provider dnsprovider.Provider
	Zone     string // canonical

	// Seed puts an RRset into the provider's copy behind the provider's back, as
	// somebody with an editor would. The RDATA are to be written as they come, in
	// upper case where they are.
	Seed func(t *testing.T, owner tlsa.Owner, ttl time.Duration, rdata ...string)
	// Look reads the provider's copy by another way than the provider.
	Look func(t *testing.T, owner tlsa.Owner) tlsa.RRset

	// Alias puts a CNAME into the provider's copy.
	Alias func(t *testing.T, owner, target tlsa.Owner)
	// LoseReply makes the reply to the next change get lost after it was carried out.
	LoseReply func(t *testing.T)
	// Fail makes requests fail from now on, but for the next few that change something.
	Fail func(t *testing.T, f Fault, spare int)
	// Beside puts a record of any type at any name; Stands reads those of a type, for one
	// that was put there, as RDATA.
	Beside func(t *testing.T, name, rrtype, rdata string)
	Stands func(t *testing.T, name, rrtype string) []string
	// Listings is how often the zone was read, and InFlight how many requests were on
	// their way at once at most.
	Listings, InFlight func() int
	// Rereads is how often the host's client reads the zone by itself when it changes
	// several RRsets, besides what the provider reads.
	Rereads int
	// Secrets are the keys and tokens that the provider has.
	Secrets []string
	// Meanwhile arranges for edit to run within the next Apply, after the provider
	// has looked at the copy, if it does look, and before it changes it.
	Meanwhile func(t *testing.T, edit func())

	// Slow is set where a call costs processes: then fewer writers are at work at once, and
	// a dozen tests stand for all.
	Slow bool

	// TTL is one that the provider accepts as it is; twice that too. Default: one hour.
	TTL time.Duration
	// MinTTL is the lowest that it accepts as it is: a lower one is raised to it. Zero: the
	// part [MinimumTTLs] is left out.
	MinTTL time.Duration
	// Without names what is left out, and why.
	Without map[Part]string
}

// needs skips the test, aloud, if the part is declared to be left out, and fails
// it if there is neither a hook nor a reason.
func (f Fixture) needs(t *testing.T, part Part, hook bool) {
	t.Helper()
	if reason, left := f.Without[part]; left {
		if strings.TrimSpace(reason) == "" {
			t.Fatalf("%s is left out without a reason", part)
		}
		t.Skipf("LEFT OUT: %s: %s", part, reason)
	}
	if !hook {
		t.Fatalf("the fixture has no hook for %s, and does not declare it left out", part)
	}
}

// bench is one test at work: a fixture and an owner name nobody else uses.
type bench struct {
	Fixture
	*testing.T
	owner tlsa.Owner
}

func newBench(t *testing.T, f Fixture) *bench {
	t.Helper()
	if f.Provider == nil || f.Zone == "" || f.Seed == nil || f.Look == nil {
		t.Fatal("the fixture lacks one of Provider, Zone, Seed and Look")
	}
	if f.TTL == 0 {
		f.TTL = time.Hour
	}
	b := &bench{Fixture: f, T: t}
	b.owner = b.ownerAt("")
	return b
}

// ownerAt makes an owner name of the test's own name, with a prefix to tell several apart.
func (b *bench) ownerAt(prefix string) tlsa.Owner {
	b.Helper()
	label := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return -1
	}, prefix+b.Name())
	owner, err := tlsa.OwnerOf(25, label[:min(len(label), 60)]+"."+b.Zone)
	if err != nil {
		b.Fatal(err)
	}
	return owner
}

// rrset makes an RRset with the fixture's TTL.
func (b *bench) rrset(as ...tlsa.Association) tlsa.RRset { return tlsa.NewRRset(b.TTL, as...) }

// seed puts records at owner and returns them as they are to be read.
func (b *bench) seed(owner tlsa.Owner, as ...tlsa.Association) tlsa.RRset {
	b.Helper()
	rdata := make([]string, len(as))
	for i, a := range as {
		rdata[i] = a.String()
	}
	b.Seed(b.T, owner, b.TTL, rdata...)
	return b.rrset(as...)
}

// read reads through the provider.
func (b *bench) read(owner tlsa.Owner) tlsa.RRset {
	b.Helper()
	rrset, err := b.Provider.RRset(b.Context(), b.Zone, owner)
	if err != nil {
		b.Fatalf("reading %s: %v", owner, err)
	}
	return rrset
}

// apply carries out one change.
func (b *bench) apply(before, after tlsa.RRset) error {
	b.Helper()
	return b.applyAll(b.Context(), dnsprovider.Change{Owner: b.owner, Before: before, After: after})[0]
}

func (b *bench) applyAll(ctx context.Context, changes ...dnsprovider.Change) []error {
	b.Helper()
	errs := b.Provider.Apply(ctx, b.Zone, changes)
	if len(errs) != len(changes) {
		b.Fatalf("%d results for %d changes", len(errs), len(changes))
	}
	for i, err := range errs {
		b.form(changes[i], err)
	}
	return errs
}

// mustApply carries out one change that has to succeed.
func (b *bench) mustApply(before, after tlsa.RRset) {
	b.Helper()
	if err := b.apply(before, after); err != nil {
		b.Fatalf("apply: %v", err)
	}
}

// form holds an error to what every error of a provider looks like.
func (b *bench) form(c dnsprovider.Change, err error) {
	b.Helper()
	if err == nil {
		return
	}
	var e *dnsprovider.Error
	if !errors.As(err, &e) {
		b.Errorf("%s: error %T is no *dnsprovider.Error: %v", c.Owner, err, err)
		return
	}
	if e.Kind.Err() == nil || !errors.Is(err, e.Kind.Err()) {
		b.Errorf("%s: error without a kind: %v", c.Owner, err)
	}
	if e.Owner != "" && e.Owner != c.Owner {
		b.Errorf("error about %s stands where the result of %s belongs: %v", e.Owner, c.Owner, err)
	}
	if s := err.Error(); strings.HasSuffix(s, ".") || strings.ContainsAny(s, "\n\r") {
		b.Errorf("%s: error is not one line without a full stop: %q", c.Owner, s)
	}
}

// holds compares what stands at owner, read both ways, with what should.
func (b *bench) holds(owner tlsa.Owner, want tlsa.RRset) {
	b.Helper()
	if diff := cmp.Diff(lines(want), lines(b.Look(b.T, owner))); diff != "" {
		b.Errorf("%s in the provider's copy (-want +got):\n%s", owner, diff)
	}
	if diff := cmp.Diff(lines(want), lines(b.read(owner))); diff != "" {
		b.Errorf("%s as the provider reads it (-want +got):\n%s", owner, diff)
	}
}

// lines is an RRset for people; a denial has no line and no TTL.
func lines(s tlsa.RRset) []string {
	out := []string{}
	for _, a := range s.Associations {
		out = append(out, s.TTL.String()+" "+a.String())
	}
	return out
}

// record makes the 3 1 1 record of a key that exists nowhere else, one for each digit.
func record(digit string) tlsa.Association {
	return tlsa.Association{Params: tlsa.EE, Data: strings.Repeat("a"+digit, 32)}
}
