package api

import (
	"fmt"
	"slices"
	"time"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// Sight is what stands at one name in the host's copy. Raw is what the host wants to know
// again when it is to change that: ids, a version.
type Sight[R any] struct {
	TLSA   tlsa.RRset
	TXT    []string
	TXTTTL time.Duration
	Raw    R
}

// A Task is one thing to be done at one name: a change of the TLSA RRset or an edit of
// one TXT value.
type Task[R any] struct {
	Owner  tlsa.Owner
	Change dnsprovider.Change // if Edit is nil
	Edit   *TXTEdit
	// InSteps says that the host adds first and removes then, see [Frame].
	InSteps bool

	Seen    Sight[R] // before the change
	Trouble *Trouble // the result

	found Sight[R] // after the change
	blind *Trouble // why it cannot be said what stands there after the change
	state state
}

// A TXTEdit puts one value to those at the name, or takes it out.
type TXTEdit struct {
	Value string
	TTL   time.Duration // of an RRset that does not exist yet
	Add   bool
}

// state is what the host says has become of a task.
type state uint8

const (
	unsent   state = iota
	made           // it was carried out
	lost           // nothing: the reply is lost
	disputed       // what stands there is not what was read
)

// Done reports whether what stands there is what is wanted.
func (k *Task[R]) Done(s Sight[R]) bool {
	if k.Edit != nil {
		return slices.Contains(s.TXT, k.Edit.Value) == k.Edit.Add
	}
	return k.Change.Done(s.TLSA)
}

// conflict says why the task cannot be carried out on what stands there.
func (k *Task[R]) conflict(s Sight[R]) *Trouble {
	if k.Edit != nil || s.TLSA.Same(k.Change.Before) || k.halfDone(s) {
		return nil
	}
	return k.mismatch(s)
}

// halfDone reports whether what is to be added stands, and what is to be removed still does:
// a change that was cut short. To end it is what was wanted.
func (k *Task[R]) halfDone(s Sight[R]) bool {
	both := k.Change.Before
	for _, a := range k.Change.Add() {
		both = both.With(a)
	}
	return k.InSteps && k.Edit == nil && s.TLSA.Same(both) && !s.TLSA.Same(k.Change.After)
}

func (k *Task[R]) mismatch(s Sight[R]) *Trouble {
	return &Trouble{Kind: dnsprovider.Conflict, Err: k.Change.Mismatch(s.TLSA), Hint: "look again and plan again"}
}

// unchanged reports whether the change has left no trace.
func (k *Task[R]) unchanged() bool {
	if k.Edit != nil {
		return !k.Done(k.found)
	}
	same := k.found.TLSA.Same(k.Seen.TLSA)
	return same && (!k.Change.TTLOnly() || k.found.TLSA.TTL == k.Seen.TLSA.TTL)
}

// came reports whether what stands there now is what was wanted. If the host made something
// else of a TTL, that is its business.
func (k *Task[R]) came() bool {
	if k.Edit != nil {
		return k.Done(k.found)
	}
	return k.found.TLSA.Same(k.Change.After) && !k.unchanged()
}

// judge makes the result of a task from what was read back.
func (k *Task[R]) judge() {
	told := k.Trouble
	k.Trouble = nil
	switch {
	case k.blind != nil && k.blind.Kind == dnsprovider.Alias, k.blind != nil && k.blind.Kind == dnsprovider.OutsideZone:
		k.Trouble = k.blind
	case k.blind != nil:
		k.Trouble = k.unseen(told)
	case k.came():
	case k.unchanged():
		k.Trouble = k.withoutTrace(told)
	case k.halfDone(k.found) && told != nil:
		k.Trouble = &Trouble{
			Kind: dnsprovider.Temporary, Hint: told.Hint,
			Err: fmt.Errorf("%w; the new records are added, and the old ones not yet removed", told.Err),
		}
	default:
		k.Trouble = k.mismatch(k.found)
		if k.state == made {
			k.Trouble.Err = fmt.Errorf("the change was made, and something else stands there now: %w", k.Trouble.Err)
		}
	}
}

// unseen is the result where it cannot be said what stands there.
func (k *Task[R]) unseen(told *Trouble) *Trouble {
	switch k.state {
	case disputed:
		return told
	case lost:
		return &Trouble{
			Kind: dnsprovider.Temporary, Hint: told.Hint,
			Err: fmt.Errorf("%w; whether the change was made cannot be read back: %w", told.Err, k.blind.Err),
		}
	case made, unsent:
	}
	t := *k.blind
	t.Err = fmt.Errorf("the host says that the change is made, and it cannot be read back: %w", t.Err)
	return &t
}

// withoutTrace is the result where nothing has changed.
func (k *Task[R]) withoutTrace(told *Trouble) *Trouble {
	switch k.state {
	case disputed:
		return told
	case lost:
		return &Trouble{
			Kind: dnsprovider.Temporary, Hint: told.Hint,
			Err: fmt.Errorf("%w; read back, the change was not made", told.Err),
		}
	case made, unsent:
	}
	return &Trouble{
		Kind: dnsprovider.Ignored, Err: fmt.Errorf("the host says that the change is made, and nothing has changed"),
		Hint: "does the zone at the host get its records from somewhere else",
	}
}
