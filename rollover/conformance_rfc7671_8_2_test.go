package rollover_test

import (
	"slices"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/internal/sim"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// selfSigned is a world that goes from a self-signed certificate and its 3 1 1 to
// one with another key, of a CA, and to its 2 1 1.
func selfSigned(t *testing.T) (w *sim.World, first, second tlsa.ChainID) {
	t.Helper()
	w = sim.NewWorld(t)
	first = w.Issue(nil, sim.Leaf{})
	w.Serving("mx1", first)
	w.Until(time.Minute, w.Steady)
	w.Run(2 * time.Minute)
	w.Scheme("ta")
	return w, first, w.Renew(w.CA("Issuer A", nil))
}

// anchored is true once the 2 1 1 stands alone.
func anchored(w *sim.World, id tlsa.ChainID) func() bool {
	return func() bool {
		return w.Live() == id && w.Steady() && w.Zone[sim.Owner25(w.T)].RRset.Same(tlsa.NewRRset(0, w.Record(tlsa.TA, id)))
	}
}

// RFC 7671, section 8.2: from DANE-EE to DANE-TA.
func section82() passage {
	return passage{"8.2", 8, 1, []sentence{
		{number: 1, name: "the section is about going from a self-signed certificate to DANE-TA", reason: "it names the case, which is that of all tests here"},
		{number: 2, name: "a new private key comes with the new certificate", reason: "it is an assumption, which all tests here make"},
		{number: 3, name: "3 1 1 supports raw public keys", reason: "it tells of clients; what follows from it is in sentence 5"},
		{number: 4, name: "raw public keys rule out the verification of a chain", reason: "it tells of clients; what follows from it is in sentence 5"},
		// Section 8.2: "the transitional TLSA record for the planned DANE-TA(2) certificate chain is a "3 1 1" record"
		{number: 5, name: "the transitional record of the planned chain is a 3 1 1", test: func(t *testing.T) {
			w, first, second := selfSigned(t)
			w.Until(5*time.Minute, w.Swapped(second))
			w.Stands(w.Record(tlsa.EE, first), w.Record(tlsa.EE, second))
			if held := lacking(w, sim.Owner25(t), w.Record(tlsa.EE, second)); len(held) > 0 {
				t.Errorf("raw public keys are refused by %v", held)
			}
		}},
		// Section 8.2: "only after the new chain is deployed and the "3 1 1" record matching the original key is dropped"
		{number: 6, name: "DANE-TA comes only when the new chain is deployed and the original key's 3 1 1 is dropped", test: func(t *testing.T) {
			w, first, second := selfSigned(t)
			for _, s := range history(w, sim.Owner25(t), 10*time.Minute, anchored(w, second)) {
				if s.HasParams(tlsa.TA) && s.Has(w.Record(tlsa.EE, first)) {
					t.Errorf("%v stood\n%s", s.Associations, w.Story())
				}
			}
		}},
		// Section 8.2: "always sufficient to validate the server"
		{number: 7, name: "each combination is enough to validate the server all the way", test: func(t *testing.T) {
			w, _, second := selfSigned(t)
			always(w, 10*time.Minute, anchored(w, second), refused(w))
		}},
		// Section 8.2: "avoids publishing a transitional TLSA RRset in which"
		{number: 8, name: "the 3 1 1 of the current key never stands beside a 2 x x of the future chain alone", test: func(t *testing.T) {
			for _, scheme := range []string{"ta", "ee+ta"} {
				w, first, second := selfSigned(t)
				w.Scheme(scheme)
				always(w, 10*time.Minute, func() bool { return w.Zone[sim.Owner25(t)].RRset.HasParams(tlsa.TA) }, func() string {
					if w.Zone[sim.Owner25(t)].RRset.HasParams(tlsa.TA) && w.Live() == first {
						return "2 1 1 stands, and the self-signed certificate is live"
					}
					return ""
				})
				w.Until(10*time.Minute, w.Done(second))
			}
		}},
		{figure: true, number: 1, name: "3 1 1, two of them, and 2 x x", test: func(t *testing.T) {
			w, first, second := selfSigned(t)
			before := history(w, sim.Owner25(t), 5*time.Minute, w.Swapped(second))
			wentBy(w, before,
				tlsa.NewRRset(0, w.Record(tlsa.EE, first)),
				tlsa.NewRRset(0, w.Record(tlsa.EE, first), w.Record(tlsa.EE, second)))
			after := history(w, sim.Owner25(t), 5*time.Minute, anchored(w, second))
			wentBy(w, after[len(after)-1:], tlsa.NewRRset(0, w.Record(tlsa.TA, second)))
		}},
	}}
}

// RFC 7671, section 8.3: another digest. We publish SHA2-256 and nothing else, so
// that all others are what people published.
func section83() passage {
	strong := tlsa.Params{Usage: tlsa.DANEEE, Selector: tlsa.SPKI, Matching: tlsa.SHA512}
	return passage{"8.3", 3, 1, []sentence{
		// Section 8.3: "SHOULD publish the new digest algorithm with each combination"
		{number: 1, name: "a new digest is published for each key that another one is used for", test: func(t *testing.T) {
			for _, text := range []string{"ee", "ta", "ee+ta", "ee+ta+standby"} {
				scheme, err := rollover.ParseScheme(text)
				if err != nil {
					t.Fatal(err)
				}
				w := sim.NewWorld(t)
				as, err := rollover.LineagePolicy{Scheme: scheme}.Needs(w.Chains[w.Issue(w.CA("Issuer A", nil), sim.Leaf{})])
				if err != nil {
					t.Fatal(err)
				}
				for _, a := range as {
					if a.Matching != tlsa.SHA256 {
						t.Errorf("%s asks for a second digest: %s", text, a)
					}
				}
			}
			w, issuer, first := sim.Rolled(t, "ee")
			theirs := w.Record(strong, first)
			w.Foreign[theirs] = true
			w.Edit(sim.Owner25(t), func(s tlsa.RRset) tlsa.RRset { return s.With(theirs) })
			w.Run(2 * time.Minute)
			second := w.Renew(issuer)
			w.Run(5 * time.Minute)
			if w.Live() == second || !w.Waits(rollover.CodeForeignCombo) || !w.Warns(rollover.CodeForeignCombo) {
				t.Errorf("swapped without a SHA2-512 record for the new key, or nobody was told\n%s", w.Story())
			}
			w.Edit(sim.Owner25(t), func(s tlsa.RRset) tlsa.RRset { return s.With(w.Record(strong, second)) })
			if took := w.Until(5*time.Minute, w.Swapped(second)); took < sim.Ipub {
				t.Errorf("swapped %s after it was published", took)
			}
		}},
		// Section 8.3: "remove it entirely"
		{number: 2, name: "a digest that is removed is removed entirely", test: func(t *testing.T) {
			w, _, _, both := pair(t, "ee")
			a, b := w.Hosts["mx1"].Installed, w.Hosts["rsa"].Installed
			ours := []tlsa.Association{w.Record(strong, a), w.Record(strong, b)}
			w.Edit(sim.Owner25(t), func(s tlsa.RRset) tlsa.RRset { return s.With(ours...) })
			w.Everywhere()
			w.ForgetCaches()
			left := tlsa.NewRRset(0, w.Record(tlsa.EE, a), w.Record(tlsa.EE, b))
			wentBy(w, history(w, sim.Owner25(t), 10*time.Minute, func() bool { return both() && w.Zone[sim.Owner25(t)].RRset.Same(left) }),
				left.With(ours...), left)
		}},
		// Section 8.3: "Each digest algorithm employed SHOULD match the same set of chains"
		{number: 3, name: "each digest matches the same chains", test: func(t *testing.T) {
			w := sim.NewWorld(t)
			issuer := w.CA("Issuer A", nil)
			first := w.Issue(issuer, sim.Leaf{})
			w.Serving("mx1", first)
			w.Edit(sim.Owner25(t), func(s tlsa.RRset) tlsa.RRset { return s.With(w.Record(strong, first)) })
			w.Everywhere()
			w.ForgetCaches()
			w.Until(time.Minute, w.Steady)
			w.Run(2 * time.Minute)
			second := w.Renew(issuer)
			for _, s := range history(w, sim.Owner25(t), 10*time.Minute, w.Done(second)) {
				for _, id := range []tlsa.ChainID{first, second} {
					matches := func(a tlsa.Association) bool { return matched([]tlsa.Association{a}, w.Chains[id], client(w)) }
					if s.HasParams(strong) && slices.ContainsFunc(of(s, strong), matches) != slices.ContainsFunc(of(s, tlsa.EE), matches) {
						t.Errorf("one digest of %v matches %s, and the other does not", s.Associations, id.Short())
					}
				}
			}
		}},
		{figure: true, number: 1, name: "two digests for each of two keys vouch for both, and with one left out they do not", test: func(t *testing.T) {
			w := sim.NewWorld(t)
			issuer := w.CA("Issuer A", nil)
			first, second := w.Issue(issuer, sim.Leaf{}), w.Issue(issuer, sim.Leaf{})
			vouches := func(s tlsa.RRset) bool {
				return s.Vouches(w.Chains[first], client(w)) == nil && s.Vouches(w.Chains[second], client(w)) == nil
			}
			initial := tlsa.NewRRset(0, w.Record(tlsa.EE, first), w.Record(tlsa.EE, second))
			final := initial.With(w.Record(strong, first), w.Record(strong, second))
			if !vouches(initial) || !vouches(final) {
				t.Error("the initial or the new RRset does not vouch for both")
			}
			for _, a := range final.Associations {
				if vouches(final.Without(a)) {
					t.Errorf("without %s it vouches for both", a)
				}
			}
		}},
	}}
}
