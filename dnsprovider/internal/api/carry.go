package api

import (
	"context"
	"fmt"
	"time"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// A Host is one zone at a DNS host.
type Host[R any] interface {
	// Look tells what stands at each of the names, or why that cannot be said.
	Look(ctx context.Context, owners []tlsa.Owner) ([]Sight[R], []*Trouble)
	// Forget makes the next Look ask the host again.
	Forget(ctx context.Context)
	// Batches says which tasks go in one request.
	Batches(tasks []*Task[R]) [][]*Task[R]
	// Send carries out the tasks on what was Seen, in one step: all or none.
	Send(ctx context.Context, tasks []*Task[R]) *Trouble
}

// readBack is how long a change that the host confirmed may take to be seen there. It is
// looked for again after firstPause, and then after twice the pause each time.
const (
	readBack   = 5 * time.Second
	firstPause = 250 * time.Millisecond
	longPause  = time.Second
)

// Carry carries out the tasks of one zone, those of one owner in order, and leaves the
// result of each in it. It has to be the only one that changes this zone.
func Carry[R any](ctx context.Context, host Host[R], tasks []*Task[R]) {
	for _, round := range rounds(tasks) {
		c := &carrier[R]{host: host}
		c.carry(ctx, round)
	}
}

// rounds puts the second task of an owner after all first ones, and so on.
func rounds[R any](tasks []*Task[R]) (out [][]*Task[R]) {
	count := map[tlsa.Owner]int{}
	for _, k := range tasks {
		n := count[k.Owner]
		count[k.Owner]++
		if n == len(out) {
			out = append(out, nil)
		}
		out[n] = append(out[n], k)
	}
	return out
}

type carrier[R any] struct {
	host Host[R]
	stop *Trouble // the host is silent, or wants to be left alone
}

// carry looks, changes, and looks again.
func (c *carrier[R]) carry(ctx context.Context, tasks []*Task[R]) {
	if t := Ended(ctx); t != nil {
		blame(tasks, t)
		return
	}
	sights, troubles := c.host.Look(ctx, ownersOf(tasks))
	var todo []*Task[R]
	for i, k := range tasks {
		k.Seen = sights[i]
		switch {
		case troubles[i] != nil:
			k.Trouble = troubles[i]
		case k.Done(k.Seen):
		default:
			if k.Trouble = k.conflict(k.Seen); k.Trouble == nil {
				todo = append(todo, k)
			}
		}
	}
	if len(todo) == 0 {
		return
	}
	c.host.Forget(ctx)
	for _, batch := range c.host.Batches(todo) {
		c.send(ctx, batch)
	}
	c.host.Forget(ctx) // what others have read meanwhile, in the same pass, may be from before
	c.settle(ctx, todo)
}

// send sends tasks together, or one by one if the host does not like them, and takes down
// what it says.
func (c *carrier[R]) send(ctx context.Context, tasks []*Task[R]) {
	if t := Ended(ctx); t != nil {
		blame(tasks, t)
		return
	}
	if c.stop != nil {
		blame(tasks, &Trouble{
			Kind: dnsprovider.Temporary, Hint: c.stop.Hint,
			Err: fmt.Errorf("not sent, after a request that failed: %w", c.stop.Err),
		})
		return
	}
	t := c.host.Send(ctx, tasks)
	switch {
	case t == nil:
		mark(tasks, made)
		return
	case (t.Then == EachAlone || t.Then == Disputed) && len(tasks) > 1:
		for i := range tasks {
			c.send(ctx, tasks[i:i+1])
		}
		return
	case t.Then == Open:
		mark(tasks, lost)
		c.stop = t
	case t.Then == Disputed:
		mark(tasks, disputed)
	case t.Kind == dnsprovider.Temporary:
		c.stop = t
	}
	blame(tasks, t)
}

// settle reads back what may have changed, and judges by that. What the host says is made
// and not seen yet is looked for again, as long as patience lasts.
func (c *carrier[R]) settle(ctx context.Context, tasks []*Task[R]) {
	var told []*Task[R]
	for _, k := range tasks {
		if k.state != unsent {
			told = append(told, k)
		}
	}
	patience, cancel := context.WithTimeout(ctx, readBack)
	defer cancel()
	waiting := told
	for pause := firstPause; len(waiting) > 0; pause = min(2*pause, longPause) {
		waiting = c.lookAgain(ctx, waiting)
		if len(waiting) == 0 || wait(patience, pause) != nil {
			break
		}
		c.host.Forget(ctx)
	}
	for _, k := range told {
		k.judge()
	}
}

// lookAgain reads what stands there now, and returns those that were made and left no trace.
func (c *carrier[R]) lookAgain(ctx context.Context, tasks []*Task[R]) (waiting []*Task[R]) {
	if t := Ended(ctx); t != nil {
		for _, k := range tasks {
			k.blind = t
		}
		return nil
	}
	sights, troubles := c.host.Look(ctx, ownersOf(tasks))
	for i, k := range tasks {
		k.found, k.blind = sights[i], troubles[i]
		if k.blind == nil && k.state == made && k.unchanged() {
			waiting = append(waiting, k)
		}
	}
	return waiting
}

func ownersOf[R any](tasks []*Task[R]) []tlsa.Owner {
	owners := make([]tlsa.Owner, len(tasks))
	for i, k := range tasks {
		owners[i] = k.Owner
	}
	return owners
}

func blame[R any](tasks []*Task[R], t *Trouble) {
	for _, k := range tasks {
		k.Trouble = t
	}
}

func mark[R any](tasks []*Task[R], s state) {
	for _, k := range tasks {
		k.state = s
	}
}
