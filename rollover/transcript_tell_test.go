package rollover_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/internal/sim"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// told is what the reader knows already.
type told struct {
	quiet    bool
	pass     time.Time
	phase    map[string]string
	waits    map[string]map[subject]rollover.Reason
	warnings map[string]map[subject]rollover.Warning
	refusals map[string]bool
	refused  time.Time // since when some sender cannot deliver
}

// subject is what makes a reason or a warning the same as one before.
type subject struct {
	code  rollover.Code
	about string
	nth   int // of several reasons that say no more
}

// line tells one thing that happens now.
func (s *story) line(kind, format string, args ...any) {
	if !s.told.quiet {
		text := strings.TrimSpace(s.text(fmt.Sprintf(format, args...)))
		fmt.Fprintf(&s.out, "%-11s %-7s %s\n", s.since(s.Now), kind, text)
	}
}

// tell tells what is new since it was last called.
func (s *story) tell() {
	if s.Passed.Equal(s.told.pass) {
		s.tellRefusals()
		return
	}
	s.told.pass = s.Passed
	for _, a := range s.Plan.Actions {
		if err, begun := s.Ended(a); begun {
			s.tellAction(a, err)
		}
	}
	for _, d := range rollover.Describe(s.State, s.Policy, s.Now) {
		s.tellLineage(d)
	}
	s.tellRefusals()
}

// tellAction tells what was done, and how it ended.
func (s *story) tellAction(a rollover.Action, err string) {
	var text string
	switch a := a.(type) {
	case rollover.Publish:
		text = "publish " + s.change(a.Change, err)
		if r := s.repair(a.Owner); slices.ContainsFunc(a.Added(), func(a tlsa.Association) bool { return slices.Contains(r.Records, a) }) && r.At.Equal(s.Passed) {
			text = "repair: " + text
			s.repairs++
		}
	case rollover.Retire:
		text = "retire " + s.change(a.Change, err)
	case rollover.Retime:
		text = "retime " + s.change(a.Change, err)
	case rollover.Swap:
		text = s.swap(a)
		s.swaps++
	case rollover.Back:
		text = fmt.Sprintf("back %s -> %s", s.pair(a.From), s.pair(a.To))
	case rollover.Adopt:
		text = "adopt " + s.pair(a.Chain)
	case rollover.Discard:
		names := make([]string, len(a.Chains))
		for i, id := range a.Chains {
			names[i] = s.pair(id)
		}
		slices.Sort(names)
		text = "forget the copies of " + strings.Join(names, ", ")
	}
	if err != "" {
		text += "; it failed: " + err
	}
	s.line("does", "%s", text)
}

func (s *story) swap(a rollover.Swap) string {
	if a.From == "" {
		return "swap in " + s.pair(a.To)
	}
	return fmt.Sprintf("swap %s -> %s", s.pair(a.From), s.pair(a.To))
}

// repair is what was last put right at a target.
func (s *story) repair(target tlsa.Owner) rollover.Repair {
	for _, l := range s.State.Owners {
		if l.Target == target {
			return l.Repair
		}
	}
	return rollover.Repair{}
}

func (s *story) change(c rollover.Change, err string) string {
	var parts []string
	if as := c.Added(); len(as) > 0 {
		parts = append(parts, s.recordsOf(as))
	}
	if as := c.Removed(); len(as) > 0 {
		parts = append(parts, s.recordsOf(as))
	}
	if c.Before.TTL != c.After.TTL && !c.Before.Denial() && !c.After.Denial() {
		parts = append(parts, "ttl "+span(c.Before.TTL)+" -> "+span(c.After.TTL))
	}
	where := ""
	if c.Owner != sim.Owner25(s.T) {
		where = " at " + string(c.Owner)
	}
	if err != "" {
		return strings.Join(parts, ", ") + where
	}
	return strings.Join(parts, ", ") + where + " (now there: " + s.rrset(c.After) + ")"
}

