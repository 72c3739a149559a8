package manual

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/tlsaroll/tlsaroll/rollover/subprocess"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// tellOf tells of the changes that are due, one zone after another. Where that fails, the
// changes say so.
func (p *Provider) tellOf(ctx context.Context, items []*item) {
	var zones []string
	open := map[string][]*item{}
	for _, it := range items {
		if it.wait == nil {
			continue
		}
		if !slices.Contains(zones, it.zone) {
			zones = append(zones, it.zone)
		}
		open[it.zone] = append(open[it.zone], it)
	}
	if len(zones) == 0 {
		return
	}
	select {
	case <-p.telling:
		defer func() { p.telling <- struct{}{} }()
	case <-ctx.Done():
		return // they are told the next time
	}
	for _, zone := range zones {
		p.tellZone(ctx, zone, open[zone])
	}
}

// tellZone tells of one zone.
func (p *Provider) tellZone(ctx context.Context, zone string, items []*item) {
	n := Notice{Version: noticeVersion, Provider: p.name, Host: p.host, Zone: zone, Changes: []Change{}}
	var due []*item
	p.remember(func() bool {
		for _, it := range items {
			if is, reminder := p.told.due(it.change.Owner, entryOf(it.change), p.now()); is {
				due = append(due, it)
				n.Changes = append(n.Changes, changeOf(it.change.Owner, it.wait, reminder))
			}
		}
		return false
	})
	if len(due) == 0 {
		return
	}
	n.Text = n.text()
	if err := p.tell(ctx, n); err != nil {
		for _, it := range due {
			it.wait.Untold = err
		}
		return
	}
	p.remember(func() bool {
		for _, it := range due {
			p.told.set(it.change.Owner, entryOf(it.change), p.now())
		}
		return true
	})
}

// tell tells in all ways there are. One is enough: the others' errors go to the log.
func (p *Provider) tell(ctx context.Context, n Notice) error {
	for _, c := range n.Changes {
		p.log.Warn("a person has to change the zone", "provider", p.name, "zone", n.Zone, "owner", string(c.Owner), "add", c.Add, "remove", c.Remove)
	}
	var errs []error
	for _, tell := range p.ways {
		if err := tell(ctx, n); err != nil {
			errs = append(errs, errors.New(subprocess.Printable(err.Error())))
		}
	}
	if len(errs) > 0 && len(errs) == len(p.ways) {
		return oneLine(errs)
	}
	for _, err := range errs {
		p.log.Error("a person was told in one way and not in another", "provider", p.name, "err", err)
	}
	return nil
}

// oneLine joins errors in one line.
func oneLine(errs []error) error {
	out := errs[0]
	for _, err := range errs[1:] {
		out = fmt.Errorf("%w; %w", out, err)
	}
	return out
}

// saw forgets what was told and is done where found stands.
func (p *Provider) saw(owner tlsa.Owner, found tlsa.RRset) {
	p.remember(func() bool { return p.told.prune(owner, found, p.now()) })
}

// remember has a function look at what was told, and makes durable what it changed. That
// this cannot be done is said once.
func (p *Provider) remember(how func() (changed bool)) {
	p.told.mu.Lock()
	defer p.told.mu.Unlock()
	if err := p.told.load(); err != nil {
		p.log.Warn("what the person was told cannot be read, and is told again", "provider", p.name, "err", err)
	}
	if !how() {
		return
	}
	err := p.told.store()
	if err != nil && !p.told.unkept {
		p.log.Error("what the person was told cannot be written down, and is told again after a restart", "provider", p.name, "err", err)
	}
	p.told.unkept = err != nil
}
