package agent

import (
	"errors"
	"path/filepath"
	"slices"
	"time"

	"github.com/tlsaroll/tlsaroll/certwatch"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// onHost is what lies on this host of one lineage, as far as something is decided
// upon it.
type onHost struct {
	entry           string // where the live link leads
	live, installed rollover.Sight[tlsa.ChainID]
	staged          staging
	issuing         rollover.Issuing
	standby         standby
	stash           map[tlsa.ChainID]rollover.Sight[struct{}]
}

// staging is what the staged files hold, and why they could not be taken.
type staging struct {
	offers   []rollover.Offer
	err      string
	findings []rollover.Warning
}

// readFiles looks at everything of a group that lies on this host: where the live
// links lead, what is staged, whether the pairs that matter are whole.
func (a *Agent) readFiles(g *group, post mail, seen *rollover.Observation, b *book) {
	now, hints := a.clock.now(), g.hints.Load()
	poll := b.polled.IsZero() || !now.Before(b.polled.Add(g.base.Timing.Poll)) || !b.recheck.IsZero() && !now.Before(b.recheck) || hints != b.hints
	if poll {
		b.polled, b.hints, b.recheck = now, hints, time.Time{}
	}
	for _, name := range g.names {
		l, remembered := a.lineages[name], g.state.Lineages[name]
		h := b.fed[name] // what was read last, where it is not read now
		h.stash = map[tlsa.ChainID]rollover.Sight[struct{}]{}
		a.live(l, poll, &h, seen)
		h.installed = rollover.Sight[tlsa.ChainID]{}
		if h.live.Known() && h.live.Value == "" {
			h.installed = a.installed(l, post.adopts[name], seen)
		}
		if poll {
			h.staged = a.staged(g, l, seen, b)
		}
		a.standby(g, l, poll, &h, seen, b)
		// a person's pair comes after the files': it is the later word
		offers := append(slices.Clone(h.staged.offers), plain(post.offers[name])...)
		orders := post.ordered(name)
		wanted := []tlsa.ChainID{remembered.Successor, remembered.Queued}
		if orders.Rollback {
			wanted = append(wanted, remembered.Previous)
		}
		for _, id := range wanted {
			a.whole(id, seen, h.stash)
		}
		for _, offer := range offers {
			a.whole(offer.Chain, seen, h.stash)
		}
		h.issuing = a.desk.of(name)
		b.fed[name] = h
		seen.Lineages[name] = rollover.LineageView{Live: h.live, Installed: h.installed, Offers: offers, StagedErr: h.staged.err, Findings: slices.Concat(h.staged.findings, h.standby.findings),
			Stash: h.stash, Standby: h.standby.record, Issuing: h.issuing, Orders: orders}
	}
}

// live is where the link leads. The pair behind it is read again at every poll.
func (a *Agent) live(l Lineage, poll bool, h *onHost, seen *rollover.Observation) {
	entry, err := a.rooms.Host(l).Installed()
	if err == nil && entry != "" && entry == h.entry && !poll {
		return // as it was found last
	}
	h.entry = entry
	switch {
	case err != nil:
		h.live = rollover.Unseen[tlsa.ChainID](err.Error())
		return
	case entry == "":
		h.live = rollover.Seen(tlsa.ChainID(""))
		return
	}
	pair, err := a.rooms.Stash.Get(tlsa.ChainID(filepath.Base(entry)))
	if err != nil {
		h.live = rollover.Unseen[tlsa.ChainID](err.Error())
		return
	}
	seen.Chains[pair.ID()] = pair.Chain
	h.live = rollover.Seen(pair.ID())
}

// installed is the pair that a person says is installed, else the one that the
// install files hold, copied into the stash so that it can be adopted. That they
// hold different pairs is an error: nobody can tell which one is meant.
func (a *Agent) installed(l Lineage, said *tlsa.Chain, seen *rollover.Observation) rollover.Sight[tlsa.ChainID] {
	if said != nil {
		seen.Chains[said.ID()] = said
		return rollover.Seen(said.ID())
	}
	var found certwatch.Pair
	for _, files := range a.rooms.Host(l).Pairs() {
		pair, err := certwatch.Load(certwatch.Files{Cert: files.Cert, Key: files.Key})
		switch {
		case isAbsent(err):
			continue
		case err != nil:
			return rollover.Unseen[tlsa.ChainID](err.Error())
		case found.Chain != nil && found.ID() != pair.ID():
			return rollover.Unseen[tlsa.ChainID]("the install files hold different pairs: " + files.Cert)
		}
		found = pair
	}
	if found.Chain == nil {
		return rollover.Seen(tlsa.ChainID(""))
	}
	if err := a.keep(found); err != nil {
		return rollover.Unseen[tlsa.ChainID](err.Error())
	}
	seen.Chains[found.ID()] = found.Chain
	return rollover.Seen(found.ID())
}

// keep copies a pair into the stash, or mends its entry there; a dry agent does not.
func (a *Agent) keep(p certwatch.Pair) error {
	if a.dry {
		return nil
	}
	a.stashing.lock()
	defer a.stashing.unlock()
	_, err := a.rooms.Stash.Put(p)
	return err
}

// staged reads what the ACME client left. Files that are still being written are
// looked at again when they may have settled.
func (a *Agent) staged(g *group, l Lineage, seen *rollover.Observation, b *book) staging {
	if l.Staged.Cert == "" {
		return staging{}
	}
	pair, err := a.rooms.Reader.Load(l.Staged)
	if errors.Is(err, certwatch.ErrNoKey) && l.Staged.Key == "" {
		pair, err = a.rooms.Reader.Load(l.Staged, a.spare(l.Name, g.state)...)
	}
	if unsettled, ok := errors.AsType[*certwatch.UnsettledError](err); ok {
		a.lookAgain(unsettled.Until, b)
		return b.fed[l.Name].staged
	}
	if isAbsent(err) && g.state.Lineages[l.Name].Staged == "" {
		return staging{} // the client has not issued anything yet
	}
	if err == nil {
		err = a.keep(pair)
	}
	if err != nil {
		return staging{err: err.Error()}
	}
	seen.Chains[pair.ID()] = pair.Chain
	s := staging{offers: []rollover.Offer{{Chain: pair.ID()}}}
	for _, f := range pair.Findings {
		s.findings = append(s.findings, rollover.NewWarning(rollover.Code(f.Code), l.Staged.Cert, f.Text))
	}
	return s
}

// lookAgain has files read again at a moment of the wall clock; zero is none.
func (a *Agent) lookAgain(at time.Time, b *book) {
	if !at.IsZero() {
		b.recheck = earliest(b.recheck, b.polled.Add(max(at.Sub(a.cfg.Clock.Wall()), time.Millisecond)))
	}
}

// whole checks that a pair in the stash loads and fits. A dry agent has put
// nothing there: what it has read elsewhere counts.
func (a *Agent) whole(id tlsa.ChainID, seen *rollover.Observation, into map[tlsa.ChainID]rollover.Sight[struct{}]) {
	if id == "" {
		return
	}
	if _, err := a.rooms.Stash.Get(id); err != nil && !(a.dry && seen.Chains[id] != nil) {
		into[id] = rollover.Unseen[struct{}](err.Error())
		return
	}
	into[id] = rollover.Seen(struct{}{})
}
