package memory

import (
	"context"
	"errors"
	"fmt"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

var (
	errLostReply = errors.New("the reply was lost: whether the change was made is not known")
	errDown      = errors.New("the primary does not answer")
)

// RRset reads the primary copy, see [dnsprovider.Provider]. Wildcards are not
// expanded: what stands at owner itself is what a change is compared with.
func (z *Zone) RRset(ctx context.Context, zone string, owner tlsa.Owner) (tlsa.RRset, error) {
	f := z.take(reading)
	if err := f.begin(ctx); err != nil {
		return tlsa.RRset{}, z.fail("read", owner, dnsprovider.Temporary, err)
	}
	if f.kind != 0 {
		return tlsa.RRset{}, z.fail("read", owner, f.kind, f.cause)
	}
	z.mu.Lock()
	defer z.mu.Unlock()
	n, err := z.read("read", zone, owner)
	return n.rrset.With(), err
}

// Apply changes the primary copy, see [dnsprovider.Provider].
func (z *Zone) Apply(ctx context.Context, zone string, changes []dnsprovider.Change) []error {
	errs := make([]error, len(changes))
	f := z.take(applying)
	if err := f.begin(ctx); err != nil {
		for i, c := range changes {
			errs[i] = z.fail("change", c.Owner, dnsprovider.Temporary, err)
		}
		return errs
	}
	z.mu.Lock()
	defer z.mu.Unlock()
	for i, c := range changes {
		switch {
		case f.befalls(c.Owner) && f.stage == beforeCommit:
			errs[i] = z.fail("change", c.Owner, f.kind, f.cause)
		default:
			errs[i] = z.change(zone, c)
			if errs[i] == nil && f.befalls(c.Owner) {
				errs[i] = z.fail("change", c.Owner, f.kind, f.cause)
			}
		}
	}
	return errs
}

func (z *Zone) change(zone string, c dnsprovider.Change) error {
	if err := c.Validate(); err != nil {
		return z.fail("change", c.Owner, dnsprovider.Malformed, err)
	}
	n, err := z.read("change", zone, c.Owner)
	found := n.rrset
	switch {
	case err != nil:
		return err
	case c.Done(found):
		return nil
	case !found.Same(c.Before):
		return z.fail("change", c.Owner, dnsprovider.Conflict, c.Mismatch(found))
	}
	wanted := c.Wanted(found)
	if !wanted.Denial() {
		wanted.TTL = max(wanted.TTL, z.minTTL)
	}
	if after := (node{rrset: wanted, txt: n.txt, txtTTL: n.txtTTL}); !after.equal(n) {
		z.commit(edit{owner: c.Owner, node: after, by: ByProvider})
	}
	return nil
}

// read returns what stands at owner in the primary copy, or why it cannot be said.
func (z *Zone) read(op, zone string, owner tlsa.Owner) (node, error) {
	name, err := dnsprovider.CanonicalZone(zone)
	if err != nil {
		return node{}, z.fail(op, owner, dnsprovider.Malformed, err)
	}
	if name != "" && name != z.name {
		return node{}, z.fail(op, owner, dnsprovider.NoZone, fmt.Errorf("%s is not a zone of this server, which has %s alone", name, z.name))
	}
	if !z.holds(owner) {
		return node{}, z.fail(op, owner, dnsprovider.OutsideZone, fmt.Errorf("the zone here is %s and the name lies outside", z.name))
	}
	primary := z.copyOf()
	if primary.down {
		return node{}, z.fail(op, owner, dnsprovider.Temporary, errDown)
	}
	n := primary.nodes[owner]
	if n.alias != "" {
		alias := &dnsprovider.AliasError{Type: "CNAME", At: owner, Target: n.alias}
		return node{}, &dnsprovider.Error{Op: op, Provider: "memory", Owner: owner, Kind: dnsprovider.Alias, Err: alias, Hint: alias.Hint()}
	}
	return n, nil
}

func (z *Zone) fail(op string, owner tlsa.Owner, kind dnsprovider.Kind, cause error) error {
	return &dnsprovider.Error{Op: op, Provider: "memory", Owner: owner, Kind: kind, Err: cause}
}
