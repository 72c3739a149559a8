package page

import (
	"fmt"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
)

// sentence says what goes on in a lineage, and since when where that matters.
func sentence(s rollover.LineageStatus, now time.Time) (text string, since *Moment) {
	addresses := presented(s)
	switch {
	case held(s):
		return fmt.Sprintf("The swap to %s was undone, and the pair before is live", s.Successor.ID.Short()), nil
	case s.Swapping != nil:
		return swapping(*s.Swapping), nil
	case s.Successor != nil:
		return onItsWay(*s.Successor, converged(s), now)
	case s.Live == nil:
		return "No pair is live yet", nil
	case s.Phase == rollover.Retiring && latest(s) == nil:
		return s.Live.ID.Short() + " is live; records of others stay as long as they are needed", nil
	case addresses.all() == 0:
		return s.Live.ID.Short() + " is live; no address has been looked at", nil
	}
	return fmt.Sprintf("%s is live, served at %s", s.Live.ID.Short(), outOf(addresses.yes, addresses.all(), "address", "addresses")), nil
}

func swapping(w rollover.Swapping) string {
	switch w.Step {
	case rollover.SwapIntended:
		return w.To.Short() + " is being swapped in"
	case rollover.SwapInstalled:
		return w.To.Short() + " is installed; the servers of this host are looked at"
	case rollover.SwapFailed:
		return "The swap to " + w.To.Short() + " failed: " + harmless(w.Why)
	case rollover.SwapUndoing:
		return "The swap to " + w.To.Short() + " is being undone: " + harmless(w.Why)
	}
	return w.To.Short() + " is being swapped in"
}

func onItsWay(n rollover.SuccessorStatus, servers tally, now time.Time) (text string, since *Moment) {
	switch {
	case servers.all() == 0:
		return n.ID.Short() + " is on its way in; its servers are not known", nil
	case n.Phase == rollover.Ready && n.ReadyAt != nil && !n.ReadyAt.After(now):
		return n.ID.Short() + " is ready to go live; the wait for caches was over", maybe(n.ReadyAt, now)
	case n.Phase == rollover.Published:
		return n.ID.Short() + " is on every server; caches may still lack its records", nil
	}
	return fmt.Sprintf("%s is on %s", n.ID.Short(), outOf(servers.yes, servers.all(), "server", "servers")), nil
}
