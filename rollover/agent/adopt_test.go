package agent

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// waits are the codes of what a lineage waits for.
func waits(r Report, name string) []rollover.Code {
	var codes []rollover.Code
	for _, reason := range r.State.Lineages[name].Waiting {
		codes = append(codes, reason.Code)
	}
	slices.Sort(codes)
	return slices.Compact(codes)
}

func mustPass(t testing.TB, a *Agent, lineage string) Report {
	t.Helper()
	r, err := a.Pass(t.Context(), lineage)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// pass makes passes for as long as something is done.
func settled(t testing.TB, a *Agent, lineage string) Report {
	t.Helper()
	for range 10 {
		if r := mustPass(t, a, lineage); !r.Changed {
			return r
		}
	}
	t.Fatal("ten passes in a row did something")
	return Report{}
}

func TestAdoptsWhatIsInstalledAndServed(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.lineage("mx1")
		first := w.ca.issue(t, mx1)
		w.serve("mx1", first)
		a := w.open()
		defer w.close(a)
		r := settled(t, a, "mx1")
		if l := r.State.Lineages["mx1"]; l.Live != first.ID() {
			t.Fatalf("live is %q; %s", l.Live, w.story(r))
		}
		link := filepath.Join(w.config.State, "live", "mx1")
		if target, err := filepath.EvalSymlinks(link); err != nil || filepath.Base(target) != string(first.ID()) {
			t.Errorf("the live link leads to %s, %v", target, err)
		}
		if got := r.State.Owners[owner25(mx1)].Ours; !slices.Equal(got, []tlsa.Association{record(t, first)}) {
			t.Errorf("ours are %v", got)
		}
		if len(w.commands) > 0 {
			t.Errorf("commands were run: %q", w.commands)
		}
	})
}

func TestRefusesToAdoptWhatIsNotServed(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.lineage("mx1")
		served, installed := w.ca.issue(t, mx1), w.ca.issue(t, mx1)
		w.serve("mx1", served)
		w.write(w.paths["mx1"], slices.Concat(installed.Key.PEM(), installed.ChainPEM()))
		a := w.open()
		defer w.close(a)
		check := func(what string) {
			t.Helper()
			r := settled(t, a, "mx1")
			if got := waits(r, "mx1"); !slices.Equal(got, []rollover.Code{rollover.CodeNotAdopted}) || r.State.Lineages["mx1"].Live != "" {
				t.Errorf("%s: waits for %v; %s", what, got, w.story(r))
			}
			if _, err := os.Lstat(filepath.Join(w.config.State, "live", "mx1")); !os.IsNotExist(err) {
				t.Errorf("%s: the live link: %v", what, err)
			}
			if got, want := w.stands(owner25(mx1)), []tlsa.Association{record(t, served)}; !slices.Equal(got, want) {
				t.Errorf("%s: the zone holds %v, want %v", what, got, want)
			}
		}
		check("the install files hold another pair")
		if err := a.Adopt("mx1", w.ca.issue(t, mx1)); err != nil {
			t.Fatal(err)
		}
		check("a person hands in another pair")
		if err := a.Adopt("mx1", served); err != nil {
			t.Fatal(err)
		}
		if r := settled(t, a, "mx1"); r.State.Lineages["mx1"].Live != served.ID() {
			t.Errorf("a person hands in the pair that is served; %s", w.story(r))
		}
	})
}

// TestAdoptsWhenItIsServed: what a person said holds for later passes, too.
func TestAdoptsWhenItIsServed(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		l := w.lineage("mx1")
		l.Install = nil
		old, pair := w.ca.issue(t, mx1), w.ca.issue(t, mx1)
		w.serve("mx1", old)
		a := w.open()
		defer w.close(a)
		if err := a.Adopt("mx1", pair); err != nil {
			t.Fatal(err)
		}
		settled(t, a, "mx1")
		time.AfterFunc(7*time.Minute, func() { w.serve("mx1", pair) })
		w.goOn(a, time.Hour, func(r Report) bool { return r.State.Lineages["mx1"].Live == pair.ID() })
	})
}

