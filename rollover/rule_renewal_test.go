package rollover_test

import (
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/internal/sim"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// TestRenewal: when a certificate is ordered.
func TestRenewal(t *testing.T) {
	w := sim.NewWorld(t)
	issuer := w.CA("Issuer A", nil)
	const day = 24 * time.Hour
	now := w.Now
	cert := func(begins, ends time.Duration, names ...string) *tlsa.Chain {
		return w.Chains[w.Issue(issuer, sim.Leaf{Begins: now.Add(begins), Ends: now.Add(ends), Names: names})]
	}
	var (
		half    = cert(-45*day, 45*day) // a third is left in 15 days
		late    = cert(-80*day, 10*day) // since 20 days
		due     = cert(-65*day, 25*day)
		ending  = cert(-82*day, 8*day)
		fresh   = cert(-day, 89*day) // in 59 days
		ended   = cert(-91*day, -time.Second)
		others  = cert(-day, 89*day, "mx2.example.org")
		surplus = cert(-day, 89*day, sim.MX, "www.example.org")
	)
	names := []string{"MX1.example.org."}
	type issuing = rollover.Issuing
	live := func(c *tlsa.Chain) rollover.Lineage { return rollover.Lineage{Live: c.ID()} }
	failed := issuing{Names: names, Tries: 2, Again: now.Add(4 * time.Minute), Err: "no"}
	tests := []struct {
		name    string
		l       rollover.Lineage
		names   []string
		issuing issuing
		handed  []*tlsa.Chain
		at      time.Duration // from now; never: no order
		reason  string
		leaf    *tlsa.Chain
		unasked bool
		failing bool
	}{
		{name: "a third of the lifetime is left", l: live(half), at: 15 * day, reason: "a third of its lifetime is left then", leaf: half, unasked: true},
		{name: "less than that is left", l: live(late), at: -20 * day, reason: "a third of its lifetime is left then", leaf: late, unasked: true},
		{name: "the issuer's word", l: live(half), issuing: issuing{Leaf: half.LeafID(), At: now.Add(day), Reason: "the CA wants it"}, at: day, reason: "the CA wants it", leaf: half},
		{name: "the issuer's word, which may be another one by now", l: live(half), issuing: issuing{Leaf: half.LeafID(), At: now.Add(day), Reason: "the CA wants it", Ask: now}, at: day, reason: "the CA wants it", leaf: half, unasked: true},
		{name: "the issuer's word on another one", l: live(half), issuing: issuing{Leaf: late.LeafID(), At: now.Add(day)}, at: 15 * day, reason: "a third of its lifetime is left then", leaf: half, unasked: true},
		{name: "the issuer wants it after its end", l: live(half), issuing: issuing{Leaf: half.LeafID(), At: now.Add(45 * day)}, at: 15 * day, reason: "a third of its lifetime is left then", leaf: half},
		{name: "the successor counts", l: rollover.Lineage{Live: late.ID(), Successor: fresh.ID()}, at: 59 * day, reason: "a third of its lifetime is left then", leaf: fresh, unasked: true},
		{name: "a held successor counts", l: rollover.Lineage{Live: late.ID(), Successor: fresh.ID(), Held: &rollover.Held{Chain: fresh.ID()}}, at: 59 * day, reason: "a third of its lifetime is left then", leaf: fresh, unasked: true},
		{name: "what is queued counts", l: rollover.Lineage{Live: late.ID(), Successor: half.ID(), Queued: fresh.ID()}, at: 59 * day, reason: "a third of its lifetime is left then", leaf: fresh, unasked: true},
		{name: "what was handed in a moment ago counts", l: live(late), handed: []*tlsa.Chain{fresh}, at: 59 * day, reason: "a third of its lifetime is left then", leaf: fresh, unasked: true},
		{name: "the successor ended", l: rollover.Lineage{Live: half.ID(), Successor: ended.ID()}, at: 15 * day, reason: "a third of its lifetime is left then", leaf: half, unasked: true},
		{name: "all ended", l: live(ended), reason: "the last certificate ended"},
		{name: "none yet", reason: "there is no certificate yet"},
		{name: "other names", l: live(others), reason: "it is to be for other names: MX1.example.org."},
		{name: "more names", l: live(surplus), reason: "it is to be for other names: MX1.example.org."},
		{name: "more names than were ordered", l: live(surplus), issuing: issuing{Names: []string{sim.MX}, Chain: surplus.ID()}, at: 59 * day, reason: "a third of its lifetime is left then", leaf: surplus, unasked: true},
		{name: "orders failed", issuing: failed, at: 4 * time.Minute, reason: "there is no certificate yet", failing: true},
		{name: "orders failed, and a renewal is not due yet", l: live(half), issuing: failed, at: 15 * day, reason: "a third of its lifetime is left then", leaf: half, unasked: true},
		{name: "orders for other names failed", names: []string{"mx9.example.org"}, issuing: failed, reason: "there is no certificate yet"},
		{name: "orders for other names failed, and the CA limits the rate", names: []string{"mx9.example.org"}, issuing: issuing{Names: names, Tries: 1, Told: true, Again: now.Add(time.Hour)}, at: time.Hour, reason: "there is no certificate yet", failing: true},
		{name: "the next try is due", issuing: issuing{Names: names, Tries: 2, Again: now}, reason: "there is no certificate yet", failing: true},
		{name: "what was issued is not taken", l: rollover.Lineage{Live: late.ID(), Staged: fresh.ID(), Refused: &rollover.Refused{Chain: fresh.ID()}},
			issuing: issuing{Names: names, Chain: fresh.ID(), Again: now.Add(rollover.Rest(fresh.Leaf()))}, at: 90 * day / 12, reason: "a third of its lifetime is left then", leaf: late, unasked: true},
		{name: "what was issued is live, and revoked", l: live(fresh), issuing: issuing{Names: names, Chain: fresh.ID(), Again: now.Add(-12*time.Hour + rollover.Rest(fresh.Leaf())), Leaf: fresh.LeafID(), At: now, Reason: "the CA wants it"},
			reason: "the CA wants it", leaf: fresh},
		{name: "what was issued a moment ago is live, and the CA always wants the next one", l: live(fresh), issuing: issuing{Names: names, Chain: fresh.ID(), Again: now.Add(-time.Minute + rollover.Rest(fresh.Leaf())), Leaf: fresh.LeafID(), At: now, Reason: "the CA wants it"},
			at: 12*time.Hour - time.Minute, reason: "the CA wants it", leaf: fresh},
		{name: "what was issued waits, and the CA wants the next one", l: rollover.Lineage{Live: late.ID(), Successor: fresh.ID()}, issuing: issuing{Names: names, Chain: fresh.ID(), Again: now.Add(-2*time.Hour + rollover.Rest(fresh.Leaf())), Leaf: fresh.LeafID(), At: now, Reason: "the CA wants it"},
			at: 90*day/12 - 2*time.Hour, reason: "the CA wants it", leaf: fresh},
		{name: "a rollback", l: rollover.Lineage{Live: due.ID(), Returned: now.Add(-day)}, issuing: issuing{Names: names, Again: now.Add(-day)},
			at: 90*day/12 - day, reason: "a person brought the live pair back at " + rollover.Stamp(now.Add(-day)), leaf: due, unasked: true},
		{name: "a rollback, which is about to end", l: rollover.Lineage{Live: ending.ID(), Returned: now}, at: 8*day - 90*day/12,
			reason: "a person brought the live pair back at " + rollover.Stamp(now), leaf: ending, unasked: true},
		{name: "a rollback, and another is on its way", l: rollover.Lineage{Live: late.ID(), Successor: half.ID(), Returned: now}, at: 15 * day, reason: "a third of its lifetime is left then", leaf: half, unasked: true},
		{name: "a rollback, which is not due", l: rollover.Lineage{Live: half.ID(), Returned: now}, at: 15 * day, reason: "a third of its lifetime is left then", leaf: half, unasked: true},
		{name: "frozen", l: rollover.Lineage{Live: late.ID(), Frozen: &rollover.Freeze{Since: now}}, at: -20 * day, reason: "a third of its lifetime is left then", leaf: late, unasked: true},
		{name: "withdrawn", l: rollover.Lineage{Live: late.ID(), Withdrawn: now}, at: never, reason: "the lineage is withdrawn"},
		{name: "what is served is being looked at", l: rollover.Lineage{Waiting: []rollover.Reason{{Code: rollover.CodeAdopting}}}, at: never, reason: "no pair is live yet: what is served comes first"},
		{name: "what is served has to be adopted", l: rollover.Lineage{Waiting: []rollover.Reason{{Code: rollover.CodeNotAdopted}}}, at: never, reason: "no pair is live yet: what is served comes first"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.names == nil {
				tt.names = names
			}
			s := rollover.State{Lineages: map[string]rollover.Lineage{"mx1": tt.l}, Chains: w.Chains}
			got := s.Renewal("mx1", tt.names, tt.issuing, tt.handed, now)
			want := rollover.Renewal{At: now.Add(tt.at), Reason: tt.reason, Unasked: tt.unasked, Failing: tt.failing}
			if tt.at == never {
				want.At = time.Time{}
			}
			if tt.leaf != nil {
				want.Leaf = tt.leaf.Leaf()
			}
			if got.Leaf != want.Leaf || !got.At.Equal(want.At) || got.Reason != want.Reason || got.Unasked != want.Unasked || got.Failing != want.Failing {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
		})
	}
	if r := (rollover.State{}).Renewal("mx1", names, issuing{}, nil, now); !r.At.IsZero() || r.Due(now) {
		t.Errorf("of a lineage that was never looked at: %+v", r)
	}
}

const never = -1 << 62 * time.Nanosecond

// TestOrderFails: an order that fails is told when it is due, the louder the less is
// left; and status says when it is tried again.
func TestOrderFails(t *testing.T) {
	w, issuer, _ := sim.Rolled(t, "ee") // ends in 2000 hours, of 2001
	w.Configure(func(p *rollover.LineagePolicy) { p.Names = []string{sim.MX} })
	w.Hosts["mx1"].Issuing = rollover.Issuing{Names: []string{sim.MX}, Tries: 3, Err: "the CA is down", Again: w.Now.Add(time.Hour)}
	w.Run(time.Minute)
	if v, told := w.Warned(rollover.CodeOrderFailed); told {
		t.Errorf("told before the order is due: %+v", v)
	}
	for _, tt := range []struct {
		left     time.Duration
		severity rollover.Severity
	}{{600 * time.Hour, rollover.Warn}, {300 * time.Hour, rollover.Danger}} {
		third := w.Issue(issuer, sim.Leaf{Begins: w.Now.Add(tt.left - 2000*time.Hour), Ends: w.Now.Add(tt.left)})
		w.OfferTo("mx1", third, true)
		w.Until(10*time.Minute, w.Done(third))
		w.Hosts["mx1"].Issuing.Again = w.Now.Add(time.Hour)
		w.Run(20 * time.Minute)
		want := "the order for a certificate failed 3 times in a row: the CA is down; tried again at " + rollover.Stamp(w.Hosts["mx1"].Issuing.Again)
		if v, _ := w.Warned(rollover.CodeOrderFailed); v.Severity != tt.severity || v.Text != want {
			t.Errorf("with %s left it says %+v, want %s %q", tt.left, v, tt.severity, want)
		}
		if d := w.Described().Renewal; d == nil || d.Tries != 3 || d.Error != "the CA is down" || d.At == nil || !d.At.Equal(w.Hosts["mx1"].Issuing.Again) || d.Again == nil {
			t.Errorf("status says %+v", d)
		}
	}
	w.Renew(issuer)
	w.Run(time.Minute)
	if w.Warns(rollover.CodeOrderFailed) {
		t.Errorf("told although a pair is on its way\n%s", w.Story())
	}
}
