package providertest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// A TXTFixture is one provider of TXT values with a zone to work in.
type TXTFixture struct {
	Provider dnsprovider.TXTProvider
	Zone     string // canonical

	// Seed puts values into the provider's copy behind the provider's back.
	Seed func(t *testing.T, name tlsa.Owner, ttl time.Duration, values ...string)
	// Look reads the provider's copy by another way, with the TTL.
	Look func(t *testing.T, name tlsa.Owner) (values []string, ttl time.Duration)
	// Alias puts a CNAME into the provider's copy.
	Alias func(t *testing.T, name, target tlsa.Owner)
	// LoseReply makes the reply to the next change get lost after it was carried out.
	LoseReply func(t *testing.T)
	// MinTTL is the lowest TTL that the host takes: a lower one is raised to it.
	MinTTL time.Duration
}

// RunTXT runs the suite for TXT values. newFixture is called once for each test.
func RunTXT(t *testing.T, newFixture func(t *testing.T) TXTFixture) {
	t.Helper()
	for name, run := range map[string]func(*txtBench){
		"AddWhereAbsent":   txtAddWhereAbsent,
		"AddBesideOthers":  txtAddBesideOthers,
		"AddTwice":         txtAddTwice,
		"RemoveOneOfThree": txtRemoveOneOfThree,
		"RemoveLast":       txtRemoveLast,
		"RemoveAbsent":     txtRemoveAbsent,
		"CaseMatters":      txtCaseMatters,
		"LostReplies":      txtLostReplies,
		"AliasRefused":     txtAliasRefused,
		"OutsideTheZone":   txtOutsideTheZone,
		"ZoneFound":        txtZoneFound,
		"Malformed":        txtMalformed,
		"Cancelled":        txtCancelled,
		"Concurrent":       txtConcurrent,
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			label := strings.ToLower(name)
			run(&txtBench{f, t, tlsa.Owner("_acme-challenge." + label + "." + f.Zone)})
		})
	}
}

type txtBench struct {
	TXTFixture
	*testing.T
	name tlsa.Owner
}

// The values are as long as those of a challenge.
func value(digit int) string { return strings.Repeat("aB-_", 10) + fmt.Sprintf("%03d", digit) }

func (b *txtBench) add(v string) {
	b.Helper()
	if err := b.Provider.AddTXT(b.Context(), b.Zone, b.name, v, time.Minute); err != nil {
		b.Fatalf("add: %v", err)
	}
}

func (b *txtBench) remove(v string) {
	b.Helper()
	if err := b.Provider.RemoveTXT(b.Context(), b.Zone, b.name, v); err != nil {
		b.Fatalf("remove: %v", err)
	}
}

func (b *txtBench) holds(ttl time.Duration, want ...string) {
	b.Helper()
	got, gotTTL := b.Look(b.T, b.name)
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(append([]string{}, want...), append([]string{}, got...)); diff != "" {
		b.Errorf("%s (-want +got):\n%s", b.name, diff)
	}
	if ttl = max(ttl, b.MinTTL); len(want) > 0 && gotTTL != ttl {
		b.Errorf("%s: TTL %s, want %s", b.name, gotTTL, ttl)
	}
}

func (b *txtBench) wants(err error, kinds ...dnsprovider.Kind) {
	b.Helper()
	var e *dnsprovider.Error
	if !errors.As(err, &e) || !slices.Contains(kinds, e.Kind) {
		b.Errorf("error is %v, want one of kind %v", err, kinds)
		return
	}
	if s := err.Error(); !strings.Contains(s, "TXT") || strings.ContainsAny(s, "\n\r") {
		b.Errorf("error does not say what was done, in one line: %q", s)
	}
}

func txtAddWhereAbsent(b *txtBench) {
	b.add(value(1))
	b.holds(time.Minute, value(1))
}

// txtAddBesideOthers: other people's values stay, and so does their TTL.
func txtAddBesideOthers(b *txtBench) {
	b.Seed(b.T, b.name, time.Hour, value(1), value(2))
	b.add(value(3))
	b.holds(time.Hour, value(1), value(2), value(3))
}

func txtAddTwice(b *txtBench) {
	b.add(value(1))
	b.add(value(1))
	b.holds(time.Minute, value(1))
}

func txtRemoveOneOfThree(b *txtBench) {
	b.Seed(b.T, b.name, time.Hour, value(1), value(2), value(3))
	b.remove(value(2))
	b.holds(time.Hour, value(1), value(3))
}

