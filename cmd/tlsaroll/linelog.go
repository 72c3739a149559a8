package main

import (
	"context"
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
	b.WriteString(sentence(r.Message, attrs))
	h.ui.say(b.String(), "")
	return nil
}

// sentence is a record in words. The error of an action says what was being done,
// codes are for programs, and when the next look is due is for who waits for it.
func sentence(message string, attrs []slog.Attr) string {
	named := map[string]string{}
	for _, a := range attrs {
		named[a.Key] = a.Value.String()
	}
	if named["action"] != "" && named["err"] != "" {
		return named["err"]
	}
	parts := []string{message}
	if lineage := named["lineage"]; lineage != "" {
		parts = []string{lineage, message}
	}
	for _, a := range attrs {
		if a.Key != "lineage" && a.Key != "code" && a.Key != "next_look" {
			parts = append(parts, a.Value.String())
		}
	}
	return strings.Join(parts, ": ")
}

func (h *lineHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &lineHandler{h.ui, append(append([]slog.Attr{}, h.attrs...), attrs...)}
}

// WithGroup does nothing: lines have no structure.
func (h *lineHandler) WithGroup(string) slog.Handler { return h }
