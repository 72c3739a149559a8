package main

import (
	"fmt"
	"slices"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/agent"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// takeover is what an adoption comes to.
type takeover struct {
	lineage string
	pair    *tlsa.Chain // nil: there is none to take over
	known   bool        // it was taken over before
	off     bool        // its records were withdrawn
	files   []string    // copies of it for servers
	owners  []owned
}

// owned is an owner name's records as they stand, and as whose.
type owned struct {
	name          tlsa.Owner
	ours, foreign []string
}

// takeoverOf works out what a look's plan to adopt would make ours. named become ours by a
// person's word.
func (o *office) takeoverOf(lineage string, r agent.Report, named []tlsa.Association) *takeover {
	before := r.State.Lineages[lineage]
	state, t := r.State, &takeover{lineage: lineage, files: o.copies(lineage), known: before.Live != "", off: !before.Withdrawn.IsZero()}
	for _, action := range r.Plan.Actions {
		if adopt, is := action.(rollover.Adopt); is && adopt.Lineage == lineage {
			state = rollover.Done(r.State, adopt, rollover.Result{}, r.Policy, r.At)
		}
	}
	t.pair = state.Chains[state.Lineages[lineage].Live]
	for _, e := range status(r, lineage, r.At).Endpoints {
		place := owned{name: e.Owner}
		for _, text := range e.Records {
			isOne := func(a tlsa.Association) bool { return a.String() == text }
			if slices.ContainsFunc(state.Owners[e.Owner].Ours, isOne) || slices.ContainsFunc(named, isOne) {
				place.ours = append(place.ours, text)
			} else {
				place.foreign = append(place.foreign, text)
			}
		}
		if !slices.ContainsFunc(t.owners, func(o owned) bool { return o.name == e.Owner }) {
			t.owners = append(t.owners, place)
		}
	}
	return t
}

// lacks says which record was named that stands nowhere, before anything is taken over.
func (t *takeover) lacks(named []tlsa.Association) error {
	for _, a := range named {
		if !slices.ContainsFunc(t.owners, func(o owned) bool { return slices.Contains(o.ours, a.String()) }) {
			return fmt.Errorf("%s: no server gives the record %s (hint: tlsaroll status %s shows what stands)", t.lineage, a, t.lineage)
		}
	}
	return nil
}

// copies are where a lineage's pair is copied to, by the configuration.
func (o *office) copies(lineage string) (paths []string) {
	for _, l := range o.configured().Lineages {
		if l.Name != lineage {
			continue
		}
		for _, i := range l.Install {
			if i.Dir != "" {
				paths = append(paths, i.Dir+"/")
			} else {
				paths = append(paths, i.Path)
			}
		}
	}
	return paths
}

// lines say it on less than a screen.
func (t *takeover) lines() []string {
	out := []string{t.lineage + ": takes over what is in service; nothing that is served or published changes"}
	if t.known {
		out[0] = t.lineage + ": has taken over what is in service"
	}
	say := func(what, text string) { out = append(out, fmt.Sprintf("  %-8s %s", what, text)) }
	if t.pair != nil { // whose absence was said
		say("pair", fmt.Sprintf("%s for %s, until %s", t.pair.ID().Short(), list(t.pair.Names()), t.pair.NotAfter().UTC().Format("2006-01-02")))
	}
	for _, file := range t.files {
		say("file", file+", which nobody but tlsaroll writes from now on")
	}
	for _, o := range t.owners {
		switch none := len(o.ours)+len(o.foreign) == 0; {
		case none && t.off:
			say("records", string(o.name)+" has none, as they were withdrawn (hint: tlsaroll rollover "+t.lineage+" publishes again)")
		case none:
			say("records", string(o.name)+" has none: they are published next")
		}
		for _, record := range o.ours {
			say("ours", string(o.name)+" "+record)
		}
		for _, record := range o.foreign {
			say("foreign", string(o.name)+" "+record+": left alone (hint: --record \""+record+"\" makes it ours)")
		}
	}
	return out
}
