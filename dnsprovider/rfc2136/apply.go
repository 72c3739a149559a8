package rfc2136

import (
	"context"
	"fmt"
	"slices"

	"github.com/miekg/dns"
	"github.com/tlsaroll/tlsaroll/dnsprovider"
)

// survey reads what stands at the items' owners, from the first of the addresses that
// answers, and returns the session with it. What it cannot find out is the item's trouble.
func (p *Provider) survey(ctx context.Context, addresses []string, items []*item) *session {
	var s *session
	for _, address := range addresses {
		if s != nil {
			s.release()
		}
		s = p.open(address)
		sights, troubles := s.look(ctx, items[0].zone, owners(items))
		for i, it := range items {
			it.seen, it.err = sights[i], troubles[i]
		}
		if slices.ContainsFunc(items, func(it *item) bool { return it.err == nil || !it.err.leaves.another() }) {
			break
		}
	}
	return s
}

// applyBatch carries out the changes of one message: look, change, look again.
func (p *Provider) applyBatch(ctx context.Context, addresses []string, batch []*item) {
	s := p.survey(ctx, addresses, batch)
	s.release()
	todo := having(alive(batch), func(it *item) bool { return !it.change.Done(it.seen.rrset) })
	for _, it := range todo {
		if !it.seen.rrset.Same(it.change.Before) {
			it.err = it.conflict(it.seen).at(s.address)
		}
	}
	if todo = alive(todo); len(todo) == 0 {
		return
	}
	d := &dispatch{p: p, zone: todo[0].zone, addresses: addresses[slices.Index(addresses, s.address):]}
	defer d.close()
	d.send(ctx, todo)
	if lost := d.lost; len(lost) > 0 {
		d.lost = nil
		d.send(ctx, d.settle(ctx, lost))
		blameTwice(d.lost)
	}
	d.verify(ctx)
}

// dispatch gets changes of one zone to the first of the addresses that takes them.
type dispatch struct {
	p         *Provider
	zone      string
	addresses []string // those before have turned us away
	session   *session

	made     []*item // the server says that they are
	disputed []*item // the server says that the RRset is not what was read; its words are their trouble
	lost     []*item // the reply is
}

func (d *dispatch) close() {
	if d.session != nil {
		d.session.release()
	}
}

// here is the session with the address that has its turn.
func (d *dispatch) here() *session {
	if d.session == nil || d.session.address != d.addresses[0] {
		d.close()
		d.session = d.p.open(d.addresses[0])
	}
	return d.session
}

// send sends the items in one message, or one by one if the server does not like
// it, and sorts them by what comes of it.
func (d *dispatch) send(ctx context.Context, items []*item) {
	if len(items) == 0 {
		return
	}
	if t := ended(ctx); t != nil {
		blame(items, t)
		return
	}
	reply, t := d.here().tell(ctx, compose(d.zone, items))
	if t == nil {
		t = d.p.refusal(reply.Rcode, subject{d.zone, items[0].change.Owner, dns.TypeTLSA}).at(d.here().address)
	}
	switch {
	case t == nil:
		d.made = append(d.made, items...)
	case t.leaves.another() && len(d.addresses) > 1:
		d.p.log.Warn("an address of the server takes no updates, on to the next", "address", d.addresses[0], "error", t.err)
		d.addresses = d.addresses[1:]
		d.send(ctx, items)
	case t.leaves == open:
		blame(items, t)
		d.lost = append(d.lost, items...)
	case t.leaves == eachAlone && len(items) > 1:
		d.p.log.Info("the server turned down a message, each owner is sent alone", "owners", len(items), "error", t.err)
		d.sendEach(ctx, items)
	case t.kind == dnsprovider.Conflict:
		blame(items, t)
		d.disputed = append(d.disputed, items...)
	default:
		blame(items, t)
	}
}

// sendEach sends the items one by one, until the server falls silent: to wait for it as
// often as there are owners helps nobody.
func (d *dispatch) sendEach(ctx context.Context, items []*item) {
	for i, it := range items {
		d.send(ctx, items[i:i+1])
		if it.err != nil && it.err.leaves.silent() {
			t := *it.err
			t.leaves, t.err = final, fmt.Errorf("not sent, as the server has fallen silent: %w", it.err.err)
			blame(items[i+1:], &t)
			return
		}
	}
}
