package rfc2136

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
)

// A server that signs in the background shows a change a moment after it confirmed it
// (BIND with inline-signing). So what is not seen yet is looked for again.
const (
	firstPause = 20 * time.Millisecond
	longPause  = 500 * time.Millisecond
)

// settle finds out what became of a message whose reply is lost, and returns the items
// that are to be sent again: those at which nothing has changed.
func (d *dispatch) settle(ctx context.Context, items []*item) (again []*item) {
	lost := items[0].err
	d.p.log.Warn("the reply to an update is lost, reading back", "address", lost.address, "owners", len(items), "error", lost.err)
	d.readBack(ctx, items)
	for _, it := range items {
		switch {
		case it.blind != nil:
			it.err = &trouble{
				kind: dnsprovider.Temporary, hint: lost.hint, address: lost.address,
				err: fmt.Errorf("%w to the update; whether it was carried out cannot be read back: %w", lost.err, it.blind.err),
			}
		case it.done():
			it.err = nil
		case it.unchanged():
			it.err = nil
			again = append(again, it)
		default:
			it.err = it.conflict(it.found).at(d.here().address)
		}
	}
	return again
}

// blameTwice is for items whose reply was lost once more.
func blameTwice(items []*item) {
	for _, it := range items {
		t := *it.err
		t.err = fmt.Errorf("%w to the update, for the second time: whether it was carried out is not known", t.err)
		it.err = &t
	}
}

// verify reads back what the server says it has made, and what it says is not what was
// read before: perhaps it is made already, by a message that was thought lost or by
// somebody with the same aim.
func (d *dispatch) verify(ctx context.Context) {
	d.await(ctx, slices.Concat(d.made, d.disputed))
	for _, it := range d.made {
		it.err = it.verdict().at(d.here().address)
		if want := it.change.Wanted(it.seen.rrset); it.err == nil && it.found.rrset.TTL != want.TTL {
			d.p.log.Warn("the server has set a TTL of its own", "owner", string(it.change.Owner), "ttl", it.found.rrset.TTL, "wanted", want.TTL)
		}
	}
	for _, it := range d.disputed {
		it.err = it.judgement().at(d.here().address)
	}
}

// verdict is the result of an item that the server says it has made.
func (it *item) verdict() *trouble {
	switch {
	case it.blind != nil && it.blind.kind == dnsprovider.Alias:
		return it.blind
	case it.blind != nil:
		t := *it.blind
		t.err = fmt.Errorf("the server says that the change is made, and it cannot be read back: %w", t.err)
		return &t
	case it.done():
		return nil
	case it.unchanged():
		return it.ignored()
	}
	return it.overtaken()
}

// judgement is the result of an item that the server says is not what was read.
func (it *item) judgement() *trouble {
	switch {
	case it.blind != nil && it.blind.kind == dnsprovider.Alias:
		return it.blind
	case it.blind != nil:
		return it.err
	case it.done():
		return nil
	case it.unchanged():
		t := *it.err
		t.err = fmt.Errorf("%w, and yet it reads the same", t.err)
		t.hint = "does another copy of the zone answer queries, or a wildcard"
		if !it.seen.rrset.Denial() {
			t.hint += "; to PowerDNS a record is what its database says, and hex counts only without blanks there: write the record again with pdnsutil replace-rrset"
		}
		return &t
	}
	return it.conflict(it.found)
}

// await reads until each item shows a trace of a change, as long as patience lasts.
func (d *dispatch) await(ctx context.Context, items []*item) {
	patience, cancel := context.WithTimeout(ctx, d.p.readBackFor)
	defer cancel()
	for pause := firstPause; ; pause = min(2*pause, longPause) {
		d.readBack(ctx, items)
		items = having(items, func(it *item) bool {
			if it.blind != nil {
				return it.blind.kind == dnsprovider.Temporary
			}
			return it.unchanged()
		})
		if len(items) == 0 {
			return
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-patience.Done():
			timer.Stop()
			return
		}
	}
}

// readBack reads what stands at the items' owners now.
func (d *dispatch) readBack(ctx context.Context, items []*item) {
	if len(items) == 0 {
		return
	}
	sights, troubles := d.here().look(ctx, d.zone, owners(items))
	for i, it := range items {
		it.found, it.blind = sights[i], troubles[i]
	}
}
