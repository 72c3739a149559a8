package rollover

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// Explain is the lineage in a few lines, for people: the pairs, why nothing
// more is done, what they should know and when the next look is due.
func (s LineageStatus) Explain(now time.Time) string {
	var b strings.Builder
	name := s.Name
	line := func(id, phase, text string) {
		fmt.Fprintf(&b, "%-10s  %-8s  %-10s  %s\n", name, id, phase, text)
		name = ""
	}
	if s.Queued != nil {
		line(s.Queued.ID.Short(), "queued", "behind the successor; "+ends(s.Queued.NotAfter, now))
	}
	if n := s.Successor; n != nil {
		line(n.ID.Short(), string(n.Phase), s.readiness(now)+"; "+ends(n.NotAfter, now))
	}
	switch {
	case s.Live != nil:
		line(s.Live.ID.Short(), s.livePhase(), s.served()+"; "+ends(s.Live.NotAfter, now))
	case s.Successor == nil:
		line("-", string(s.Phase), "no pair is live yet")
	}
	if s.Standby != nil {
		line(s.Standby.SPKI[:min(8, len(s.Standby.SPKI))], "standby", s.Standby.readiness(now))
	}
	for _, e := range s.Endpoints {
		line("", "", e.Explain())
	}
	for _, r := range s.Waiting {
		line("", "waiting", string(r.Code)+": "+r.wait(now))
	}
	for _, w := range s.Warnings {
		if !slices.ContainsFunc(s.Waiting, func(r Reason) bool { return r.warning().same(w) }) {
			line("", string(w.Severity), string(w.Code)+": "+w.Text)
		}
	}
	if s.Renewal != nil {
		line("", "renewal", s.Renewal.Explain(now))
	}
	if s.NextLook != nil {
		line("", "next look", at(*s.NextLook, now))
	}
	return b.String()
}

// Next is what comes next, and when, in a few words.
func (s LineageStatus) Next(now time.Time) string {
	switch {
	case s.Successor != nil:
		return s.Successor.ID.Short() + " is " + string(s.Successor.Phase) + ", " + s.readiness(now)
	case s.Live != nil:
		return s.Live.ID.Short() + " is live, " + s.served()
	case len(s.Waiting) > 0:
		return s.Waiting[0].wait(now)
	}
	return "nothing is on its way"
}

// Explain says in one line when the next certificate is ordered, and why then.
func (r RenewalStatus) Explain(now time.Time) string {
	switch {
	case r.At == nil:
		return "none: " + r.Reason
	case r.Tries > 0:
		return fmt.Sprintf("ordered again %s, after %d that failed: %s", at(*r.At, now), r.Tries, r.Reason)
	}
	return "ordered " + at(*r.At, now) + ": " + r.Reason
}

// Explain is the endpoint in one line: who has it, whether it is signed and
// whether what is served matches.
func (e EndpointStatus) Explain() string {
	text := fmt.Sprintf("%s: %d records", e.URL, len(e.Records))
	switch len(e.Records) {
	case 0:
		text = e.URL + ": no records"
	case 1:
		text = e.URL + ": 1 record"
	}
	if e.Target != "" && e.Target != e.Owner {
		text += " at " + string(e.Target)
	}
	return fmt.Sprintf("%s, %s, verified: %s", text, e.Security, e.Verified)
}

func (s LineageStatus) livePhase() string {
	switch {
	case s.Swapping != nil:
		return "settling"
	case s.Successor == nil && s.Phase == Retiring:
		return "retiring"
	}
	return "active"
}

// readiness says when the successor may go live, and on how many servers it is.
func (s LineageStatus) readiness(now time.Time) string {
	have, all := s.convergence()
	on := fmt.Sprintf("on %d of %d servers", have, all)
	n := s.Successor
	switch {
	case s.Held != nil && s.Held.Chain == n.ID && s.Held.Again.After(now):
		return "held, tried again " + at(s.Held.Again, now)
	case n.ReadyAt == nil:
		return "ready: not known yet, " + on
	case n.ReadyAt.After(now):
		return "ready " + at(*n.ReadyAt, now) + ", " + on
	}
	return "ready since " + Stamp(*n.ReadyAt) + ", " + on
}

func (s StandbyStatus) readiness(now time.Time) string {
	switch {
	case s.Phase == Ready:
		return "a certificate of it is swapped in at once, since " + Stamp(*s.ReadyAt)
	case s.Phase == Generated:
		return "not on every server yet"
	case s.ReadyAt == nil:
		return "published; ready: not known yet"
	case !s.ReadyAt.After(now):
		return "published; seen too seldom on a server yet"
	}
	return "published; ready " + at(*s.ReadyAt, now)
}

func (s LineageStatus) convergence() (have, all int) {
	type place struct {
		owner   tlsa.Owner
		address string
	}
	counted := map[place]bool{}
	for _, e := range s.Endpoints {
		for _, v := range e.Servers {
			if p := (place{e.Owner, v.Address}); !counted[p] {
				counted[p] = true
				all++
				if v.Converged == Yes {
					have++
				}
			}
		}
	}
	return have, all
}

// served says at how many addresses the live leaf was seen.
func (s LineageStatus) served() string {
	seen, total := map[string]bool{}, map[string]bool{}
	for _, e := range s.Endpoints {
		for _, c := range e.Served {
			total[c.Address] = true
			if c.Leaf != nil && *c.Leaf == s.Live.Leaf {
				seen[c.Address] = true
			}
		}
	}
	if len(total) == 0 {
		return "no address has been looked at"
	}
	return fmt.Sprintf("served at %d of %d addresses", len(seen), len(total))
}

func ends(notAfter, now time.Time) string {
	if now.Before(notAfter) {
		return "ends in " + span(notAfter.Sub(now))
	}
	return "ended " + span(now.Sub(notAfter)) + " ago"
}

func at(t, now time.Time) string {
	if !t.After(now) {
		return "now"
	}
	return "in " + span(t.Sub(now)) + " (" + Stamp(t) + ")"
}

// wait is the reason with how long it will last, unless it says until when: see [ForPeople].
func (r Reason) wait(now time.Time) string {
	if !r.Until.After(now) || strings.Contains(r.Text, Stamp(r.Until)) {
		return r.Text
	}
	return r.Text + " (in " + span(r.Until.Sub(now)) + ")"
}

// span is a duration in the two largest of its units.
func span(d time.Duration) string {
	const day = 24 * time.Hour
	switch d = max(d, 0); {
	case d >= 3*day:
		return fmt.Sprintf("%d days", d/day)
	case d >= time.Hour:
		return fmt.Sprintf("%dh%02dm", d/time.Hour, d%time.Hour/time.Minute)
	case d >= time.Minute:
		return fmt.Sprintf("%dm%02ds", d/time.Minute, d%time.Minute/time.Second)
	}
	return fmt.Sprintf("%ds", (d+time.Second-1)/time.Second)
}
