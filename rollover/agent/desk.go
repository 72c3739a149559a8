package agent

import (
	"context"
	"maps"
	"sync"

	"github.com/tlsaroll/tlsaroll/certwatch"
	"github.com/tlsaroll/tlsaroll/rollover"
)

// ordersAtOnce is how many lineages ask their issuers side by side.
const ordersAtOnce = 4

// desk keeps the orders for certificates that are under way, one of each lineage at
// most, and what is remembered of the last ones. An agent leaves it to its heir: an
// order is none the worse for another configuration.
type desk struct {
	slots slots
	life  context.Context
	end   context.CancelCauseFunc
	wait  sync.WaitGroup

	mu     sync.Mutex // of what follows
	known  map[string]rollover.Issuing
	orders map[string]*order
}

// order is one that is under way. The other fields are there when it is done.
type order struct {
	cancel context.CancelCauseFunc
	done   chan struct{}
	pair   certwatch.Pair // zero: none was issued
	err    error
}

func newDesk(known map[string]rollover.Issuing) *desk {
	d := &desk{slots: newSlots(ordersAtOnce), known: maps.Clone(known), orders: map[string]*order{}}
	if d.known == nil {
		d.known = map[string]rollover.Issuing{}
	}
	d.life, d.end = context.WithCancelCause(context.Background())
	return d
}

// of is what is remembered of a lineage's orders.
func (d *desk) of(lineage string) rollover.Issuing {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.known[lineage]
}

// note has what is remembered of a lineage's orders be known, as the journal has it.
func (d *desk) note(lineage string, i rollover.Issuing) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.known[lineage] = i
}

// begin has a lineage's order attended to in the background, and calls after when it is
// over. Where one is under way it gives that one. Nil is a desk that was closed.
func (d *desk) begin(lineage string, attend func(context.Context, *order), after func()) *order {
	d.mu.Lock()
	defer d.mu.Unlock()
	if o := d.orders[lineage]; o != nil {
		return o
	}
	if d.life.Err() != nil {
		return nil
	}
	o := &order{done: make(chan struct{})}
	var ctx context.Context
	ctx, o.cancel = context.WithCancelCause(d.life)
	d.orders[lineage] = o
	d.wait.Go(func() {
		defer o.cancel(nil)
		if leave, err := d.slots.enter(ctx); err == nil {
			attend(ctx, o)
			leave()
		} else {
			o.err = context.Cause(ctx)
		}
		d.over(lineage, o)
		after()
	})
	return o
}

func (d *desk) over(lineage string, o *order) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.orders, lineage)
	close(o.done)
}

// drop ends the orders of some lineages; whatever comes of them is wanted no more.
func (d *desk) drop(lineages []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, name := range lineages {
		if o := d.orders[name]; o != nil {
			o.cancel(errOutOfPlace)
		}
	}
}

// close ends all orders.
func (d *desk) close() {
	d.end(ErrClosed)
	d.wait.Wait()
}
