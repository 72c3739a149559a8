package rollover_test

import (
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/internal/sim"
)

// A rollover is remembered from the moment when its pair is admitted until nothing of the
// predecessor is left.
func TestRolloverIsRemembered(t *testing.T) {
	w, issuer, _ := sim.Rolled(t, "ee")
	before := len(w.Lineage().Rollovers)
	admitted := w.Now
	second := w.Renew(issuer)
	w.Until(5*time.Minute, w.Swapped(second))
	swapped := w.Lineage().Swapped
	w.Until(5*time.Minute, w.Done(second))
	ended := w.Now
	w.Run(time.Hour)
	all := w.Lineage().Rollovers
	if len(all) != before+1 {
		t.Fatalf("%d periods are remembered, %d before", len(all), before)
	}
	p := all[before]
	if late := p.Began.Sub(admitted); late < 0 || late > time.Minute {
		t.Errorf("began %s after the pair was there", late)
	}
	if p.Swapped != swapped || p.Ended.Before(swapped) || p.Ended.After(ended) {
		t.Errorf("%+v, want swapped at %s and ended by %s", p, swapped, ended)
	}
}
