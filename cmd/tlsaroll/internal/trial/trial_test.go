package trial_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/trial"
	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/dnsprovider/lookup"
	"github.com/tlsaroll/tlsaroll/dnsprovider/memory"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

const owner = tlsa.Owner("_25._tcp.tlsaroll-test.example.org.")

// world is a zone with a secondary that follows after a while, and what is said.
type world struct {
	*memory.Zone
	said []string
}

func newWorld(t *testing.T) (*world, *trial.Trial) {
	t.Helper()
	zone, err := memory.New(memory.Options{Name: "example.org", Secondaries: []string{"ns2"}, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{Zone: zone}
	return w, &trial.Trial{
		Provider: zone, Zone: "example.org.", Owner: owner, TTL: time.Hour, Every: time.Second, Now: time.Now, Tidy: time.Minute,
		Look: func(context.Context) lookup.View { return w.view() },
		Say: func(s trial.Step) {
			line := fmt.Sprintf("%s, TTL %s:", s.Did, s.TTL)
			for _, x := range s.Servers {
				line += fmt.Sprintf(" %s after %s TTL %s%s", x.Name, x.After, x.TTL, x.Skipped)
			}
			w.said = append(w.said, line)
		},
	}
}

func (w *world) view() lookup.View {
	v := lookup.View{Owner: owner, Zone: "example.org.", Security: lookup.Secure}
	for i, name := range []string{"primary", "ns2"} {
		s := lookup.ServerView{Server: lookup.Server{Name: name, Address: netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}), 53)}}
		answer, ok := w.Answer(name, owner)
		s.RRset, s.Denied = answer.RRset, answer.RRset.Denial()
		if !ok {
			s.Err = "no answer"
		}
		v.Servers = append(v.Servers, s)
	}
	return v
}

func TestTrial(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, tr := newWorld(t)
		w.Follow("ns2", 2500*time.Millisecond)
		r, err := tr.Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		want := []string{
			"publish two records, TTL 1h0m0s: primary after 0s TTL 1h0m0s ns2 after 3s TTL 1h0m0s",
			"take one out, TTL 1h0m0s: primary after 0s TTL 1h0m0s ns2 after 3s TTL 1h0m0s",
			"take the other out, TTL 0s: primary after 0s TTL 0s ns2 after 3s TTL 0s",
		}
		if diff := cmp.Diff(want, w.said); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if r.Slowest != 3*time.Second || r.TTL != time.Hour || r.Security != lookup.Secure || r.Zone != "example.org." {
			t.Errorf("%+v", r)
		}
	})
}

// loses is a provider that keeps one record a name.
type loses struct{ *memory.Zone }

func (l loses) Apply(ctx context.Context, zone string, changes []dnsprovider.Change) []error {
	errs := l.Zone.Apply(ctx, zone, changes)
	if after := changes[0].After; len(after.Associations) > 1 {
		l.Set(changes[0].Owner, tlsa.NewRRset(after.TTL, after.Associations[0]))
	}
	return errs
}

func TestTrialFindsWhoLosesRecords(t *testing.T) {
	w, tr := newWorld(t)
	tr.Provider = loses{w.Zone}
	_, err := tr.Run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "after the change to 2 records the provider has one record (hint: do not use") {
		t.Errorf("error is %v", err)
	}
	w.empty(t)
}

func (w *world) empty(t *testing.T) {
	t.Helper()
	if answer, _ := w.Answer("primary", owner); !answer.RRset.Denial() {
		t.Errorf("left: %v", answer.RRset)
	}
}

// TestTrialTidiesUp: a server that never follows, and a caller who gave up.
func TestTrialTidiesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, tr := newWorld(t)
		w.Follow("ns2", time.Hour)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err := tr.Run(ctx)
		const want = "publish two records: not seen everywhere after 1m0s: ns2 (192.0.2.1): has no record (hint: give it longer with --timeout; if it never comes, is this the provider that the servers get the zone from?)"
		if err == nil || err.Error() != want {
			t.Errorf("error is\n%v, want\n%s", err, want)
		}
		w.empty(t)
	})
}

// TestTrialTakesOutWhatAnotherLeft: and leaves alone what it does not know.
func TestTrialTakesOutWhatAnotherLeft(t *testing.T) {
	w, tr := newWorld(t)
	failed := errors.New("killed")
	tr.Say = func(trial.Step) { panic(failed) }
	func() {
		defer func() {
			if recover() == nil {
				t.Error("it was not killed")
			}
		}()
		_, _ = tr.Run(t.Context())
	}()
	if answer, _ := w.Answer("primary", owner); len(answer.RRset.Associations) != 2 {
		t.Fatalf("there stands %v", answer.RRset)
	}
	var did []string
	tr.Say = func(s trial.Step) { did = append(did, s.Did) }
	if _, err := tr.Run(t.Context()); err != nil || did[0] != "take out what another test left" {
		t.Errorf("%v, %v", did, err)
	}
	w.empty(t)

	w.Set(owner, tlsa.NewRRset(time.Hour, tlsa.Association{Params: tlsa.EE, Data: strings.Repeat("ab", 32)}))
	_, err := tr.Run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "records stand there that are not of a test") {
		t.Errorf("error is %v", err)
	}
	if answer, _ := w.Answer("primary", owner); len(answer.RRset.Associations) != 1 {
		t.Errorf("there stands %v", answer.RRset)
	}
}
