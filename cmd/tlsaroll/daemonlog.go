package main

import (
	"context"
	"log/slog"
	"slices"
	"time"
)

// daemonLog writes structured lines to standard error: with a time of its own, unless
// the journal of systemd puts one there. Each ends with when the next look is due, as
// it says itself or else as next does.
func (p *program) daemonLog(next func() time.Time) *slog.Logger {
	_, journal := p.lookupEnv("JOURNAL_STREAM")
	text := slog.NewTextHandler(p.ui.own.stderr, &slog.HandlerOptions{ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
		switch {
		case journal && len(groups) == 0 && a.Key == slog.TimeKey:
			return slog.Attr{}
		case a.Value.Kind() == slog.KindTime && a.Value.Time().IsZero(): // not known, or now
			return slog.Attr{}
		case a.Value.Kind() == slog.KindTime:
			return slog.Time(a.Key, a.Value.Time().UTC().Truncate(time.Millisecond))
		}
		return a
	}})
	return slog.New(lookLast{text, next})
}

// lookLast puts the time of the next look at the end of each line, as that is what one
// wants to know then.
type lookLast struct {
	slog.Handler
	next func() time.Time
}

func (h lookLast) Handle(ctx context.Context, r slog.Record) error {
	var attrs []slog.Attr
	r.Attrs(func(a slog.Attr) bool { attrs = append(attrs, a); return true })
	if !slices.ContainsFunc(attrs, func(a slog.Attr) bool { return last(a) > 0 }) {
		attrs = append(attrs, slog.Time(nextLook, h.next()))
	}
	slices.SortStableFunc(attrs, func(a, b slog.Attr) int { return last(a) - last(b) })
	sorted := slog.NewRecord(r.Time, r.Level, r.Message, r.PC)
	sorted.AddAttrs(attrs...)
	return h.Handler.Handle(ctx, sorted)
}

const nextLook = "next_look"

func last(a slog.Attr) int {
	if a.Key == nextLook {
		return 1
	}
	return 0
}

func (h lookLast) WithAttrs(attrs []slog.Attr) slog.Handler {
	return lookLast{h.Handler.WithAttrs(attrs), h.next}
}

func (h lookLast) WithGroup(name string) slog.Handler {
	return lookLast{h.Handler.WithGroup(name), h.next}
}
