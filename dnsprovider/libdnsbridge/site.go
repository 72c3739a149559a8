package libdnsbridge

import (
	"context"
	"errors"
	"fmt"
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
		if err == nil {
			all, err = sorted(found, s.zone)
		}
		return err
	})
	return all, t
}

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

// Send adds what lacks, and removes then what is to go.
func (s *site) Send(ctx context.Context, tasks []*api.Task[records]) *api.Trouble {
	var add, remove []libdns.Record
	for _, k := range tasks {
		if k.Edit == nil && k.Change.TTLOnly() {
			return &api.Trouble{
				Kind: dnsprovider.Unsupported, Then: api.EachAlone,
				Err:  errors.New("the TTL of records that stand cannot be changed safely through this host's module"),
				Hint: "change it in the host's own interface; tlsaroll keeps the TTL that it finds",
			}
		}
		more, less := s.compose(k)
		add, remove = append(add, more...), append(remove, less...)
	}
	if len(add) > 0 {
		t := s.p.call(ctx, s.zone, func(ctx context.Context) error {
			_, err := s.p.backend.AppendRecords(ctx, s.name(), add)
			return err
		})
		if t != nil && (t.Then != api.Open || len(remove) == 0 || !s.shows(ctx, tasks, added)) {
			return t
		}
	}
	if len(remove) == 0 {
		return nil
	}
	t := s.p.call(ctx, s.zone, func(ctx context.Context) error {
		_, err := s.p.backend.DeleteRecords(ctx, s.name(), remove)
		return err
	})
	switch {
	case t == nil, len(add) == 0:
		return t
	case t.Then == api.Open && s.shows(ctx, tasks, (*api.Task[records]).Done):
		return nil
	}
	return &api.Trouble{Kind: t.Kind, Hint: t.Hint, Err: fmt.Errorf("the new records are added, and the old ones not yet removed: %w", t.Err)}
}

// shows reports whether the zone, read once more after a call whose outcome is not known, is as
// wanted for each task.
func (s *site) shows(ctx context.Context, tasks []*api.Task[records], wanted func(*api.Task[records], api.Sight[records]) bool) bool {
	owners := make([]tlsa.Owner, len(tasks))
	for i, k := range tasks {
		owners[i] = k.Owner
	}
	s.Forget(ctx)
	sights, troubles := s.Look(ctx, owners)
	s.Forget(ctx)
	for i, k := range tasks {
		if troubles[i] != nil || !wanted(k, sights[i]) {
			return false
		}
	}
	return true
}

// added reports whether all that the task adds stands there.
func added(k *api.Task[records], found api.Sight[records]) bool {
	return k.Edit == nil && len(found.TLSA.Missing(k.Change.Add()...)) == 0
}

// compose says which records are to be added and removed.
func (s *site) compose(k *api.Task[records]) (add, remove []libdns.Record) {
	at := k.Seen.Raw
	name := libdns.RelativeName(string(k.Owner), s.zone)
	switch {
	case k.Edit != nil && k.Edit.Add:
		ttl := k.Edit.TTL
		if len(at.txt) > 0 {
			ttl = k.Seen.TXTTTL
		}
		return []libdns.Record{libdns.TXT{Name: name, TTL: ttl, Text: k.Edit.Value}}, nil
	case k.Edit != nil:
		for _, r := range at.txt {
			if textOf(r) == k.Edit.Value {
				remove = append(remove, s.exactly(r))
			}
		}
		return nil, remove
	}
	ttl := k.Change.Wanted(k.Seen.TLSA).TTL
	for _, a := range k.Seen.TLSA.Missing(k.Change.Add()...) {
		add = append(add, libdns.RR{Name: name, TTL: ttl, Type: "TLSA", Data: a.String()})
	}
	for _, r := range at.tlsa {
		if a, err := associationOf(r); err == nil && slices.Contains(k.Change.Remove(), a) {
			remove = append(remove, s.exactly(r))
		}
	}
	return add, remove
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
