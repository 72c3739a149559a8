package main

import (
	"context"
	"fmt"
	"log/slog"
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
	b.WriteString(r.Message)
	write := func(a slog.Attr) bool {
		fmt.Fprintf(&b, ": %s", a.Value)
		return true
	}
	for _, a := range h.attrs {
		write(a)
	}
	r.Attrs(write)
	h.ui.say(b.String(), "")
	return nil
}

func (h *lineHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &lineHandler{h.ui, append(append([]slog.Attr{}, h.attrs...), attrs...)}
}

// WithGroup does nothing: lines have no structure.
func (h *lineHandler) WithGroup(string) slog.Handler { return h }
