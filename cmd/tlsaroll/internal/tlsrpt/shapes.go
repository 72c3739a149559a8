package tlsrpt

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// A list is a list, or its only element alone.
type list[T any] []T

func (l *list[T]) UnmarshalJSON(raw []byte) error {
	if string(raw) == "null" {
		return nil
	}
	if bytes.HasPrefix(raw, []byte("[")) {
		return json.Unmarshal(raw, (*[]T)(l))
	}
	var one T
	if err := json.Unmarshal(raw, &one); err != nil {
		return err
	}
	*l = list[T]{one}
	return nil
}

// longest is how much of a text is kept: those of free form have no end.
const longest = 400

// A text is a string that can be shown: it is in one line, and without what a terminal
// would take for an order. Numbers are strings, too.
type text string

func (t *text) UnmarshalJSON(raw []byte) error {
	var s string
	switch {
	case string(raw) == "null":
		return nil
	case bytes.HasPrefix(raw, []byte(`"`)):
		if err := json.Unmarshal(raw, &s); err != nil {
			return err
		}
	case bytes.HasPrefix(raw, []byte("{")), bytes.HasPrefix(raw, []byte("[")):
		return fmt.Errorf("%.40s where a string is due", raw)
	default:
		s = string(raw)
	}
	*t = text(shown(s))
	return nil
}

func shown(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r):
			return unicode.ReplacementChar
		}
		return r
	}, s)
	s = strings.TrimSpace(s)
	if runes := []rune(s); len(runes) > longest {
		s = string(runes[:longest-1]) + "…"
	}
	return s
}

// A count is a number of sessions: never less than 0.
type count int64

func (c *count) UnmarshalJSON(raw []byte) error {
	s := strings.TrimSpace(strings.Trim(string(raw), `"`))
	if s == "null" || s == "" {
		return nil
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) || math.IsNaN(f) {
		return fmt.Errorf("%.40s where a number of sessions is due", raw)
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		n = int64(min(f, math.MaxInt64/2)) // as 1e3, or more than anybody counts
	}
	*c = count(max(n, 0))
	return nil
}

// sum adds what others counted, and does not go round.
func sum(a, b int64) int64 {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}

// An instant is a time of RFC 3339. Some senders leave the time zone out, and mean
// UTC, or give seconds since 1970.
type instant time.Time

func (i *instant) UnmarshalJSON(raw []byte) error {
	s := strings.TrimSpace(strings.Trim(string(raw), `"`))
	if s == "null" || s == "" {
		return nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05", time.DateOnly} {
		if t, err := time.Parse(layout, strings.ToUpper(s)); err == nil {
			*i = instant(t.UTC())
			return nil
		}
	}
	const year9999 = 253402300799
	if n, err := strconv.ParseInt(s, 10, 64); err == nil && n > 0 && n <= year9999 {
		*i = instant(time.Unix(n, 0).UTC())
		return nil
	}
	return fmt.Errorf("%.40s where a time is due", raw)
}
