package sim

import (
	"errors"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/internal/journal"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// fuse ends the process at one of the points that a pass comes to.
type fuse struct {
	left  int    // points to go; 0: it never blows
	blown string // at which it has
	saved bool   // what was seen was written down
}

// blown is what a fuse panics with.
type blown struct{}

func (f *fuse) point(name string) {
	if f.left == 0 {
		return
	}
	if f.left--; f.left == 0 {
		f.blown = name
		panic(blown{})
	}
}

// newFuse is one that blows now and then.
func (s *shell) newFuse() fuse {
	if !s.unlucky(60, "crash") {
		return fuse{}
	}
	return fuse{left: 1 + s.rng.IntN(8)}
}

// crashed reports whether the process ended in a step.
func (s *shell) crashed(step func()) (crashed bool) {
	defer func() {
		switch p := recover(); p {
		case nil:
		case blown{}:
			crashed = true
		default:
			panic(p)
		}
	}()
	step()
	return false
}

// downTime is for how long no process runs: a supervisor starts it again, or the host
// reboots, with a clock that may be off.
func (s *shell) downTime() time.Duration {
	if s.rng.IntN(4) > 0 {
		return time.Duration(s.rng.IntN(3000)) * time.Millisecond
	}
	s.host.booted, s.host.boots = s.Now, s.host.boots+1
	s.setClock()
	s.note("reboot: the wall clock is %s ahead, synchronised %t", s.host.ahead, s.host.synchronised)
	return time.Duration(1+s.rng.IntN(60)) * time.Second
}

// setClock has the wall clock be wherever it is. One that the kernel calls
// synchronised is right: whoever sets it takes that word back.
//
// Nobody sets it before a journal was written, or while there is none: with the wrong
// time and no memory, nothing can be known of certificates.
func (s *shell) setClock() {
	if !s.host.minded {
		return
	}
	s.host.synchronised, s.host.ahead = s.rng.IntN(2) == 0, 0
	if !s.host.synchronised {
		s.host.ahead = time.Duration(s.rng.IntN(72*3600)-36*3600) * time.Second
	}
}

// fusedStore is the journal, before and after whose writing the process may end. What
// was saved is written when the process ends, or when somebody asks for it: nobody can
// tell that from writing each time, and a disk is not what is simulated.
type fusedStore struct {
	*journal.Journal
	s *shell
	*unwritten
}

// unwritten is what the journal still has to be told.
type unwritten struct {
	group *journal.Group
	stamp journal.Stamp
}

func (j fusedStore) Save(g journal.Group, stamp journal.Stamp) error {
	j.s.fuse.point("before the state is written")
	if g.Offers == nil && j.group != nil {
		g.Offers = j.group.Offers
	}
	g.Events = nil // nobody asks for the history of a simulated world
	j.group, j.stamp = &g, stamp
	j.s.fuse.saved, j.s.State, j.s.host.minded = true, g.State, true
	j.s.fuse.point("after the state is written")
	return nil
}

func (j fusedStore) write() error {
	if j.group == nil {
		return nil
	}
	g := *j.group
	j.group = nil
	return j.Journal.Save(g, j.stamp)
}

func (j fusedStore) Close() error { return errors.Join(j.write(), j.Journal.Close()) }

func (j fusedStore) Offer(lineage string, offers []rollover.Offer) error {
	j.s.fuse.point("before the offer is written")
	err := errors.Join(j.write(), j.Journal.Offer(lineage, offers))
	j.s.fuse.point("after the offer is written")
	return err
}

func (j fusedStore) Forget(ids []tlsa.ChainID) ([]tlsa.ChainID, error) {
	j.s.fuse.point("before pairs are forgotten")
	if err := j.write(); err != nil {
		return nil, err
	}
	gone, err := j.Journal.Forget(ids)
	j.s.fuse.point("after pairs are forgotten")
	return gone, err
}
