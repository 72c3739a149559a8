package manual

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
	wait   *dnsprovider.ByHandError // for a person
	err    *trouble
}

// hintByHand is for who reads the lines in an error.
const hintByHand = "leave all other records at that name as they are; once the primary has it so, all goes on by itself"

// Apply tells a person what to change, see [dnsprovider.Provider] and the documentation of
// the package.
func (p *Provider) Apply(ctx context.Context, zone string, changes []dnsprovider.Change) []error {
	items := make([]*item, len(changes))
	waits := map[tlsa.Owner]bool{}
	for i, c := range changes {
		items[i] = &item{change: c}
		if waits[c.Owner] {
			items[i].err = &trouble{kind: dnsprovider.Temporary, err: errors.New("the change before it waits for a person"), hint: "it is the next one's turn after that"}
			continue
		}
		p.weigh(ctx, zone, items[i])
		waits[c.Owner] = items[i].wait != nil
	}
	p.tellOf(ctx, items)
	errs := make([]error, len(items))
	for i, it := range items {
		if it.wait != nil {
			it.err = &trouble{kind: dnsprovider.Temporary, err: it.wait, hint: hintByHand}
		}
		errs[i] = p.about(opChange, it.change.Owner, it.err)
	}
	return errs
}

// weigh finds out whether there is something to be done.
func (p *Provider) weigh(ctx context.Context, zone string, it *item) {
	if err := it.change.Validate(); err != nil {
		it.err = &trouble{kind: dnsprovider.Malformed, err: err}
		return
	}
	if it.err = ended(ctx); it.err != nil {
		return
	}
	if it.zone, it.err = p.zoneOf(ctx, zone, it.change.Owner); it.err != nil {
		return
	}
	found, t := p.read(ctx, it.zone, it.change.Owner)
	if it.err = t; t != nil {
		return
	}
	p.saw(it.change.Owner, found)
	switch {
	case it.change.Done(found):
	case !found.Same(it.change.Before):
		it.err = &trouble{kind: dnsprovider.Conflict, err: it.change.Mismatch(found), hint: "look again and plan again"}
	case it.change.TTLOnly() && found.TTL != it.change.Before.TTL:
		// It has another one than was asked for: hosts have their own mind there.
	default:
		it.wait = byHand(it.zone, it.change, found)
	}
}

// byHand puts a change into lines of the zone.
func byHand(zone string, c dnsprovider.Change, found tlsa.RRset) *dnsprovider.ByHandError {
	out := &dnsprovider.ByHandError{Zone: zone, TTLOnly: c.TTLOnly()}
	come, leave := c.Add(), c.Remove()
	if out.TTLOnly {
		come, leave = c.After.Associations, found.Associations
	}
	for _, a := range come {
		out.Add = append(out.Add, line(c.Owner, c.Wanted(found).TTL, a))
	}
	for _, a := range leave {
		out.Remove = append(out.Remove, line(c.Owner, found.TTL, a))
	}
	return out
}

// line is a record as a zone file has it (RFC 1035, section 5.1).
func line(owner tlsa.Owner, ttl time.Duration, a tlsa.Association) string {
	return fmt.Sprintf("%s %d IN TLSA %s", owner, ttl/time.Second, a)
}
