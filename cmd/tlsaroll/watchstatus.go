package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/control"
	"github.com/tlsaroll/tlsaroll/rollover"
)

// watchEvery is how often a watched status is asked for.
const watchEvery = time.Second

// watchStatus shows the status again and again until ctx ends: on a terminal as one
// view that changes, elsewhere whenever something other than the time has changed.
func (p *program) watchStatus(ctx context.Context, lineage string) error {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	live, view := p.ui.moving, newPicture(p.ui.own)
	show := func(texts ...string) { view.show(view.top(folded(p.zoned(texts...), view.columns())), asItIs) }
	before := ""
	for {
		s, err := p.glance(ctx, lineage)
		switch now := news(s); {
		case ctx.Err() != nil:
			return nil
		case err != nil && before == "":
			return err
		case err != nil && live:
			show(findings(err)...) // it may be back in a moment
		case err != nil:
			before = "lost"
		case live:
			show(watched(s, p.now()))
			before = now
		case now != before:
			p.ui.result(watched(s, p.now()))
			before = now
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// zoned are the lines of texts, with times as who watches has them.
func (p *program) zoned(texts ...string) []string {
	return strings.Split(p.ui.zoned(strings.Join(texts, "\n")), "\n")
}

// glance is the status now.
func (p *program) glance(ctx context.Context, lineage string) (rollover.Status, error) {
	var seen overheard
	visitor, ear := *p, *p.ui
	ear.face = &seen
	visitor.ui = &ear
	var s rollover.Status
	err := visitor.errand(ctx, "status", lineage, statusOptions{JSON: true})
	switch coded := new(exitCode); {
	case errors.As(err, &coded) && coded.cause == nil:
		return s, &exitCode{coded.code, errors.New(strings.Join(seen.said, "\n"))}
	case err != nil:
		return s, err
	}
	return s, json.Unmarshal([]byte(strings.Join(seen.results, "\n")), &s)
}

// news is a status without what changes while nothing happens.
func news(s rollover.Status) string {
	s.Lineages = append([]rollover.LineageStatus(nil), s.Lineages...)
	for i := range s.Lineages {
		s.Lineages[i].NextLook = nil
	}
	text, err := json.Marshal(s)
	if err != nil {
		return err.Error() // strings, numbers and times: cannot be
	}
	return string(text)
}

// watched is a status as one watches it: with how much of each wait is over.
func watched(s rollover.Status, now time.Time) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, every %s (Ctrl-C ends it)\n\n", now.Format("2006-01-02 15:04:05 -07:00"), watchEvery)
	b.WriteString(process(s.Warnings))
	for _, l := range s.Lineages {
		b.WriteString(l.Explain(now))
		if n := l.Successor; n != nil && n.ReadyAt != nil && l.Since != nil {
			if bar := bar(*l.Since, now, *n.ReadyAt); bar != "" {
				fmt.Fprintf(&b, "%-10s  %-8s  %-10s%s\n", "", "", "wait", bar)
			}
		}
		b.WriteByte('\n')
	}
	return strings.TrimRight(b.String(), "\n")
}

// overheard keeps what is said.
type overheard struct{ results, said []string }

var _ control.Face = (*overheard)(nil)

// Result keeps a line for standard output.
func (o *overheard) Result(line string) { o.results = append(o.results, line) }

// Say keeps a line for standard error, without the program's name.
func (o *overheard) Say(line string) { o.said = append(o.said, strings.TrimPrefix(line, "tlsaroll: ")) }

// Stick does nothing: there is no progress in a status.
func (o *overheard) Stick(string) {}

// Unstick does nothing.
func (o *overheard) Unstick() {}
