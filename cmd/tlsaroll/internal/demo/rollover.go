package demo

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/agent"
)

const lineage = "mx1"

// timing is the rules' to the letter, with small numbers: RFC 6698, section A.4
// asks for one TTL, and two seconds are the least floor.
var timing = rollover.Timing{TTLs: 1, Floor: 2 * time.Second, UnknownTTL: recordTTL, Retire: 5 * time.Second, Settle: 30 * time.Second, Look: 2 * time.Second, Poll: time.Minute}

// agentConfig is what the daemon would make of a configuration file.
func (w *world) agentConfig() agent.Config {
	return agent.Config{
		State: filepath.Join(w.dir, "state"), Timing: timing, Resolver: resolverAt, Clock: w.clock,
		Providers: []agent.Provider{{Name: primary, Zone: domain, Provider: w.zone}},
		Lineages: []agent.Lineage{{
			Name: lineage,
			Policy: rollover.LineagePolicy{Scheme: rollover.Scheme{EE: true}, TA: rollover.Intermediate, KnownTTL: recordTTL, Deadline: rollover.DeadlineAuto,
				Endpoints: []rollover.Endpoint{{URL: "smtp://" + host, Host: host, Port: 25, SMTP: true, Owner: owner}}},
			Install: []agent.Install{{Path: w.combined(), Content: []string{"key", "chain"}, Mode: 0o600}},
			Reload:  [][]string{{"reload"}}, Timeout: time.Minute,
		}},
		Exchange: w.network.exchange, Dial: w.network.dial, Run: w.reload,
		Local:       func() []netip.Addr { return []netip.Addr{mailAt.Addr()} },
		FetchPolicy: func(context.Context, string) (string, error) { return "", errors.New("the demo has no web") },
	}
}

// rollOver renews with tlsaroll: what the daemon runs, in this process.
func (s *show) rollOver(ctx context.Context) (c Counts, err error) {
	w := s.world
	old, next := w.certs[1], w.certs[2]
	s.narrator.begin("2. with tlsaroll: the record first, the certificate when no cache can lack it")
	a, err := agent.Open(w.agentConfig())
	if err != nil {
		return c, err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	if _, err := a.Offer(lineage, next.Pair); err != nil {
		return c, err
	}
	ctx, stop := context.WithCancelCause(ctx)
	var last atomic.Pointer[rollover.LineageStatus]
	var running sync.WaitGroup
	running.Go(func() {
		stop(a.Run(ctx, lineage, func(r agent.Report) bool {
			last.Store(&rollover.Describe(r.State, r.Policy, a.Now())[0])
			return false
		}))
	})
	defer running.Wait()
	defer stop(nil)
	here := func() way { return way{last.Load(), old, next, a.Now()} }
	v, err := s.watch(ctx,
		func(v sight) []step { return here().steps(v) },
		func(v sight) bool { return done(v) && here().steady() })
	if reason := here().waits(); err != nil && reason != "" {
		return c, fmt.Errorf("%w: it waits: %s", err, reason)
	}
	if err != nil {
		return c, err
	}
	s.hammer.stop()
	v.counts = s.hammer.tally.restart()
	s.narrator.end(v)
	return v.counts, nil
}
