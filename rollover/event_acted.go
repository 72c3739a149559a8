package rollover

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// Acted are the events of an action by whose end [Done] made one state of another. A DNS
// change that failed is none: it is tried again, and warned of.
func Acted(was, is State, action Action, r Result, now time.Time) []Event {
	of := func(lineage string) passage {
		return passage{lineage, was.Lineages[lineage], is.Lineages[lineage], is.Chains, now}
	}
	switch a := action.(type) {
	case Publish:
		return changed(was, a.Change, r, RecordsPut, a.Added(), now)
	case Retire:
		return changed(was, a.Change, r, RecordsGone, a.Removed(), now)
	case Retime:
		return changed(was, a.Change, r, Retimed, nil, now)
	case Swap:
		return of(a.Lineage).swapped(a, r)
	case Back:
		return of(a.Lineage).undone(a, r)
	case Adopt:
		if p := of(a.Lineage); r.Err == "" {
			return []Event{p.of(a.Chain, Adopted, "%s is live: it was installed and served", a.Chain.Short())}
		}
	case Discard:
	}
	return nil
}

// changed tells each lineage whose records stand there of a change: an RRset is shared.
func changed(s State, c Change, r Result, kind EventKind, records []tlsa.Association, now time.Time) []Event {
	if r.Err != "" {
		return nil
	}
	e := Event{At: now, Kind: kind, Owner: c.Owner}
	for _, a := range records {
		e.Records = append(e.Records, a.String())
	}
	switch {
	case kind == Retimed:
		e.Text = fmt.Sprintf("%s: ttl %s -> %s", c.Owner, c.Before.TTL, c.After.TTL)
	case len(records) == 0:
		return nil
	case kind == RecordsPut:
		e.Text = fmt.Sprintf("%s: +(%s)", c.Owner, shortly(records))
	default:
		e.Text = fmt.Sprintf("%s: -(%s)", c.Owner, shortly(records))
	}
	var events []Event
	for _, name := range concerned(s, records) {
		e.Lineage = name
		events = append(events, e)
	}
	return events
}

// concerned are the lineages of a group with a pair that a record is of, or all of them
// where none is known to have one.
func concerned(s State, records []tlsa.Association) []string {
	all := slices.Sorted(maps.Keys(s.Lineages))
	has := slices.DeleteFunc(slices.Clone(all), func(name string) bool {
		l := s.Lineages[name]
		keys := []string{l.Standby.Data}
		for _, id := range []tlsa.ChainID{l.Live, l.Successor, l.Queued, l.Previous} {
			if chain := s.Chains[id]; chain != nil {
				keys = append(keys, chain.SPKI())
			}
		}
		return !slices.ContainsFunc(records, func(a tlsa.Association) bool { return slices.Contains(keys, a.Data) })
	})
	if len(has) == 0 {
		return all
	}
	return has
}

// swapped is the end of a swap, and the pair that comes next then.
func (p passage) swapped(a Swap, r Result) []Event {
	sw := p.was.Swapping
	if sw == nil || sw.To != a.To {
		return nil
	}
	var e Event
	switch {
	case r.Err == "":
		e = p.of(a.To, Swapped, "%s -> %s", before(a.From), a.To.Short())
		if sw.Forced != "" {
			e.Text += ", before every cache has what it needs: " + sw.Forced
		}
	case r.Switched:
		e = p.of(a.To, SwapFell, "%s -> %s: installed, and then: %s", before(a.From), a.To.Short(), r.Err)
	default:
		e = p.of(a.To, SwapFell, "%s -> %s: nothing was changed: %s", before(a.From), a.To.Short(), r.Err)
	}
	e.From = a.From
	events := []Event{e}
	if p.is.Successor != p.was.Successor && p.is.Successor != "" {
		events = append(events, p.admitted("queue"))
	}
	return events
}

// before is the pair that was live, in a few words.
func before(id tlsa.ChainID) string {
	if id == "" {
		return "nothing"
	}
	return id.Short()
}

// undone is the end of the way back. Where nothing was put back it is tried again.
func (p passage) undone(a Back, r Result) []Event {
	if sw := p.was.Swapping; sw == nil || sw.To != a.From || r.Err != "" && !r.Switched {
		return nil
	}
	why := ""
	if p.is.Held != nil {
		why = ": " + p.is.Held.Text
	}
	e := p.of(a.To, RolledBack, "%s -> %s%s", a.From.Short(), a.To.Short(), why)
	e.From = a.From
	return []Event{e}
}
