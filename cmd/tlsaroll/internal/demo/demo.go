package demo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/agent"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// Options are what the demo needs of the program.
type Options struct {
	Stage Stage
	Clock agent.Clock
}

// limit is how long the demo may take on the slowest host.
const limit = 2 * time.Minute

var errLimit = fmt.Errorf("not over after %s", limit)

// Run shows both renewals. Its error says why they did not come to the end, or
// what is wrong with how they ended. When it returns, nothing is left behind.
func Run(ctx context.Context, o Options) (r Result, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, errLimit)
	defer cancel()
	w, err := newWorld(ctx, o.Clock)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	s := &show{world: w, narrator: &narrator{stage: o.Stage}, begun: o.Clock.Boot()}
	o.Stage.Say(prologue()...)
	s.hammer = strike(ctx, w.senders)
	defer s.hammer.stop()
	if r.SwapFirst, err = s.swapFirst(ctx); err != nil {
		return r, s.unfinished("the script's renewal", err)
	}
	if r.Tlsaroll, err = s.rollOver(ctx); err != nil {
		return r, s.unfinished("tlsaroll's renewal", err)
	}
	for _, server := range w.zone.Servers() {
		a, _ := w.zone.Answer(server, owner)
		r.Left = append(r.Left, a.RRset)
	}
	r.Wanted = tlsa.NewRRset(recordTTL, w.certs[2].record, foreign)
	o.Stage.Say(epilogue(r)...)
	return r, r.verdict()
}
