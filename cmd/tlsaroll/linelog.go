package main

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
)

// lineHandler prints log records as the program's own lines: for commands that
// a person runs. Structure is for the daemon's log.
type lineHandler struct {
	ui    *ui
	attrs []slog.Attr
}

func (h *lineHandler) Enabled(_ context.Context, level slog.Level) bool {
	return level >= slog.LevelInfo
}

func (h *lineHandler) Handle(_ context.Context, r slog.Record) error {
	var b strings.Builder
	if r.Level >= slog.LevelError {
		b.WriteString(paint(h.ui.colourErr, red, "error: "))
	} else if r.Level >= slog.LevelWarn {
		b.WriteString(paint(h.ui.colourErr, yellow, "warning: "))
	}
	attrs := slices.Clone(h.attrs)
	r.Attrs(func(a slog.Attr) bool { attrs = append(attrs, a); return true })
	named := func(key string) int { return slices.IndexFunc(attrs, func(a slog.Attr) bool { return a.Key == key }) }
	if err := named("err"); err >= 0 && named("action") >= 0 {
		fmt.Fprint(&b, attrs[err].Value) // says what was being done, too
	} else {
		b.WriteString(r.Message)
		for _, a := range attrs {
			fmt.Fprintf(&b, ": %s", a.Value)
		}
	}
	h.ui.say(b.String(), "")
	return nil
}

func (h *lineHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &lineHandler{h.ui, append(append([]slog.Attr{}, h.attrs...), attrs...)}
}

// WithGroup does nothing: lines have no structure.
func (h *lineHandler) WithGroup(string) slog.Handler { return h }
