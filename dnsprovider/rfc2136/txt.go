package rfc2136

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/miekg/dns"
	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

var _ dnsprovider.TXTProvider = (*Provider)(nil)

// AddTXT adds a TXT value at the primary, see [dnsprovider.TXTProvider].
func (p *Provider) AddTXT(ctx context.Context, zone string, name tlsa.Owner, value string, ttl time.Duration) error {
	if err := dnsprovider.ValidateTTL(ttl); err != nil {
		return p.about(opAdd, name, &trouble{kind: dnsprovider.Malformed, err: err})
	}
	return p.about(opAdd, name, p.edit(ctx, zone, txtEdit{name: name, value: value, ttl: ttl, wanted: true}))
}

// RemoveTXT removes a TXT value at the primary, see [dnsprovider.TXTProvider].
func (p *Provider) RemoveTXT(ctx context.Context, zone string, name tlsa.Owner, value string) error {
	return p.about(opRemove, name, p.edit(ctx, zone, txtEdit{name: name, value: value}))
}

// The operations that errors name.
const (
	opAdd    = "add TXT at"
	opRemove = "remove TXT at"
)

// txtEdit is one value on its way in or out.
type txtEdit struct {
	zone   string
	name   tlsa.Owner
	value  string
	ttl    time.Duration // of an RRset that does not exist yet
	wanted bool          // the value is to stand there; else it is not
}

// txtSight is what stands at the name.
type txtSight struct {
	values []string
	ttl    time.Duration
}

// done reports whether what stands there is what is wanted of this one value.
func (e txtEdit) done(seen txtSight) bool {
	for _, v := range seen.values {
		if v == e.value {
			return e.wanted
		}
	}
	return !e.wanted
}

// edit carries out the edit at the first address that takes it: look, change, look again.
func (p *Provider) edit(ctx context.Context, zone string, e txtEdit) *trouble {
	if err := dnsprovider.ValidateTXT(e.name, e.value); err != nil {
		return &trouble{kind: dnsprovider.Malformed, err: err}
	}
	release, t := p.take(ctx)
	if t != nil {
		return t
	}
	defer release()
	d := p.discover()
	if e.zone, t = d.zoneOf(ctx, zone, e.name); t != nil {
		return t
	}
	addresses, t := d.primaryOf(ctx, e.zone)
	if t != nil {
		return t
	}
	for _, address := range addresses {
		s := p.open(address)
		t = s.edit(ctx, e)
		s.release()
		if t == nil || !t.leaves.another() {
			break
		}
	}
	return t
}

// edit makes the change, and once more if the reply was lost and the change not made.
// To add a value to a set, or to take it out, harms nobody who does the same at the
// same time, so that the one prerequisite is that no alias stands there.
func (s *session) edit(ctx context.Context, e txtEdit) *trouble {
	seen, t := s.lookTXT(ctx, e)
	if t != nil || e.done(seen) {
		return t
	}
	for range 2 {
		t = s.submit(ctx, e, seen)
		if t == nil {
			return s.confirm(ctx, e)
		}
		if t.leaves != open || ctx.Err() != nil {
			return t
		}
		s.p.log.Warn("the reply to an update is lost, reading back", "address", s.address, "error", t.err)
		again, blind := s.lookTXT(ctx, e)
		if blind != nil {
			return &trouble{
				kind: dnsprovider.Temporary, hint: t.hint, address: s.address,
				err: fmt.Errorf("%w to the update; whether it was carried out cannot be read back: %w", t.err, blind.err),
			}
		}
		if e.done(again) {
			return nil
		}
		seen = again
	}
	t.leaves = final
	t.err = fmt.Errorf("%w to the update, for the second time: whether it was carried out is not known", t.err)
	return t
}

// submit sends the update.
func (s *session) submit(ctx context.Context, e txtEdit, seen txtSight) *trouble {
	ttl := e.ttl
	if len(seen.values) > 0 {
		ttl = seen.ttl // one RRset has one TTL (RFC 2181, section 5.2)
	}
	m := new(dns.Msg)
	m.SetUpdate(e.zone)
	m.Answer = []dns.RR{absent(e.name, dns.TypeCNAME)}
	if e.wanted {
		m.Ns = []dns.RR{txt(e, dns.ClassINET, ttl)}
	} else {
		m.Ns = []dns.RR{txt(e, dns.ClassNONE, 0)}
	}
	reply, t := s.tell(ctx, m)
	if t != nil {
		return t
	}
	return s.p.refusal(reply.Rcode, subject{e.zone, e.name, dns.TypeTXT}).at(s.address)
}

func txt(e txtEdit, class uint16, ttl time.Duration) dns.RR {
	return &dns.TXT{
		Hdr: dns.RR_Header{Name: string(e.name), Rrtype: dns.TypeTXT, Class: class, Ttl: uint32(ttl / time.Second)},
		Txt: []string{e.value},
	}
}

// confirm reads until the edit is seen, as long as patience lasts.
func (s *session) confirm(ctx context.Context, e txtEdit) *trouble {
	patience, cancel := context.WithTimeout(ctx, s.p.readBackFor)
	defer cancel()
	for pause := firstPause; ; pause = min(2*pause, longPause) {
		seen, t := s.lookTXT(ctx, e)
		switch {
		case t != nil && t.kind != dnsprovider.Temporary:
			return t
		case t == nil && e.done(seen):
			return nil
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
			continue
		case <-patience.Done():
			timer.Stop()
		}
		if t == nil {
			t = (&item{change: dnsprovider.Change{Owner: e.name}}).ignored()
		} else {
			t.err = fmt.Errorf("the server says that the change is made, and it cannot be read back: %w", t.err)
		}
		t.leaves = final
		return t.at(s.address)
	}
}

// lookTXT reads the TXT values at the name, in the server's own copy.
func (s *session) lookTXT(ctx context.Context, e txtEdit) (txtSight, *trouble) {
	replies, troubles := s.ask(ctx, []*dns.Msg{query(string(e.name), dns.TypeTXT)})
	if troubles[0] != nil {
		return txtSight{}, troubles[0]
	}
	if t := spokenFor(e.zone, e.name, replies[0]).at(s.address); t != nil {
		return txtSight{}, t
	}
	return txtValues(replies[0], string(e.name)), nil
}

// txtValues collects the TXT records at name from an answer; the strings of one record are
// one value (RFC 7208, section 3.3 and RFC 8555, section 8.4 read them so).
func txtValues(reply *dns.Msg, name string) (seen txtSight) {
	for _, rr := range reply.Answer {
		r, ok := rr.(*dns.TXT)
		if !ok || dns.CanonicalName(r.Hdr.Name) != name || r.Hdr.Class != dns.ClassINET {
			continue
		}
		t := time.Duration(r.Hdr.Ttl) * time.Second
		if r.Hdr.Ttl > math.MaxInt32 {
			t = 0 // RFC 2181, section 8
		}
		if len(seen.values) == 0 || t < seen.ttl {
			seen.ttl = t
		}
		seen.values = append(seen.values, strings.Join(r.Txt, ""))
	}
	return seen
}
