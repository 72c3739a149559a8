package agent

import (
	"errors"
	"path/filepath"
	"time"

	"github.com/tlsaroll/tlsaroll/certwatch"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/internal/swap"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// readFiles looks at everything of a group that lies on this host: where the live
// links lead, what is staged, whether the pairs that matter are whole.
func (a *Agent) readFiles(g *group, seen *rollover.Observation, now time.Time) {
	poll := due(g.polled.Add(g.policy.Timing.Poll), now) || g.polled.IsZero()
	for _, name := range g.names {
		l, remembered := a.lineages[name], g.state.Lineages[name]
		view := rollover.LineageView{Orders: g.orders[name], Stash: map[tlsa.ChainID]rollover.Sight[struct{}]{}}
		view.Live = a.live(l, seen)
		if view.Live.Known() && view.Live.Value == "" {
			if id := g.adopts[name]; id != "" {
				view.Installed = rollover.Seen(id)
			} else {
				view.Installed = a.installed(l, seen)
			}
		}
		if poll && l.Staged.Cert != "" {
			view.Offers, view.StagedErr = a.staged(l, remembered, seen)
		} else {
			view.StagedErr = standing(remembered, rollover.CodeStagedUnreadable)
		}
		// a person's pair comes after the files': it is the later word
		view.Offers = append(view.Offers, g.offers[name]...)
		for _, id := range []tlsa.ChainID{remembered.Successor, remembered.Queued} {
			a.whole(id, view.Stash)
		}
		for _, offer := range view.Offers {
			a.whole(offer.Chain, view.Stash)
		}
		seen.Lineages[name] = view
	}
	if poll {
		g.polled = now
	}
}

// standing keeps a finding of the last poll alive between polls.
func standing(l rollover.Lineage, code rollover.Code) string {
	for _, r := range l.Waiting {
		if r.Code == code {
			return r.Text
		}
	}
	return ""
}

// live is where the link leads.
func (a *Agent) live(l Lineage, seen *rollover.Observation) rollover.Sight[tlsa.ChainID] {
	entry, err := a.host(l).Installed()
	switch {
	case err != nil:
		return rollover.Unseen[tlsa.ChainID](err.Error())
	case entry == "":
		return rollover.Seen(tlsa.ChainID(""))
	}
	id := tlsa.ChainID(filepath.Base(entry))
	if _, known := seen.Chains[id]; known || a.knows(l.Name, id) {
		return rollover.Seen(id)
	}
	pair, err := a.stash.Get(id)
	if err != nil {
		return rollover.Unseen[tlsa.ChainID](err.Error())
	}
	seen.Chains[id] = pair.Chain
	return rollover.Seen(id)
}

func (a *Agent) knows(lineage string, id tlsa.ChainID) bool {
	return a.of[lineage].state.Chains[id] != nil
}

// installed is the pair that the install files hold, copied into the stash so
// that it can be adopted. That they hold different pairs is an error: nobody can
// tell which one is meant.
func (a *Agent) installed(l Lineage, seen *rollover.Observation) rollover.Sight[tlsa.ChainID] {
	var found certwatch.Pair
	for _, files := range a.host(l).Pairs() {
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

// keep copies a pair into the stash; a dry agent does not.
func (a *Agent) keep(p certwatch.Pair) error {
	if a.dry {
		return nil
	}
	_, err := a.stash.Put(p)
	return err
}

// staged reads what the ACME client left. Files that are still being written are
// looked at again by themselves.
func (a *Agent) staged(l Lineage, remembered rollover.Lineage, seen *rollover.Observation) ([]rollover.Offer, string) {
	pair, err := a.reader.Load(l.Staged)
	switch {
	case errors.Is(err, certwatch.ErrUnsettled), isAbsent(err) && remembered.Staged == "":
		return nil, ""
	case err != nil:
		return nil, err.Error()
	}
	if pair.ID() != remembered.Staged {
		if err := a.keep(pair); err != nil {
			return nil, err.Error()
		}
		seen.Chains[pair.ID()] = pair.Chain
	}
	return []rollover.Offer{{Chain: pair.ID()}}, ""
}

// whole checks that a pair in the stash loads and fits.
func (a *Agent) whole(id tlsa.ChainID, into map[tlsa.ChainID]rollover.Sight[struct{}]) {
	if id == "" {
		return
	}
	if _, err := a.stash.Get(id); err != nil && !a.dry {
		into[id] = rollover.Unseen[struct{}](err.Error())
	} else {
		into[id] = rollover.Seen(struct{}{})
	}
}

// host is everything about a lineage's installation.
func (a *Agent) host(l Lineage) swap.Host {
	h := swap.Host{Lineage: l.Name, Live: filepath.Join(a.cfg.State, "live", l.Name), Check: l.Check, Reload: l.Reload, Timeout: l.Timeout, Run: a.cfg.Run}
	for _, t := range l.Install {
		target := swap.Target{Path: t.Path, Dir: t.Dir, Mode: t.Mode}
		if t.User != "" || t.Group != "" {
			target.Owner = t.User + ":" + t.Group
		}
		for _, part := range t.Content {
			target.Content = append(target.Content, swap.Part(part))
		}
		h.Install = append(h.Install, target)
	}
	return h
}
