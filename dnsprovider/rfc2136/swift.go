package rfc2136

import (
	"context"
	"errors"
	"strings"

	"github.com/miekg/dns"
	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// swiftFrom is how many owners are worth the swift way.
const swiftFrom = 50

// swift carries out many changes with two messages for as many owners as go into one, and
// returns what it leaves to the careful way: whatever is not plainly done.
//
// What others look up before and after, the server is asked to compare: the update has as its
// prerequisites that the RRsets are those of Before, and that no alias and no zone cut is
// in the way; and a second update, without any change in it, has as its prerequisites
// that they are those of After (RFC 2136, section 3.2). That is as good as reading them, owner by
// owner, and takes a message for 250 owners instead of 250 questions. One of each message is
// looked up all the same: a server that signs at a side shows a change later than it
// compares. Only a yes to all of it counts. After anything else all is looked at afresh, so that
// a reply that was lost does no harm. What prerequisites cannot tell is the TTL: it is believed
// to be that of Before.
func (p *Provider) swift(ctx context.Context, addresses []string, items []*item) (left []*item) {
	able := swiftOnes(items)
	if len(able) < swiftFrom {
		return items
	}
	done := map[*item]bool{}
	for _, batch := range p.swiftly(ctx, addresses[0], p.swiftBatches(able)) {
		for _, it := range batch {
			done[it] = true
		}
	}
	if n := len(able) - len(done); n > 0 {
		p.log.Info("changes of some owners were not made, or not seen, at one go: they are looked at one by one", "owners", n, "of", len(able))
	}
	return having(items, func(it *item) bool { return !done[it] }) // in their order: there may be two of one owner
}

// swiftly makes the changes and returns the batches that are made and shown.
//
// A server that shows the first of them at once gets the others together. One that does not
// signs at a side, and gets them one after the other, each when the one before is shown: BIND
// may overlook an update that comes while it takes over another, and show it only after
// yet another one, which may be hours later.
func (p *Provider) swiftly(ctx context.Context, address string, batches [][]*item) (seen [][]*item) {
	together := p.made(ctx, address, batches[:1])
	if len(together) == 0 {
		return nil
	}
	rest := batches[1:]
	if p.shown(ctx, address, together, atOnce) != nil {
		together = append(together, p.made(ctx, address, rest)...)
		return p.shown(ctx, address, together, patiently)
	}
	for one := together; ; rest = rest[1:] {
		if one = p.shown(ctx, address, one, patiently); len(one) == 0 {
			return seen
		}
		if seen = append(seen, one...); len(rest) == 0 {
			return seen
		}
		if one = p.made(ctx, address, rest[:1]); len(one) == 0 {
			return seen
		}
	}
}

// made sends the batches' changes and has them compared, and returns those that are made.
func (p *Provider) made(ctx context.Context, address string, batches [][]*item) [][]*item {
	s := p.open(address)
	defer s.release()
	return s.yes(ctx, s.yes(ctx, batches, composeGuarded), composeCheck)
}

// swiftOnes are the items of which prerequisites can tell all that matters: the first of an
// owner, with a TTL that is known or not needed.
func swiftOnes(items []*item) (able []*item) {
	met := map[tlsa.Owner]bool{}
	for _, it := range items {
		c := it.change
		first := !met[c.Owner]
		met[c.Owner] = true
		keeps := !c.Before.Denial() && !c.After.Denial()
		if !first || c.TTLOnly() || c.Before.Same(c.After) || (keeps && dnsprovider.ValidateTTL(c.Before.TTL) != nil) {
			continue
		}
		it.seen = sight{rrset: c.Before}
		able = append(able, it)
	}
	return able
}

// swiftBatches are as many items as go into a message each.
func (p *Provider) swiftBatches(items []*item) (batches [][]*item) {
	size, from := 0, 0
	for i, it := range items {
		n := it.guardedSize()
		if i > from && (i-from == p.maxBatch || size+n > maxMessage) {
			batches, size, from = append(batches, items[from:i]), 0, i
		}
		size += n
	}
	return append(batches, items[from:])
}

// guardedSize is the most that the item takes in a message of composeGuarded. The zone's name
// is a pointer in every name (RFC 1035, section 4.1.4), as it stands in the question.
func (it *item) guardedSize() int {
	const pointer, header, params = 2, 10, 3
	room := func(name tlsa.Owner) int { return max(len(name)-len(it.zone), 0) + pointer + header }
	own := room(it.change.Owner)
	n := own
	for _, name := range it.above() {
		n += 2 * room(name)
	}
	c := it.change
	sets := [][]tlsa.Association{c.Before.Associations, c.Add(), c.Remove()}
	if len(sets[1]) == 0 && !c.After.Denial() { // see anew
		stays := c.After.Associations[:1]
		sets = append(sets, stays, stays)
	}
	for _, set := range sets {
		for _, a := range set {
			n += own + params + len(a.Data)/2
		}
	}
	return n
}

// above are the names between the owner and the apex of the zone.
func (it *item) above() (names []tlsa.Owner) {
	for _, name, _ := strings.Cut(string(it.change.Owner), "."); name != it.zone && name != ""; _, name, _ = strings.Cut(name, ".") {
		names = append(names, tlsa.Owner(name))
	}
	return names
}

// yes sends a message for each batch, several at a time, and returns those that the server
// said NOERROR to. Nothing is sent twice: what was on its way when a connection ended is
// left out, and the rest goes over another.
func (s *session) yes(ctx context.Context, batches [][]*item, compose func(string, []*item) *dns.Msg) (agreed [][]*item) {
	if len(batches) == 0 || s.agree(ctx) != nil {
		return nil
	}
	if s.promise == 0 {
		s.close() // see deliver
	}
	for rest := batches; len(rest) > 0; {
		messages := make([]*dns.Msg, len(rest))
		on := &underway{count: len(rest), atOnce: pipelinedUpdates}
		on.request = func(i int) *dns.Msg {
			messages[i] = compose(rest[i][0].zone, rest[i])
			return messages[i]
		}
		on.got = func(i int, raw, mac []byte) {
			reply, t := s.p.check(s.key, messages[i], raw, mac)
			messages[i] = nil
			if t == nil && reply.Rcode == dns.RcodeSuccess {
				agreed = append(agreed, rest[i])
			}
		}
		err := s.pipeline(ctx, on)
		if err == nil {
			break
		}
		onward := s.replies > 0 && errors.Is(err, errClosed) && ctx.Err() == nil
		s.close()
		if !onward {
			break
		}
		rest = rest[on.sent:]
	}
	return agreed
}

// Whether shown waits.
const (
	atOnce    = false
	patiently = true
)

// shown looks one item of each batch up, and returns the batches whose one has changed,
// or as soon as that is seen.
func (p *Provider) shown(ctx context.Context, address string, batches [][]*item, waits bool) (seen [][]*item) {
	if len(batches) == 0 {
		return nil
	}
	d := &dispatch{p: p, zone: batches[0][0].zone, addresses: []string{address}}
	defer d.close()
	samples := make([]*item, len(batches))
	for i, batch := range batches {
		samples[i] = batch[len(batch)-1]
	}
	if waits {
		d.await(ctx, samples)
	} else {
		d.readBack(ctx, samples)
	}
	for i, it := range samples {
		if it.verdict() == nil {
			seen = append(seen, batches[i])
		}
	}
	return seen
}

// composeGuarded is the message of the careful way, with a look at the names above besides:
// what is written below a zone cut or a DNAME nobody sees.
func composeGuarded(zone string, batch []*item) *dns.Msg {
	m := new(dns.Msg)
	m.SetUpdate(zone)
	m.Compress = true
	met := map[tlsa.Owner]bool{}
	for _, it := range batch {
		m.Ns = append(m.Ns, updates(it)...)
		owner := it.change.Owner
		switch {
		case it.change.After.Denial(): // what is to go goes, wherever it is
			m.Answer = append(m.Answer, stand(owner, it.change.Before)...)
			continue
		case it.change.Before.Denial(): // no alias, no zone cut and no record else
			m.Answer = append(m.Answer, absent(owner, dns.TypeANY))
		default: // and so no alias
			m.Answer = append(append(m.Answer, stand(owner, it.change.Before)...), absent(owner, dns.TypeNS))
		}
		if len(met) == 0 {
			m.Answer = append(m.Answer, absent(tlsa.Owner(zone), dns.TypeDNAME))
			met[tlsa.Owner(zone)] = true
		}
		for _, name := range it.above() {
			switch {
			case met[name]:
			case name[0] == '_': // as a rule there is nothing at all
				m.Answer = append(m.Answer, absent(name, dns.TypeANY))
			default:
				m.Answer = append(m.Answer, absent(name, dns.TypeNS), absent(name, dns.TypeDNAME))
			}
			met[name] = true
		}
	}
	return m
}

// composeCheck asks whether all is as it was wanted, and changes nothing.
func composeCheck(zone string, batch []*item) *dns.Msg {
	m := new(dns.Msg)
	m.SetUpdate(zone)
	m.Compress = true
	for _, it := range batch {
		m.Answer = append(m.Answer, stand(it.change.Owner, it.change.After)...)
	}
	return m
}
