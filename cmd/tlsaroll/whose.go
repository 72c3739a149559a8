package main

import (
	"errors"
	"fmt"
	"slices"

	"github.com/tlsaroll/tlsaroll/certwatch"
	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/config"
	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/control"
	"github.com/tlsaroll/tlsaroll/rollover/agent"
)

// whose finds the lineage of a pair that an ACME client hands over: the one named, else
// by the files, else by names and the kind of key. "" is nobody's, which was said.
func (o *office) whose(a *agent.Agent, r control.Request, pair certwatch.Pair) (string, error) {
	all := o.configured().Lineages
	if r.Lineage != "" {
		return r.Lineage, hooked(all, r.Lineage)
	}
	if names := byFiles(all, r.Pair.ChainFile); len(names) > 0 {
		return one(names, r.Pair.ChainFile+" is staged for", all)
	}
	names := fitting(all, pair, func(lineage string) (same, known bool) { return o.sameKind(a, lineage, pair) })
	if len(names) == 0 {
		o.ui.say(fmt.Sprintf("%s: a certificate for %s, which is no lineage's: nothing to do", r.Pair.ChainFile, list(pair.Chain.Names())), "")
		return "", nil
	}
	for _, l := range all {
		if name := renamed(l.Staged, r.Pair.ChainFile); name != "" && slices.Equal(names, []string{l.Name}) {
			o.ui.warn(fmt.Sprintf("%s: certbot goes on as %s, and what is watched is %s", l.Name, name, l.Staged.Name), "write staged: {certbot: "+name+"}, so that a pair is found whose hook was lost")
		}
	}
	return one(names, "the certificate is for the endpoints of", all)
}

// fitting are the lineages whose endpoints a certificate is for, and whose live one has a
// key of its kind; else those of them of which none is live yet.
func fitting(all []config.Lineage, pair certwatch.Pair, sameKind func(lineage string) (same, known bool)) []string {
	var names, fresh []string
	for _, l := range all {
		if !l.Hook || !covers(l, pair) {
			continue
		}
		switch same, known := sameKind(l.Name); {
		case !known:
			fresh = append(fresh, l.Name)
		case same:
			names = append(names, l.Name)
		}
	}
	if len(names) == 0 {
		return fresh
	}
	return names
}

// one refuses to choose.
func one(names []string, why string, all []config.Lineage) (string, error) {
	if len(names) > 1 {
		return "", usage(fmt.Errorf("hook: %s several lineages: %s (hint: say which with --lineage)", why, list(names)))
	}
	return names[0], hooked(all, names[0])
}

// hooked refuses a lineage that takes nothing from hooks.
func hooked(all []config.Lineage, name string) error {
	for _, l := range all {
		if l.Name == name && !l.Hook {
			return errors.New("lineage " + name + ": takes no pairs from hooks (hint: write hook: true, or let its staged files be found)")
		}
	}
	return nil
}

// byFiles are the lineages whose client keeps that file.
func byFiles(all []config.Lineage, file string) []string {
	var names []string
	for _, l := range all {
		if isStaged(l.Staged, file) {
			names = append(names, l.Name)
		}
	}
	return names
}

// covers reports whether the certificate is for all endpoints' hosts.
func covers(l config.Lineage, pair certwatch.Pair) bool {
	return !slices.ContainsFunc(l.Endpoints, func(e config.Endpoint) bool { return pair.Covers(e.Host) != nil })
}

// sameKind reports whether the live certificate of a lineage has a key of the pair's
// kind: an RSA and an ECDSA lineage may have the same endpoints. Known is false where no
// certificate is live, so that it may be the one as long as no other has that kind.
func (o *office) sameKind(a *agent.Agent, lineage string, pair certwatch.Pair) (same, known bool) {
	state, _, err := a.State(lineage)
	if err != nil {
		return false, true
	}
	live := state.Chains[state.Lineages[lineage].Live]
	if live == nil {
		return false, false
	}
	return live.Leaf().PublicKeyAlgorithm == pair.Chain.Leaf().PublicKeyAlgorithm, true
}
