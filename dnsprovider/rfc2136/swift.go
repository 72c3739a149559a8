package rfc2136

import (
	"context"
	"strings"

	"github.com/miekg/dns"
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
// owner, and takes a message for 250 owners instead of 250 questions. Only a yes to both
// counts. After anything else all is looked at afresh, so that a reply that was lost does
// no harm. What prerequisites cannot tell is the TTL: it is believed to be that of Before.
func (p *Provider) swift(ctx context.Context, addresses []string, items []*item) (left []*item) {
	var able []*item
	once := map[tlsa.Owner]bool{}
	for _, it := range items {
		if it.change.TTLOnly() || once[it.change.Owner] || it.change.Before.Same(it.change.After) {
			continue
		}
		once[it.change.Owner] = true
		it.seen = sight{rrset: it.change.Before}
		able = append(able, it)
	}
	if len(able) < swiftFrom {
		return items
	}
	batches := p.swiftBatches(able)
	s := p.open(addresses[0])
	defer s.close()
	told := s.yes(ctx, batches, composeGuarded)
	seen := s.yes(ctx, told, composeCheck)
	done := map[*item]bool{}
	for _, batch := range seen {
		for _, it := range batch {
			done[it] = true
		}
	}
	return having(items, func(it *item) bool { return !done[it] }) // in their order: there may be two of one owner
}

// swiftBatches are as many items as go into a message each.
func (p *Provider) swiftBatches(items []*item) (batches [][]*item) {
	for len(items) > 0 {
		n := min(p.maxBatch, len(items))
		for n > 1 && composeGuarded(items[0].zone, items[:n]).Len() > maxMessage {
			n /= 2
		}
		batches, items = append(batches, items[:n]), items[n:]
	}
	return batches
}

// yes sends a message for each batch, several at a time, and returns those that the server
// said NOERROR to.
func (s *session) yes(ctx context.Context, batches [][]*item, compose func(string, []*item) *dns.Msg) (agreed [][]*item) {
	if len(batches) == 0 {
		return nil
	}
	messages := make([]*dns.Msg, len(batches))
	for i, batch := range batches {
		messages[i] = compose(batch[0].zone, batch)
	}
	replies, troubles := s.ask(ctx, messages)
	for i, batch := range batches {
		if troubles[i] == nil && replies[i].Rcode == dns.RcodeSuccess {
			agreed = append(agreed, batch)
		}
	}
	return agreed
}

// composeGuarded is the message of the careful way, with a look at the names above besides:
// what is written below a zone cut or a DNAME nobody sees.
func composeGuarded(zone string, batch []*item) *dns.Msg {
	m := compose(zone, batch)
	above := map[tlsa.Owner]bool{}
	for _, it := range batch {
		for name := string(it.change.Owner); name != zone; {
			if !above[tlsa.Owner(name)] {
				above[tlsa.Owner(name)] = true
				m.Answer = append(m.Answer, absent(tlsa.Owner(name), dns.TypeNS))
				if name != string(it.change.Owner) { // a DNAME is about what lies below it
					m.Answer = append(m.Answer, absent(tlsa.Owner(name), dns.TypeDNAME))
				}
			}
			_, name, _ = strings.Cut(name, ".")
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
		after := *it
		after.seen = sight{rrset: it.change.After}
		m.Answer = append(m.Answer, prerequisites(&after)...)
	}
	return m
}
