package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/tlsaroll/tlsaroll/certwatch"
	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/config"
	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/control"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/agent"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// keeper is who has the journal: this process, or the daemon.
type keeper interface {
	// acting gives the agent that may change things. Who asked lets go of it when done.
	acting() (a *agent.Agent, done func() error, err error)
	// looking gives one whose passes change nothing.
	looking() (a *agent.Agent, done func() error, err error)
	// reading gives one that is asked for what is remembered, and makes no pass.
	reading() (a *agent.Agent, done func() error, err error)
	// stay shows seen the passes over a lineage's group until it has seen enough.
	stay(ctx context.Context, a *agent.Agent, lineage string, seen func(agent.Report) bool) error
	// answering has others answered, as far as that is for this process to do, until it is
	// closed: for while no passes are made.
	answering(ctx context.Context, a *agent.Agent) (closed func())
	// told are the warnings that are about no lineage.
	told() []rollover.Warning
	// configured is the configuration in force, once there is an agent.
	configured() *config.Config
	// who is the keeper, for others.
	who() string
	// refusals are why providers' own copies could not be read last at some owner names.
	refusals(owners ...tlsa.Owner) []error
}

// office carries out what commands ask for, in this process or in the daemon.
type office struct {
	*program
	keeper
	hired bool // others' requests are carried out: what the agent says goes to a log that they do not see
}

// errands are what can be asked for.
func errands() map[string]func(o *office, ctx context.Context, r control.Request) error {
	return map[string]func(*office, context.Context, control.Request) error{
		"rollover":    (*office).rollover,
		"weigh":       (*office).weigh,
		"once":        (*office).once,
		"plan":        (*office).plan,
		"status":      (*office).status,
		"history":     (*office).history,
		"notify-test": (*office).notifyTest,
		"adopt":       (*office).adopt,
		"order":       (*office).order,
		"hook":        (*office).hook,
		"who":         (*office).answer,
	}
}

// carry carries out one request.
func (o *office) carry(ctx context.Context, r control.Request) error {
	errand := errands()[r.Command]
	if errand == nil {
		return usage(fmt.Errorf("the daemon knows no %q (hint: restart it, if it is of an older version)", r.Command))
	}
	return errand(o, ctx, r)
}

// options reads what a command was asked for beside a lineage and a pair.
func options[T any](r control.Request) (T, error) {
	var o T
	if len(r.Args) == 0 {
		return o, nil
	}
	if err := json.Unmarshal(r.Args, &o); err != nil {
		return o, usage(fmt.Errorf("%s: its options cannot be read: %w (hint: restart the daemon, if it is of another version)", r.Command, err))
	}
	return o, nil
}

// pairOf reads the pair that was handed in, which travels as content. A certificate that
// was ordered with a request comes without its key: it may be for one that is kept here,
// of the lineage that was named, or of any.
func pairOf(a *agent.Agent, r control.Request) (certwatch.Pair, error) {
	var key []byte
	var spare []certwatch.PrivateKey
	if k := r.Pair.Key.Reveal(); len(k) > 0 {
		key = k
	} else {
		for _, name := range lineages(a, r.Lineage) {
			keys, err := a.Spare(name)
			if err != nil {
				return certwatch.Pair{}, err
			}
			spare = append(spare, keys...)
		}
	}
	pair, err := certwatch.FromPEM(r.Pair.Chain, key, spare...)
	var e *certwatch.Error
	if errors.As(err, &e) && errors.Is(err, certwatch.ErrNoKey) { // the file is to be named, and not what came of it
		return pair, &certwatch.Error{Where: r.Pair.ChainFile, Problem: e.Problem, Hint: e.Hint, Kind: e.Kind}
	}
	if err != nil {
		return pair, fmt.Errorf("%s: %w", r.Pair.ChainFile, err)
	}
	return pair, nil
}

// taking is one of keeper's ways to get at an agent.
type taking func() (a *agent.Agent, done func() error, err error)

// with gives errand an agent, and lets go of it afterwards. "" is all lineages.
func with(take taking, lineage string, errand func(a *agent.Agent) error) (err error) {
	a, done, err := take()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	if lineage != "" {
		if err := known(a, lineage); err != nil {
			return err
		}
	}
	return errand(a)
}

// lineages are the one asked for, or all.
func lineages(a *agent.Agent, one string) []string {
	if one != "" {
		return []string{one}
	}
	return a.Lineages()
}

// known refuses a lineage that the configuration does not have.
func known(a *agent.Agent, lineage string) error {
	if names := a.Lineages(); !slices.Contains(names, lineage) {
		return usage(fmt.Errorf("no lineage %q (hint: the configuration has: %s)", lineage, list(names)))
	}
	return nil
}

// own is the keeper where a process works on its own.
type own struct {
	*program
	cfg *config.Config
}

func (w *own) acting() (*agent.Agent, func() error, error) {
	cfg, wired, err := w.load()
	if err == nil {
		err = actsAs(cfg)
	}
	if err != nil {
		return nil, nil, err
	}
	a, err := agent.Open(wired)
	if err != nil {
		return nil, nil, err
	}
	w.cfg = cfg
	return a, a.Close, nil
}

func (w *own) looking() (*agent.Agent, func() error, error) {
	cfg, wired, err := w.load()
	if err != nil {
		return nil, nil, err
	}
	a, err := agent.OpenDry(wired)
	if err != nil {
		return nil, nil, err
	}
	w.cfg = cfg
	return a, a.Close, nil
}

func (w *own) reading() (*agent.Agent, func() error, error) { return w.looking() }

func (w *own) stay(ctx context.Context, a *agent.Agent, lineage string, seen func(agent.Report) bool) error {
	defer (&reception{w.program, w.cfg, a, lineage}).receive(ctx)()
	return a.Run(ctx, lineage, seen)
}

func (w *own) answering(ctx context.Context, a *agent.Agent) (closed func()) {
	return (&reception{program: w.program, cfg: w.cfg, agent: a}).receive(ctx)
}

func (w *own) told() []rollover.Warning   { return nil }
func (w *own) who() string                { return "nobody" }
func (w *own) configured() *config.Config { return w.cfg }

func (w *own) refusals(owners ...tlsa.Owner) []error { return w.heard.refusals(owners...) }
