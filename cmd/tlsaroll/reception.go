package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/config"
	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/control"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/agent"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// reception answers other commands while this process has the journal and is no
// daemon, as rollover --wait for hours: it must keep nobody from handing a pair in or
// from asking how things stand.
type reception struct {
	*program
	cfg     *config.Config
	agent   *agent.Agent
	lineage string // for which this process makes passes; "": for none
}

// receive opens the reception until it is closed. Where it cannot be opened, as by
// somebody who is not root, there is none: the others learn that the journal is in use.
func (r *reception) receive(ctx context.Context) (closed func()) {
	socket, err := control.Listen(r.cfg.Control, r.cfg.ControlGroup)
	if err != nil {
		return func() {}
	}
	ctx, end := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = control.Server{ // that it has broken off is said to who asks
			Version: r.version, Log: slog.New(slog.DiscardHandler), Alive: r.agent.Alive,
			Carry: func(ctx context.Context, q control.Request, to *control.Reply) int { return r.visit(ctx, r, q, to) },
		}.Serve(ctx, socket)
	}()
	return func() { end(); <-done }
}

// visit carries out what somebody asks for over the socket.
func (p *program) visit(ctx context.Context, k keeper, q control.Request, to *control.Reply) int {
	visitor := *p
	visitor.ui = at(q.Terminal, to, visitor.now)
	o := &office{program: &visitor, keeper: k, hired: true}
	return visitor.ui.exit(o.carry(ctx, q))
}

func (r *reception) acting() (*agent.Agent, func() error, error)  { return r.agent, nothing, nil }
func (r *reception) reading() (*agent.Agent, func() error, error) { return r.agent, nothing, nil }
func (r *reception) looking() (*agent.Agent, func() error, error) { return dry(r.agent) }

// stay watches the passes that this process makes, or makes those over other lineages.
func (r *reception) stay(ctx context.Context, a *agent.Agent, lineage string, seen func(agent.Report) bool) error {
	if r.lineage == "" || lineage != r.lineage {
		return a.Run(ctx, lineage, seen)
	}
	err := a.Follow(ctx, lineage, seen)
	if errors.Is(err, agent.ErrClosed) {
		return fmt.Errorf("whoever made the passes has ended; nothing is lost (hint: tlsaroll status %s)", lineage)
	}
	return err
}

func (r *reception) answering(context.Context, *agent.Agent) (closed func()) { return func() {} }

func (r *reception) told() []rollover.Warning   { return nil }
func (r *reception) configured() *config.Config { return r.cfg }
func (r *reception) who() string                { return "rollover " + r.lineage }

func (r *reception) refusals(owners ...tlsa.Owner) []error { return r.heard.refusals(owners...) }

// dry is an agent that only looks, from where another stands.
func dry(a *agent.Agent) (*agent.Agent, func() error, error) {
	d, err := a.Dry()
	if err != nil {
		return nil, nil, err
	}
	return d, d.Close, nil
}

// daemonRuns reports whether a daemon answers at a control socket, and not somebody
// who has the journal for a while.
func (p *program) daemonRuns(ctx context.Context, socket string) bool {
	var seen overheard
	exit, err := control.Do(ctx, socket, control.Request{Version: p.version, Command: "who"}, &seen)
	return err == nil && exit == exitDone && strings.Join(seen.results, "") == whoDaemon
}

// whoDaemon is how a daemon answers who it is.
const whoDaemon = "daemon"

// answer says who has the journal.
func (o *office) answer(context.Context, control.Request) error {
	o.ui.result(o.who())
	return nil
}
