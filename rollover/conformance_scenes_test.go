package rollover_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/internal/sim"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// others are what a chain may be replaced by: one of the same issuer, and one of another.
func others(w *sim.World, issuer *sim.CA) map[string]*sim.CA {
	return map[string]*sim.CA{"the same issuer": issuer, "another issuer": w.CA("Issuer B", nil)}
}

// history lets the world go on until what, and gives every RRset that stood at
// an owner name meanwhile.
func history(w *sim.World, owner tlsa.Owner, d time.Duration, what func() bool) []tlsa.RRset {
	w.T.Helper()
	var all []tlsa.RRset
	w.Until(d, func() bool {
		if s := w.Zone[owner].RRset; len(all) == 0 || !s.Same(all[len(all)-1]) {
			all = append(all, s)
		}
		return what()
	})
	return all
}

// wentBy fails unless the RRsets of a history are those wanted, in that order.
func wentBy(w *sim.World, got []tlsa.RRset, want ...tlsa.RRset) {
	w.T.Helper()
	if !slices.EqualFunc(got, want, tlsa.RRset.Same) {
		w.T.Errorf("the RRsets were\n%v, want\n%v\n%s", got, want, w.Story())
	}
}

// always lets the world go on until what, and fails where a condition does not
// hold meanwhile: it says what is wrong.
func always(w *sim.World, d time.Duration, what func() bool, wrong func() string) {
	w.T.Helper()
	w.Until(d, func() bool {
		if why := wrong(); why != "" {
			w.T.Fatalf("%s: %s\n%s", w.Clock(), why, w.Story())
		}
		return what()
	})
}

// settled is a world like a rolled one, with an endpoint that is not of SMTP, and
// the records given instead of those that the scheme asks for.
func settled(t *testing.T, port uint16, scheme string, records ...tlsa.Params) (w *sim.World, owner tlsa.Owner, issuer *sim.CA, first tlsa.ChainID) {
	t.Helper()
	w = sim.NewWorld(t)
	w.Scheme(scheme)
	owner = sim.OwnerOf(t, port, sim.MX)
	w.Configure(func(p *rollover.LineagePolicy) {
		p.Endpoints = []rollover.Endpoint{{URL: fmt.Sprintf("tls://%s:%d", sim.MX, port), Host: sim.MX, Port: port, Owner: owner}}
	})
	issuer = w.CA("Issuer A", nil)
	first = w.Issue(issuer, sim.Leaf{})
	w.Serving("mx1", first)
	if len(records) > 0 {
		w.Edit(owner, func(tlsa.RRset) tlsa.RRset {
			s := tlsa.NewRRset(time.Minute)
			for _, p := range records {
				s = s.With(w.Record(p, first))
			}
			return s
		})
		w.Everywhere()
		w.ForgetCaches()
	}
	return w, owner, issuer, first
}

// pair is a world with two lineages at the one endpoint, of an ECDSA and an RSA
// key, each with an issuer of its own, that scheme asks for.
func pair(t *testing.T, scheme string) (w *sim.World, ecdsa, rsa *sim.CA, both func() bool) {
	t.Helper()
	w = sim.NewWorld(t)
	w.Scheme(scheme)
	w.Policy.Lineages["rsa"] = w.Policy.Lineages["mx1"]
	w.Hosts["mx1"].Algorithm = "ecdsa"
	w.Hosts["rsa"] = sim.NewHost("rsa", "192.0.2.1:25")
	ecdsa, rsa = w.CA("Issuer A", nil), w.CA("Issuer B", nil)
	w.Serving("mx1", w.Issue(ecdsa, sim.Leaf{}))
	w.Serving("rsa", w.Issue(rsa, sim.Leaf{}))
	return w, ecdsa, rsa, func() bool {
		return w.Steady() && w.State.Lineages["rsa"].Phase == rollover.Steady && w.State.Lineages["rsa"].Live != ""
	}
}
