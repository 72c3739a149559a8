package exec

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// item is one change on its way.
type item struct {
	change dnsprovider.Change
	zone   string
	seen   sight    // what stood there before
	err    *trouble // the result
}

// Apply changes RRsets, see [dnsprovider.Provider].
func (p *Provider) Apply(ctx context.Context, zone string, changes []dnsprovider.Change) []error {
	items := make([]*item, len(changes))
	for i, c := range changes {
		items[i] = &item{change: c}
		if err := c.Validate(); err != nil {
			items[i].err = &trouble{kind: dnsprovider.Malformed, err: err}
		} else {
			items[i].zone, items[i].err = p.zoneOf(zone, c.Owner)
		}
	}
	p.applyAll(ctx, items)
	errs := make([]error, len(changes))
	for i, it := range items {
		errs[i] = p.about(opChange, it.change.Owner, it.err)
	}
	return errs
}

func (p *Provider) applyAll(ctx context.Context, items []*item) {
	release, t := take(ctx, p.changing)
	if t != nil {
		blame(alive(items), t)
		return
	}
	defer release()
	for left := alive(items); len(left) > 0; {
		var round []*item
		round, left = distinct(left)
		p.applyRound(ctx, round)
	}
}

// distinct takes the first change of each owner; all are of one zone.
func distinct(items []*item) (round, rest []*item) {
	taken := map[tlsa.Owner]bool{}
	for _, it := range items {
		if taken[it.change.Owner] {
			rest = append(rest, it)
			continue
		}
		taken[it.change.Owner] = true
		round = append(round, it)
	}
	return round, rest
}

// applyRound carries out changes of different owners.
func (p *Provider) applyRound(ctx context.Context, items []*item) {
	zone := items[0].zone
	before, t := p.look(ctx, zone, owners(items)...)
	if t != nil {
		blame(items, t)
		return
	}
	request := changeRequest{Version: version, Zone: zone}
	var open []*item
	for _, it := range items {
		it.seen, it.err = before.tlsa(it.change.Owner)
		switch found := it.seen.rrset; {
		case it.err != nil, it.change.Done(found):
		case !found.Same(it.change.Before):
			it.err = &trouble{kind: dnsprovider.Conflict, err: it.change.Mismatch(found), hint: "look again and plan again"}
		default:
			open = append(open, it)
			request.Changes = append(request.Changes, it.asked())
		}
	}
	if len(open) == 0 {
		return
	}
	dnsprovider.ForgetReading(ctx, p.key(zone))
	results, t := p.callChange(ctx, request)
	after, blind := p.look(ctx, zone, owners(open)...)
	for _, it := range open {
		said := t
		if t == nil {
			said = p.saidOf(results, it.change.Owner)
		}
		it.err = it.judge(said, after, blind)
	}
}

// asked is the change as the command gets it.
func (it *item) asked() change {
	return change{
		Owner: it.change.Owner, Type: "TLSA", TTL: int64(it.change.Wanted(it.seen.rrset).TTL / time.Second),
		Before: it.seen.printed(it.seen.rrset.Associations), After: it.seen.printed(it.change.After.Associations),
		Add: it.seen.printed(it.change.Add()), Remove: it.seen.printed(it.change.Remove()),
	}
}

// callChange calls the change command; what it says of each owner is not yet looked at.
func (p *Provider) callChange(ctx context.Context, request changeRequest) (map[tlsa.Owner]result, *trouble) {
	said, t := p.call(ctx, p.change, request)
	if t != nil {
		return nil, t
	}
	results, t := said.results()
	return results, t.of(p.change)
}

// saidOf is what the change command says of an owner, nil if that is done.
func (p *Provider) saidOf(results map[tlsa.Owner]result, owner tlsa.Owner) *trouble {
	one, there := results[owner]
	if !there || one.Status == "" {
		t := &trouble{kind: dnsprovider.Malformed, err: errors.New("what it printed does not say whether this change was made"), hint: "it has to print one result for each change, with its owner", unclear: true}
		return t.of(p.change)
	}
	return p.said(one.Status, one.Message).of(p.change)
}

// judge says what became of a change, by what the command says and, above that, by what
// stands there now.
func (it *item) judge(said *trouble, after *reading, blind *trouble) *trouble {
	var found sight
	if blind == nil {
		found, blind = after.tlsa(it.change.Owner)
	}
	if blind != nil {
		return unseen(said, blind)
	}
	unchanged := found.rrset.Same(it.seen.rrset) && (!it.change.TTLOnly() || found.rrset.TTL == it.seen.rrset.TTL)
	return verdict(said, found.rrset.Same(it.change.After) && !unchanged, unchanged, it.change.Mismatch(found.rrset))
}

// unseen is the trouble where reading back failed.
func unseen(said, blind *trouble) *trouble {
	switch {
	case said == nil || said.unclear:
		t := *blind
		t.kind = dnsprovider.Temporary
		t.err = fmt.Errorf("whether the change was made is not known, as it cannot be read back: %w", blind.err)
		if said != nil {
			t.err = fmt.Errorf("%w (%s: %w)", t.err, said.command, said.err)
		}
		return &t
	}
	return said
}

// verdict weighs what was said against what is so.
func verdict(said *trouble, done, unchanged bool, mismatch error) *trouble {
	switch {
	case done:
		return nil
	case said == nil && unchanged:
		return &trouble{
			kind: dnsprovider.Ignored, err: errors.New("it says that the change was made, but what is read has not changed"),
			hint: "do the commands read and change work on the same copy of the zone; if the change takes a moment to be seen, the command has to wait for that",
		}
	case said == nil:
		return &trouble{
			kind: dnsprovider.Conflict, err: fmt.Errorf("the change was made, and something else stands there now: %w", mismatch),
			hint: "look again and plan again",
		}
	case !unchanged && said.unclear: // half of it, or somebody else's
		t := *said
		t.kind = dnsprovider.Temporary
		return &t
	}
	return said
}

// alive returns the items that are in no trouble.
func alive(items []*item) (out []*item) {
	for _, it := range items {
		if it.err == nil {
			out = append(out, it)
		}
	}
	return out
}

func blame(items []*item, t *trouble) {
	for _, it := range items {
		it.err = t
	}
}

func owners(items []*item) []tlsa.Owner {
	out := make([]tlsa.Owner, len(items))
	for i, it := range items {
		out[i] = it.change.Owner
	}
	return out
}
