package main

import (
	"errors"
	"fmt"
	"path/filepath"
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
	var names []string
	for _, l := range all {
		if l.Hook && covers(l, pair) && o.sameKind(a, l.Name, pair) {
			names = append(names, l.Name)
		}
	}
	if len(names) == 0 {
		o.ui.say(fmt.Sprintf("%s: a certificate for %s, which is no lineage's: nothing to do", r.Pair.ChainFile, list(pair.Chain.Names())), "")
		return "", nil
	}
	return one(names, "the certificate is for the endpoints of", all)
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

// byFiles are the lineages whose staged certificate is that file.
func byFiles(all []config.Lineage, cert string) []string {
	var names []string
	for _, l := range all {
		if files := stagedFiles(l.Staged); files.Cert != "" && same(files.Cert, cert) {
			names = append(names, l.Name)
		}
	}
	return names
}

// same reports whether two paths are of one file, links on the way followed.
func same(a, b string) bool {
	followed := func(path string) string {
		if to, err := filepath.EvalSymlinks(path); err == nil {
			return to
		}
		return filepath.Clean(path)
	}
	return a == b || followed(a) == followed(b)
}

// covers reports whether the certificate is for all endpoints' hosts.
func covers(l config.Lineage, pair certwatch.Pair) bool {
	return !slices.ContainsFunc(l.Endpoints, func(e config.Endpoint) bool { return pair.Covers(e.Host) != nil })
}

// sameKind reports whether the live certificate of a lineage has a key of the pair's
// kind, or there is none: an RSA and an ECDSA lineage may have the same endpoints.
func (o *office) sameKind(a *agent.Agent, lineage string, pair certwatch.Pair) bool {
	state, _, err := a.State(lineage)
	if err != nil {
		return false
	}
	live := state.Chains[state.Lineages[lineage].Live]
	return live == nil || live.Leaf().PublicKeyAlgorithm == pair.Chain.Leaf().PublicKeyAlgorithm
}
