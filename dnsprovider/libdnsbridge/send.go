package libdnsbridge

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/libdns/libdns"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/dnsprovider/internal/api"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// Send adds what lacks, and removes then what is to go, of the names at which the new
// records were seen to stand.
func (s *site) Send(ctx context.Context, tasks []*api.Task[records]) *api.Trouble {
	if slices.ContainsFunc(tasks, func(k *api.Task[records]) bool { return k.Edit == nil && k.Change.TTLOnly() }) {
		return &api.Trouble{
			Kind: dnsprovider.Unsupported, Then: api.EachAlone,
			Err:  errors.New("the TTL of records that stand cannot be changed safely through this host's module"),
			Hint: "change it in the host's own interface; tlsaroll keeps the TTL that it finds",
		}
	}
	stand := make([]api.Sight[records], len(tasks))
	for i, k := range tasks {
		stand[i] = k.Seen
	}
	lost := s.step(ctx, tasks, stand, s.lacking, s.p.backend.AppendRecords)
	if lost != nil && lost.Then != api.Open {
		return lost
	}
	last := func(i int) bool { return len(s.surplus(tasks[i], stand[i])) == 0 }
	tasks, stand = having(tasks, stand, func(i int) bool { return !last(i) })
	replacing := slices.ContainsFunc(tasks, func(k *api.Task[records]) bool { return len(s.lacking(k, k.Seen)) > 0 })
	switch {
	case len(tasks) == 0:
		return lost
	case replacing:
		var blind *api.Trouble
		stand, blind = s.seeAdded(ctx, tasks, lost == nil)
		switch {
		case blind != nil && lost != nil:
			return lost
		case blind != nil:
			return blind
		}
		tasks, stand = having(tasks, stand, func(i int) bool { return len(s.lacking(tasks[i], stand[i])) == 0 })
	}
	t := s.step(ctx, tasks, stand, s.surplus, s.p.backend.DeleteRecords)
	switch {
	case t == nil:
		return lost
	case t.Then == api.Open || !replacing:
		return t
	}
	return &api.Trouble{Kind: t.Kind, Then: t.Then, Hint: t.Hint, Err: fmt.Errorf("the new records are added, and the old ones not yet removed: %w", t.Err)}
}

// having is what is left of the tasks and of what stands there.
func having(tasks []*api.Task[records], stand []api.Sight[records], is func(i int) bool) (left []*api.Task[records], stands []api.Sight[records]) {
	for i, k := range tasks {
		if is(i) {
			left, stands = append(left, k), append(stands, stand[i])
		}
	}
	return left, stands
}

// step has one call made for all tasks, for what they need of it. Where the host is asked too
// often, a module that makes a request for each record may have done some of it: so the zone is read
// before it is asked again, for the rest.
func (s *site) step(
	ctx context.Context, tasks []*api.Task[records], stand []api.Sight[records],
	need func(*api.Task[records], api.Sight[records]) []libdns.Record,
	call func(context.Context, string, []libdns.Record) ([]libdns.Record, error),
) *api.Trouble {
	for try := 0; ; try++ {
		var rs []libdns.Record
		for i, k := range tasks {
			rs = append(rs, need(k, stand[i])...)
		}
		if len(rs) == 0 {
			return nil
		}
		t := s.p.once(ctx, s.zone, func(ctx context.Context) error {
			_, err := call(ctx, s.name(), rs)
			return err
		})
		switch {
		case t == nil:
			return nil
		case t.Kind == dnsprovider.Refused:
			return s.readOnly(t)
		case !t.Limited || try == len(s.p.pauses) || !wait(ctx, s.p.pauses[try]):
			return t
		}
		if len(rs) > 1 {
			var blind *api.Trouble
			if stand, blind = s.lookAnew(ctx, tasks); blind != nil {
				return blind
			}
		}
	}
}

// readOnly is the trouble of a change that is not allowed where reading is. It may be so for
// one of several names.
func (s *site) readOnly(t *api.Trouble) *api.Trouble {
	return &api.Trouble{
		Kind: t.Kind, Err: t.Err, Then: api.EachAlone,
		Hint: "the credentials suffice to read the zone: do they to change this name; tlsaroll provider list " + s.p.host.Type + " says what they need",
	}
}

// lookAnew reads the zone again. What cannot be said of one name is said of none.
func (s *site) lookAnew(ctx context.Context, tasks []*api.Task[records]) ([]api.Sight[records], *api.Trouble) {
	owners := make([]tlsa.Owner, len(tasks))
	for i, k := range tasks {
		owners[i] = k.Owner
	}
	s.Forget(ctx)
	sights, troubles := s.Look(ctx, owners)
	s.Forget(ctx)
	for _, t := range troubles {
		if t != nil {
			blind := *t
			blind.Then = api.Open // some of the change may be made
			return nil, &blind
		}
	}
	return sights, nil
}

// lags are how long a host may take to show what it has confirmed.
var lags = [...]time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second}

// seeAdded reads what stands there, and what the host has confirmed until the new records of
// all tasks do, as long as patience lasts.
func (s *site) seeAdded(ctx context.Context, tasks []*api.Task[records], confirmed bool) ([]api.Sight[records], *api.Trouble) {
	for try := 0; ; try++ {
		stand, blind := s.lookAnew(ctx, tasks)
		if blind != nil {
			return nil, blind
		}
		late := false
		for i, k := range tasks {
			late = late || len(s.lacking(k, stand[i])) > 0
		}
		if !late || !confirmed || try == len(lags) || !wait(ctx, lags[try]) {
			return stand, nil
		}
	}
}
