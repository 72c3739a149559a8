package rollover

import (
	"slices"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// accounting is one look at one owner name, or one change of it, to be entered
// into its ledger.
type accounting struct {
	*Ledger
	waits
	assumed time.Duration // TTL of the unknown first version
	now     time.Time
}

// elsewhere stands in [Version.By] for servers that nobody has told us of.
const elsewhere = "?"

// enter records one look at all servers.
func (a *accounting) enter(view OwnerView, excluded map[string]bool) {
	if a.Since.IsZero() {
		a.Since = a.now
		a.unknown()
	}
	view = a.believed(view)
	a.place(view)
	a.elapse()
	a.drop(func(s Server) bool { return excluded[s.Address] })
	for _, sv := range view.Servers {
		if !excluded[sv.Address] {
			a.answer(sv)
		}
	}
	if view.Err == "" {
		a.list(view.Servers)
	} else {
		a.unlisting(view)
	}
	a.judgeUntested()
	a.darkness()
	a.settleCopy()
	a.compare()
	a.assume()
	a.prune()
	a.Looked = a.now
}

// place notes where the records stand. What could not be found out stays as it was.
func (a *accounting) place(view OwnerView) {
	if a.Security != view.Security || a.Judged.IsZero() {
		a.Judged = a.now
	}
	switch {
	case view.Err == "":
		a.Lost = time.Time{}
	case a.Lost.IsZero():
		a.Lost = a.now
	}
	a.Security, a.Text, a.Err, a.Findings = view.Security, view.SecurityText, view.Err, view.Findings
	if a.Target != "" && (view.Target == "" || view.Zone == "" && view.Err != "") {
		return
	}
	if a.Target != "" && (view.Target != a.Target || view.Provider != a.Provider) {
		a.leave(func(Version) bool { return true }) // the copy that we knew is that of another place
		a.CopyRead = time.Time{}
	}
	a.Target, a.Zone, a.Provider, a.AliasTTL = view.Target, view.Zone, view.Provider, view.AliasTTL
}

// elapse counts the span since the last look as served: whoever gave a version
// then may have given it until now.
func (a *accounting) elapse() {
	for i := range a.Versions {
		if a.Versions[i].current() {
			a.Versions[i].Served = a.now
		}
	}
}

// compare notes since when each server's answers differ from what stands.
func (a *accounting) compare() {
	standing := a.latest()
	for i := range a.Servers {
		switch s := &a.Servers[i]; {
		case !s.Seen.Equal(a.now): // it said nothing new
		case !s.speaks(), s.gave(standing):
			s.Behind = time.Time{}
		case s.Behind.IsZero():
			s.Behind = a.now
		}
	}
}

// assume keeps the TTL of the unknown first version at what the operator says,
// and never shorter than what is seen (DESIGN 4.4).
func (a *accounting) assume() {
	for i := range a.Versions {
		if a.Versions[i].Unknown {
			a.Versions[i].RRset.TTL = max(a.assumed, a.longestTTL(func(v Version) bool { return !v.Unknown }))
		}
	}
}

// answer enters what one server gave, or that it gave nothing.
func (a *accounting) answer(sv ServerView) {
	s := a.server(sv)
	s.Name, s.Alias = sv.Name, sv.Alias
	if !sv.Retained {
		s.NSTTL, s.Unlisted = max(s.NSTTL, sv.NSTTL), time.Time{}
	}
	switch {
	case sv.Untested:
		s.Untested = true
		return
	case s.Untested:
		s.Untested = false
		a.suspect(s.Address, time.Time{}) // seen for the first time, as far as we can tell
	}
	if !sv.Answer.Known() {
		a.miss(s, sv.Answer.Err)
		return
	}
	if s.outOfSight(a.now) {
		a.suspect(s.Address, s.Missing) // it may have given anything meanwhile
	}
	s.Seen, s.Missing, s.Err = a.now, time.Time{}, ""
	s.Unsigned, s.SignedUntil = sv.Unsigned, sv.SignedUntil
	a.release(s.Address)
	if sv.Alias {
		s.Holds = nil
		return
	}
	if a.surprises(s, sv.Answer.Value) {
		a.CopyRead = time.Time{} // somebody else was there: what we know of the copy is worth nothing now
	}
	v := a.version(sv.Answer.Value)
	v.By = append(slices.Clone(v.By), s.Address)
	s.Holds = counted(s.Holds, sv.Answer.Value, a.now)
}

// surprises reports whether a server gives what cannot come of the provider's
// copy as we know it: it lost a record that the copy has, or has one that neither
// the copy nor any earlier answer had.
func (a *accounting) surprises(s *Server, answer tlsa.RRset) bool {
	for i := range a.Versions {
		v := &a.Versions[i]
		if !v.InCopy {
			continue
		}
		for _, h := range s.Holds {
			if v.RRset.Has(h.Association) && !answer.Has(h.Association) {
				return true
			}
		}
	}
	return slices.ContainsFunc(answer.Associations, func(as tlsa.Association) bool {
		return !slices.ContainsFunc(a.Versions, func(v Version) bool { return v.RRset.Has(as) })
	})
}

// server finds the entry of an address, or makes it: a new server counts as
// having given every version that was not dead when the servers were last
// listed without it (DESIGN 4.12).
func (a *accounting) server(sv ServerView) *Server {
	i := slices.IndexFunc(a.Servers, func(s Server) bool { return s.Address == sv.Address })
	if i < 0 {
		a.Servers = append(a.Servers, Server{Name: sv.Name, Address: sv.Address, Untested: sv.Untested})
		i = len(a.Servers) - 1
		if !sv.Untested {
			a.suspect(sv.Address, a.Listed)
		}
	}
	return &a.Servers[i]
}

// miss enters a look without an answer. A silence made good within a minute
// does not count (DESIGN 4.1).
func (a *accounting) miss(s *Server, why string) {
	s.Err = why
	if s.Missing.IsZero() {
		s.Missing = a.now
	}
	if s.outOfSight(a.now) {
		a.suspect(s.Address, s.Missing)
	}
}

// suspect makes a server one that may be giving every version that was not dead
// at a moment: when it went out of sight.
func (a *accounting) suspect(address string, since time.Time) {
	for i := range a.Versions {
		v := &a.Versions[i]
		if a.alive(*v, since) && !slices.Contains(v.By, address) {
			v.By = append(slices.Clone(v.By), address)
			v.Served = a.now
		}
	}
}

// release takes a server out of all versions; they were served until now.
func (a *accounting) release(address string) {
	a.releaseFrom(address, func(*Version) bool { return true })
}

func (a *accounting) releaseFrom(address string, which func(*Version) bool) {
	for i := range a.Versions {
		v := &a.Versions[i]
		if j := slices.Index(v.By, address); j >= 0 && which(v) {
			v.By = slices.Delete(slices.Clone(v.By), j, j+1)
			v.Served = a.now
		}
	}
}

// version finds the entry for a content and TTL, or makes it, as served now.
func (a *accounting) version(s tlsa.RRset) *Version {
	i := slices.IndexFunc(a.Versions, func(v Version) bool { return !v.Unknown && v.RRset.TTL == s.TTL && v.RRset.Same(s) })
	if i < 0 {
		a.Versions = append(a.Versions, Version{RRset: s})
		i = len(a.Versions) - 1
	}
	a.Versions[i].Served = a.now
	return &a.Versions[i]
}

func counted(holds []Hold, s tlsa.RRset, now time.Time) []Hold {
	out := make([]Hold, 0, len(s.Associations))
	for _, as := range s.Associations {
		h := Hold{as, 1, now}
		if i := slices.IndexFunc(holds, func(h Hold) bool { return h.Association == as }); i >= 0 {
			h = holds[i]
			if now.Sub(h.Last) >= spacing(s.TTL) {
				h.Count, h.Last = min(h.Count+1, looksNeeded), now
			}
		}
		out = append(out, h)
	}
	return out
}

// list notes servers that are no longer named anywhere, and lets them go when
// no cache can still name them (DESIGN 4.12).
func (a *accounting) list(seen []ServerView) {
	for i := range a.Servers {
		s := &a.Servers[i]
		j := slices.IndexFunc(seen, func(sv ServerView) bool { return sv.Address == s.Address })
		if j >= 0 && !seen[j].Retained {
			continue
		}
		if s.Unlisted.IsZero() {
			s.Unlisted = a.now
		}
		if j < 0 && !s.Untested {
			a.miss(s, "no longer listed, and not asked")
		}
	}
	a.drop(func(s Server) bool {
		return !s.Unlisted.IsZero() && !a.now.Before(s.Unlisted.Add(a.PublicationInterval(s.NSTTL)))
	})
	a.release(elsewhere)
	a.Listed = a.now
}

// unlisting enters a look that could not tell which servers there are: those that
// were not asked are silent, and there may be others.
func (a *accounting) unlisting(view OwnerView) {
	for i := range a.Servers {
		s := &a.Servers[i]
		if !s.Untested && !slices.ContainsFunc(view.Servers, func(sv ServerView) bool { return sv.Address == s.Address }) {
			a.miss(s, view.Err)
		}
	}
	if a.now.Sub(a.Listed) > missGrace {
		a.suspect(elsewhere, a.Listed)
	}
}

func (a *accounting) drop(which func(Server) bool) {
	for _, s := range a.Servers {
		if which(s) {
			a.release(s.Address)
		}
	}
	a.Servers = slices.DeleteFunc(a.Servers, which)
}

// judgeUntested lets other addresses of its name speak for an address that this
// host has no route to (DESIGN 4.12).
func (a *accounting) judgeUntested() {
	for _, s := range a.Servers {
		if !s.Untested {
			continue
		}
		var sisters []string
		for _, t := range a.Servers {
			if t.speaksFor(&s) && t.Seen.Equal(a.now) {
				sisters = append(sisters, t.Address)
			}
		}
		if len(sisters) > 0 {
			a.releaseFrom(s.Address, func(v *Version) bool {
				return !slices.ContainsFunc(sisters, func(address string) bool { return slices.Contains(v.By, address) })
			})
		}
	}
}

// darkness notes when every server of a zone on the way is out of sight at once:
// a resolver that serves stale answers may then go on with what it has (RFC 8767,
// section 5).
func (a *accounting) darkness() {
	for _, alias := range []bool{false, true} {
		asked, lit := false, false
		for i := range a.Servers {
			if s := &a.Servers[i]; s.Alias == alias && !s.Untested && s.Unlisted.IsZero() {
				asked = true
				lit = lit || !s.outOfSight(a.now)
			}
		}
		if asked && !lit {
			a.Dark = a.now
		}
	}
}

// leave notes that versions are not in the provider's own copy any more.
func (a *accounting) leave(which func(Version) bool) {
	for i := range a.Versions {
		if v := &a.Versions[i]; v.InCopy && which(*v) {
			v.InCopy, v.Left, v.Served = false, a.now, a.now
		}
	}
}

// settleCopy lets go of what left the provider's own copy, once every server was
// seen after.
func (a *accounting) settleCopy() {
	var oldest time.Time
	asked := false
	for i := range a.Servers {
		if s := &a.Servers[i]; !s.Untested && (!asked || s.Seen.Before(oldest)) {
			oldest, asked = s.Seen, true
		}
	}
	for i := range a.Versions {
		if v := &a.Versions[i]; asked && oldest.After(v.Left) {
			v.Left = time.Time{}
		}
	}
}

// copied enters what was read from the provider's own copy. A record of ours
// that was taken out and is there again, as after a restored backup, is still
// ours.
func (a *accounting) copied(s tlsa.RRset) {
	s.TTL += a.AliasTTL
	a.leave(func(v Version) bool { return !v.RRset.Same(s) || v.RRset.TTL != s.TTL })
	v := a.version(s)
	v.InCopy, v.Left = true, time.Time{}
	a.Ours = union(a.Ours, slices.DeleteFunc(slices.Clone(a.Retired), func(r tlsa.Association) bool { return !s.Has(r) }))
	a.Retired = slices.DeleteFunc(slices.Clone(a.Retired), s.Has)
	a.CopyRead = a.now
}

// written enters what is about to be written: from now on it may be served, and
// what stood before may be still.
func (a *accounting) written(s tlsa.RRset) {
	s.TTL += a.AliasTTL
	v := a.version(s)
	v.InCopy, v.Left = true, time.Time{}
}

// prune forgets what is long dead. Where servers give one content with ever
// changing TTLs, the longest stands for all of them.
func (a *accounting) prune() {
	a.Versions = slices.DeleteFunc(a.Versions, func(v Version) bool {
		dead := a.dead(v)
		return !dead.IsZero() && a.now.After(dead.Add(remember))
	})
	if len(a.Versions) <= manyVersions {
		return
	}
	var kept []Version
	for _, v := range a.Versions {
		i := slices.IndexFunc(kept, func(w Version) bool {
			return !v.Unknown && !w.Unknown && !v.current() && !w.current() && v.RRset.Same(w.RRset)
		})
		if i < 0 {
			kept = append(kept, v)
			continue
		}
		kept[i].RRset.TTL = max(kept[i].RRset.TTL, v.RRset.TTL)
		kept[i].Served = latest(kept[i].Served, v.Served)
	}
	a.Versions = kept
}
