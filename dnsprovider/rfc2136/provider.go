package rfc2136

import (
	"context"
	"fmt"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// The operations that errors name.
const (
	opRead   = "read"
	opChange = "change"
)

// RRset reads the TLSA RRset from the primary, see [dnsprovider.Provider].
func (p *Provider) RRset(ctx context.Context, zone string, owner tlsa.Owner) (tlsa.RRset, error) {
	fail := func(t *trouble) (tlsa.RRset, error) { return tlsa.RRset{}, p.about(opRead, owner, t) }
	if canonical, err := tlsa.ParseOwner(string(owner)); err != nil || canonical != owner {
		return fail(&trouble{kind: dnsprovider.Malformed, err: fmt.Errorf("owner name %q: not canonical", string(owner))})
	}
	release, t := p.take(ctx)
	if t != nil {
		return fail(t)
	}
	defer release()
	d := p.discover()
	name, t := d.zoneOf(ctx, zone, owner)
	if t != nil {
		return fail(t)
	}
	addresses, t := d.primaryOf(ctx, name)
	if t != nil {
		return fail(t)
	}
	it := &item{change: dnsprovider.Change{Owner: owner}, zone: name}
	p.survey(ctx, addresses, []*item{it}).release()
	if it.err != nil {
		return fail(it.err)
	}
	return it.seen.rrset, nil
}

// Apply changes RRsets at the primary, see [dnsprovider.Provider].
func (p *Provider) Apply(ctx context.Context, zone string, changes []dnsprovider.Change) []error {
	items := make([]*item, len(changes))
	for i, c := range changes {
		items[i] = &item{change: c}
		if err := c.Validate(); err != nil {
			items[i].err = &trouble{kind: dnsprovider.Malformed, err: err}
		} else if items[i].size() > maxMessage {
			items[i].err = &trouble{kind: dnsprovider.Malformed, err: fmt.Errorf("%d records do not fit into one message", len(c.After.Associations))}
		}
	}
	p.applyAll(ctx, zone, items)
	errs := make([]error, len(changes))
	for i, it := range items {
		errs[i] = p.about(opChange, it.change.Owner, it.err)
	}
	return errs
}

func (p *Provider) applyAll(ctx context.Context, zone string, items []*item) {
	release, t := p.take(ctx)
	if t != nil {
		blame(alive(items), t)
		return
	}
	defer release()
	d := p.discover()
	for _, it := range alive(items) {
		it.zone, it.err = d.zoneOf(ctx, zone, it.change.Owner)
	}
	for _, group := range byZone(alive(items)) {
		addresses, t := d.primaryOf(ctx, group[0].zone)
		if t != nil {
			blame(group, t)
			continue
		}
		if group = p.swift(ctx, addresses, group); len(group) == 0 {
			continue
		}
		for _, batch := range p.batches(group) {
			p.applyBatch(ctx, addresses, batch)
		}
	}
}

// take waits for the turn to talk to servers.
func (p *Provider) take(ctx context.Context) (release func(), t *trouble) {
	if t := ended(ctx); t != nil {
		return nil, t
	}
	select {
	case <-p.turn:
		return func() { p.turn <- struct{}{} }, nil
	case <-ctx.Done():
		return nil, ended(ctx)
	}
}
