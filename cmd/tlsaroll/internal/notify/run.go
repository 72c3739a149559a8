package notify

import (
	"context"
	"slices"
	"time"
)

const (
	// burst is how many deliveries an outlet may make before it is another's turn, and
	// how many a crash may cause to be made again: the file is written between.
	burst = 20

	// keepAgain is how long after a failure the file is written again.
	keepAgain = time.Minute

	// timeout bounds one delivery.
	timeout = time.Minute

	// grace is how long the one under way may take once the program is to end.
	grace = 5 * time.Second
)

// Run delivers until ctx ends. What is left then is delivered after the next
// start; the error says that it could not be made durable.
func (t *Teller) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		t.keep() //nolint:errcheck // it is logged, and tried again; telling people goes on meanwhile
		if busy := t.round(ctx); !busy {
			t.wait(ctx)
		}
	}
	return t.keep()
}

// Deliver delivers what is due, once, for a program that does not stay. What cannot
// be delivered now is kept for the next one.
func (t *Teller) Deliver(ctx context.Context) error {
	t.round(ctx)
	return t.keep()
}

// round lets each outlet take what is due, and reports whether anything was.
func (t *Teller) round(ctx context.Context) (busy bool) {
	for _, o := range t.outlets {
		for range burst {
			batch := t.due(o)
			if len(batch) == 0 || ctx.Err() != nil {
				break
			}
			busy = true
			if err := send(ctx, o, batch); !t.ended(ctx, o, batch, err) {
				break
			}
		}
	}
	return busy
}

// due are the oldest letters to an outlet, as many as it takes at once.
func (t *Teller) due(o *outlet) (batch []letter) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.cfg.Now().Before(o.again) {
		return nil
	}
	for _, l := range t.letters {
		if l.To == o.name && len(batch) < o.most {
			batch = append(batch, l)
		}
	}
	return batch
}

// send makes one delivery. The end of ctx does not cut it short at once.
func send(ctx context.Context, o *outlet, batch []letter) error {
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(grace, cancel) })()
	return o.send(limited, batch)
}

// ended enters how a delivery ended, and reports whether it went well.
func (t *Teller) ended(ctx context.Context, o *outlet, batch []letter, err error) (ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case err == nil:
		o.rest()
		o.trouble = ""
		t.forget(o, len(batch))
		return true
	case ctx.Err() != nil: // cut short: made again after the next start
	case o.retry(t.cfg.Now()):
		t.cfg.Log.Debug("people could not be told of a warning", "to", o.name, "err", err, "again", o.again)
	default:
		o.trouble = err.Error()
		if o.failures == tries { // once, and not for each that stands behind
			t.cfg.Log.Error("people could not be told of a warning: given up until it changes, or its next reminder", "to", o.name, "err", err)
		}
		t.forget(o, len(batch))
	}
	return false
}

// forget drops the n oldest letters to an outlet. Once there are none, the next
// one is tried as often as the first.
func (t *Teller) forget(o *outlet, n int) {
	left := 0
	t.letters = slices.DeleteFunc(t.letters, func(l letter) bool {
		if l.To != o.name {
			return false
		}
		if n > 0 {
			n--
			return true
		}
		left++
		return false
	})
	if left == 0 {
		o.rest()
	}
	t.changed = true
}

// keep makes durable what has changed. What was told and what is on its way are
// written in one, so that a crash loses nothing.
func (t *Teller) keep() error {
	t.mu.Lock()
	told, letters, changed := t.told, slices.Clone(t.letters), t.changed
	t.changed = false
	t.mu.Unlock()
	if !changed {
		return nil
	}
	err := store(t.cfg.File, told, letters) // without the lock: it may take long, and passes go on
	t.mu.Lock()
	defer t.mu.Unlock()
	if err != nil {
		t.changed = true
		if t.unkept == nil {
			t.cfg.Log.Error("what people were told cannot be written down: they are told again after a restart", "err", err)
		}
	}
	t.unkept = err
	return err
}

// wait is over when there is something to do.
func (t *Teller) wait(ctx context.Context) {
	var timer <-chan time.Time
	if at := t.nextTry(); !at.IsZero() {
		wake := time.NewTimer(max(at.Sub(t.cfg.Now()), time.Millisecond))
		defer wake.Stop()
		timer = wake.C
	}
	select {
	case <-ctx.Done():
	case <-t.bell:
	case <-timer:
	}
}

// nextTry is when something that failed is tried again, zero if nothing is.
func (t *Teller) nextTry() (at time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	sooner := func(than time.Time) {
		if at.IsZero() || than.Before(at) {
			at = than
		}
	}
	if t.unkept != nil {
		sooner(t.cfg.Now().Add(keepAgain))
	}
	for _, l := range t.letters {
		for _, o := range t.outlets {
			if o.name == l.To {
				sooner(o.again)
			}
		}
	}
	return at
}
