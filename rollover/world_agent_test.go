package rollover

import (
	"encoding/json"
	"maps"
	"slices"
	"time"

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

// pass is one look-decide-remember-act, as the agent does it.
func (w *world) pass() {
	w.passed = w.now
	w.passes++
	seen, shown := maps.Clone(w.seen), maps.Clone(w.shown)
	o := w.observe()
	before := w.state
	state, plan := Next(before, o, w.policy, w.now)
	if len(plan.Read) > 0 {
		o.Copies = map[tlsa.Owner]Sight[tlsa.RRset]{}
		for _, target := range plan.Read {
			o.Copies[target] = w.readCopy(target)
		}
		state, plan = Next(before, o, w.policy, w.now)
	}
	c := w.crashes(plan)
	if c == beforeSaving {
		w.note("crash before saving")
		w.plan, w.seen, w.shown = Plan{}, seen, shown
		return
	}
	w.state, w.plan = w.durable(state, c != nowhere), plan
	for _, h := range w.hosts {
		h.offers, h.orders = nil, Orders{}
	}
	for _, a := range plan.Actions {
		if c == beforeActing {
			w.note("crash before %s", a)
			break
		}
		r := w.do(a)
		w.note("%s%s", a, because(r.Err))
		if c == afterActing {
			w.note("crash after %s", a)
			break
		}
		w.state = w.durable(Done(w.state, a, r, w.policy, w.now), false)
	}
	if c != nowhere {
		w.plan = Plan{} // a new process knows of no plan
	}
}

func (w *world) crashes(plan Plan) crash {
	for _, a := range plan.Actions {
		if _, swaps := a.(Swap); swaps && w.faults["kill swap"] != "" {
			delete(w.faults, "kill swap")
			return beforeActing
		}
	}
	if !w.unlucky(30) {
		return nowhere
	}
	return crash(1 + w.rng.IntN(3))
}

func (w *world) readCopy(target tlsa.Owner) Sight[tlsa.RRset] {
	if w.copyErr != "" {
		return Unseen[tlsa.RRset](w.copyErr)
	}
	if w.unlucky(30) {
		return Unseen[tlsa.RRset]("api: 503")
	}
	w.seen[w.zone[target].cached(target)] = true
	return Seen(w.copy(target))
}

// durable sends a state through its stored form: now and then, as it takes long,
// and whenever a process ends.
func (w *world) durable(s State, always bool) State {
	if !always && w.passes%16 != 0 {
		return s
	}
	b, err := json.Marshal(State{Lineages: s.Lineages, Owners: s.Owners})
	if err != nil {
		w.t.Fatal(err)
	}
	out := State{Chains: s.Chains}
	if err := json.Unmarshal(b, &out); err != nil {
		w.t.Fatal(err)
	}
	out.Chains = s.Chains
	return out
}

func (w *world) observe() Observation {
	o := Observation{Lineages: map[string]LineageView{}, Owners: map[tlsa.Owner]OwnerView{}, Chains: w.met(), MTASTS: w.mtasts}
	served := w.plan.LookServed.IsZero() || !w.now.Before(w.plan.LookServed)
	eager := false
	for _, h := range w.hosts {
		eager = eager || len(h.offers) > 0
	}
	for name, h := range w.hosts {
		v := LineageView{Live: Seen(h.live), Installed: Seen(h.installed), Offers: h.offers, Orders: h.orders, Standby: h.standby, Stash: map[tlsa.ChainID]Sight[struct{}]{}}
		for id, bad := range h.stash {
			if bad == "" {
				v.Stash[id] = Seen(struct{}{})
			} else {
				v.Stash[id] = Unseen[struct{}](bad)
			}
		}
		if served || eager {
			v.Addresses = map[string]Sight[[]Address]{}
			for _, e := range w.policy.Lineages[name].Endpoints {
				v.Addresses[e.URL] = w.addresses(h)
				v.Served = append(v.Served, w.handshakes(e)...)
			}
		}
		o.Lineages[name] = v
	}
	if eager || w.plan.LookDNS.IsZero() || !w.now.Before(w.plan.LookDNS) {
		for _, owner := range w.lookedUp() {
			o.Owners[owner] = w.view(owner)
		}
		o.Unlisted = w.unlisted
	}
	return o
}

// met are the chains that somebody comes across in a pass: offered, installed or
// presented.
func (w *world) met() map[tlsa.ChainID]*tlsa.Chain {
	out := map[tlsa.ChainID]*tlsa.Chain{}
	meet := func(ids ...tlsa.ChainID) {
		for _, id := range ids {
			if chain := w.chains[id]; chain != nil {
				out[id] = chain
			}
		}
	}
	for _, h := range w.hosts {
		meet(h.live, h.installed)
		for _, o := range h.offers {
			meet(o.Chain)
		}
		for _, n := range h.nodes {
			meet(n.served, n.bare)
		}
	}
	return out
}

// lookedUp are the owner names of endpoints, and all others that have a ledger.
func (w *world) lookedUp() []tlsa.Owner {
	owners := w.endpointOwners()
	for owner := range w.state.Owners {
		owners = append(owners, owner)
	}
	for owner := range w.zone {
		if owner.Base() != "" {
			owners = append(owners, owner)
		}
	}
	slices.Sort(owners)
	return slices.Compact(owners)
}

func (w *world) addresses(h *host) Sight[[]Address] {
	if w.unlucky(40) {
		return Unseen[[]Address]("resolver: timeout")
	}
	var at []Address
	for _, a := range h.addresses() {
		if n := h.nodes[a]; !n.gone {
			at = append(at, Address{Address: a, TTL: time.Minute, Local: !n.remote})
		}
	}
	return Seen(at)
}

// handshakes are those with all lineages that share an endpoint: by algorithm,
// with a name and without.
func (w *world) handshakes(e Endpoint) []Presented {
	var out []Presented
	for _, name := range slices.Sorted(maps.Keys(w.hosts)) {
		h := w.hosts[name]
		if !slices.ContainsFunc(w.policy.Lineages[name].Endpoints, func(f Endpoint) bool { return f.URL == e.URL }) {
			continue
		}
		for _, address := range h.addresses() {
			n := h.nodes[address]
			if n.gone {
				continue
			}
			flaky := w.unlucky(40)
			for _, sni := range []bool{true, false} {
				p := Presented{URL: e.URL, Address: address, SNI: sni, Algorithm: h.algorithm, Chain: n.served, Outcome: Served}
				if !sni && n.bare != "" {
					p.Chain = n.bare
				}
				switch {
				case n.unseen || flaky:
					p.Chain, p.Outcome, p.Err = "", Unreached, "connection timed out"
				case p.Chain == "":
					p.Outcome, p.Err = NoTLS, "no STARTTLS offered"
				default:
					w.shown[p.Chain] = true
				}
				out = append(out, p)
			}
		}
	}
	return out
}

func (w *world) do(a Action) Result {
	switch a := a.(type) {
	case Publish:
		return w.update("publish", a.Change)
	case Retire:
		return w.update("retire", a.Change)
	case Retime:
		return w.update("retime", a.Change)
	case Swap:
		sw := w.decide(a.Lineage, false)
		sw.recalled = !w.state.Lineages[a.Lineage].Recalled.IsZero()
		return w.swap(a.Lineage, a.To, sw)
	case Back:
		return w.swap(a.Lineage, a.To, w.decide(a.Lineage, true))
	case Adopt:
		w.hosts[a.Lineage].live = a.Chain
	case Discard:
		for _, h := range w.hosts {
			for _, id := range a.Chains {
				if h.live == id || h.installed == id {
					w.broke("the pair in use is thrown away: %s", id.Short())
				}
				delete(h.stash, id)
			}
		}
	}
	return Result{}
}

// swap switches, then reloads; either may fail.
func (w *world) swap(lineage string, to tlsa.ChainID, sw switching) Result {
	h := w.hosts[lineage]
	if _, kept := h.stash[to]; !kept {
		return Result{Err: "the pair is not in the stash"}
	}
	if err := w.fault("check"); err != "" {
		return Result{Err: err}
	}
	h.live, h.installed = to, to
	if err := w.fault("reload"); err != "" {
		return Result{Err: err, Switched: true}
	}
	w.reload(lineage, sw)
	if !sw.back {
		w.swaps++
	}
	return Result{}
}
