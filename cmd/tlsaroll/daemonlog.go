package main

import (
	"context"
	"log/slog"
	"slices"
	"time"
)

// daemonLog writes structured lines to standard error: with a time of its own, unless
// the journal of systemd puts one there.
func (p *program) daemonLog() *slog.Logger {
	_, journal := p.lookupEnv("JOURNAL_STREAM")
	text := slog.NewTextHandler(p.ui.own.stderr, &slog.HandlerOptions{ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
		switch {
		case journal && len(groups) == 0 && a.Key == slog.TimeKey:
			return slog.Attr{}
		case a.Value.Kind() == slog.KindTime:
			return slog.Time(a.Key, a.Value.Time().UTC().Truncate(time.Millisecond))
		}
		return a
	}})
	return slog.New(lookLast{text})
}

// lookLast puts the time of the next look at the end of each line, as that is what one
// wants to know then.
type lookLast struct{ slog.Handler }

func (h lookLast) Handle(ctx context.Context, r slog.Record) error {
	var attrs []slog.Attr
	r.Attrs(func(a slog.Attr) bool { attrs = append(attrs, a); return true })
	slices.SortStableFunc(attrs, func(a, b slog.Attr) int { return last(a) - last(b) })
	sorted := slog.NewRecord(r.Time, r.Level, r.Message, r.PC)
	sorted.AddAttrs(attrs...)
	return h.Handler.Handle(ctx, sorted)
}

func last(a slog.Attr) int {
	if a.Key == "next_look" {
		return 1
	}
	return 0
}

func (h lookLast) WithAttrs(attrs []slog.Attr) slog.Handler {
	return lookLast{h.Handler.WithAttrs(attrs)}
}
func (h lookLast) WithGroup(name string) slog.Handler { return lookLast{h.Handler.WithGroup(name)} }
