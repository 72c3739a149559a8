package rollover

import (
	"slices"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// A Ledger is what is remembered of one owner name (DESIGN 4.1): every version
// of its RRset that any server may have given, who may be giving it still, and
// which chains its endpoints were seen to present.
type Ledger struct {
	Target   tlsa.Owner         `json:"target"` // where aliases lead to
	Zone     string             `json:"zone,omitempty"`
	Provider string             `json:"provider,omitempty"`
	AliasTTL time.Duration      `json:"alias_ttl,omitempty"` // of all aliases on the way; part of each version's TTL
	Security Security           `json:"security,omitempty"`
	Text     string             `json:"text,omitempty"` // why it is not secure, or why servers are unknown
	Versions []Version          `json:"versions,omitempty"`
	Servers  []Server           `json:"servers,omitempty"`
	Dark     time.Time          `json:"dark,omitzero"`      // when all servers were last out of sight at once
	Since    time.Time          `json:"since"`              // first look
	Looked   time.Time          `json:"looked"`             // last look
	CopyRead time.Time          `json:"copy_read,omitzero"` // last read of the provider's own copy
	Ours     []tlsa.Association `json:"ours,omitempty"`     // records that we published or adopted at Target
	Retired  []tlsa.Association `json:"retired,omitempty"`  // taken out by us, not yet seen gone everywhere

	Addresses []AddressEvidence `json:"addresses,omitempty"`
	Presented []PresentedChain  `json:"presented,omitempty"`
}

// A Version is one content of the RRset with one TTL.
type Version struct {
	RRset   tlsa.RRset `json:"rrset"`
	Unknown bool       `json:"unknown,omitempty"` // content unknown: what stood before the first look
	Served  time.Time  `json:"served"`            // last possibly served
	By      []string   `json:"by,omitempty"`      // server addresses that may be giving it still
	InCopy  bool       `json:"in_copy,omitempty"` // read from or written to the provider's own copy
	Left    time.Time  `json:"left,omitzero"`     // when it left the copy, until every server was seen after
}

// current reports whether some server may be giving the version now, so that
// the time of its death cannot be told.
func (v Version) current() bool { return len(v.By) > 0 || v.InCopy || !v.Left.IsZero() }

// Server is one authoritative address.
type Server struct {
	Name        string        `json:"name"`
	Address     string        `json:"address"`
	NSTTL       time.Duration `json:"ns_ttl,omitempty"`
	Alias       bool          `json:"alias,omitempty"`
	Unlisted    time.Time     `json:"unlisted,omitzero"` // first look that no longer listed it
	Seen        time.Time     `json:"seen,omitzero"`     // last answer
	Missing     time.Time     `json:"missing,omitzero"`  // first look without an answer since
	Err         string        `json:"err,omitempty"`
	Untested    bool          `json:"untested,omitempty"`
	Unsigned    bool          `json:"unsigned,omitempty"`
	SignedUntil time.Time     `json:"signed_until,omitzero"`
	Holds       []Hold        `json:"holds,omitempty"` // what its last answer held
}

// A Hold counts the looks, properly spaced, in which a server gave an association.
type Hold struct {
	Association tlsa.Association `json:"association"`
	Count       int              `json:"count"`
	Last        time.Time        `json:"last"`
}

func (s Server) holds(a tlsa.Association) int {
	for _, h := range s.Holds {
		if h.Association == a {
			return h.Count
		}
	}
	return 0
}

func (l Ledger) clone() Ledger {
	l.Versions = slices.Clone(l.Versions)
	l.Servers = slices.Clone(l.Servers)
	l.Addresses = slices.Clone(l.Addresses)
	l.Presented = slices.Clone(l.Presented)
	return l
}

// accounting is one look at one owner name, to be entered into its ledger.
type accounting struct {
	*Ledger
	timing Timing
	margin time.Duration
	known  time.Duration // TTL assumed of the unknown first version
	now    time.Time
}

// dead is when the last copy of v is gone, zero while it cannot be told.
func (l *Ledger) dead(v Version, t Timing) time.Time {
	if v.current() {
		return time.Time{}
	}
	return v.Served.Add(t.PublicationInterval(v.RRset.TTL))
}

func (l *Ledger) alive(v Version, t Timing, now time.Time) bool {
	dead := l.dead(v, t)
	return dead.IsZero() || now.Before(dead)
}

// enter records one look at all servers.
func (a *accounting) enter(view OwnerView, excluded map[string]bool) {
	first := a.Since.IsZero()
	if first {
		a.Since = a.now
		a.Versions = append(a.Versions, Version{Unknown: true, RRset: tlsa.RRset{TTL: a.known}, Served: a.now})
	}
	a.Target, a.Zone, a.Provider, a.AliasTTL = view.Target, view.Zone, view.Provider, view.AliasTTL
	a.Security, a.Text = view.Security, view.SecurityText
	if view.Err != "" {
		a.Text = view.Err
	}
	a.elapse()
	a.drop(func(s Server) bool { return excluded[s.Address] })
	for _, sv := range view.Servers {
		a.answer(sv, first)
	}
	if view.Err == "" {
		a.unlist(view.Servers)
	} else {
		a.silence(func(Server) bool { return true }, view.Err)
	}
	a.darkness()
	a.settleCopy()
	a.prune()
	a.Looked = a.now
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

// answer enters what one server gave, or that it gave nothing.
func (a *accounting) answer(sv ServerView, first bool) {
	i := slices.IndexFunc(a.Servers, func(s Server) bool { return s.Address == sv.Address })
	if i < 0 {
		if sv.Untested {
			// nothing is known of it, now or ever: another address of its name must speak for it
			a.Servers = append(a.Servers, Server{Name: sv.Name, Address: sv.Address, NSTTL: sv.NSTTL, Untested: true})
			return
		}
		// A new server counts as having given every version not dead (DESIGN 4.12).
		if !first {
			a.suspect(sv.Address)
		}
		a.Servers = append(a.Servers, Server{Name: sv.Name, Address: sv.Address})
		i = len(a.Servers) - 1
	}
	s := &a.Servers[i]
	s.Name, s.NSTTL, s.Alias, s.Untested = sv.Name, max(sv.NSTTL, 0), sv.Alias, sv.Untested
	if !sv.Retained {
		s.Unlisted = time.Time{}
	}
	if sv.Untested {
		return
	}
	if !sv.Answer.Known() {
		a.miss(s, sv.Answer.Err)
		return
	}
	if !s.Missing.IsZero() && a.now.Sub(s.Missing) > missGrace {
		a.suspect(s.Address) // it may have given anything while it was out of sight
	}
	s.Seen, s.Missing, s.Err = a.now, time.Time{}, ""
	s.Unsigned, s.SignedUntil = sv.Unsigned, sv.SignedUntil
	a.release(s.Address)
	if sv.Alias {
		s.Holds = nil
		return
	}
	v := a.version(sv.Answer.Value)
	v.By = append(slices.Clone(v.By), s.Address)
	s.Holds = counted(s.Holds, sv.Answer.Value, a.now)
}

// miss enters a look without an answer. A silence made good within a minute
// does not count (DESIGN 4.1).
func (a *accounting) miss(s *Server, why string) {
	s.Err = why
	if s.Missing.IsZero() {
		s.Missing = a.now
	}
	if a.now.Sub(s.Missing) > missGrace {
		a.suspect(s.Address)
	}
}

func (a *accounting) silence(which func(Server) bool, why string) {
	for i := range a.Servers {
		if s := &a.Servers[i]; which(*s) && !s.Untested {
			a.miss(s, why)
		}
	}
}

// suspect makes a server one that may be giving every version not dead, as of
// when it went out of sight.
func (a *accounting) suspect(address string) {
	since := a.now
	if i := slices.IndexFunc(a.Servers, func(s Server) bool { return s.Address == address }); i >= 0 && !a.Servers[i].Missing.IsZero() {
		since = a.Servers[i].Missing
	}
	for i := range a.Versions {
		v := &a.Versions[i]
		if a.alive(*v, a.timing, since) && !slices.Contains(v.By, address) {
			v.By = append(slices.Clone(v.By), address)
			v.Served = a.now
		}
	}
}

// release takes a server out of all versions; they were served until now.
func (a *accounting) release(address string) {
	for i := range a.Versions {
		v := &a.Versions[i]
		if j := slices.Index(v.By, address); j >= 0 {
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
	for j := range a.Versions {
		if v := &a.Versions[j]; v.Unknown {
			v.RRset.TTL = max(v.RRset.TTL, s.TTL) // never assumed shorter than what is seen (DESIGN 4.4)
		}
	}
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

// unlist notes servers that are no longer named anywhere, and lets them go when
// no cache can still name them (DESIGN 4.12).
func (a *accounting) unlist(seen []ServerView) {
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
		return !s.Unlisted.IsZero() && !a.now.Before(s.Unlisted.Add(a.timing.PublicationInterval(s.NSTTL)))
	})
}

func (a *accounting) drop(which func(Server) bool) {
	for _, s := range a.Servers {
		if which(s) {
			a.release(s.Address)
		}
	}
	a.Servers = slices.DeleteFunc(a.Servers, which)
}

// darkness notes when every server is out of sight at once: a resolver that
// serves stale answers may then go on with what it has (RFC 8767, section 5).
func (a *accounting) darkness() {
	asked := false
	for _, s := range a.Servers {
		if s.Untested {
			continue
		}
		if s.Missing.IsZero() || a.now.Sub(s.Missing) <= missGrace {
			return
		}
		asked = true
	}
	if asked {
		a.Dark = a.now
	}
}

// settleCopy lets go of what left the provider's own copy, once every server was seen after.
func (a *accounting) settleCopy() {
	for i := range a.Versions {
		v := &a.Versions[i]
		if v.Left.IsZero() {
			continue
		}
		if !slices.ContainsFunc(a.Servers, func(s Server) bool { return !s.Untested && !s.Seen.After(v.Left) }) {
			v.Left = time.Time{}
		}
	}
}

// copied enters what was read from the provider's own copy.
func (a *accounting) copied(s tlsa.RRset) {
	s.TTL += a.AliasTTL
	for i := range a.Versions {
		v := &a.Versions[i]
		if v.InCopy && !(v.RRset.Same(s) && v.RRset.TTL == s.TTL) {
			v.InCopy, v.Left, v.Served = false, a.now, a.now
		}
	}
	v := a.version(s)
	v.InCopy, v.Left = true, time.Time{}
}

// written enters what is about to be written: from now on it may be served, and
// what stood before may be still.
func (a *accounting) written(s tlsa.RRset) {
	s.TTL += a.AliasTTL
	a.version(s).InCopy = true
}

// prune forgets what is long dead and what another entry outlives.
func (a *accounting) prune() {
	a.Versions = slices.DeleteFunc(a.Versions, func(v Version) bool {
		dead := a.dead(v, a.timing)
		return !dead.IsZero() && a.now.After(dead.Add(remember))
	})
	if len(a.Versions) < 8 {
		return
	}
	kept := slices.Clone(a.Versions)
	a.Versions = slices.DeleteFunc(kept, func(v Version) bool {
		return !v.current() && slices.ContainsFunc(a.Versions, func(w Version) bool {
			return !v.Unknown && !w.Unknown && v.RRset.Same(w.RRset) && v.RRset.TTL < w.RRset.TTL && !w.Served.Before(v.Served)
		})
	})
}