// tellLineage tells where a lineage stands, as far as that is new.
func (s *story) tellLineage(d rollover.LineageStatus) {
	of := ""
	if len(s.lineages) > 1 {
		of = d.Name + ": "
	}
	if s.told.phase == nil {
		s.told.phase, s.told.waits, s.told.warnings = map[string]string{}, map[string]map[subject]rollover.Reason{}, map[string]map[subject]rollover.Warning{}
	}
	if now := phase(d); now != s.told.phase[d.Name] {
		s.told.phase[d.Name] = now
		s.line("phase", "%s%s", of, headline(d, s.Now))
	}
	before, warned := s.told.warnings[d.Name], map[subject]rollover.Warning{}
	for _, v := range d.Warnings {
		about := subject{code: v.Code, about: v.About}
		if _, known := before[about]; !known {
			s.line(string(v.Severity), "%s%s: %s", of, v.Code, v.Text)
		}
		warned[about] = v
	}
	for about := range ordered(before) {
		if _, still := warned[about]; !still {
			s.line("over", "%s%s %s", of, about.code, about.about)
		}
	}
	s.told.warnings[d.Name] = warned
	s.tellWaits(d, of)
}

// headline says where a lineage is, and what comes next.
func headline(d rollover.LineageStatus, now time.Time) string {
	if d.Successor != nil {
		return d.Next(now)
	}
	return string(d.Phase) + ": " + d.Next(now)
}

// phase is a phase, and whose.
func phase(d rollover.LineageStatus) string {
	text := string(d.Phase)
	if d.Successor != nil {
		text += string(d.Successor.ID)
	}
	if d.Live != nil {
		text += string(d.Live.ID)
	}
	return text
}

// tellWaits tells what a lineage waits for, where that is new or its end is known
// or moved.
func (s *story) tellWaits(d rollover.LineageStatus, of string) {
	before, waits := s.told.waits[d.Name], map[subject]rollover.Reason{}
	for _, r := range s.inOrder(d.Waiting) {
		about := subject{code: r.Code, about: r.About}
		for ; waits[about].Code != ""; about.nth++ {
		}
		was, known := before[about]
		moved := was.Text != r.Text && (r.Until.Sub(was.Until).Abs() > time.Minute || r.Until.IsZero() != was.Until.IsZero())
		if _, warned := s.told.warnings[d.Name][subject{code: r.Code, about: r.About}]; !warned && (!known || moved) {
			s.line("waits", "%s%s: %s", of, r.Code, r.Text)
		}
		waits[about] = r
	}
	s.told.waits[d.Name] = waits
}

// inOrder is the order in which reasons come, but for those that differ in the text
// alone: they come in the order of hashes, which nobody wants to tell.
func (s *story) inOrder(rs []rollover.Reason) []rollover.Reason {
	rs = slices.Clone(rs)
	for i := range rs {
		for j := i; j > 0 && rs[j].Code == rs[j-1].Code && rs[j].About == rs[j-1].About && s.text(rs[j].Text) < s.text(rs[j-1].Text); j-- {
			rs[j], rs[j-1] = rs[j-1], rs[j]
		}
	}
	return rs
}

func ordered[V any](m map[subject]V) func(func(subject) bool) {
	keys := make([]subject, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b subject) int {
		return strings.Compare(string(a.code)+a.about, string(b.code)+b.about)
	})
	return slices.Values(keys)
}

