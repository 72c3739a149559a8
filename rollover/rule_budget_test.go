package rollover

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// DESIGN 4.15: how many records.

// crowd puts n foreign records beside ours.
func (w *world) crowd(n int) {
	w.edit(owner25(w.t), func(s tlsa.RRset) tlsa.RRset {
		for range n {
			a := w.keyRecord(w.newKey())
			w.foreign[a] = true
			s = s.With(a)
		}
		return s
	})
}

func TestManyRecordsAreToldOf(t *testing.T) {
	w, _, _ := rolled(t, "ee")
	w.crowd(8)
	w.run(time.Minute)
	if w.warns(CodeRRsetLarge) {
		t.Error("9 records are told of")
	}
	w.crowd(1)
	w.run(time.Minute)
	if !w.warns(CodeRRsetLarge) {
		t.Errorf("10 records are not told of\n%s", w.story())
	}
}

func TestRetiredRecordsLeaveEarlyWhereRoomIsShort(t *testing.T) {
	w, issuer, first := rolled(t, "ee")
	w.policy.Timing.Retire = 24 * time.Hour
	w.crowd(10)
	w.run(2 * time.Minute)
	second := w.renew(issuer)
	w.until(5*time.Minute, w.swapped(second))
	w.run(time.Minute)
	if !w.zone[owner25(t)].rrset.Has(w.record(tlsa.EE, first)) {
		t.Fatal("left early without need")
	}
	third := w.renew(issuer) // a thirteenth record
	w.until(5*time.Minute, w.swapped(third))
	if n := len(w.zone[owner25(t)].rrset.Associations); n > maxRecords {
		t.Errorf("%d records stand", n)
	}
}

func TestQueuedPairsAreLeftOutWhereRoomIsShort(t *testing.T) {
	w, issuer, _ := rolled(t, "ee")
	w.crowd(10)
	w.run(2 * time.Minute)
	second := w.renew(issuer)
	w.run(30 * time.Second)
	third := w.renew(issuer)
	w.run(5 * time.Second)
	full := slices.ContainsFunc(w.lineage().Waiting, func(r Reason) bool { return r.Code == CodeQueued && strings.Contains(r.Text, "is full") })
	if w.lineage().Queued != third || w.zone[owner25(t)].rrset.Has(w.record(tlsa.EE, third)) || !full {
		t.Errorf("queued %s\n%s", w.lineage().Queued.Short(), w.story())
	}
	w.until(5*time.Minute, w.swapped(second))
	w.until(5*time.Minute, w.swapped(third))
}

func TestOneSuccessorAtATimeWhereRoomIsShort(t *testing.T) {
	w := newWorld(t)
	w.policy.Lineages["rsa"] = w.policy.Lineages["mx1"]
	w.hosts["mx1"].algorithm = "ecdsa"
	w.hosts["rsa"] = newHost("rsa", "192.0.2.1:25")
	issuer := w.ca("Issuer A", nil)
	w.serving("mx1", w.issue(issuer, leaf{}))
	w.serving("rsa", w.issue(issuer, leaf{}))
	w.until(time.Minute, w.steady)
	w.crowd(9)
	w.run(5 * time.Minute)
	b := w.issue(issuer, leaf{})
	w.offerTo("rsa", b, false)
	w.run(time.Second)
	a := w.renew(issuer)
	w.run(10 * time.Second)
	stands := w.zone[owner25(t)].rrset
	if !stands.Has(w.record(tlsa.EE, b)) || stands.Has(w.record(tlsa.EE, a)) || !w.waits(CodeSiblingFirst) {
		t.Errorf("not the oldest alone\n%s", w.story())
	}
	w.until(10*time.Minute, func() bool { return w.live() == a && w.state.Lineages["rsa"].Live == b })
}

func TestNoRoomAtAllNeedsAPerson(t *testing.T) {
	w, issuer, first := rolled(t, "ee")
	w.crowd(11)
	w.run(2 * time.Minute)
	second := w.renew(issuer)
	w.run(5 * time.Minute)
	if w.live() != first || !w.waits(CodeRRsetFull) || !w.warns(CodeRRsetFull) || !CodeRRsetFull.NeedsPerson() {
		t.Fatalf("swapped, or nobody was told\n%s", w.story())
	}
	var theirs tlsa.Association
	for theirs = range w.foreign {
		break
	}
	w.edit(owner25(t), func(s tlsa.RRset) tlsa.RRset { return s.Without(theirs) })
	w.until(5*time.Minute, w.swapped(second))
}

// Replies stay under 1232 octets, whatever the records are.
func TestReplySize(t *testing.T) {
	owner := owner25(t)
	for _, tt := range []struct {
		octets, records int
		fits            bool
	}{{32, 12, true}, {32, 13, false}, {64, 9, true}, {64, 12, false}, {600, 2, true}, {600, 3, false}} {
		t.Run(fmt.Sprintf("%d of %d octets", tt.records, tt.octets), func(t *testing.T) {
			var s tlsa.RRset
			for i := range tt.records {
				s = s.With(tlsa.Association{Params: tlsa.EE, Data: strings.Repeat(fmt.Sprintf("%02x", i), tt.octets)})
			}
			if got := fits(owner, s); got != tt.fits {
				t.Errorf("fits: %t, want %t (%d octets)", got, tt.fits, replySize(owner, s))
			}
		})
	}
}
