package providertest_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/dnsprovider/memory"
	"github.com/tlsaroll/tlsaroll/dnsprovider/providertest"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// brokenTXT is a provider of TXT values with one defect, each seen in the wild.
type brokenTXT struct {
	*memory.Zone
	add    func(ctx context.Context, z *memory.Zone, name tlsa.Owner, value string, ttl time.Duration) error
	remove func(ctx context.Context, z *memory.Zone, name tlsa.Owner, value string) error
}

func (b brokenTXT) AddTXT(ctx context.Context, zone string, name tlsa.Owner, value string, ttl time.Duration) error {
	if b.add == nil {
		return b.Zone.AddTXT(ctx, zone, name, value, ttl)
	}
	return b.add(ctx, b.Zone, name, value, ttl)
}

func (b brokenTXT) RemoveTXT(ctx context.Context, zone string, name tlsa.Owner, value string) error {
	if b.remove == nil {
		return b.Zone.RemoveTXT(ctx, zone, name, value)
	}
	return b.remove(ctx, b.Zone, name, value)
}

type txtDefect struct {
	provider brokenTXT
	caught   string
}

// txtDefects are the providers that the suite has to turn down, and a test that says so.
func txtDefects() map[string]txtDefect {
	return map[string]txtDefect{
		"writes over what is there": {brokenTXT{add: func(ctx context.Context, z *memory.Zone, name tlsa.Owner, value string, ttl time.Duration) error {
			err := z.AddTXT(ctx, "", name, value, ttl)
			if err == nil {
				z.SetTXT(name, ttl, value)
			}
			return err
		}}, "AddBesideOthers"},
		"has every value as often as it was added": {brokenTXT{add: func(ctx context.Context, z *memory.Zone, name tlsa.Owner, value string, ttl time.Duration) error {
			before, _ := z.Answer("primary", name)
			err := z.AddTXT(ctx, "", name, value, ttl)
			if err == nil {
				z.SetTXT(name, ttl, append(before.TXT, value)...)
			}
			return err
		}}, "AddTwice"},
		"removes all of a name": {brokenTXT{remove: func(ctx context.Context, z *memory.Zone, name tlsa.Owner, value string) error {
			err := z.RemoveTXT(ctx, "", name, value)
			if err == nil {
				z.Remove(name)
			}
			return err
		}}, "RemoveOneOfThree"},
		"complains of what is not there": {brokenTXT{remove: func(ctx context.Context, z *memory.Zone, name tlsa.Owner, value string) error {
			if answer, _ := z.Answer("primary", name); len(answer.TXT) == 0 {
				return &dnsprovider.Error{Op: "remove TXT at", Owner: name, Kind: dnsprovider.NoZone}
			}
			return z.RemoveTXT(ctx, "", name, value)
		}}, "RemoveLast"},
		"knows no upper case": {brokenTXT{add: func(ctx context.Context, z *memory.Zone, name tlsa.Owner, value string, ttl time.Duration) error {
			return z.AddTXT(ctx, "", name, strings.ToLower(value), ttl)
		}}, "CaseMatters"},
		"says yes and does nothing": {brokenTXT{add: func(context.Context, *memory.Zone, tlsa.Owner, string, time.Duration) error { return nil }}, "AddWhereAbsent"},
		"hears no cancellation": {brokenTXT{add: func(_ context.Context, z *memory.Zone, name tlsa.Owner, value string, ttl time.Duration) error {
			return z.AddTXT(context.Background(), "", name, value, ttl)
		}}, "Cancelled"},
		"takes anything for a value": {brokenTXT{remove: func(ctx context.Context, z *memory.Zone, name tlsa.Owner, value string) error {
			if err := z.RemoveTXT(ctx, "", name, value); !errors.Is(err, dnsprovider.ErrMalformed) {
				return err
			}
			return nil
		}}, "Malformed"},
	}
}

// TestDefectiveTXT runs the suite on a provider with a defect; only
// TestTXTSuiteCatchesDefects has it run.
func TestDefectiveTXT(t *testing.T) {
	name, ok := os.LookupEnv(chosen)
	if !ok {
		return
	}
	providertest.RunTXT(t, func(t *testing.T) providertest.TXTFixture {
		zone, err := memory.New(memory.Options{Name: "example.org", Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		provider := txtDefects()[name].provider
		provider.Zone = zone
		return providertest.TXTFixture{
			Provider: provider,
			Zone:     zone.Name(),
			Seed: func(_ *testing.T, name tlsa.Owner, ttl time.Duration, values ...string) {
				zone.SetTXT(name, ttl, values...)
			},
			Look: func(_ *testing.T, name tlsa.Owner) ([]string, time.Duration) {
				answer, _ := zone.Answer("primary", name)
				return answer.TXT, answer.TXTTTL
			},
			Alias:     func(_ *testing.T, name, target tlsa.Owner) { zone.Alias(name, target, time.Hour) },
			LoseReply: func(*testing.T) { zone.Inject(memory.LostReply()) },
		}
	})
}

// TestTXTSuiteCatchesDefects: likewise.
func TestTXTSuiteCatchesDefects(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	run := func(t *testing.T, name string) string {
		cmd := exec.CommandContext(t.Context(), program, "-test.v", "-test.run=^TestDefectiveTXT$", "-test.timeout=60s")
		cmd.Env = append(os.Environ(), chosen+"="+name)
		out, err := cmd.CombinedOutput()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
		return string(out)
	}
	for name, d := range txtDefects() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if out := run(t, name); !strings.Contains(out, "--- FAIL: TestDefectiveTXT/"+d.caught+" ") {
				t.Errorf("the defect is not caught by %s:\n%s", d.caught, out)
			}
		})
	}
	t.Run("none", func(t *testing.T) {
		if out := run(t, "no such defect"); !strings.Contains(out, "PASS") || strings.Contains(out, "FAIL") {
			t.Errorf("a sound provider is turned down:\n%s", out)
		}
	})
}