func TestInstallFilesThatDisagree(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		l := w.lineage("mx1")
		first := w.ca.issue(t, mx1)
		w.serve("mx1", first)
		other := w.ca.issue(t, mx1)
		second := filepath.Join(w.dir, "other.pem")
		l.Install = append(l.Install, Install{Path: second, Content: []string{"key", "chain"}})
		w.write(second, slices.Concat(other.Key.PEM(), other.ChainPEM()))
		a := w.open()
		defer w.close(a)
		r := settled(t, a, "mx1")
		if text := r.State.Lineages["mx1"].Waiting[0].Text; !strings.Contains(text, "the install files hold different pairs: "+second) {
			t.Errorf("it says %q", text)
		}
		w.write(second, []byte("no pair"))
		time.Sleep(time.Minute)
		r = settled(t, a, "mx1")
		if text := r.State.Lineages["mx1"].Waiting[0].Text; !strings.Contains(text, "cannot be read") {
			t.Errorf("it says %q", text)
		}
	})
}

// TestFirstPair: a host that serves nothing yet gets its first pair, and its
// records are published once that is seen.
func TestFirstPair(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.lineage("mx1")
		a := w.open()
		defer w.close(a)
		pair := w.ca.issue(t, mx1)
		w.stage("mx1", pair)
		w.goOn(a, time.Hour, func(r Report) bool { return isSteady("mx1", pair)(r) && len(w.stands(owner25(mx1))) > 0 })
		w.served("mx1", pair)
	})
}

func TestOwn(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, first := adopted(w)
		defer w.close(a)
		stranger, absent := record(t, w.ca.issue(t, mx1)), record(t, w.ca.issue(t, mx1))
		w.publish(owner25(mx1), stranger)
		w.goOn(a, 10*time.Minute, func(r Report) bool { return r.State.Owners[owner25(mx1)].Gives(stranger) })
		want := "mx1: no server gives the record " + absent.String() + " (hint: tlsaroll status mx1 shows what stands)"
		if err := a.Own("mx1", stranger, absent); err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
		if s, _, _ := a.State("mx1"); slices.Contains(s.Owners[owner25(mx1)].Ours, stranger) {
			t.Error("one of two was taken over all the same")
		}
		if err := a.Own("mx1", stranger); err != nil {
			t.Fatal(err)
		}
		w.close(a)
		a = w.open() // it is durable
		defer w.close(a)
		events, err := a.History(time.Time{}, "mx1")
		claimed := slices.IndexFunc(events, func(e rollover.Event) bool { return e.Kind == rollover.Claimed })
		if err != nil || claimed < 0 || !slices.Equal(events[claimed].Records, []string{stranger.String()}) || events[claimed].Owner != owner25(mx1) {
			t.Errorf("nothing tells who made the record ours: %v, %+v", err, events)
		}
		w.goOn(a, time.Hour, func(r Report) bool {
			return slices.Equal(w.stands(owner25(mx1)), []tlsa.Association{record(t, first)})
		})
	})
}

func TestUnknownLineage(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.lineage("mx1")
		w.lineage("mx2", "192.0.2.26")
		a := w.open()
		defer w.close(a)
		pair := w.ca.issue(t, mx1)
		want := `lineage "mx3": no such lineage (hint: the configuration has mx1, mx2)`
		for what, call := range map[string]func() error{
			"pass":  func() error { _, err := a.Pass(t.Context(), "mx3"); return err },
			"run":   func() error { return a.Run(t.Context(), "mx3", nil) },
			"offer": func() error { _, err := a.Offer("mx3", pair); return err },
			"order": func() error { return a.Order("mx3", rollover.Orders{Retry: true}) },
			"adopt": func() error { return a.Adopt("mx3", pair) },
			"own":   func() error { return a.Own("mx3") },
			"fits":  func() error { return a.Fits("mx3", pair) },
			"state": func() error { _, _, err := a.State("mx3"); return err },
		} {
			if err := call(); err == nil || err.Error() != want {
				t.Errorf("%s: got  %v\nwant %s", what, err, want)
			}
		}
	})
}

func TestFitsAndUncovered(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		l := w.lineage("mx1")
		l.Policy.Scheme.TA = true
		a := w.open()
		defer w.close(a)
		good, other := w.ca.issue(t, mx1), w.ca.issue(t, "www.example.org")
		if err := a.Fits("mx1", good); err != nil {
			t.Error(err)
		}
		if err := a.Fits("mx1", other); err == nil || !strings.Contains(err.Error(), "the certificate is not for mx1.example.org") {
			t.Errorf("got %v", err)
		}
		if got := a.Uncovered("mx1", other); !slices.Equal(got, []string{mx1}) {
			t.Errorf("uncovered: %v", got)
		}
		if got := a.Uncovered("mx1", good); len(got) > 0 {
			t.Errorf("uncovered: %v", got)
		}
	})
}
