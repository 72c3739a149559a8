package sim

import (
	"slices"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// Described is what status says of the first lineage.
func (w *World) Described() rollover.LineageStatus {
	w.T.Helper()
	ds := rollover.Describe(w.State, w.Policy, w.Now)
	if len(ds) != len(w.Policy.Lineages) {
		w.T.Fatalf("%d lineages described, want %d", len(ds), len(w.Policy.Lineages))
	}
	return ds[0]
}

// Crowd puts n foreign records beside ours.
func (w *World) Crowd(n int) {
	w.Edit(Owner25(w.T), func(s tlsa.RRset) tlsa.RRset {
		for range n {
			a := w.KeyRecord(w.NewKey())
			w.Foreign[a] = true
			s = s.With(a)
		}
		return s
	})
}

// Bare is a world in which a pair is installed and served, and no record stands.
func Bare(t *testing.T) (w *World, issuer *CA, first tlsa.ChainID) {
	w = NewWorld(t)
	issuer = w.CA("Issuer A", nil)
	first = w.Issue(issuer, Leaf{})
	w.Serving("mx1", first)
	for owner := range w.Zone {
		w.Edit(owner, func(tlsa.RRset) tlsa.RRset { return tlsa.RRset{} })
	}
	w.Everywhere()
	w.ForgetCaches()
	return w, issuer, first
}

// Order has the next pass hear a person's words about lineage mx1.
func (w *World) Order(o rollover.Orders) {
	w.Hosts["mx1"].Orders = w.Hosts["mx1"].Orders.And(o)
}

// TwoNodes is a rolled world whose endpoint has a second address, on another
// machine.
func TwoNodes(t *testing.T) (w *World, issuer *CA, other *Node) {
	w, issuer, first := Rolled(t, "ee")
	other = &Node{Served: first, Remote: true}
	w.Hosts["mx1"].Nodes["192.0.2.2:25"] = other
	w.Run(time.Minute)
	return w, issuer, other
}

// Ledger is that of lineage mx1's owner name.
func (w *World) Ledger() rollover.Ledger { return w.State.Owners[Owner25(w.T)] }

// Counts reports whether the ledger reckons with a server.
func (w *World) Counts(s *Server) bool {
	return slices.ContainsFunc(w.Ledger().Servers, func(t rollover.Server) bool { return t.Address == s.Address })
}

// Warned is lineage mx1's warning with the code, and whether there is one.
func (w *World) Warned(code rollover.Code) (rollover.Warning, bool) {
	i := slices.IndexFunc(w.Lineage().Warnings, func(v rollover.Warning) bool { return v.Code == code })
	if i < 0 {
		return rollover.Warning{}, false
	}
	return w.Lineage().Warnings[i], true
}

// Ipub is the publication interval of a world's TTL of a minute.
const Ipub = 70 * time.Second

// Rolled is a world in which mx1 serves its first pair, adopted and steady, and
// nothing of the time before is left.
func Rolled(t testing.TB, scheme string) (*World, *CA, tlsa.ChainID) {
	t.Helper()
	w := NewWorld(t)
	w.Scheme(scheme)
	issuer := w.CA("Issuer A", w.CA("Root", nil))
	first := w.Issue(issuer, Leaf{})
	w.Serving("mx1", first)
	w.Until(time.Minute, w.Steady)
	if w.Live() != first {
		t.Fatalf("the served pair was not adopted\n%s", w.Story())
	}
	w.Run(5 * time.Minute)
	return w, issuer, first
}

// Scheme sets lineage mx1's scheme.
func (w *World) Scheme(text string) {
	w.T.Helper()
	s, err := rollover.ParseScheme(text)
	if err != nil {
		w.T.Fatal(err)
	}
	w.Configure(func(p *rollover.LineagePolicy) { p.Scheme = s })
}

// Renew offers a new pair with a new key to mx1.
func (w *World) Renew(issuer *CA) tlsa.ChainID {
	w.T.Helper()
	id := w.Issue(issuer, Leaf{})
	w.Offer(id)
	return id
}

// Swapped is true once the pair is live.
func (w *World) Swapped(id tlsa.ChainID) func() bool {
	return func() bool { return w.Live() == id }
}

// Done is true once the pair is live and nothing is left to do.
func (w *World) Done(id tlsa.ChainID) func() bool {
	return func() bool { return w.Live() == id && w.Steady() }
}

// Stands fails unless just these records stand in the zone.
func (w *World) Stands(as ...tlsa.Association) {
	w.T.Helper()
	if got := w.Zone[Owner25(w.T)].RRset; !got.Same(tlsa.NewRRset(0, as...)) {
		w.T.Errorf("the zone holds %v, want %v\n%s", got.Associations, as, w.Story())
	}
}

// Took fails unless a span is what was wanted, or up to slack more.
func (w *World) Took(what string, got, want, slack time.Duration) {
	w.T.Helper()
	if got < want || got > want+slack {
		w.T.Errorf("%s took %s, want %s and at most %s more\n%s", what, got, want, slack, w.Story())
	}
}
