package rollover_test

import (
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/internal/sim"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// Somebody adds the 2 1 1 of an issuer that is in no chain: whoever tries all records
// delivers, whoever uses DANE-TA alone does not.
func TestIssuerInNoChainIsTold(t *testing.T) {
	w, _, first := sim.Rolled(t, "ee")
	w.Careless = true
	theirs := w.Record(tlsa.TA, w.Issue(w.CA("Issuer B", nil), sim.Leaf{}))
	w.Foreign[theirs] = true
	w.Edit(sim.Owner25(t), func(s tlsa.RRset) tlsa.RRset { return s.With(theirs) })
	w.Until(time.Minute, func() bool { return w.Warns(rollover.CodeComboUnmatched) })
	want := "192.0.2.1:25 presents " + first.Short() + ", which no 2 1 1 of _25._tcp.mx1.example.org. matches: senders that know no other combination cannot deliver (RFC 7671, section 8) (hint: publish one that matches, or take those out)"
	if v, _ := w.Warned(rollover.CodeComboUnmatched); v.About != "192.0.2.1:25" || v.Severity != rollover.Warn || v.Text != want {
		t.Errorf("told is %+v\nwant %s", v, want)
	}
	if w.Warns(rollover.CodeServedUnmatched) {
		t.Errorf("told as if nobody could deliver\n%s", w.Story())
	}
	w.Stands(w.Record(tlsa.EE, first), theirs)
	delete(w.Foreign, theirs)
	w.Edit(sim.Owner25(t), func(s tlsa.RRset) tlsa.RRset { return s.Without(theirs) })
	w.Until(time.Minute, func() bool { return !w.Warns(rollover.CodeComboUnmatched) })
}
