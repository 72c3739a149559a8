package sim

import (
	"context"
	"strings"
	"time"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/dnsprovider/memory"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// zoneName is the zone that names lie in, as looks find.
const zoneName = "example.org."

// denialTTL is for how long a denial may be held.
const denialTTL = time.Minute

// Stored is an RRset in a zone, and when it was put into the primary's.
type Stored struct {
	RRset  tlsa.RRset
	Born   time.Time
	theirs bool   // people put it there, or broke it before we touched it
	key    string // of RRset
}

func newStored(s tlsa.RRset, born time.Time, theirs bool) Stored {
	return Stored{s, born, theirs, s.Key()}
}

// primary is the copy of the zone that an owner name lies in, which is changed through
// a provider, or by hand.
func (w *World) primary(owner tlsa.Owner) *memory.Zone {
	labels := strings.Split(string(owner), ".")
	name := strings.Join(labels[len(labels)-3:], ".")
	if z := w.primaries[name]; z != nil {
		return z
	}
	z, err := memory.New(memory.Options{Name: name, Now: func() time.Time { return w.Now }, NegativeTTL: denialTTL})
	if err != nil {
		w.T.Fatal(err)
	}
	w.primaries[name] = z
	return z
}

// Edit changes the primary's copy as a person does.
func (w *World) Edit(owner tlsa.Owner, how func(tlsa.RRset) tlsa.RRset) {
	after := how(w.Zone[owner].RRset)
	w.primary(owner).Set(owner, after)
	w.put(owner, after, true)
}

// put enters into our books what stands in the primary's copy now, and sets the
// servers on their way to it.
func (w *World) put(owner tlsa.Owner, s tlsa.RRset, theirs bool) {
	zone := make(map[tlsa.Owner]Stored, len(w.Zone)+1)
	for o, r := range w.Zone {
		zone[o] = r
	}
	zone[owner] = newStored(s, w.Now, theirs)
	w.Zone = zone
	for _, s := range w.Servers {
		if len(s.pending) == 0 || s.Queue {
			s.pending = append(s.pending, transfer{w.Now.Add(s.Lag), w.Zone})
		}
	}
	w.happen()
}

// copyOf is the primary's copy, as a provider reads it.
func (w *World) copyOf(target tlsa.Owner) rollover.Sight[tlsa.RRset] {
	if w.CopyErr != "" {
		return rollover.Unseen[tlsa.RRset](w.CopyErr)
	}
	if w.unlucky(30, "read "+string(target)) {
		return rollover.Unseen[tlsa.RRset]("api: 503")
	}
	s, err := w.primary(target).RRset(context.Background(), "", target)
	if err != nil {
		return rollover.Unseen[tlsa.RRset](err.Error())
	}
	w.see(w.answerOf(target, w.Zone[target]))
	if s.Denial() {
		s.TTL = denialTTL
	}
	return rollover.Seen(s)
}

// apply is a provider at work: what it refuses, what becomes of a change, and
// whether that was right.
func (w *World) apply(action string, c dnsprovider.Change) error {
	primary := w.primary(c.Owner)
	if err := w.fault(action); err != "" {
		primary.Inject(memory.Fails(dnsprovider.Temporary, rejection(err)))
	} else if err := w.fault("lost " + action); err != "" {
		primary.Inject(memory.LostReply())
	}
	if w.Careless && w.unlucky(40, "somebody is quicker "+string(c.Owner)) {
		primary.Inject(memory.Meanwhile(func() { w.interfere(c.Owner) }))
	}
	err := primary.Apply(context.Background(), "", []dnsprovider.Change{c})[0]
	before := w.Zone[c.Owner].RRset
	after := w.standing(c.Owner)
	if after.Same(before) && (after.Denial() || after.TTL == before.TTL) {
		return err
	}
	for _, a := range after.Missing(before.Associations...) {
		if w.Foreign[a] {
			w.broke("a foreign record was removed: %s", a)
		}
	}
	w.put(c.Owner, after, w.judgeChange(c.Owner, before, after))
	w.see(w.answerOf(c.Owner, w.Zone[c.Owner]))
	return err
}

// interfere has somebody add a record of his own.
func (w *World) interfere(owner tlsa.Owner) {
	a := w.KeyRecord(w.NewKey())
	w.Foreign[a] = true
	w.Edit(owner, func(s tlsa.RRset) tlsa.RRset { return withTTL(s.With(a)) })
}

// withTTL gives an RRset one that had none, as it was not there.
func withTTL(s tlsa.RRset) tlsa.RRset {
	if s.TTL == 0 {
		s.TTL = denialTTL
	}
	return s
}

// standing is what the primary gives.
func (w *World) standing(owner tlsa.Owner) tlsa.RRset {
	answer, _ := w.primary(owner).Answer("primary", owner)
	if answer.RRset.Denial() {
		return tlsa.RRset{}
	}
	return answer.RRset
}

// A rejection is what a provider says.
type rejection string

func (r rejection) Error() string { return string(r) }
