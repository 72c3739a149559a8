package main

import (
	"cmp"
	"context"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/config"
	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/notify"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/agent"
)

// note is what a lineage's last pass came to, as far as the log and people are told.
type note struct {
	phase    rollover.Phase
	warnings []rollover.Warning
}

// tellerFor tells people as a configuration says.
func (p *program) tellerFor(cfg *config.Config, log *slog.Logger) (*notify.Teller, error) {
	return notify.New(p.telling(cfg, log))
}

// telling is what a configuration says of how people are told.
func (p *program) telling(cfg *config.Config, log *slog.Logger) notify.Config {
	return notify.Config{Notifiers: cfg.Notify, At: rollover.Severity(cfg.NotifyAt), Remind: cfg.NotifyRemind, Swaps: cfg.NotifySwaps,
		File: filepath.Join(cfg.State, "told.json"), Host: hostName(), Now: p.now, Log: log}
}

// hostName is this host's, as people are told of it.
func hostName() string {
	host, err := os.Hostname()
	if err != nil {
		return "localhost" // which says that it is not known better
	}
	return host
}

// tellHappened has people told of what a pass came to, whoever made it.
func (d *daemon) tellHappened(events []rollover.Event) {
	if now := d.present.Load(); now != nil {
		now.teller.Happened(events)
	}
}

// seen takes in what a pass came to: it goes to the log where something has changed, to
// the metrics and to those who are told of warnings.
func (d *daemon) seen(r agent.Report) bool {
	d.passedOver(r)
	if r.Err == nil {
		d.metrics.Passed(r.Lineages, d.now())
		for _, name := range r.Lineages {
			d.note(name, r.State.Lineages[name])
		}
	}
	d.watchClock()
	teller := d.present.Load().teller
	if troubles := teller.Troubles(); len(troubles) > 0 {
		d.trouble(rollover.CodeNotifyFailed, "", strings.Join(troubles, "; "))
	} else {
		d.over(rollover.CodeNotifyFailed)
	}
	d.rememberTroubles()
	teller.See(d.notices())
	return false
}

// note logs how far a lineage has come, and what of its warnings is new or over.
func (d *daemon) note(name string, l rollover.Lineage) {
	d.mu.Lock()
	before := d.noted[name]
	d.noted[name] = note{cmp.Or(l.Phase, before.phase), l.Warnings}
	d.mu.Unlock()
	log := d.log.With("lineage", name)
	if l.Phase != "" && l.Phase != before.phase { // "" is between a step and the next look
		attrs := []any{"phase", string(l.Phase)}
		if l.Successor != "" && !l.ReadyAt.IsZero() {
			attrs = append(attrs, "ready_at", l.ReadyAt)
		}
		if len(l.Waiting) > 0 {
			attrs = append(attrs, "waits_for", l.Waiting[0].Text)
		}
		log.Info("phase", append(attrs, "next_look", l.Wake)...)
	}
	for _, w := range l.Warnings {
		if !has(before.warnings, w) {
			log.Log(context.Background(), level(w.Severity), w.Text, "code", string(w.Code), "about", w.About, "next_look", l.Wake)
		}
	}
	for _, w := range before.warnings {
		if !has(l.Warnings, w) {
			log.Info("over: "+w.Text, "code", string(w.Code), "about", w.About, "next_look", l.Wake)
		}
	}
}

// has reports whether a warning about the same is among some.
func has(all []rollover.Warning, w rollover.Warning) bool {
	return slices.ContainsFunc(all, func(x rollover.Warning) bool { return x.Code == w.Code && x.About == w.About })
}

func level(s rollover.Severity) slog.Level {
	switch s {
	case rollover.Info:
		return slog.LevelInfo
	case rollover.Warn:
		return slog.LevelWarn
	case rollover.Danger:
		return slog.LevelError
	}
	return slog.LevelError // of a kind that is not known
}

// notices are all warnings that there are.
func (d *daemon) notices() []notify.Notice {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := notify.Of("", slices.Collect(maps.Values(d.troubles)))
	for name, n := range d.noted {
		all = append(all, notify.Of(name, n.warnings)...)
	}
	return all
}

// remember begins with what is remembered of the agent's lineages, so that what was
// told before a restart neither clears nor comes again because of it.
func (d *daemon) remember(a *agent.Agent) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.noted, d.failing = map[string]note{}, map[string]string{}
	for name, l := range remembered(a) {
		d.noted[name] = note{l.Phase, l.Warnings}
	}
}

// remembered is what an agent remembers of each of its lineages.
func remembered(a *agent.Agent) map[string]rollover.Lineage {
	all := map[string]rollover.Lineage{}
	for _, name := range a.Lineages() {
		if state, _, err := a.State(name); err == nil { // else it left the configuration a moment ago
			all[name] = state.Lineages[name]
		}
	}
	return all
}

// tellPeople tells of warnings as the daemon does, for a pass that a timer makes.
func (o *office) tellPeople(ctx context.Context, a *agent.Agent, happened []rollover.Event) error {
	log := o.ui.logger()
	teller, err := o.tellerFor(o.configured(), log)
	if err != nil {
		return err
	}
	var all []notify.Notice
	for name, l := range remembered(a) {
		all = append(all, notify.Of(name, l.Warnings)...)
	}
	teller.See(all)
	teller.Happened(happened)
	return teller.Deliver(ctx)
}

// watchClock tells of a wall clock that was set.
func (d *daemon) watchClock() {
	apart := d.agent().ClockApart()
	if apart == 0 {
		d.over(rollover.CodeClockSet)
		return
	}
	way := " behind"
	if apart > 0 {
		way = " ahead of"
	}
	d.trouble(rollover.CodeClockSet, "", "the wall clock was set, and is "+apart.Abs().Round(time.Second).String()+way+
		" the time by which this process goes on (hint: if the clock is right now, restart tlsaroll; open waits start again then)")
}

// statuses are where all lineages stand.
func (d *daemon) statuses() []rollover.LineageStatus {
	a := d.agent()
	var all []rollover.LineageStatus
	for _, name := range a.Lineages() {
		if s, err := lastStatus(a, name); err == nil { // else it left the configuration a moment ago
			all = append(all, s)
		}
	}
	return all
}
