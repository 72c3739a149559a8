package rollover

import (
	"slices"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// StandbyStatus is the key of the next certificate, whose record is published before
// there is one.
type StandbyStatus struct {
	Record  string     `json:"record"`
	SPKI    string     `json:"spki"`
	Phase   Phase      `json:"phase"`    // generated, published or ready
	ReadyAt *time.Time `json:"ready_at"` // since then, or from then on, a certificate of it is swapped in without a wait; null while it cannot be told
}

// standby notes of each standby key when no cache can lack its record.
func (x *pass) standby() {
	for _, name := range x.names {
		l := x.Lineages[name]
		if l.Standby == (tlsa.Association{}) {
			continue
		}
		at := x.standbyReadyAt(name, l.Standby)
		if was := l.StandbyReady; was.IsZero() || was.After(x.now) || at.IsZero() || at.After(x.now) {
			l.StandbyReady = at // else what it was computed from is forgotten in time
		}
		x.Lineages[name] = l
	}
}

// standbyReadyAt is when every version without the record is dead at every owner name,
// zero while that cannot be told. A denial counts for nothing, as for a successor.
func (x *pass) standbyReadyAt(name string, a tlsa.Association) time.Time {
	t := x.now
	for _, owner := range x.ownersOf(name) {
		l := x.Owners[owner]
		w := x.waits(&l)
		if l.Since.IsZero() || x.standbySeen(owner, a) == 0 {
			return time.Time{}
		}
		lacking := slices.DeleteFunc(slices.Clone(l.Versions), func(v Version) bool {
			return !w.alive(v, x.now) || !v.Unknown && (v.RRset.Denial() || v.RRset.Has(a))
		})
		if len(lacking) > 0 {
			ripe := x.ripe(&l, lacking)
			if ripe.IsZero() {
				return ripe
			}
			t = latest(t, ripe)
		}
		if l.matters() {
			t = latest(t, l.lit())
		}
	}
	return t
}

// standbySeen is in how many looks the server that lags most gave a record.
func (x *pass) standbySeen(owner tlsa.Owner, a tlsa.Association) int {
	l := x.Owners[owner]
	if !slices.ContainsFunc(l.Servers, func(s Server) bool { return s.speaks() }) {
		return 0
	}
	return x.countOn(owner, []tlsa.Association{a})
}

// describeStandby is a lineage's standby key, nil where it has none, or that is live.
func (x *pass) describeStandby(name string) *StandbyStatus {
	l := x.Lineages[name]
	if l.Standby == (tlsa.Association{}) {
		return nil
	}
	if live := x.chain(l.Live); live != nil && live.SPKI() == l.Standby.Data {
		return nil // used up, and the next one is not made yet
	}
	d := &StandbyStatus{Record: l.Standby.String(), SPKI: l.Standby.Data, Phase: Ready, ReadyAt: instant(l.StandbyReady)}
	seen := looksNeeded
	for _, owner := range x.ownersOf(name) {
		seen = min(seen, x.standbySeen(owner, l.Standby))
	}
	switch {
	case seen == 0:
		d.Phase = Generated
	case l.StandbyReady.IsZero(), x.now.Before(l.StandbyReady), seen < looksNeeded:
		d.Phase = Published
	}
	return d
}

// StandbyReady reports whether a certificate of a lineage's standby key could be
// swapped in without a wait for caches, as far as that is the key's doing.
func StandbyReady(s State, p Policy, lineage string, now time.Time) bool {
	d := begin(s, Observation{}, p, now).describeStandby(lineage)
	return d != nil && d.Phase == Ready
}
