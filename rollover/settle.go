package rollover

import "slices"

// settle judges a swap under way by what this host serves: verified, or undone
// (DESIGN 7).
func (x *pass) settle() {
	for _, name := range x.names {
		l := x.Lineages[name]
		if l.Swapping == nil {
			continue
		}
		switch l.Swapping.Step {
		case SwapInstalled:
			l = x.judge(name, l)
		case SwapFailed:
			l = x.back(name, l, l.Swapping.Why)
		case SwapUndoing:
			x.act(Back{name, l.Swapping.To, l.Swapping.From}) // a crash came between: again
		}
		x.Lineages[name] = l
	}
}

// judge looks whether every local address that answered before presents the new
// chain, and no other of ours.
func (x *pass) judge(name string, l Lineage) Lineage {
	sw := *l.Swapping
	end := sw.Began.Add(x.policy.Timing.Settle)
	bad := ""
	for _, address := range sw.Judge {
		if why := x.presentsOther(name, address, sw); why != "" {
			bad = why
			break
		}
	}
	switch {
	case bad == "":
		l.Swapping, l.Verified = nil, x.now
		if l.Held != nil && l.Held.Chain == sw.To {
			l.Held = nil
		}
		return l
	case x.now.Before(end):
		r := reason(CodeSettling, "swapped at %s; %s", stamp(sw.Began), bad)
		r.Until = end
		x.wait(name, r)
		x.unseen = true
		return l
	}
	return x.back(name, l, bad)
}

// presentsOther says what a local address shows instead of the new chain, "" if
// it shows that. Only looks after the swap count.
func (x *pass) presentsOther(name, address string, sw Swapping) string {
	to := x.chain(sw.To)
	for _, owner := range x.ownersOf(name) {
		for _, a := range x.Owners[owner].Addresses {
			if a.Address != address {
				continue
			}
			if !slices.ContainsFunc(x.seen.Lineages[name].Served, func(p Presented) bool { return p.Address == address && p.URL == a.URL }) {
				return address + " has not been seen since"
			}
			if why := a.broken(); why != "" {
				return address + " has no working TLS: " + why
			}
			if a.Err != "" {
				return address + " gives no answer: " + a.Err
			}
			if sw.From != "" && sw.From != sw.To && a.presents(sw.From) {
				return address + " still presents " + sw.From.Short()
			}
			if !slices.ContainsFunc(a.Cells, func(c Cell) bool {
				got := x.chain(c.Chain)
				return c.Outcome == Served && got != nil && to != nil && got.LeafID() == to.LeafID()
			}) {
				return address + " does not present " + sw.To.Short()
			}
		}
	}
	return ""
}

// back undoes a swap, if the guard allows it: every version not dead that
// matches the new chain must match the previous one. Where no TLS works at all,
// it goes back in any case.
func (x *pass) back(name string, l Lineage, why string) Lineage {
	sw := *l.Swapping
	sw.Why = why
	if sw.From == "" {
		l.Swapping = nil
		l.Held = x.hold(name, l, sw)
		x.tell(name, CodeSwapFailed, Danger, why+"; there is no previous pair to go back to")
		return l
	}
	if blocked := x.backBlocked(name, sw); blocked != "" && !x.noTLS(name, sw) {
		r := reason(CodeBackBlocked, "%s; going back is no way out: %s (hint: mend the service, then tlsaroll rollover %s)", why, blocked, name)
		x.wait(name, r)
		x.tell(name, CodeBackBlocked, Danger, r.Text)
		sw.Step = SwapFailed
		l.Swapping = &sw
		x.unseen = true
		if x.seen.Lineages[name].Orders.Retry {
			sw.Step, sw.Began = SwapInstalled, x.now
			x.act(Swap{name, sw.From, sw.To})
		} else if !slices.ContainsFunc(sw.Judge, func(address string) bool { return x.presentsOther(name, address, sw) != "" }) && len(sw.Judge) > 0 {
			l.Swapping, l.Verified = nil, x.now // it has come right by itself
		}
		return l
	}
	sw.Step = SwapUndoing
	l.Swapping = &sw
	x.presentEverywhere(name, sw.To)
	x.presentEverywhere(name, sw.From)
	x.act(Back{name, sw.To, sw.From})
	return l
}

// backBlocked names a version that matches the new chain and not the previous one.
func (x *pass) backBlocked(name string, sw Swapping) string {
	from, to := x.chain(sw.From), x.chain(sw.To)
	if from == nil || to == nil {
		return "the previous pair is not known"
	}
	for _, owner := range x.ownersOf(name) {
		l := x.Owners[owner]
		for _, v := range l.Versions {
			if !v.Unknown && l.alive(v, x.policy.Timing, x.now) && !x.fails(v.RRset, to, owner) && x.refuses(v.RRset, from, owner) && !x.refuses(v.RRset, to, owner) {
				return string(owner) + ": answers that only match " + to.ID().Short() + " may be held in caches"
			}
		}
	}
	return ""
}

// noTLS reports whether none of the judged addresses has working TLS.
func (x *pass) noTLS(name string, sw Swapping) bool {
	if len(sw.Judge) == 0 {
		return false
	}
	for _, owner := range x.ownersOf(name) {
		for _, a := range x.Owners[owner].Addresses {
			if slices.Contains(sw.Judge, a.Address) && a.answered() {
				return false
			}
		}
	}
	return true
}

// hold keeps a successor back whose swap failed (DESIGN 4.10).
func (x *pass) hold(name string, l Lineage, sw Swapping) *Held {
	return held(l.Held, sw, x.policy.Lineages[name].Revision, x.now)
}
