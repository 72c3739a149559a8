package rfc2136

import (
	"time"

	"github.com/miekg/dns"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// maxMessage is the most that goes into one message; the rest of 65,535 octets is for
// the signature.
const maxMessage = 64_000

// compose makes one message of several owners' changes. Every record is made for this
// message alone: the library writes into the records it is given.
func compose(zone string, batch []*item) *dns.Msg {
	m := new(dns.Msg)
	m.SetUpdate(zone)
	m.Compress = true
	for _, it := range batch {
		m.Answer = append(m.Answer, prerequisites(it)...)
		m.Ns = append(m.Ns, updates(it)...)
	}
	return m
}

// prerequisites are what has to be true at the owner name (RFC 2136, section 2.4): there
// is no CNAME, and the TLSA RRset is the one that was read.
func prerequisites(it *item) []dns.RR {
	owner := it.change.Owner
	return append([]dns.RR{absent(owner, dns.TypeCNAME)}, stand(owner, it.seen.rrset)...)
}

// updates are what is to be done (RFC 2136, section 2.5). The additions come first, so
// that a server which works through them in order never has an empty RRset.
func updates(it *item) []dns.RR {
	c := it.change
	wanted := c.Wanted(it.seen.rrset)
	if c.TTLOnly() || it.seen.mixed {
		return replacement(it, wanted)
	}
	var rrs []dns.RR
	for _, a := range c.Add() {
		rrs = append(rrs, rr(c.Owner, a, dns.ClassINET, wanted.TTL))
	}
	if len(rrs) == 0 && !wanted.Denial() {
		rrs = anew(c.Owner, wanted)
	}
	for _, a := range c.Remove() {
		rrs = append(rrs, rr(c.Owner, a, dns.ClassNONE, 0))
	}
	return rrs
}

// anew takes a record out that is to stay, and puts it in again. PowerDNS (4.7, with SQL) loses
// the name's place in the chain of NSEC or NSEC3 records when it takes a record out of an
// RRset that does not end with it, and knows it again when it puts one in; deletions come
// first there. A resolver that concludes from such records what there is not (RFC 8198)
// would say that the name does not exist.
func anew(owner tlsa.Owner, wanted tlsa.RRset) []dns.RR {
	stays := wanted.Associations[0]
	return []dns.RR{rr(owner, stays, dns.ClassNONE, 0), rr(owner, stays, dns.ClassINET, wanted.TTL)}
}

// replacement takes all records out and puts the wanted ones in, so that all of them get
// the TTL. To add a record that is there with another TTL should do (RFC 2136, section
// 3.4.2.2), and does at BIND; Knot ignores it.
func replacement(it *item, wanted tlsa.RRset) []dns.RR {
	var rrs []dns.RR
	for _, a := range it.seen.rrset.Associations {
		rrs = append(rrs, rr(it.change.Owner, a, dns.ClassNONE, 0))
	}
	for _, a := range wanted.Associations {
		rrs = append(rrs, rr(it.change.Owner, a, dns.ClassINET, wanted.TTL))
	}
	return rrs
}

func rr(owner tlsa.Owner, a tlsa.Association, class uint16, ttl time.Duration) dns.RR {
	return &dns.TLSA{
		Hdr:   dns.RR_Header{Name: string(owner), Rrtype: dns.TypeTLSA, Class: class, Ttl: uint32(ttl / time.Second)},
		Usage: uint8(a.Usage), Selector: uint8(a.Selector), MatchingType: uint8(a.Matching), Certificate: a.Data,
	}
}

// stand says that the RRset is this one (RFC 2136, sections 2.4.2 and 2.4.3).
func stand(owner tlsa.Owner, s tlsa.RRset) (rrs []dns.RR) {
	if s.Denial() {
		return []dns.RR{absent(owner, dns.TypeTLSA)}
	}
	for _, a := range s.Associations {
		rrs = append(rrs, rr(owner, a, dns.ClassINET, 0))
	}
	return rrs
}

// absent says that there is no RRset of the type (RFC 2136, section 2.4.3).
func absent(owner tlsa.Owner, rrtype uint16) dns.RR {
	return &dns.ANY{Hdr: dns.RR_Header{Name: string(owner), Rrtype: rrtype, Class: dns.ClassNONE}}
}

// batches puts the items into messages: not too many, not too large, an owner never in
// two, and the changes of one owner one after the other.
func (p *Provider) batches(items []*item) [][]*item {
	var rounds [][]*item
	nth := map[tlsa.Owner]int{}
	for _, it := range items {
		n := nth[it.change.Owner]
		nth[it.change.Owner]++
		if n == len(rounds) {
			rounds = append(rounds, nil)
		}
		rounds[n] = append(rounds[n], it)
	}
	var batches [][]*item
	for _, round := range rounds {
		size, batch := 0, []*item(nil)
		for _, it := range round {
			s := it.size()
			if len(batch) == p.maxBatch || (len(batch) > 0 && size+s > maxMessage) {
				batches = append(batches, batch)
				size, batch = 0, nil
			}
			size, batch = size+s, append(batch, it)
		}
		batches = append(batches, batch)
	}
	return batches
}
