package agent

import (
	"fmt"
	"slices"

	"github.com/tlsaroll/tlsaroll/certwatch"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/internal/failpoint"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// inbox holds what people say of lineages until a pass takes it up. Nobody waits
// for a pass to put something in.
type inbox struct {
	latch
	offers map[string][]handed
	orders map[string][]rollover.Orders // oldest first
	adopts map[string]*tlsa.Chain       // said to be installed; it stays
}

// handed is a pair that was handed in, with its chain.
type handed struct {
	rollover.Offer
	chain *tlsa.Chain
}

func newInbox() *inbox {
	return &inbox{latch: newLatch(), offers: map[string][]handed{}, orders: map[string][]rollover.Orders{}, adopts: map[string]*tlsa.Chain{}}
}

// mail is what lies in the inbox for some lineages.
type mail struct {
	offers map[string][]handed
	orders map[string][]rollover.Orders
	adopts map[string]*tlsa.Chain
}

// any reports whether something is to be taken up.
func (m mail) any() bool { return len(m.offers)+len(m.orders) > 0 }

// ordered are all of a person's words about a lineage.
func (m mail) ordered(lineage string) rollover.Orders {
	var all rollover.Orders
	for _, o := range m.orders[lineage] {
		all = all.And(o)
	}
	return all
}

func (b *inbox) look(names []string) mail {
	b.lock()
	defer b.unlock()
	m := mail{map[string][]handed{}, map[string][]rollover.Orders{}, map[string]*tlsa.Chain{}}
	for _, name := range names {
		if offers := b.offers[name]; len(offers) > 0 {
			m.offers[name] = slices.Clone(offers)
		}
		if orders := b.orders[name]; len(orders) > 0 {
			m.orders[name] = slices.Clone(orders)
		}
		if chain := b.adopts[name]; chain != nil {
			m.adopts[name] = chain
		}
	}
	return m
}

// taken removes what a pass took up, once save has made durable what came of it;
// save gets the offers that came in meanwhile, nil where none were taken up.
func (b *inbox) taken(m mail, save func(left map[string][]rollover.Offer) error) error {
	if len(m.offers) == 0 { // others need not wait for the disk on our account
		if err := save(nil); err != nil {
			return err
		}
	}
	b.lock()
	defer b.unlock()
	if len(m.offers) > 0 {
		left := map[string][]rollover.Offer{}
		for name, taken := range m.offers {
			left[name] = plain(b.offers[name][len(taken):])
		}
		if err := save(left); err != nil {
			return err
		}
	}
	for name, taken := range m.offers {
		if b.offers[name] = b.offers[name][len(taken):]; len(b.offers[name]) == 0 {
			delete(b.offers, name)
		}
	}
	for name, taken := range m.orders { // said once
		if b.orders[name] = b.orders[name][len(taken):]; len(b.orders[name]) == 0 {
			delete(b.orders, name)
		}
	}
	return nil
}

// chains are those of the pairs that were handed in for a lineage.
func (b *inbox) chains(lineage string) []*tlsa.Chain {
	b.lock()
	defer b.unlock()
	var out []*tlsa.Chain
	for _, h := range b.offers[lineage] {
		out = append(out, h.chain)
	}
	return out
}

// recall puts in what was handed in before a restart.
func (b *inbox) recall(lineage string, h handed) { b.offers[lineage] = append(b.offers[lineage], h) }

func plain(offers []handed) []rollover.Offer {
	var out []rollover.Offer
	for _, h := range offers {
		out = append(out, h.Offer)
	}
	return out
}

// Offer copies a pair into the stash, durably, and hands it to the next pass over
// its lineage as the successor that a person asked for. It waits for no pass, and
// survives a restart.
func (a *Agent) Offer(lineage string, p certwatch.Pair) (tlsa.ChainID, error) {
	a = a.latest()
	if _, err := a.group(lineage); err != nil {
		return "", err
	}
	h := handed{rollover.Offer{Chain: p.ID(), Explicit: true}, p.Chain}
	if err := a.offer(lineage, p, h); err != nil {
		return "", fmt.Errorf("%s: %w", lineage, err)
	}
	a.Nudge(lineage)
	return p.ID(), nil
}

func (a *Agent) offer(lineage string, p certwatch.Pair, h handed) error {
	b := a.inbox
	b.lock()
	defer b.unlock()
	offers := append(slices.Clone(b.offers[lineage]), h)
	if !a.dry {
		// the lock keeps a pass from discarding the entry before it is named
		a.stashing.lock()
		defer a.stashing.unlock()
		if _, err := a.rooms.Stash.Put(p); err != nil {
			return err
		}
		failpoint.Here("offer: stashed, before it is saved")
		if err := a.rooms.Store.Offer(lineage, plain(offers)); err != nil {
			return err
		}
		failpoint.Here("offer: saved")
	}
	b.offers[lineage] = offers
	return nil
}

// Order hands a person's words to the next pass over a lineage. One to which there
// are objections is passed over, see [Agent.Objections].
func (a *Agent) Order(lineage string, o rollover.Orders) error {
	a = a.latest()
	if _, err := a.group(lineage); err != nil {
		return err
	}
	if o == (rollover.Orders{}) {
		return nil
	}
	a.inbox.lock()
	a.inbox.orders[lineage] = append(a.inbox.orders[lineage], o)
	a.inbox.unlock()
	a.Nudge(lineage)
	return nil
}

// Objections say why a lineage cannot do now what a person wants, by what is
// remembered of it; none means that it can.
func (a *Agent) Objections(lineage string, o rollover.Orders) ([]string, error) {
	state, _, err := a.State(lineage)
	if err != nil {
		return nil, err
	}
	return state.Objections(lineage, o, a.Now()), nil
}

// Adopt hands a pair to every pass from now on as the one that is installed: the
// rules take it over if it is the one that is served, and refuse it if not.
func (a *Agent) Adopt(lineage string, p certwatch.Pair) error {
	a = a.latest()
	if _, err := a.group(lineage); err != nil {
		return err
	}
	if err := a.keep(p); err != nil {
		return fmt.Errorf("%s: %w", lineage, err)
	}
	a.inbox.lock()
	a.inbox.adopts[lineage] = p.Chain
	a.inbox.unlock()
	a.Nudge(lineage)
	return nil
}

// Nudge says that a lineage's files may have been changed, or something else of it:
// the next pass reads them, and [Agent.Run] makes it now.
func (a *Agent) Nudge(lineage string) {
	a = a.latest()
	if g, err := a.group(lineage); err == nil {
		g.hints.Add(1)
		a.ring(g)
	}
}

// ring wants a pass over a group at once.
func (a *Agent) ring(g *group) {
	select {
	case g.nudge <- struct{}{}:
	default: // it is wanted already
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for bell := range a.bells {
		select {
		case bell <- struct{}{}:
		default:
		}
	}
}
