package page

import (
	"fmt"
	"slices"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
)

// Lineage is all there is to say of one.
type Lineage struct {
	Name     string
	Identity string
	Link     string // to the page about it alone; "" on that page
	Tone     Tone
	Badge    Badge
	Sentence string  // what goes on
	When     *Moment // when that ends, nil: not known
	Ends     *Moment // when the live certificate does
	Next     *Moment // when something is done, nil: not known, or at any moment
	Stale    bool    // it was not looked at since the program began
	Urgent   bool    // somebody is needed
	Errors   int
	Warnings int

	Troubles  []Trouble
	Waits     []Wait
	Timeline  *Timeline // of the rollover, nil where none goes on
	Life      *Life     // of the live pair, nil while one is being replaced
	Pairs     []Pair
	Standby   *Standby
	Renewal   *Renewal
	Endpoints []Endpoint
	History   []Past
	NextLook  *Moment
}

// Pair is a certificate that has a part.
type Pair struct {
	Role, Short, ID, Leaf, SPKI string
	Ends                        *Moment
	Tone                        Tone
}

// Standby is a key that is published ahead.
type Standby struct {
	Record, Phase string
	Ready         *Moment
}

// Renewal is the next order for a certificate.
type Renewal struct {
	At            *Moment
	Reason, Error string
	Tries         int
	Again         *Moment
}

func lineage(s rollover.LineageStatus, now time.Time) Lineage {
	name := harmless(s.Name)
	l := Lineage{Name: name, Identity: "lineage-" + identity(s.Name), NextLook: maybe(s.NextLook, now),
		Troubles: troubles(s.Warnings, endOf(s, now)), Waits: waits(s, now),
		Timeline: timeline(s, now), Pairs: pairs(s, now), History: history(s.Rollovers, now)}
	for _, w := range s.Warnings {
		switch w.Severity {
		case rollover.Danger:
			l.Errors++
		case rollover.Warn:
			l.Warnings++
		case rollover.Info:
		}
	}
	if s.Live != nil {
		l.Ends = moment(s.Live.NotAfter, now)
	}
	l.Badge = badge(s)
	l.Sentence, l.When = sentence(s, now)
	if l.When != nil && l.When.ahead {
		l.Next = l.When
	}
	switch {
	case l.Errors > 0:
		l.Tone = Bad
	case l.Warnings > 0:
		l.Tone = Doubtful
	default:
		l.Tone = l.Badge.Tone
	}
	l.Urgent = l.Tone == Bad
	if l.Timeline == nil {
		l.Life = life(s, now)
	}
	if b := s.Standby; b != nil {
		l.Standby = &Standby{harmless(b.Record), harmless(string(b.Phase)), maybe(b.ReadyAt, now)}
	}
	if r := s.Renewal; r != nil {
		l.Renewal = &Renewal{maybe(r.At, now), harmless(r.Reason), harmless(r.Error), r.Tries, maybe(r.Again, now)}
	}
	for i, e := range s.Endpoints {
		l.Endpoints = append(l.Endpoints, endpoint(fmt.Sprintf("%s-endpoint-%d", l.Identity, i), s, e))
	}
	return l
}

// Unfold shows all there is, for a page of its own.
func (l *Lineage) Unfold() {
	for i := range l.Endpoints {
		l.Endpoints[i].Open = true
	}
}

// badge is the lineage's phase in the words of RFC 7583, or why it stands still.
func badge(s rollover.LineageStatus) Badge {
	switch {
	case held(s):
		return Badge{Bad, "held"}
	case s.Swapping != nil:
		return Badge{Moving, "swapping"}
	case s.Phase == rollover.Steady && s.Live == nil:
		return Badge{Plain, "no pair yet"}
	case s.Phase == rollover.Steady:
		return Badge{Good, "steady"}
	}
	return Badge{Moving, harmless(string(s.Phase))}
}

// held reports whether a swap was undone and is not tried yet.
func held(s rollover.LineageStatus) bool {
	return s.Held != nil && s.Successor != nil && s.Held.Chain == s.Successor.ID
}

// sentence says what goes on in a lineage, and when that ends if it is known.
func sentence(s rollover.LineageStatus, now time.Time) (text string, when *Moment) {
	servers, addresses := converged(s), presented(s)
	switch {
	case held(s):
		return fmt.Sprintf("The swap to %s was undone, and the pair before is live; it is tried again", s.Successor.ID.Short()), maybe(&s.Held.Again, now)
	case s.Swapping != nil:
		return swapping(*s.Swapping), nil
	case s.Successor != nil:
		return onItsWay(*s.Successor, servers, now)
	case s.Live == nil:
		return "No pair is live yet", nil
	case s.Phase == rollover.Retiring:
		if when := retires(s, now); when != nil {
			return s.Live.ID.Short() + " is live; the records that nobody needs any more leave", when
		}
		return s.Live.ID.Short() + " is live; records of others stay as long as they are needed", nil
	case addresses.all() == 0:
		return s.Live.ID.Short() + " is live; no address has been looked at", nil
	}
	return fmt.Sprintf("%s is live, served at %d of %s", s.Live.ID.Short(), addresses.yes, number(addresses.all(), "address", "addresses")), nil
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

func onItsWay(n rollover.SuccessorStatus, servers tally, now time.Time) (text string, when *Moment) {
	ready := n.ReadyAt != nil && !n.ReadyAt.After(now)
	switch {
	case n.Phase == rollover.Ready && ready:
		return n.ID.Short() + " is ready to go live; the wait for caches was over", maybe(n.ReadyAt, now)
	case n.Phase == rollover.Published && n.ReadyAt != nil:
		return n.ID.Short() + " is on every server; it may go live when no cache lacks its records,", maybe(n.ReadyAt, now)
	case n.ReadyAt != nil:
		return fmt.Sprintf("%s is on %d of %s, and may go live", n.ID.Short(), servers.yes, number(servers.all(), "server", "servers")), maybe(n.ReadyAt, now)
	}
	return fmt.Sprintf("%s is on %d of %s; the wait for caches has not begun", n.ID.Short(), servers.yes, number(servers.all(), "server", "servers")), nil
}

// pairs are those of a lineage, the live one first.
func pairs(s rollover.LineageStatus, now time.Time) (out []Pair) {
	add := func(role string, p *rollover.PairStatus) {
		if p == nil {
			return
		}
		tone := Plain
		if !p.NotAfter.After(now) {
			tone = Bad
		}
		out = append(out, Pair{role, harmless(p.ID.Short()), harmless(string(p.ID)), harmless(p.Leaf), harmless(p.SPKI), moment(p.NotAfter, now), tone})
	}
	add("live", s.Live)
	if s.Successor != nil {
		add("successor", &s.Successor.PairStatus)
	}
	add("queued", s.Queued)
	return out
}

// Past is a rollover of the past.
type Past struct {
	Began, Swapped, Ended *Moment
	Took                  string
}

// history is what is over, the newest first.
func history(periods []rollover.Period, now time.Time) (out []Past) {
	for _, p := range slices.Backward(periods) {
		if !p.Ended.IsZero() {
			out = append(out, Past{moment(p.Began, now), maybe(&p.Swapped, now), moment(p.Ended, now), span(p.Ended.Sub(p.Began))})
		}
	}
	return out
}
