package libdnsbridge

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/libdns/libdns"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/dnsprovider/internal/api"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// site is one zone.
type site struct {
	p    *Provider
	zone string
}

var _ api.Host[records] = (*site)(nil)

// reading is the key of what a pass has read of a zone.
type reading struct {
	p    *Provider
	zone string
}

// Forget drops what was read in this pass.
func (s *site) Forget(ctx context.Context) { dnsprovider.ForgetReading(ctx, reading{s.p, s.zone}) }

// Look finds the names in the zone's listing.
func (s *site) Look(ctx context.Context, owners []tlsa.Owner) ([]api.Sight[records], []*api.Trouble) {
	sights, troubles := make([]api.Sight[records], len(owners)), make([]*api.Trouble, len(owners))
	all, t := api.ReadOnce(ctx, reading{s.p, s.zone}, s.list)
	for i, owner := range owners {
		if troubles[i] = t; t == nil {
			sights[i], troubles[i] = all.at(owner, s.zone)
		}
	}
	return sights, troubles
}

// list reads the zone.
func (s *site) list(ctx context.Context) (listing, *api.Trouble) {
	var all listing
	t := s.p.call(ctx, s.zone, func(ctx context.Context) error {
		found, err := s.p.backend.GetRecords(ctx, s.name())
		if err == nil && len(found) == 0 && !s.p.host.Quirks.MayBeEmpty {
			err = errNothing
		}
		if err == nil {
			all, err = sorted(found, s.zone)
		}
		return err
	})
	if t != nil {
		return nil, t // a call that was given up may still be writing
	}
	return all, nil
}

// errNothing is how most modules hear {} and other replies that are no listing: at most hosts
// not even a new zone is empty.
var errNothing = errors.New("unexpected EOF: a listing without any record")

// name is the zone as the module wants it.
func (s *site) name() string {
	if s.p.host.Quirks.BareZone {
		return strings.TrimSuffix(s.zone, ".")
	}
	return s.zone
}

// Batches sends each owner's change alone: only the changes of one owner belong together, and
// of several in one call a module may carry out some. Where a call costs a reading of the
// zone, all go in one; what became of each is seen when the zone is read back.
func (s *site) Batches(tasks []*api.Task[records]) (out [][]*api.Task[records]) {
	if s.p.host.Quirks.Together {
		return [][]*api.Task[records]{tasks}
	}
	for i := range tasks {
		out = append(out, tasks[i:i+1])
	}
	return out
}

// lacking are the records that a task adds to what stands there.
func (s *site) lacking(k *api.Task[records], stands api.Sight[records]) (add []libdns.Record) {
	name := relative(k.Owner, s.zone)
	switch {
	case k.Edit != nil && k.Edit.Add && !slices.Contains(stands.TXT, k.Edit.Value):
		ttl := k.Edit.TTL
		if len(stands.Raw.txt) > 0 {
			ttl = stands.TXTTTL
		}
		return []libdns.Record{libdns.TXT{Name: name, TTL: ttl, Text: k.Edit.Value}}
	case k.Edit != nil:
		return nil
	}
	ttl := k.Change.Wanted(k.Seen.TLSA).TTL
	for _, a := range stands.TLSA.Missing(k.Change.Add()...) {
		add = append(add, libdns.RR{Name: name, TTL: ttl, Type: "TLSA", Data: a.String()})
	}
	return add
}

// surplus are the records that a task removes of what stands there, as they were read, all
// that say the same. What came meanwhile is not among them.
func (s *site) surplus(k *api.Task[records], stands api.Sight[records]) (remove []libdns.Record) {
	if k.Edit != nil {
		for _, r := range stands.Raw.txt {
			if !k.Edit.Add && textOf(r) == k.Edit.Value {
				remove = append(remove, s.exactly(r))
			}
		}
		return remove
	}
	old := k.Change.Remove()
	for _, r := range stands.Raw.tlsa {
		if a, err := associationOf(r); err == nil && slices.Contains(old, a) {
			remove = append(remove, s.exactly(r))
		}
	}
	return remove
}

// exactly is the record as it was read, for its deletion. Without a TTL it means: whatever
// the TTL is.
func (s *site) exactly(r libdns.Record) libdns.Record {
	if s.p.host.Quirks.ExactTTL {
		return r
	}
	switch r := r.(type) {
	case libdns.RR:
		r.TTL = 0
		return r
	case libdns.TXT:
		r.TTL = 0
		return r
	}
	return r // a type of the module's own, which may know the record by more than its data
}

// lowest is the TTL of an RRset. Where records have several, which they ought not to (RFC
// 2181, section 5.2), the lowest counts.
func lowest(rs []libdns.Record) time.Duration {
	if len(rs) == 0 {
		return 0
	}
	ttl := rs[0].RR().TTL
	for _, r := range rs[1:] {
		ttl = min(ttl, r.RR().TTL)
	}
	return ttl
}
