package rollover

import (
	"slices"
	"strings"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// guard is a condition of the swap. It gives every reason why it does not hold
// now; none means that it holds. Next is the chain that would become live.
type guard struct {
	name string
	// late guards are set aside when the deadline forces a swap (DESIGN 4.11).
	late  bool
	holds func(x *pass, lineage string, next *tlsa.Chain) []Reason
}

// swapGuards must all hold at once, now, at every owner name of the lineage:
// what held a moment ago is not enough for the one step that every sender sees
// (DESIGN 4.5). All are asked, so that a person learns all that is lacking.
func swapGuards() []guard {
	return []guard{
		{"not frozen", false, (*pass).notFrozen},
		{"not held", false, (*pass).notHeld},
		{"one at a time", false, (*pass).oneAtATime},
		{"the pair is whole", false, (*pass).pairIsWhole},
		{"the pair is in date", false, (*pass).pairIsInDate},
		{"the pair is for the names", false, (*pass).pairIsForNames},
		{"servers are known", true, (*pass).serversAreKnown},
		{"published everywhere", true, (*pass).publishedEverywhere},
		{"signatures last", true, (*pass).signaturesLast},
		{"the zone validates", true, (*pass).zoneValidates},
		{"old versions are dead", true, (*pass).oldVersionsAreDead},
		{"unlisted owners agree", true, (*pass).unlistedOwnersAgree},
		{"in the provider's copy", true, (*pass).inTheCopy},
	}
}

// unmetGuards asks all guards; those that a deadline sets aside come apart.
func (x *pass) unmetGuards(name string, next *tlsa.Chain) (unmet, late []Reason) {
	for _, g := range swapGuards() {
		if rs := g.holds(x, name, next); g.late {
			late = append(late, rs...)
		} else {
			unmet = append(unmet, rs...)
		}
	}
	return unmet, late
}

func (x *pass) notFrozen(name string, _ *tlsa.Chain) []Reason {
	l := x.Lineages[name]
	switch {
	case !l.frozen(x.now):
		return nil
	case l.Frozen.Until.IsZero():
		return []Reason{reason(CodeFrozen, "frozen since %s (hint: tlsaroll thaw %s)", Stamp(l.Frozen.Since), name)}
	}
	r := reason(CodeFrozen, "frozen until %s (hint: tlsaroll thaw %s)", Stamp(l.Frozen.Until), name)
	r.Until = l.Frozen.Until
	return []Reason{r}
}

func (x *pass) notHeld(name string, _ *tlsa.Chain) []Reason {
	l := x.Lineages[name]
	if !x.held(l) {
		return nil
	}
	stands := ""
	if l.Live != "" {
		stands = "the old pair is live, and the records of both stay; "
	}
	r := reason(CodeSwapFailed, "%s; %stried again at %s, on a new pair, or by tlsaroll rollover %s", l.Held.Text, stands, Stamp(l.Held.Again), name).of(l.Held.Chain.Short())
	r.Until = l.Held.Again
	return []Reason{r}
}

// oneAtATime keeps two lineages with a common endpoint from swapping together:
// change one thing at a time (RFC 7671, section 8.4).
func (x *pass) oneAtATime(name string, _ *tlsa.Chain) []Reason {
	owners := x.ownersOf(name)
	for _, other := range x.names {
		sw := x.Lineages[other].Swapping
		if other != name && sw != nil && sw.Step != SwapFailed && slices.ContainsFunc(x.ownersOf(other), func(o tlsa.Owner) bool { return slices.Contains(owners, o) }) {
			return []Reason{reason(CodeSiblingFirst, "%s is being swapped at the same endpoint", other)}
		}
	}
	return nil
}

func (x *pass) pairIsWhole(name string, next *tlsa.Chain) []Reason {
	s, looked := x.seen.Lineages[name].Stash[next.ID()]
	switch {
	case !looked:
		return []Reason{reason(CodeStashUnreadable, "pair %s is not in the stash", next.ID().Short()).of(next.ID().Short())}
	case !s.Known():
		return []Reason{reason(CodeStashUnreadable, "pair %s in the stash: %s", next.ID().Short(), s.Err).of(next.ID().Short())}
	}
	return nil
}

func (x *pass) pairIsInDate(_ string, next *tlsa.Chain) []Reason {
	leaf := next.Leaf()
	switch {
	case x.now.Before(leaf.NotBefore):
		r := reason(CodeNotYetValid, "certificate %s begins on %s", next.ID().Short(), Stamp(leaf.NotBefore))
		r.Until = leaf.NotBefore
		return []Reason{r}
	case !x.now.Before(leaf.NotAfter):
		return []Reason{reason(CodeExpired, "certificate %s ended on %s", next.ID().Short(), Stamp(leaf.NotAfter)).of(next.ID().Short())}
	}
	return nil
}

// pairIsForNames asks for the names where a record looks at them: DANE-EE does
// not (RFC 7671, section 5.1), all others do.
func (x *pass) pairIsForNames(name string, next *tlsa.Chain) []Reason {
	p := x.policy.Lineages[name]
	asked := p.Scheme.TA
	for _, owner := range x.ownersOf(name) {
		l := x.Owners[owner]
		asked = asked || slices.ContainsFunc(l.latest().Associations, func(a tlsa.Association) bool { return a.Usage == tlsa.DANETA })
	}
	if lacking := p.Uncovered(next); asked && len(lacking) > 0 {
		return []Reason{reason(CodeNameMissing, "certificate %s is not for %s, which DANE-TA asks for (RFC 7672, section 3.2.2)", next.ID().Short(), strings.Join(lacking, ", ")).of(next.ID().Short())}
	}
	return nil
}

func (x *pass) serversAreKnown(name string, _ *tlsa.Chain) []Reason {
	var rs []Reason
	for _, owner := range x.ownersOf(name) {
		l := x.Owners[owner]
		switch {
		case l.Looked.IsZero():
			rs = append(rs, reason(CodeServersUnknown, "%s has not been looked up yet", owner).of(string(owner)))
		case l.Err != "":
			rs = append(rs, l.unlistable(owner))
		case !slices.ContainsFunc(l.Servers, func(s Server) bool { return !s.Untested }):
			rs = append(rs, reason(CodeServersUnknown, "%s: none of its servers can be asked from here", owner).of(string(owner)))
		}
	}
	return rs
}

// publishedEverywhere asks that every authoritative address gives, and gave
// three times, what the successor needs (DESIGN 4.5).
func (x *pass) publishedEverywhere(name string, next *tlsa.Chain) []Reason {
	var rs []Reason
	for _, owner := range x.ownersOf(name) {
		l := x.Owners[owner]
		required := x.required(name, owner, next)
		for _, s := range l.Servers {
			rs = append(rs, l.carries(owner, s, required)...)
		}
	}
	return rs
}

// carries says why one server does not yet vouch for what is required. One that
// nobody names any more need not have it, but must be seen not to give what
// fails; its versions count.
func (l *Ledger) carries(owner tlsa.Owner, s Server, required []tlsa.Association) []Reason {
	switch {
	case s.Untested:
		if !l.sister(&s) {
			return []Reason{reason(CodeFamilyUntested, "%s: this host has no route to it, and no other address of it can be asked", &s).of(s.Address)}
		}
		return nil
	case s.silent():
		return []Reason{s.silence(owner)}
	case !s.speaks():
		return nil
	}
	for _, a := range required {
		switch n := s.holds(a); {
		case n == 0:
			return []Reason{reason(CodeNotEverywhere, "%s does not have %s at %s yet", &s, short(a), owner).of(s.Address)}
		case n < looksNeeded:
			return []Reason{reason(CodeNotEverywhere, "%s was seen with %s at %s %d of %d times", &s, short(a), owner, n, looksNeeded).of(s.Address)}
		}
	}
	return nil
}

func short(a tlsa.Association) string {
	return a.Params.String() + " " + a.Data[:min(12, len(a.Data))] + "…"
}

func (x *pass) signaturesLast(name string, _ *tlsa.Chain) []Reason {
	var rs []Reason
	for _, owner := range x.ownersOf(name) {
		l := x.Owners[owner]
		for _, s := range l.Servers {
			switch {
			case !s.Unlisted.IsZero() || s.Untested:
			case s.Unsigned && l.Security == Secure:
				rs = append(rs, s.unsigned(owner))
			case !s.SignedUntil.IsZero() && x.now.Add(signatureEnd).After(s.SignedUntil):
				rs = append(rs, reason(CodeSignatureEnds, "%s: the signature of %s ends at %s", &s, owner, Stamp(s.SignedUntil)).of(s.Address))
			}
		}
	}
	return rs
}

// zoneValidates asks that validating resolvers take the answers.
func (x *pass) zoneValidates(name string, _ *tlsa.Chain) []Reason {
	var rs []Reason
	for _, owner := range x.ownersOf(name) {
		l := x.Owners[owner]
		if r := x.invalid(owner, &l); r != nil {
			rs = append(rs, *r)
		}
	}
	return rs
}

// oldVersionsAreDead is the wait itself: no version that may still be held
// anywhere fails the successor (DESIGN 4.3).
func (x *pass) oldVersionsAreDead(name string, next *tlsa.Chain) []Reason {
	if x.atOnce(name, next) {
		return nil
	}
	var rs []Reason
	for _, owner := range x.ownersOf(name) {
		l := x.Owners[owner]
		if b := x.blocking(name, owner, next); len(b) > 0 {
			rs = append(rs, x.unripe(owner, &l, b))
		} else if until := x.stale(name, &l, next); x.now.Before(until) {
			r := reason(CodeDark, "%s: no server could be seen at %s; resolvers that serve stale answers may hold old ones until %s", owner, Stamp(l.Dark), Stamp(until)).of(string(owner))
			r.Until = until
			rs = append(rs, r)
		}
	}
	return rs
}

// unripe is the sentence for versions that are not dead: it names the TTL of the
// one that lasts longest.
func (x *pass) unripe(owner tlsa.Owner, l *Ledger, blocking []Version) Reason {
	w, until := x.waits(l), x.ripe(l, blocking)
	v := blocking[slices.IndexFunc(blocking, func(v Version) bool { return w.dead(v).Equal(until) })]
	what, hint := "an answer without what the successor needs", ""
	if v.Unknown {
		what, hint = "an answer from before the first look", x.knownHint(owner, v)
	}
	if until.IsZero() {
		return reason(CodeVersionAlive, "%s: %s may still be given (ttl %s), so the wait has not begun%s", owner, what, v.RRset.TTL, hint).of(string(owner))
	}
	r := reason(CodeVersionAlive, "%s: %s may be held in caches until %s (ttl %s)%s", owner, what, Stamp(until), v.RRset.TTL, hint).of(string(owner))
	r.Until = until
	return r
}

// knownHint says how the wait for what stood before the first look gets shorter,
// where it is our assumption that makes it long and not what was seen or said.
func (x *pass) knownHint(owner tlsa.Owner, unknown Version) string {
	l := x.Owners[owner]
	if x.assumedTTL(owner) < unknown.RRset.TTL || l.longestTTL(func(v Version) bool { return !v.Unknown }) >= unknown.RRset.TTL ||
		!slices.ContainsFunc(x.users[owner], func(u use) bool { return x.policy.Lineages[u.lineage].KnownTTL == 0 }) {
		return ""
	}
	return " (hint: if the TTL was never so long, write known-ttl: in the lineage)"
}

// inTheCopy asks, last of all, that the provider's own copy holds the records
// now: someone may have restored an old zone there a moment ago.
func (x *pass) inTheCopy(name string, next *tlsa.Chain) []Reason {
	ready := x.readyAt(name, next)
	switch {
	case !x.atOnce(name, next) && (ready.IsZero() || x.now.Before(ready)):
		return nil // no use in asking before everything else is ripe
	case !x.lookedNow(name):
		return x.askedInVain(name) // as long as nobody looks again
	}
	var rs []Reason
	for _, owner := range x.ownersOf(name) {
		l := x.Owners[owner]
		if l.Provider == "" {
			continue // nobody to ask: what the servers give is all there is
		}
		copied, read := x.seen.Copies[l.Target]
		switch {
		case !read:
			x.needCopy(l.Target)
			rs = append(rs, copyUnknown(l.Target, "it has not been read in this pass"))
		case !copied.Known():
			rs = append(rs, copyUnknown(l.Target, copied.Err))
		default:
			for _, a := range copied.Value.Missing(x.required(name, owner, next)...) {
				rs = append(rs, reason(CodeNotInCopy, "%s: the provider's own copy does not have %s", l.Target, short(a)).of(string(l.Target)))
			}
		}
	}
	return rs
}

// askedInVain is what the last pass could not read of the provider's copies.
func (x *pass) askedInVain(name string) []Reason {
	return slices.DeleteFunc(slices.Clone(x.Lineages[name].Waiting), func(r Reason) bool { return r.Code != CodeCopyUnknown })
}

func copyUnknown(target tlsa.Owner, why string) Reason {
	return reason(CodeCopyUnknown, "%s: the provider's own copy cannot be read: %s", target, why).of(string(target))
}
