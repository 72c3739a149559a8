package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/config"
	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/control"
	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/notify"
	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/web"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/agent"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// daemon keeps all lineages until it is told to end. What runs beside the passes (the
// control socket, the watchdog, notices, metrics) asks for the agent anew each time:
// with another configuration there is another one.
type daemon struct {
	*program
	log     *slog.Logger
	service service // systemd's view of us
	socket  *control.Listener
	metrics *web.Metrics
	page    *web.Server // nil where nothing is listened on
	present atomic.Pointer[present]

	mu       sync.Mutex
	troubles map[rollover.Code]rollover.Warning // that are about no lineage
	noted    map[string]note                    // by lineage: what its last pass came to
	failing  map[string]string                  // by lineage: why the last pass over it could not be made

	recording sync.Mutex         // held while troubles are written into the history
	recorded  []rollover.Warning // those that stand there
}

// present is what is in force.
type present struct {
	cfg    *config.Config
	agent  *agent.Agent
	teller *notify.Teller
}

// lockPatience is between two tries to get at a journal that another instance has: a
// timer's call of once is over soon.
const lockPatience = 5 * time.Second

func newDaemon(p *program) *daemon {
	return &daemon{program: p, troubles: map[rollover.Code]rollover.Warning{}, noted: map[string]note{}, failing: map[string]string{}}
}

// startDaemon does what can fail before anything is done: it reads the configuration,
// takes the journal, then the control socket.
func (p *program) startDaemon(ctx context.Context) (*daemon, error) {
	d := newDaemon(p)
	d.service = newService(p.lookupEnv)
	d.log = p.daemonLog(d.nextLook)
	p.logs = d.log
	d.metrics = web.NewMetrics(web.Sources{Status: d.statuses, Warnings: d.told, Version: p.version})
	cfg, wired, err := d.read()
	if err == nil {
		err = actsAs(cfg)
	}
	if err != nil {
		return nil, err
	}
	a, err := d.open(ctx, cfg.Control, wired)
	if err != nil {
		return nil, err
	}
	if err := d.begin(cfg, a); err != nil {
		return nil, errors.Join(err, a.Close())
	}
	return d, nil
}

// begin opens all that others come to, once the journal is ours.
func (d *daemon) begin(cfg *config.Config, a *agent.Agent) (err error) {
	teller, err := d.tellerFor(cfg, d.log)
	if err != nil {
		return err
	}
	d.enforce(&present{cfg, a, teller})
	if cfg.Listen.IsValid() {
		d.page, err = web.Listen(web.Config{Listen: cfg.Listen, Web: cfg.Web, Metrics: d.metrics, Alive: d.alive, Journal: d.journal, Log: d.log,
			Host: hostName(), Now: d.now})
		if err != nil {
			return err
		}
	}
	d.socket, err = control.Listen(cfg.Control, cfg.ControlGroup)
	return err
}

// journal is nil while the journal of the agent in force is in its place.
func (d *daemon) journal() error { return d.agent().Journal() }

// enforce makes a configuration the one that counts.
func (d *daemon) enforce(now *present) {
	var providers []string
	for _, p := range now.cfg.Providers {
		providers = append(providers, p.Name)
	}
	d.metrics.Configure(now.agent.Lineages(), providers)
	d.remember(now.agent)
	d.present.Store(now)
}

// read reads the configuration; its warnings go to the log.
func (d *daemon) read() (*config.Config, agent.Config, error) {
	cfg, wired, err := d.loadWarning(func(text string) { d.log.Warn(text, "next_look", d.now()) })
	wired.Acted, wired.Happened = d.metrics.Acted, d.tellHappened
	return cfg, wired, err
}

