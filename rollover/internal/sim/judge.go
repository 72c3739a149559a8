package sim

import (
	"slices"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// presentation is a chain that clients may be shown at an address, now or as soon
// as the last reload is done.
type presentation struct {
	chain   tlsa.ChainID
	address string
	theirs  bool // people made it so
	unknown bool // and no look has come across it
}

// presented are those at the endpoints whose clients ask at an owner name.
func (w *World) presented(owner tlsa.Owner) []presentation {
	var out []presentation
	add := func(p presentation) {
		if p.chain != "" && !slices.ContainsFunc(out, func(q presentation) bool { return p.chain == q.chain && p.theirs == q.theirs && p.unknown == q.unknown }) {
			out = append(out, p)
		}
	}
	for _, name := range w.lineages() {
		if !slices.ContainsFunc(w.Policy.Lineages[name].Endpoints, func(e rollover.Endpoint) bool { return e.Owner == owner || slices.Contains(e.Also, owner) }) {
			continue
		}
		for _, address := range w.Hosts[name].addresses() {
			n := w.Hosts[name].Nodes[address]
			add(presentation{n.Served, address, n.theirs, n.unnoticed})
			if n.coming {
				add(presentation{w.Hosts[name].Installed, address, false, false})
			}
			add(presentation{n.old, address, n.oldTheirs, false})
			add(presentation{n.Bare, address, true, !w.shown[n.Bare]})
		}
	}
	return out
}

// returning are the chains that are presented when addresses come back that are not
// in DNS now.
func (w *World) returning() []presentation {
	var out []presentation
	for _, name := range w.lineages() {
		h := w.Hosts[name]
		for _, address := range h.addresses() {
			if h.Nodes[address].Gone && h.Installed != "" {
				out = append(out, presentation{chain: h.Installed, address: address, unknown: true})
			}
		}
	}
	return out
}

// pair is an answer and a chain.
type pair struct {
	answer *answer
	chain  tlsa.ChainID
}

// shakeHands has a client with each answer that may be held come to each chain
// that may be presented. An answer that does not vouch for the chain is ours to
// answer for, unless people put the one or the other there, or it was no step of
// ours that could have known.
func (w *World) shakeHands() {
	for _, owner := range w.endpointOwners() {
		answers := w.held(w.written(owner))
		for _, p := range w.presented(owner) {
			for _, a := range answers {
				w.Handshakes++
				if w.vouches(a, p.chain, owner) {
					continue
				}
				ours := !w.Careless || w.attributes && !a.theirs && !p.theirs && !w.excused[pair{a, p.chain}]
				if ours {
					w.broke("%s presents %s, and an answer of %s (ttl %s) does not match: %v", p.address, p.chain.Short(), a.born.Sub(Epoch), a.rrset.TTL, a.rrset)
				}
			}
		}
	}
}

// deliver has senders go on until something happens next: nothing changes before, but
// that caches forget and certificates come of age.
func (w *World) deliver(next time.Time) {
	if w.senders == 0 {
		return
	}
	for now := w.Now.Add(w.senders); now.Before(next); now = now.Add(w.senders) {
		w.Now = now
		w.shakeHands()
	}
}

// judgeChange checks a change of ours: whoever matched must match still. It reports
// whether somebody does not who did not before either. Without any record nobody is
// refused, which is what a withdrawal is for.
func (w *World) judgeChange(target tlsa.Owner, before, after tlsa.RRset) (broken bool) {
	if after.Denial() {
		for _, l := range w.State.Lineages {
			if l.Withdrawn.IsZero() {
				w.broke("%s is emptied, and nobody withdraws", target)
			}
		}
		return false
	}
	for _, a := range after.Missing(before.Associations...) {
		if name := w.wantedBy(target, a); name != "" {
			w.broke("%s: %s leaves, which the live pair of %s needs", target, a, name)
		}
	}
	for _, owner := range w.endpointOwners() {
		if w.written(owner) != target {
			continue
		}
		for _, p := range append(w.presented(owner), w.returning()...) {
			ref := w.reference(owner)
			switch {
			case w.match(after, p.chain, ref):
			case !p.unknown && w.match(before, p.chain, ref):
				w.broke("%s: %v instead of %v takes the match away from %s, which %s presents", target, after, before, p.chain.Short(), p.address)
			default:
				broken = true
			}
		}
	}
	return broken
}

// wantedBy is the lineage whose live pair needs a record at a name, "" if there is none
// or some pair on its way to that name has no record of the same combination: that leaves
// whole.
func (w *World) wantedBy(target tlsa.Owner, a tlsa.Association) (lineage string) {
	for _, name := range w.lineages() {
		p, l := w.Policy.Lineages[name], w.State.Lineages[name]
		if !slices.ContainsFunc(p.Endpoints, func(e rollover.Endpoint) bool {
			return slices.ContainsFunc(e.Owners(), func(owner tlsa.Owner) bool { return w.written(owner) == target })
		}) {
			continue
		}
		needs := func(id tlsa.ChainID, is func(tlsa.Association) bool) bool {
			as, err := p.Needs(w.Chains[id])
			return err == nil && slices.ContainsFunc(as, is)
		}
		if l.Live != "" && l.Withdrawn.IsZero() && needs(l.Live, func(b tlsa.Association) bool { return a == b }) {
			lineage = name
		}
		if l.Successor != "" && !needs(l.Successor, func(b tlsa.Association) bool { return a.Params == b.Params }) {
			return ""
		}
	}
	return lineage
}

// Switching is why nodes take up another pair.
type Switching struct {
	back     bool
	recalled bool             // a person wants the previous pair
	known    map[*answer]bool // answers that could be known when it was decided
}

// decide is a switch that is decided now.
func (w *World) decide(lineage string, back bool) Switching {
	sw := Switching{back: back, known: map[*answer]bool{}}
	for _, e := range w.Policy.Lineages[lineage].Endpoints {
		for _, owner := range e.Owners() {
			for a, known := range w.known(w.written(owner), back) {
				sw.known[a] = known
			}
		}
	}
	return sw
}

// judgeNode checks that a node may present another chain: every answer held that
// was there when this was decided must vouch for it; for a way back, if it did for
// what was presented.
func (w *World) judgeNode(lineage string, n *Node, to tlsa.ChainID, sw Switching) {
	n.theirs = sw.back && n.Remote // what other machines do with a pair that did not work here is not for us to judge
	if to == "" || n.Served == to || n.theirs || w.Forced {
		return
	}
	for _, e := range w.Policy.Lineages[lineage].Endpoints {
		for _, owner := range e.Owners() {
			for _, a := range w.held(w.written(owner)) {
				switch {
				case w.vouches(a, to, owner):
				case !sw.known[a], (sw.back || sw.recalled) && (n.Served == "" || !w.vouches(a, n.Served, owner)):
					w.excused[pair{a, to}] = true
				default:
					w.broke("%s presents %s instead of %s, and an answer of %s (ttl %s) does not match: %v", lineage, to.Short(), n.Served.Short(), a.born.Sub(Epoch), a.rrset.TTL, a.rrset)
				}
			}
		}
	}
}

// reference is how clients of the owner's endpoints judge.
func (w *World) reference(owner tlsa.Owner) tlsa.Reference {
	for _, name := range w.lineages() {
		for _, e := range w.Policy.Lineages[name].Endpoints {
			switch {
			case e.Owner == owner:
				return tlsa.Reference{Names: []string{e.Host}, Time: w.Now, SMTP: e.SMTP}
			case slices.Contains(e.Also, owner):
				return tlsa.Reference{Names: []string{owner.Base()}, Time: w.Now, SMTP: e.SMTP}
			}
		}
	}
	return tlsa.Reference{Time: w.Now}
}

// judgment is whether an answer vouches for a chain, until one of its certificates
// begins or ends.
type judgment struct {
	from, until time.Time
	weak, so    bool
}

// vouches reports whether an answer vouches for a chain, as was found before if
// nothing has changed since.
func (w *World) vouches(a *answer, id tlsa.ChainID, owner tlsa.Owner) bool {
	j, known := a.fits[id]
	if !known || j.weak != w.Weak || w.Now.Before(j.from) || !w.Now.Before(j.until) {
		j = judgment{weak: w.Weak, so: w.match(a.rrset, id, w.reference(owner))}
		j.from, j.until = w.papers[id].asItIs(w.Now)
		a.fits[id] = j
	}
	return j.so
}

// match reports whether an RRset vouches for a chain: in the strong sense of
// RFC 7671, section 8, or any match in an emergency.
func (w *World) match(s tlsa.RRset, id tlsa.ChainID, ref tlsa.Reference) bool {
	if w.Weak {
		return s.Authenticates(w.Chains[id], ref) == nil
	}
	return w.papers[id].strong(s, ref)
}
