package sim

import (
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// crash is where a pass is cut short.
type crash int

const (
	nowhere      crash = iota
	beforeSaving       // nothing is remembered, nothing was done
	beforeActing       // all is remembered, nothing was done
	afterActing        // the first action was carried out, and its end not recorded
)

// rules are a mind that asks [rollover.Next] and nobody else.
type rules struct{ w *World }

// pass is one look-decide-remember-act, as the agent does it.
func (r *rules) pass() {
	w := r.w
	state, plan := w.decided()
	c := w.crashAt(plan)
	if c == beforeSaving {
		w.note("crash before saving")
		w.Plan = rollover.Plan{}
		w.unsee()
		return
	}
	w.State, w.Plan = w.durable(state, c != nowhere), plan
	for _, h := range w.Hosts {
		h.offers, h.Orders = nil, rollover.Orders{}
	}
	for _, a := range plan.Actions {
		if c == beforeActing {
			w.note("crash before %s", a)
			break
		}
		r := w.do(a)
		w.note("%s %s", a, r.Err)
		if c == afterActing {
			w.note("crash after %s", a)
			break
		}
		w.State = w.durable(rollover.Done(w.State, a, r, w.Policy, w.Now), false)
	}
	if c != nowhere {
		w.Plan = rollover.Plan{} // a new process knows of no plan
	}
}

func (r *rules) wake() time.Time { return r.w.Plan.Wake() }

// unsee forgets what was seen in a pass that came to nothing.
func (w *World) unsee() {
	for _, a := range w.sighted {
		a.seen = false
	}
	for _, id := range w.noticed {
		delete(w.shown, id)
	}
}

func (w *World) crashAt(plan rollover.Plan) crash {
	for _, a := range plan.Actions {
		if _, swaps := a.(rollover.Swap); swaps && w.Faults["kill swap"] != "" {
			delete(w.Faults, "kill swap")
			return beforeActing
		}
	}
	if !w.unlucky(30, "crash") {
		return nowhere
	}
	w.crashes++
	return crash(1 + w.rng.IntN(3))
}

// durable sends a state through its stored form: now and then, as it takes long,
// and whenever a process ends.
func (w *World) durable(s rollover.State, always bool) rollover.State {
	if !always && w.passes%16 != 0 {
		return s
	}
	b, err := json.Marshal(rollover.State{Lineages: s.Lineages, Owners: s.Owners})
	if err != nil {
		w.T.Fatal(err)
	}
	out := rollover.State{Chains: s.Chains}
	if err := json.Unmarshal(b, &out); err != nil {
		w.T.Fatal(err)
	}
	out.Chains = s.Chains
	return out
}

// Observe is a look at everything that is due.
func (w *World) Observe() rollover.Observation {
	o := rollover.Observation{Lineages: map[string]rollover.LineageView{}, Owners: map[tlsa.Owner]rollover.OwnerView{}, Chains: w.met(), MTASTS: w.MTASTS}
	served := w.Plan.LookServed.IsZero() || !w.Now.Before(w.Plan.LookServed)
	eager := false
	for _, h := range w.Hosts {
		eager = eager || len(h.offers) > 0
	}
	for name, h := range w.Hosts {
		v := rollover.LineageView{Live: rollover.Seen(h.Live), Installed: rollover.Seen(h.Installed), Offers: h.offers, Orders: h.Orders, Standby: h.Standby, Issuing: h.Issuing, Stash: map[tlsa.ChainID]rollover.Sight[struct{}]{}}
		for id, bad := range h.Stash {
			if bad == "" {
				v.Stash[id] = rollover.Seen(struct{}{})
			} else {
				v.Stash[id] = rollover.Unseen[struct{}](bad)
			}
		}
		if served || eager {
			v.Addresses = map[string]rollover.Sight[[]rollover.Address]{}
			for _, e := range w.Policy.Lineages[name].Endpoints {
				v.Addresses[e.URL] = w.addresses(h, e.Port)
				v.Served = append(v.Served, w.handshakes(e)...)
			}
		}
		o.Lineages[name] = v
	}
	if eager || w.Plan.LookDNS.IsZero() || !w.Now.Before(w.Plan.LookDNS) {
		for _, owner := range w.lookedUp() {
			o.Owners[owner] = w.view(owner, func(s *Server) bool {
				return slices.ContainsFunc(w.State.Owners[owner].Servers, func(t rollover.Server) bool { return t.Address == s.Address })
			})
		}
		o.Unlisted = w.Unlisted
	}
	return o
}

// met are the chains that somebody comes across in a pass: offered, installed or
// presented.
func (w *World) met() map[tlsa.ChainID]*tlsa.Chain {
	out := map[tlsa.ChainID]*tlsa.Chain{}
	meet := func(ids ...tlsa.ChainID) {
		for _, id := range ids {
			if chain := w.Chains[id]; chain != nil {
				out[id] = chain
			}
		}
	}
	for _, h := range w.Hosts {
		meet(h.Live, h.Installed)
		for _, o := range h.offers {
			meet(o.Chain)
		}
		for _, n := range h.Nodes {
			meet(n.Served, n.Bare)
		}
	}
	return out
}

// lookedUp are the owner names of endpoints, and all others that have a ledger.
func (w *World) lookedUp() []tlsa.Owner {
	owners := w.endpointOwners()
	for owner := range w.State.Owners {
		owners = append(owners, owner)
	}
	for owner := range w.Zone {
		if owner.Base() != "" {
			owners = append(owners, owner)
		}
	}
	slices.Sort(owners)
	return slices.Compact(owners)
}

// addresses are where a port of a host is reached.
func (w *World) addresses(h *Host, port uint16) rollover.Sight[[]rollover.Address] {
	if w.unlucky(40, "addresses") {
		return rollover.Unseen[[]rollover.Address]("resolver: timeout")
	}
	var found []rollover.Address
	for _, a := range h.addresses() {
		if n := h.Nodes[a]; !n.Gone {
			found = append(found, rollover.Address{Address: at(a, port), TTL: time.Minute, Local: !n.Remote})
		}
	}
	return rollover.Seen(found)
}

// handshakes are those with all lineages that share an endpoint: by algorithm,
// with a name and without.
func (w *World) handshakes(e rollover.Endpoint) []rollover.Presented {
	var out []rollover.Presented
	for _, name := range slices.Sorted(maps.Keys(w.Hosts)) {
		h := w.Hosts[name]
		if !slices.ContainsFunc(w.Policy.Lineages[name].Endpoints, func(f rollover.Endpoint) bool { return f.URL == e.URL }) {
			continue
		}
		for _, address := range h.addresses() {
			n := h.Nodes[address]
			if n.Gone {
				continue
			}
			flaky := w.unlucky(40, "shake hands "+address)
			for _, sni := range []bool{true, false} {
				p := rollover.Presented{URL: e.URL, Address: at(address, e.Port), SNI: sni, Algorithm: h.Algorithm, Chain: n.Served, Outcome: rollover.Served}
				switch {
				case !sni && n.Bare != "":
					p.Chain = n.Bare
				case n.old != "" && sni == w.unlucky(2, "old worker "+address+h.Algorithm): // one of two handshakes meets one
					p.Chain = n.old
				}
				switch {
				case n.Unseen || flaky:
					p.Chain, p.Outcome, p.Err = "", rollover.Unreached, "connection timed out"
				case p.Chain == "":
					p.Outcome, p.Err = rollover.NoTLS, "no STARTTLS offered"
				default:
					w.notice(p.Chain)
					n.unnoticed = false
				}
				out = append(out, p)
			}
		}
	}
	return out
}

// notice remembers that a look came across a chain.
func (w *World) notice(id tlsa.ChainID) {
	if !w.shown[id] {
		w.shown[id] = true
		w.noticed = append(w.noticed, id)
	}
}

func (w *World) update(action string, c rollover.Change) rollover.Result {
	if err := w.apply(action, dnsprovider.Change{Owner: c.Owner, Before: c.Before, After: c.After}); err != nil {
		return rollover.Result{Err: err.Error()}
	}
	return rollover.Result{}
}

func (w *World) do(a rollover.Action) rollover.Result {
	switch a := a.(type) {
	case rollover.Publish:
		return w.update("publish", a.Change)
	case rollover.Retire:
		return w.update("retire", a.Change)
	case rollover.Retime:
		return w.update("retime", a.Change)
	case rollover.Swap:
		sw := w.decide(a.Lineage, false)
		sw.recalled = !w.State.Lineages[a.Lineage].Recalled.IsZero()
		return w.swap(a.Lineage, a.To, sw, nothing)
	case rollover.Back:
		return w.swap(a.Lineage, a.To, w.decide(a.Lineage, true), nothing)
	case rollover.Adopt:
		w.Hosts[a.Lineage].Live = a.Chain
	case rollover.Discard:
		for _, h := range w.Hosts {
			for _, id := range a.Chains {
				if h.Live == id || h.Installed == id {
					w.broke("the pair in use is thrown away: %s", id.Short())
				}
				delete(h.Stash, id)
			}
		}
	}
	return rollover.Result{}
}

// swap switches, then reloads; either may fail. Midway something may happen.
func (w *World) swap(lineage string, to tlsa.ChainID, sw Switching, midway func()) rollover.Result {
	w.switches++
	h := w.Hosts[lineage]
	if _, kept := h.Stash[to]; !kept {
		return rollover.Result{Err: "the pair is not in the stash"}
	}
	if err := w.fault("check"); err != "" {
		return rollover.Result{Err: err}
	}
	h.Live, h.Installed = to, to
	midway()
	if err := w.fault("reload"); err != "" {
		return rollover.Result{Err: err, Switched: true}
	}
	w.Reload(lineage, sw)
	if !sw.back {
		w.Swaps++
	}
	return rollover.Result{}
}

func nothing() {}
