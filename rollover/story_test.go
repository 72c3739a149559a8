package rollover

import (
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// rolled is a world in which mx1 serves its first pair, adopted and steady.
func rolled(t testing.TB, scheme string) (*world, *ca, tlsa.ChainID) {
	t.Helper()
	w := newWorld(t)
	s, err := ParseScheme(scheme)
	if err != nil {
		t.Fatal(err)
	}
	w.configure(func(p *LineagePolicy) { p.Scheme = s })
	issuer := w.ca("Issuer A", w.ca("Root", nil))
	first := w.issue(issuer, leaf{})
	w.serving("mx1", first)
	w.until(time.Minute, w.steady)
	if w.lineage().Live != first {
		t.Fatalf("the served pair was not adopted\n%s", w.story())
	}
	w.run(5 * time.Minute) // let the unknown first version die
	return w, issuer, first
}

func TestRenewalWithNewKey(t *testing.T) {
	w, issuer, first := rolled(t, "ee")
	second := w.issue(issuer, leaf{})
	w.offer(second)
	took := w.until(10*time.Minute, func() bool { return w.lineage().Live == second })
	// lag 5 s, then Ipub = 60 s + 10 s; a second a pass
	if took < 75*time.Second || took > 80*time.Second {
		t.Errorf("swapped after %s, want 75 s to 80 s\n%s", took, w.story())
	}
	w.until(10*time.Minute, w.steady)
	got := w.zone[owner25(t)].rrset
	if want := tlsa.NewRRset(time.Minute, w.record(tlsa.EE, second)); !got.Same(want) {
		t.Errorf("zone holds %v, want %v\n%s", got, want, w.story())
	}
	if got.Has(w.record(tlsa.EE, first)) {
		t.Error("the old record still stands")
	}
}

func TestSameKeySwapsAtOnce(t *testing.T) {
	w, issuer, first := rolled(t, "ee")
	_ = first
	key := w.newKey()
	second := w.issue(issuer, leaf{key: key})
	w.offer(second)
	w.until(10*time.Minute, func() bool { return w.lineage().Live == second && w.steady() })
	third := w.issue(issuer, leaf{key: key})
	w.offer(third)
	if took := w.until(time.Minute, func() bool { return w.lineage().Live == third }); took > 3*time.Second {
		t.Errorf("a renewal with the same key took %s\n%s", took, w.story())
	}
}
