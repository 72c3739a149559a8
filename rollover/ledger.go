package rollover

import (
	"slices"
	"strings"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// A Ledger is what is remembered of one owner name (DESIGN 4.1): every version
// of its RRset that any server may have given, who may be giving it still, and
// which chains its endpoints were seen to present.
type Ledger struct {
	Target   tlsa.Owner    `json:"target,omitempty"` // where aliases lead to
	Zone     string        `json:"zone,omitempty"`
	Provider string        `json:"provider,omitempty"`
	AliasTTL time.Duration `json:"alias_ttl,omitempty"` // of all aliases on the way; part of each version's TTL
	Security Security      `json:"security,omitempty"`
	Text     string        `json:"text,omitempty"`  // why it is not secure
	Judged   time.Time     `json:"judged,omitzero"` // first look at which Security was what it is
	Err      string        `json:"err,omitempty"`   // why the set of servers is not known
	Lost     time.Time     `json:"lost,omitzero"`   // first look at which it was not known
	Findings []Warning     `json:"findings,omitempty"`

	Versions []Version `json:"versions,omitempty"`
	Servers  []Server  `json:"servers,omitempty"`
	Dark     time.Time `json:"dark,omitzero"`      // when all servers were last out of sight at once
	Since    time.Time `json:"since,omitzero"`     // first look
	Looked   time.Time `json:"looked,omitzero"`    // last look
	Listed   time.Time `json:"listed,omitzero"`    // last look at which the set of servers was known
	CopyRead time.Time `json:"copy_read,omitzero"` // last read of the provider's own copy

	Ours    []tlsa.Association `json:"ours,omitempty"`    // records that we published or adopted at Target
	Retired []tlsa.Association `json:"retired,omitempty"` // were ours and are taken out, the last ones last
	Retime  time.Duration      `json:"retime,omitempty"`  // TTL that a person asked for, until it was written
	Failed  string             `json:"failed,omitempty"`  // why the last change did not succeed
	ByHand  bool               `json:"by_hand,omitempty"` // that is because a person has to make it
	Writing time.Time          `json:"writing,omitzero"`  // when a change was decided whose end is not known
	Repair  Repair             `json:"repair,omitzero"`

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
	NSTTL       time.Duration `json:"ns_ttl,omitempty"` // the largest that named it
	Alias       bool          `json:"alias,omitempty"`
	Unlisted    time.Time     `json:"unlisted,omitzero"` // first look that no longer listed it
	Seen        time.Time     `json:"seen,omitzero"`     // last answer
	Missing     time.Time     `json:"missing,omitzero"`  // first look without an answer since
	Err         string        `json:"err,omitempty"`
	Behind      time.Time     `json:"behind,omitzero"` // first look since which it differs from what stands
	Untested    bool          `json:"untested,omitempty"`
	Unsigned    bool          `json:"unsigned,omitempty"`
	SignedUntil time.Time     `json:"signed_until,omitzero"`
	Holds       []Hold        `json:"holds,omitempty"` // what its last answer held
}

// String is the server in a sentence.
func (s *Server) String() string { return ServerStatus{Name: s.Name, Address: s.Address}.String() }

// ForName joins the address of a server and a name on the way that it was asked for, so that
// one address that serves an alias and its target counts as two servers.
const ForName = " for "

// speaksFor reports whether s, which can be asked, is another address of t's name, asked for the
// same. One that the configuration names by its address alone has no name, and nobody speaks
// for it.
func (s *Server) speaksFor(t *Server) bool {
	_, asked, _ := strings.Cut(s.Address, ForName)
	_, wanted, _ := strings.Cut(t.Address, ForName)
	return !s.Untested && s.Name != "" && s.Name == t.Name && asked == wanted
}

// A Hold counts the looks, properly spaced, in which a server gave an association.
type Hold struct {
	Association tlsa.Association `json:"association"`
	Count       int              `json:"count"`
	Last        time.Time        `json:"last"`
}

// holds is in how many looks in a row the server gave the association.
func (s *Server) holds(a tlsa.Association) int {
	for i := range s.Holds {
		if s.Holds[i].Association == a {
			return s.Holds[i].Count
		}
	}
	return 0
}

// speaks reports whether the server's answers are the RRset's.
func (s *Server) speaks() bool {
	return !s.Alias && !s.Untested && s.Unlisted.IsZero() && !s.Seen.IsZero()
}

// outOfSight reports whether the server has been silent for so long that it counts.
func (s *Server) outOfSight(now time.Time) bool {
	return !s.Missing.IsZero() && now.Sub(s.Missing) > missGrace
}

// silent reports whether the server was asked in vain, or never.
func (s *Server) silent() bool { return !s.Missing.IsZero() || s.Seen.IsZero() }

// content is what the server gave in its last answer.
func (s *Server) content() tlsa.RRset {
	as := make([]tlsa.Association, len(s.Holds)) // in the order of the RRset they come from
	for i := range s.Holds {
		as[i] = s.Holds[i].Association
	}
	return tlsa.RRset{Associations: as}
}

// gave reports whether the server's last answer held just what r holds.
func (s *Server) gave(r tlsa.RRset) bool {
	return slices.EqualFunc(s.Holds, r.Associations, func(h Hold, a tlsa.Association) bool { return h.Association == a })
}

// given are the distinct RRsets that the servers gave when they were last asked.
// A denial is none: there is nothing in it to match.
func (l *Ledger) given() []tlsa.RRset {
	var out []tlsa.RRset
	for i := range l.Servers {
		s := &l.Servers[i]
		if s.speaks() && s.Missing.IsZero() && len(s.Holds) > 0 && !slices.ContainsFunc(out, s.gave) {
			out = append(out, s.content())
		}
	}
	return out
}

// ReachesBackFurther reports whether l has more to tell than what another group kept of
// the same name. One that was never looked at is but an open question, and tells nothing.
func (l Ledger) ReachesBackFurther(than Ledger) bool {
	switch {
	case l.Since.IsZero() || than.Since.IsZero():
		return !l.Since.IsZero()
	case l.Since.Equal(than.Since):
		return l.Looked.After(than.Looked)
	}
	return l.Since.Before(than.Since)
}

// clone copies what a pass changes in place. Deeper slices are replaced, never
// written to.
func (l Ledger) clone() Ledger {
	l.Versions = slices.Clone(l.Versions)
	l.Servers = slices.Clone(l.Servers)
	l.Addresses = slices.Clone(l.Addresses)
	l.Presented = slices.Clone(l.Presented)
	return l
}

// waits are what a version has to outwait at one owner name.
type waits struct {
	Timing
	margin time.Duration // of the provider's anycast network
}

// dead is when the last copy of v is gone, zero while it cannot be told (DESIGN 4.2).
func (w waits) dead(v Version) time.Time {
	if v.current() {
		return time.Time{}
	}
	return v.Served.Add(w.PublicationInterval(v.RRset.TTL) + w.margin)
}

func (w waits) alive(v Version, now time.Time) bool {
	dead := w.dead(v)
	return dead.IsZero() || now.Before(dead)
}

// latest is the RRset as it stands: the copy's content, else the newest that a
// server gave in its last answer, else the newest that one may be giving.
func (l *Ledger) latest() tlsa.RRset {
	best, rank := -1, -1
	for i := range l.Versions {
		v := &l.Versions[i]
		if v.Unknown || !v.current() {
			continue
		}
		r := 0
		switch {
		case v.InCopy:
			r = 2
		case l.givenNow(v):
			r = 1
		}
		if r > rank || r == rank && !v.Served.Before(l.Versions[best].Served) {
			best, rank = i, r
		}
	}
	if best < 0 {
		return tlsa.RRset{}
	}
	return l.Versions[best].RRset
}

// givenNow reports whether a server gave the version when it was last asked.
func (l *Ledger) givenNow(v *Version) bool {
	return slices.ContainsFunc(l.Servers, func(s Server) bool {
		return s.speaks() && s.Missing.IsZero() && slices.Contains(v.By, s.Address)
	})
}

// stands reports whether a is in the provider's copy as far as we know: every
// server has it, or the copy had it when it was read lately.
func (l *Ledger) stands(a tlsa.Association, now time.Time) bool {
	asked, everywhere := false, true
	for i := range l.Servers {
		if l.Servers[i].speaks() {
			asked = true
			everywhere = everywhere && l.Servers[i].holds(a) > 0
		}
	}
	if asked && everywhere {
		return true
	}
	if now.Sub(l.CopyRead) > copyAge {
		return false
	}
	copies := 0
	for _, v := range l.Versions {
		if v.InCopy {
			copies++
			if !v.RRset.Has(a) {
				return false
			}
		}
	}
	return copies > 0
}

// disown moves records out of those that are ours and stand. They are
// remembered: a restored backup may bring them back.
func (l *Ledger) disown(as ...tlsa.Association) {
	isOne := func(a tlsa.Association) bool { return slices.Contains(as, a) }
	l.Ours = slices.DeleteFunc(slices.Clone(l.Ours), isOne)
	l.Retired = append(slices.DeleteFunc(slices.Clone(l.Retired), isOne), as...)
	l.Retired = l.Retired[max(0, len(l.Retired)-retiredKept):]
}

// somewhere reports whether a record may be standing: in the copy or on a server.
func (l *Ledger) somewhere(a tlsa.Association) bool {
	return slices.ContainsFunc(l.Versions, func(v Version) bool { return v.current() && v.RRset.Has(a) })
}

// matters reports whether the ledger knows of any records at all.
func (l *Ledger) matters() bool {
	return slices.ContainsFunc(l.Versions, func(v Version) bool { return v.Unknown || !v.RRset.Denial() })
}

// cold reports whether what stood before the first look may be held still.
func (l *Ledger) cold() bool {
	return slices.ContainsFunc(l.Versions, func(v Version) bool { return v.Unknown })
}

// lit is when what stale-serving resolvers may have held on to while no server
// could be seen is gone: one more TTL after the servers came back (DESIGN 4.16).
func (l *Ledger) lit() time.Time {
	if l.Dark.IsZero() {
		return time.Time{}
	}
	return l.Dark.Add(l.longestTTL(func(Version) bool { return true }))
}

// longestTTL of the versions for which the condition holds.
func (l *Ledger) longestTTL(which func(Version) bool) time.Duration {
	var ttl time.Duration
	for _, v := range l.Versions {
		if which(v) {
			ttl = max(ttl, v.RRset.TTL)
		}
	}
	return ttl
}

// shortestTTL of what is served now, an hour where nothing is.
func (l *Ledger) shortestTTL() time.Duration {
	ttl := time.Hour
	for _, v := range l.Versions {
		if v.current() && !v.Unknown {
			ttl = min(ttl, v.RRset.TTL)
		}
	}
	return ttl
}