// open waits for whoever has the journal for a while, but for no other daemon.
func (d *daemon) open(ctx context.Context, socket string, cfg agent.Config) (*agent.Agent, error) {
	for said := false; ; said = true {
		a, err := agent.Open(cfg)
		switch {
		case !errors.Is(err, agent.ErrLocked):
			return a, err
		case d.daemonRuns(ctx, socket):
			return nil, fmt.Errorf("control socket: %w at %s (hint: one is enough; systemctl status tlsaroll tells of it)", control.ErrRunning, socket)
		}
		if !said {
			d.log.Warn("waiting for the journal", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(lockPatience):
		}
	}
}

// live runs everything until ctx ends.
func (d *daemon) live(ctx context.Context, hangups <-chan os.Signal) error {
	beside, ctx := errgroup.WithContext(ctx)
	beside.Go(func() error { return d.serveControl(ctx) })
	beside.Go(func() error { return d.feedWatchdog(ctx) })
	beside.Go(func() error { return d.passes(ctx, hangups) })
	if d.page != nil {
		beside.Go(func() error { return d.page.Run(ctx) })
	}
	d.happened(rollover.Started, "tlsaroll "+d.version+" runs")
	d.log.Info("tlsaroll runs", "version", d.version, "pid", os.Getpid(), "lineages", d.agent().Lineages(), "next_look", d.now().UTC())
	d.service.ready(d.log)
	beside.Go(func() error {
		<-ctx.Done()
		d.service.stopping(d.log)
		return nil
	})
	err := beside.Wait()
	d.happened(rollover.Stopped, whyEnded(err))
	d.log.Info("tlsaroll ends; nothing is lost")
	return errors.Join(err, d.agent().Close())
}

// whyEnded says why the daemon ends.
func whyEnded(err error) string {
	if err == nil {
		return "it was asked to end"
	}
	return "it ends: " + err.Error()
}

// passes makes passes when they are due, and goes on with another configuration when
// one is wanted and good.
func (d *daemon) passes(ctx context.Context, hangups <-chan os.Signal) error {
	for ctx.Err() == nil {
		turn, end := context.WithCancel(ctx)
		ended := make(chan error, 1)
		go func(now *present) { ended <- d.turn(turn, now) }(d.present.Load())
		select {
		case err := <-ended:
			end()
			if err != nil || ctx.Err() != nil {
				return err
			}
		case <-hangups:
			// The new one is read while the old one works: a bad file interrupts nothing.
			cfg, wired, err := d.reread()
			end()
			if err := <-ended; err != nil {
				return err
			}
			if err == nil {
				d.change(cfg, wired)
			}
		}
	}
	return nil
}

// turn makes passes and tells people of warnings until ctx ends.
func (d *daemon) turn(ctx context.Context, now *present) error {
	both, ctx := errgroup.WithContext(ctx)
	both.Go(func() error { return now.agent.Run(ctx, "", d.seen) })
	both.Go(func() error {
		_ = now.teller.Run(ctx) // it has said what went wrong, and is tried again by the next one
		return nil
	})
	return both.Wait()
}

// nextLook is when the next pass is due, zero while one is made or none can be.
func (d *daemon) nextLook() time.Time {
	if now := d.present.Load(); now != nil {
		return now.agent.NextPass()
	}
	return time.Time{}
}

// agent is the one that is in force.
func (d *daemon) agent() *agent.Agent { return d.present.Load().agent }

// serveControl carries out what commands ask for.
func (d *daemon) serveControl(ctx context.Context) error {
	return control.Server{
		Version: d.version, Log: d.log, Reads: []string{"status", "history"},
		Alive: d.alive,
		Carry: func(ctx context.Context, q control.Request, to *control.Reply) int { return d.visit(ctx, d, q, to) },
	}.Serve(ctx, d.socket)
}

// The daemon is the keeper of the journal for whoever asks over the socket.

func (d *daemon) acting() (*agent.Agent, func() error, error)             { return d.agent(), nothing, nil }
func (d *daemon) answering(context.Context, *agent.Agent) (closed func()) { return func() {} }
func (d *daemon) reading() (*agent.Agent, func() error, error)            { return d.agent(), nothing, nil }
func (d *daemon) configured() *config.Config                              { return d.present.Load().cfg }
func (d *daemon) who() string                                             { return whoDaemon }

func (d *daemon) refusals(owners ...tlsa.Owner) []error { return d.heard.refusals(owners...) }

func nothing() error { return nil }

func (d *daemon) looking() (*agent.Agent, func() error, error) { return dry(d.agent()) }

// stay watches the passes that the daemon makes.
func (d *daemon) stay(ctx context.Context, a *agent.Agent, lineage string, seen func(agent.Report) bool) error {
	err := a.Follow(ctx, lineage, seen)
	if errors.Is(err, agent.ErrClosed) {
		return fmt.Errorf("the daemon ends; nothing is lost (hint: tlsaroll status %s, when it runs again)", lineage)
	}
	return err
}