// tellRefusals tells which senders cannot deliver, as the world judges it, and
// when all can again.
func (s *story) tellRefusals() {
	all, _ := s.Refusals()
	if len(all) == 0 {
		if len(s.told.refusals) > 0 {
			s.line("heals", "everybody can deliver again, after %s", span(s.Now.Sub(s.told.refused).Truncate(time.Second)))
			s.told.refusals = nil
		}
		return
	}
	if s.told.refusals == nil {
		s.told.refusals, s.told.refused = map[string]bool{}, s.Now
	}
	for _, r := range all {
		text := fmt.Sprintf("who holds %s cannot deliver to %s, which presents %s", s.recordsOf(r.Answer.Associations), r.Address, s.pair(r.Chain))
		if r.Chain == "" {
			text = fmt.Sprintf("who holds %s cannot deliver to %s, which has no TLS", s.recordsOf(r.Answer.Associations), r.Address)
		}
		if !s.told.refusals[text] {
			s.told.refusals[text] = true
			s.line("FAILS", "%s", text)
		}
	}
}

// status is what tlsaroll status prints.
func (s *story) status() {
	for _, d := range rollover.Describe(s.State, s.Policy, s.Now) {
		text := d.Explain(s.Now)
		for id, name := range s.pairs {
			text = strings.ReplaceAll(text, id.Short()+"  ", fmt.Sprintf("%-8s  ", name))
		}
		s.out.WriteString(s.text(text))
	}
}

// records tells what stands where.
func (s *story) records() {
	for _, owner := range s.owners() {
		stands := s.Zone[owner].RRset
		fmt.Fprintf(&s.out, "%s has %s", owner, s.rrset(stands))
		for _, v := range s.Servers {
			got, up := v.Gives(owner)
			switch {
			case !up:
				fmt.Fprintf(&s.out, "; %s gives no answer", short(v))
			case !got.Same(stands) || got.TTL != stands.TTL:
				fmt.Fprintf(&s.out, "; %s gives %s", short(v), s.rrset(got))
			}
		}
		s.out.WriteString("\n")
	}
}

func short(v *sim.Server) string {
	name, _, _ := strings.Cut(v.Name, ".")
	return name
}

// owners are the names that have, or may get, records.
func (s *story) owners() []tlsa.Owner {
	var owners []tlsa.Owner
	for _, p := range s.Policy.Lineages {
		for _, e := range p.Endpoints {
			for _, owner := range e.Owners() {
				owners = append(owners, s.writtenAt(owner))
			}
		}
	}
	for owner, r := range s.Zone {
		if !r.RRset.Denial() {
			owners = append(owners, owner)
		}
	}
	slices.Sort(owners)
	return slices.Compact(owners)
}

// writtenAt is where the records of an owner name stand.
func (s *story) writtenAt(owner tlsa.Owner) tlsa.Owner {
	if target, alias := s.Target[owner]; alias {
		return target
	}
	return owner
}

// ledger tells which answers are reckoned with, and until when.
func (s *story) ledger() {
	for _, owner := range s.owners() {
		for _, at := range slices.Sorted(maps.Keys(s.State.Owners)) {
			if s.writtenAt(at) != owner {
				continue
			}
			for _, v := range s.State.Owners[at].Versions {
				what := s.rrset(v.RRset)
				if v.Unknown {
					what = "anything; ttl " + span(v.RRset.TTL)
				}
				dead := v.Served.Add(s.Policy.Timing.PublicationInterval(v.RRset.TTL))
				switch {
				case len(v.By) > 0 || v.InCopy:
					what += ": given now"
				case s.Now.Before(dead):
					what += ": may be held until T+" + s.since(dead)
				default:
					what += ": dead since T+" + s.since(dead)
				}
				fmt.Fprintf(&s.out, "%s %s\n", at, what)
			}
		}
	}
}

// plan tells when the next looks are due, and what for.
func (s *story) plan() {
	fmt.Fprintf(&s.out, "looks at servers at T+%s, at addresses at T+%s\n", s.since(s.Plan.LookDNS), s.since(s.Plan.LookServed))
	for _, lineage := range s.lineages {
		for _, r := range s.Plan.Waiting[lineage] {
			fmt.Fprintf(&s.out, "%s waits: %s: %s\n", lineage, r.Code, s.text(r.Text))
		}
	}
}
