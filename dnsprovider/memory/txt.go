package memory

import (
	"context"
	"slices"
	"time"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

var _ dnsprovider.TXTProvider = (*Zone)(nil)

// AddTXT adds a TXT value to the primary copy, see [dnsprovider.TXTProvider]. Faults of
// Apply befall it as well.
func (z *Zone) AddTXT(ctx context.Context, zone string, name tlsa.Owner, value string, ttl time.Duration) error {
	if err := dnsprovider.ValidateTTL(ttl); err != nil {
		return z.fail("add TXT at", name, dnsprovider.Malformed, err)
	}
	return z.editTXT(ctx, "add TXT at", zone, name, value, func(n node) node {
		if len(n.txt) == 0 {
			n.txtTTL = max(ttl, z.minTTL)
		}
		if !slices.Contains(n.txt, value) {
			n.txt = slices.Sorted(slices.Values(append(slices.Clone(n.txt), value)))
		}
		return n
	})
}

// RemoveTXT removes a TXT value from the primary copy, see [dnsprovider.TXTProvider].
func (z *Zone) RemoveTXT(ctx context.Context, zone string, name tlsa.Owner, value string) error {
	return z.editTXT(ctx, "remove TXT at", zone, name, value, func(n node) node {
		n.txt = slices.DeleteFunc(slices.Clone(n.txt), func(v string) bool { return v == value })
		if len(n.txt) == 0 {
			n.txt, n.txtTTL = nil, 0
		}
		return n
	})
}

func (z *Zone) editTXT(ctx context.Context, op, zone string, name tlsa.Owner, value string, change func(node) node) error {
	if err := dnsprovider.ValidateTXT(name, value); err != nil {
		return z.fail(op, name, dnsprovider.Malformed, err)
	}
	f := z.take(applying)
	if err := f.begin(ctx); err != nil {
		return z.fail(op, name, dnsprovider.Temporary, err)
	}
	z.mu.Lock()
	defer z.mu.Unlock()
	if f.befalls(name) && f.stage == beforeCommit {
		return z.fail(op, name, f.kind, f.cause)
	}
	n, err := z.read(op, zone, name)
	if err != nil {
		return err
	}
	if after := change(n); !after.equal(n) {
		z.commit(edit{owner: name, node: after, by: ByProvider})
	}
	if f.befalls(name) {
		return z.fail(op, name, f.kind, f.cause)
	}
	return nil
}

// SetTXT edits the TXT values at name by hand; none removes them.
func (z *Zone) SetTXT(name tlsa.Owner, ttl time.Duration, values ...string) {
	z.mu.Lock()
	n := z.copyOf().nodes[name]
	z.mu.Unlock()
	n.alias, n.aliasTTL = "", 0
	n.txt, n.txtTTL = slices.Sorted(slices.Values(values)), ttl
	z.edit(name, n)
}
