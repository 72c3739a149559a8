package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tlsaroll/tlsaroll/certwatch"
	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/control"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/agent"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// accepted asks what an emergency costs, has it said, and asks back whether that is
// accepted. It reports whether the swap need not wait for caches.
func (p *program) accepted(ctx context.Context, lineage string, files certwatch.Files, yes bool) (atOnce bool, err error) {
	if files.Cert == "" {
		err = p.errand(ctx, "weigh", lineage, nil)
	} else {
		err = p.handIn(ctx, "weigh", lineage, nil, files)
	}
	coded, ok := errors.AsType[*exitCode](err)
	switch {
	case err == nil:
		return false, nil
	case !ok || coded.code != exitWaiting:
		return false, err
	case yes:
		return true, nil
	case !p.ui.asks():
		return false, &exitCode{exitPerson, fmt.Errorf("%s: nothing was done: a person has to agree (hint: --yes agrees; without --emergency a rollover waits for caches)", lineage)}
	case !p.ui.ask("swap to the new key at once all the same?"):
		return false, &exitCode{exitPerson, fmt.Errorf("%s: nothing was done (hint: without --emergency a rollover waits for caches)", lineage)}
	}
	return true, nil
}

// asks reports whether somebody can be asked.
func (u *ui) asks() bool {
	f, ok := u.stdin.(interface{ Fd() uintptr })
	return ok && u.terminal && isTerminalFile(f)
}

// ask asks a question and takes the answer; whatever is not yes is no.
func (u *ui) ask(question string) bool {
	u.say(question+" [y/N]", "")
	line, err := bufio.NewReader(u.stdin).ReadString('\n')
	if err != nil && line == "" {
		return false
	}
	answer := strings.ToLower(strings.TrimSpace(line))
	return answer == "y" || answer == "yes"
}

// weigh says what an emergency costs, and ends as waiting if it costs something. It
// changes nothing.
func (o *office) weigh(ctx context.Context, r control.Request) error {
	return with(o.looking, r.Lineage, func(a *agent.Agent) error {
		state, policy, err := a.State(r.Lineage)
		if err != nil {
			return err
		}
		if report, err := a.Pass(ctx, r.Lineage); err == nil { // else what is remembered has to do
			state, policy = report.State, report.Policy
		}
		next, err := o.following(a, r, state)
		if err != nil {
			return err
		}
		if next == nil && doneWith(a, r.Lineage, state) {
			return nil // no key comes after the live one
		}
		prices := state.Emergency(r.Lineage, policy, next, a.Now())
		for _, text := range weighed(state, policy, r.Lineage, prices, a.Now()) {
			o.ui.warn(text, "")
		}
		if len(prices) > 0 {
			return &exitCode{code: exitWaiting}
		}
		return nil
	})
}

// following is the chain that follows the live one in an emergency, nil where it is to be
// issued or none is wanted. One that must not is refused.
func (o *office) following(a *agent.Agent, r control.Request, state rollover.State) (*tlsa.Chain, error) {
	var next *tlsa.Chain
	l := state.Lineages[r.Lineage]
	switch {
	case r.Pair != nil:
		pair, err := pairOf(a, r)
		if err != nil {
			return nil, err
		}
		next = pair.Chain
	case onItsWay(state, r.Lineage) != nil:
		next = onItsWay(state, r.Lineage)
	case doneWith(a, r.Lineage, state):
		return nil, nil
	case a.Issues(r.Lineage):
	case l.Successor != "":
		next = state.Chains[l.Successor]
	default:
		return nil, &exitCode{exitPerson, fmt.Errorf("%s: no pair of another key is there (hint: have a certificate issued for a new key, and hand it in with --cert and --key)", r.Lineage)}
	}
	if why := state.AgainstEmergency(r.Lineage, next); why != "" {
		return nil, &exitCode{exitPerson, fmt.Errorf("%s: %s", r.Lineage, why)}
	}
	return next, nil
}

// leaked is the key that an emergency is declared for: that of the live pair, before
// another one takes its place. "" is one whose follower is live already.
func (o *office) leaked(a *agent.Agent, r control.Request) (spki string, err error) {
	state, _, err := a.State(r.Lineage)
	if err != nil {
		return "", err
	}
	next, err := o.following(a, r, state)
	live := state.Chains[state.Lineages[r.Lineage].Live]
	if err != nil || live == nil || next == nil && (!a.Issues(r.Lineage) || doneWith(a, r.Lineage, state)) {
		return "", err
	}
	return live.SPKI(), nil
}

// doneWith reports whether the key that an emergency is about is not live any more: said
// again, it is not about the one that came after it.
func doneWith(a *agent.Agent, lineage string, state rollover.State) bool {
	if onItsWay(state, lineage) != nil {
		return false
	}
	l := state.Lineages[lineage]
	return state.EmergencyGoesOn(lineage) || !a.Issues(lineage) && l.Successor == "" && l.Phase == rollover.Retiring
}

// onItsWay is the first chain on its way that may follow the live one in an emergency, nil
// if there is none.
func onItsWay(state rollover.State, lineage string) *tlsa.Chain {
	l := state.Lineages[lineage]
	for _, id := range []tlsa.ChainID{l.Successor, l.Queued} {
		if chain := state.Chains[id]; chain != nil && state.AgainstEmergency(lineage, chain) == "" {
			return chain
		}
	}
	return nil
}

// weighed puts into words what an emergency costs, and what it cannot mend.
func weighed(state rollover.State, policy rollover.Policy, lineage string, prices []rollover.Price, now time.Time) []string {
	var out []string
	for _, price := range prices {
		out = append(out, fmt.Sprintf("%s: answers may be held in caches that have no record of the new key: senders that enforce DANE and hold one defer mail until about %s",
			price.Owner, rollover.Stamp(price.Until)))
	}
	if until := state.Signed(lineage, policy); until.After(now) {
		out = append(out, fmt.Sprintf("%s: answers with the record of the compromised key are signed until %s: until then they can be replayed by whoever is between a sender and its resolver or name servers (RFC 7671, section 13)",
			lineage, rollover.Stamp(until)))
	}
	l := state.Lineages[lineage]
	if live := state.Chains[l.Live]; live != nil && policy.Lineages[lineage].Scheme.TA && live.NotAfter().After(now) {
		out = append(out, fmt.Sprintf("%s: the certificate of the compromised key matches 2 1 1 of its issuer until it ends on %s, as DANE clients do not ask whether it was revoked",
			lineage, rollover.Stamp(live.NotAfter())))
	}
	return out
}