func txtRemoveLast(b *txtBench) {
	b.add(value(1))
	b.remove(value(1))
	b.remove(value(1))
	b.holds(0)
}

func txtRemoveAbsent(b *txtBench) {
	b.Seed(b.T, b.name, time.Hour, value(1))
	b.remove(value(2))
	b.holds(time.Hour, value(1))
}

// txtCaseMatters: a value is not a name; base64url tells letters apart.
func txtCaseMatters(b *txtBench) {
	b.Seed(b.T, b.name, time.Hour, "abc")
	b.add("ABC")
	b.holds(time.Hour, "ABC", "abc")
	b.remove("abc")
	b.holds(time.Hour, "ABC")
}

// txtLostReplies: the change was made and nobody heard of it; to do it again settles it.
func txtLostReplies(b *txtBench) {
	b.LoseReply(b.T)
	if err := b.Provider.AddTXT(b.Context(), b.Zone, b.name, value(1), time.Minute); err != nil {
		b.wants(err, dnsprovider.Temporary)
		b.add(value(1))
	}
	b.holds(time.Minute, value(1))
	b.LoseReply(b.T)
	if err := b.Provider.RemoveTXT(b.Context(), b.Zone, b.name, value(1)); err != nil {
		b.wants(err, dnsprovider.Temporary)
		b.remove(value(1))
	}
	b.holds(0)
}

func txtAliasRefused(b *txtBench) {
	b.Alias(b.T, b.name, "elsewhere.example.")
	b.wants(b.Provider.AddTXT(b.Context(), b.Zone, b.name, value(1), time.Minute), dnsprovider.Alias)
	b.wants(b.Provider.RemoveTXT(b.Context(), b.Zone, b.name, value(1)), dnsprovider.Alias)
}

func txtOutsideTheZone(b *txtBench) {
	b.name = tlsa.Owner("_acme-challenge.not" + b.Zone)
	b.wants(b.Provider.AddTXT(b.Context(), b.Zone, b.name, value(1), time.Minute), dnsprovider.OutsideZone, dnsprovider.NoZone)
}

func txtZoneFound(b *txtBench) {
	if err := b.Provider.AddTXT(b.Context(), "", b.name, value(1), time.Minute); err != nil {
		b.Fatal(err)
	}
	b.holds(time.Minute, value(1))
	if err := b.Provider.RemoveTXT(b.Context(), "", b.name, value(1)); err != nil {
		b.Fatal(err)
	}
	b.holds(0)
}

func txtMalformed(b *txtBench) {
	for _, v := range []string{"", strings.Repeat("a", 256), "a b", `a"b`, `a\b`, "a\nb", "ä"} {
		b.wants(b.Provider.AddTXT(b.Context(), b.Zone, b.name, v, time.Minute), dnsprovider.Malformed)
		b.wants(b.Provider.RemoveTXT(b.Context(), b.Zone, b.name, v), dnsprovider.Malformed)
	}
	b.wants(b.Provider.AddTXT(b.Context(), b.Zone, b.name, value(1), 0), dnsprovider.Malformed)
	upper := tlsa.Owner(strings.ToUpper(string(b.name)))
	b.wants(b.Provider.AddTXT(b.Context(), b.Zone, upper, value(1), time.Minute), dnsprovider.Malformed)
	b.holds(0)
}

func txtCancelled(b *txtBench) {
	ctx, cancel := context.WithCancel(b.Context())
	cancel()
	for _, err := range []error{
		b.Provider.AddTXT(ctx, b.Zone, b.name, value(1), time.Minute),
		b.Provider.RemoveTXT(ctx, b.Zone, b.name, value(1)),
	} {
		if !errors.Is(err, context.Canceled) {
			b.Errorf("error is %v, want context.Canceled", err)
		}
	}
	b.holds(0)
}

// txtConcurrent: two lineages with the same names prove at the same time that they are theirs.
func txtConcurrent(b *txtBench) {
	var wg sync.WaitGroup
	var want []string
	for i := range 8 {
		want = append(want, value(i))
		wg.Go(func() {
			if err := b.Provider.AddTXT(b.Context(), b.Zone, b.name, value(i), time.Minute); err != nil {
				b.Error(err)
			}
		})
	}
	wg.Wait()
	b.holds(time.Minute, want...)
}
