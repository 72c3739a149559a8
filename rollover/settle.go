package rollover

import (
	"slices"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// settle judges a swap under way by what this host serves: verified, or undone
// (DESIGN 7).
func (x *pass) settle() {
	for _, name := range x.names {
		l := x.Lineages[name]
		if l.Swapping == nil {
			continue
		}
		switch sw := *l.Swapping; sw.Step {
		case SwapIntended:
			l = x.resume(name, l)
		case SwapInstalled:
			l = x.judge(name, l)
		case SwapFailed:
			l = x.back(name, l, sw.Why)
		case SwapUndoing:
			l = x.undo(name, l)
		}
		x.Lineages[name] = l
	}
}

// resume goes on after a crash between the switch and its record: the link shows
// the new pair, and whether services were reloaded is not known. To do it again is
// safe if the swap still is; else the way back may be.
func (x *pass) resume(name string, l Lineage) Lineage {
	sw := *l.Swapping
	onward := sw.Forced != "" || x.emergency(name) && l.AtOnce == sw.To || !x.blocked(name, x.chain(sw.To))
	if !onward && x.backBlocked(name, sw) != "" {
		x.stuck(name, "the swap was interrupted, and answers that do not match "+sw.To.Short()+" may be held in caches")
		return l
	}
	if !x.upToDate(name) {
		x.wait(name, reason(CodeSettling, "the swap was interrupted: finding out whether to go on"))
		return l
	}
	if !onward {
		return x.back(name, l, "the swap was interrupted")
	}
	x.act(Swap{name, sw.From, sw.To})
	return l
}

// blocked reports whether some answer that may be held fails the chain.
func (x *pass) blocked(name string, chain *tlsa.Chain) bool {
	return chain == nil || slices.ContainsFunc(x.ownersOf(name), func(owner tlsa.Owner) bool {
		return len(x.blocking(name, owner, chain)) > 0
	})
}

// stuck tells of a swap that goes neither on nor back.
func (x *pass) stuck(name, why string) {
	x.wait(name, reason(CodeBackBlocked, "%s (hint: repair the service, then tlsaroll rollover %s)", why, name))
	x.unseen = true
}

// undo tries the way back once more: it did not succeed, or a crash came between.
func (x *pass) undo(name string, l Lineage) Lineage {
	sw := *l.Swapping
	if x.seen.Lineages[name].Live.Value == sw.To {
		return x.back(name, l, sw.Why) // nothing was put back: the guard is asked again
	}
	x.act(Back{name, sw.To, sw.From})
	return l
}

// judge looks whether every local address that answered before presents the new
// chain, and the old one no more.
func (x *pass) judge(name string, l Lineage) Lineage {
	sw := *l.Swapping
	end := sw.Began.Add(x.policy.Timing.Settle)
	amiss, unseen := x.amiss(name, sw)
	switch {
	case amiss == "" && unseen == "":
		return x.verified(l)
	case amiss != "" && !x.now.Before(end):
		return x.back(name, l, amiss)
	case amiss == "":
		amiss = unseen + " has not been seen since"
	}
	r := reason(CodeSettling, "swapped at %s; %s", Stamp(sw.Began), amiss)
	if end.After(x.now) {
		r.Until = end
	}
	x.wait(name, r)
	x.unseen = true
	return l
}

// verified ends a swap well.
func (x *pass) verified(l Lineage) Lineage {
	if l.Held != nil && l.Held.Chain == l.Swapping.To {
		l.Held = nil
	}
	l.Swapping, l.Verified = nil, x.now
	return l
}

// amiss says what some judged address does instead of presenting the new chain,
// and names one that was not looked at in this pass: only looks after the swap
// count.
func (x *pass) amiss(name string, sw Swapping) (what, unseen string) {
	for _, owner := range x.ownersOf(name) {
		for _, a := range x.Owners[owner].Addresses {
			switch {
			case !slices.Contains(sw.Judge, a.Address):
			case !slices.ContainsFunc(x.seen.Lineages[name].Served, func(p Presented) bool { return p.Address == a.Address && p.URL == a.URL }):
				unseen = a.Address
			case what == "":
				what = x.notSwapped(a, sw)
			}
		}
	}
	return what, unseen
}

// notSwapped says what an address shows instead of the new chain, "" if it shows that.
func (x *pass) notSwapped(a AddressEvidence, sw Swapping) string {
	from, to := x.chain(sw.From), x.chain(sw.To)
	if why := a.broken(); why != "" {
		return a.Address + " has no working TLS: " + why
	}
	if a.Err != "" {
		return a.Address + " gives no answer: " + a.Err
	}
	sameLeaf := from != nil && to != nil && from.LeafID() == to.LeafID()
	if !sameLeaf && slices.ContainsFunc(a.Cells, func(c Cell) bool { return x.shows(c, from) }) {
		return a.Address + " still presents " + sw.From.Short()
	}
	if !slices.ContainsFunc(a.Cells, func(c Cell) bool { return x.shows(c, to) }) {
		return a.Address + " does not present " + sw.To.Short()
	}
	return ""
}

// back undoes a swap, if the guard allows it by what is given now; else it stays,
// and a person is told. Where no TLS works at all, it goes back in any case.
func (x *pass) back(name string, l Lineage, why string) Lineage {
	sw := *l.Swapping
	sw.Why = why
	if sw.From == "" || !x.noTLS(name, sw) {
		if blocked := x.backBlocked(name, sw); blocked != "" {
			return x.stay(name, l, sw, blocked)
		}
		if !x.upToDate(name) {
			sw.Step = SwapFailed
			l.Swapping = &sw
			x.wait(name, reason(CodeSettling, "%s: finding out whether going back would break more", why))
			return l
		}
	}
	sw.Step = SwapUndoing
	l.Swapping = &sw
	x.presentEverywhere(name, sw.To)
	x.presentEverywhere(name, sw.From)
	x.act(Back{name, sw.To, sw.From})
	return l
}

// upToDate reports whether servers were looked at in this pass, and the
// provider's own copy as far as it can be read; if not, it asks for that.
func (x *pass) upToDate(name string) bool {
	if !x.lookedNow(name) {
		x.lookNow = true
		return false
	}
	read := true
	for _, owner := range x.ownersOf(name) {
		l := x.Owners[owner]
		if _, known := x.seen.Copies[l.Target]; !known && l.Provider != "" {
			x.needCopy(l.Target)
			read = false
		}
	}
	return read
}

// stay leaves a swap that failed where it is, until it comes right by itself, a
// person asks for another try or a newer pair is swapped in.
func (x *pass) stay(name string, l Lineage, sw Swapping, blocked string) Lineage {
	sw.Step = SwapFailed
	l.Swapping = &sw
	judged := sw
	if len(sw.Judge) == 0 { // as where a service starts with its first pair
		judged.Judge = x.judges(name)
	}
	if amiss, unseen := x.amiss(name, judged); amiss == "" && unseen == "" && len(judged.Judge) > 0 {
		return x.verified(l)
	}
	x.stuck(name, sw.Why+"; going back would not help: "+blocked)
	if x.seen.Lineages[name].Orders.Retry && !x.blocked(name, x.chain(sw.To)) {
		sw.Step, sw.Began = SwapIntended, x.now
		x.act(Swap{name, sw.From, sw.To})
	}
	return l
}

// backBlocked says why a swap cannot be undone, "" if it can: every version not
// dead that matches the new chain must match the previous one.
func (x *pass) backBlocked(name string, sw Swapping) string {
	if sw.From == "" {
		return "there is no previous pair"
	}
	from, to := x.chain(sw.From), x.chain(sw.To)
	if from == nil || to == nil {
		return "the previous pair is not known"
	}
	for _, owner := range x.ownersOf(name) {
		if x.strands(owner, to, from) {
			return string(owner) + ": answers that match " + to.ID().Short() + " and not " + from.ID().Short() + " may be held in caches"
		}
	}
	return ""
}

// strands reports whether some answer not dead matches from and not to, so that who
// holds it could not deliver after a change from one to the other.
func (x *pass) strands(owner tlsa.Owner, from, to *tlsa.Chain) bool {
	l := x.Owners[owner]
	w := x.waits(&l)
	return slices.ContainsFunc(l.Versions, func(v Version) bool {
		return !v.Unknown && w.alive(v, x.now) && x.suffers(meeting{v.RRset, from}, meeting{v.RRset, to}, owner)
	})
}

// noTLS reports whether every address on this host was seen without working TLS
// now. One that could not be reached does not count: it may well serve others.
func (x *pass) noTLS(name string, sw Swapping) bool {
	if _, unseen := x.amiss(name, sw); len(sw.Judge) == 0 || unseen != "" {
		return false
	}
	for _, owner := range x.ownersOf(name) {
		for _, a := range x.Owners[owner].Addresses {
			if a.Local && (a.answered() || a.broken() == "") {
				return false
			}
		}
	}
	return true
}

// failedTry counts one more failed try of a successor, and says when it is tried
// again: after an hour, six hours, then daily (DESIGN 4.10).
func failedTry(before *Held, sw Swapping, revision string, now time.Time) *Held {
	h := Held{Chain: sw.To, Code: string(CodeSwapFailed), Text: sw.Why, Since: now, Revision: revision}
	if before != nil && before.Chain == sw.To {
		h.Since, h.Tries = before.Since, before.Tries
	}
	h.Tries++
	h.Again = now.Add(h.again())
	return &h
}
