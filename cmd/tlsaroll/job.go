package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/agent"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// job is one rollover as far as this process sees to it.
type job struct {
	*office
	agent   *agent.Agent
	lineage string
	goal    string       // served or retired
	want    tlsa.ChainID // the pair handed in; "": whatever is newest
	shown   *progress
	said    string // the failures that were said last
}

// lull is how many passes in a row may follow each other without waiting, so that
// one call comes as far as it can: adopt, publish, swap, verify.
const lull = 5

// step makes passes as long as something is done, and says what remains.
func (j *job) step(ctx context.Context) error {
	var last agent.Report
	for range lull {
		r, err := j.agent.Pass(ctx, j.lineage)
		if err != nil {
			return err
		}
		last = r
		j.failedOnce(r)
		if err := j.hopeless(r); err != nil {
			return err
		}
		if !r.Changed {
			break
		}
	}
	return j.outcome(last)
}

// stay makes passes until the goal is reached, or nothing but a person can help.
func (j *job) stay(ctx context.Context) error {
	last, err := j.watch(ctx, func(r agent.Report) bool {
		if j.want == r.State.Lineages[j.lineage].Live && j.goal == untilRetired {
			j.want = "" // what comes after it is waited for, too
		}
		return j.reached(r) || j.stuck(r) || j.dropped(r)
	})
	switch {
	case err != nil:
		return err
	case ctx.Err() != nil:
		s := status(last, j.lineage, j.agent.Now())
		j.ui.say("stopped; nothing is lost: "+s.Name+" is "+string(s.Phase), "tlsaroll rollover "+j.lineage+" --wait goes on")
		return &exitCode{code: exitWaiting}
	}
	return j.outcome(last)
}

// watch shows the passes over the lineage until nothing is done in one and it is enough,
// until none will help, or until ctx ends. It gives the last one.
func (j *job) watch(ctx context.Context, enough func(agent.Report) bool) (last agent.Report, err error) {
	var hopeless error
	err = j.office.stay(ctx, j.agent, j.lineage, func(r agent.Report) bool {
		last = r
		j.failedOnce(r)
		if hopeless = j.hopeless(r); hopeless != nil || !r.Changed && enough(r) {
			return true
		}
		j.shown.pass(j.agent.Now(), r)
		return false
	})
	j.shown.end()
	return last, cmp.Or(err, hopeless)
}

// failedOnce says what went wrong with actions, until that changes once.
func (j *job) failedOnce(r agent.Report) {
	if text := fmt.Sprint(r.Failed); text != j.said {
		j.said = text
		j.office.failed(r)
	}
}

// outcome says where the rollover stands, by words and exit code.
func (j *job) outcome(r agent.Report) error {
	s := status(r, j.lineage, j.agent.Now())
	switch {
	case j.reached(r):
		j.ui.result(s.Explain(j.agent.Now()))
		return nil
	case j.stuck(r):
		for _, reason := range s.Waiting {
			if reason.Code.NeedsPerson() {
				j.ui.say(paint(j.ui.colourErr, red, string(reason.Code)+": ")+cmp.Or(unadoptable(s, reason), reason.Text), "")
			}
		}
		if why := unserved(s); why != "" && j.swapped(r) {
			j.ui.say(paint(j.ui.colourErr, red, "not-served: ")+why, "")
		}
		return &exitCode{code: exitPerson}
	}
	if j.dropped(r) {
		return fmt.Errorf("%s: pair %s is not on its way any more (hint: it was cancelled, or a newer one took its place; tlsaroll status %s)", j.lineage, j.want.Short(), j.lineage)
	}
	if why := blind(r, s); why != "" {
		j.ui.say(string(rollover.CodeServersUnknown)+": "+why, "") // all else is as of the last look
		return &exitCode{code: exitWaiting}
	}
	for _, reason := range s.Waiting {
		if why := unadoptable(s, reason); why != "" {
			j.ui.say(string(reason.Code)+": "+why, "")
			return &exitCode{code: exitWaiting}
		}
	}
	j.ui.result(s.Explain(j.agent.Now()))
	return &exitCode{code: exitWaiting}
}

// reached reports whether what was asked for is done.
func (j *job) reached(r agent.Report) bool {
	s := status(r, j.lineage, j.agent.Now())
	if !j.swapped(r) || looking(r) || unserved(s) != "" || unpublished(r, s) {
		return false
	}
	return j.goal == untilServed || r.State.Lineages[j.lineage].Phase == rollover.Steady
}

// swapped reports whether the pair that was asked for is live: the one that was handed
// in, else the newest.
func (j *job) swapped(r agent.Report) bool {
	l := r.State.Lineages[j.lineage]
	if l.Swapping != nil || l.Live == "" {
		return false
	}
	return l.Live == j.want || j.want == "" && l.Successor == ""
}

// dropped reports whether the pair that was handed in is neither live nor on its way
// any more, as when somebody cancels it.
func (j *job) dropped(r agent.Report) bool {
	l := r.State.Lineages[j.lineage]
	return j.want != "" && !slices.Contains([]tlsa.ChainID{l.Live, l.Successor, l.Queued}, j.want)
}

// stuck reports whether nothing will come of waiting.
func (j *job) stuck(r agent.Report) bool {
	s := status(r, j.lineage, j.agent.Now())
	settled := r.State.Lineages[j.lineage].Swapped.Add(r.Policy.Timing.Settle)
	switch {
	case j.swapped(r) && !looking(r) && looked(s) && !r.At.Before(settled) && unserved(s) != "":
		return true
	case blind(r, s) != "":
		return false
	}
	for _, reason := range r.State.Lineages[j.lineage].Waiting {
		// Who was told to add records by hand may be about to: that is worth waiting for.
		if reason.Code.NeedsPerson() && reason.Code != rollover.CodeAddByHand && !adopting(r, reason) {
			return true
		}
	}
	return false
}

// adopting reports whether a lineage without a live pair may still get one by itself.
func adopting(r agent.Report, reason rollover.Reason) bool {
	return reason.Code == rollover.CodeNotAdopted && !reason.Until.IsZero() && reason.Until.After(r.At)
}

// dryRun says what one pass would do.
func (j *job) dryRun(ctx context.Context) error {
	r, err := j.agent.Pass(ctx, j.lineage)
	if err != nil {
		return err
	}
	j.ui.plan(j.lineage, r, j.agent.Now())
	return nil
}

// hopeless says why no further pass will help, nil while one may. What an action
// ended with was said when it did.
func (j *job) hopeless(r agent.Report) error {
	if unmendable(r.Failed) != nil {
		return &exitCode{code: exitError}
	}
	return unmendable(j.refusals(places(status(r, j.lineage, j.agent.Now()))...))
}

// unmendable gives the first error that no further try will mend: a key that the
// server does not know, a zone that it does not have.
func unmendable(errs []error) error {
	for _, err := range errs {
		for _, kind := range []error{dnsprovider.ErrRefused, dnsprovider.ErrNoZone, dnsprovider.ErrOutsideZone, dnsprovider.ErrAlias, dnsprovider.ErrUnauthentic, dnsprovider.ErrMalformed, dnsprovider.ErrUnsupported} {
			if errors.Is(err, kind) {
				return err
			}
		}
	}
	return nil
}

// status is one lineage of a report as it is shown.
func status(r agent.Report, lineage string, now time.Time) rollover.LineageStatus {
	for _, s := range rollover.Describe(r.State, r.Policy, now) {
		if s.Name == lineage {
			return s
		}
	}
	return rollover.LineageStatus{Name: lineage}
}
