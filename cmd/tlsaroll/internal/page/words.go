package page

import (
	"cmp"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/tlsaroll/tlsaroll/rollover"
)

// harmless takes out of what others said all that moves a cursor or turns text
// around; the template sees to what HTML would take for its own.
func harmless(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n', r == '\t':
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r):
			return unicode.ReplacementChar
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
}

// here is a sentence of the rules with its times in the time zone of the page, and its spans of
// time in short.
func here(text string, now time.Time) string {
	return rollover.Restamp(rollover.ShortSpans(harmless(text)), func(t time.Time, _ bool) string { return moment(t, now).Stamp })
}

// number is n of something, in words where there is one or none.
func number(n int, one, many string) string {
	switch n {
	case 0:
		return "no " + many
	case 1:
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// span is a duration in one or two of its units, as one says it.
func span(d time.Duration) string {
	const day = 24 * time.Hour
	switch d = max(d, 0); {
	case d >= 10*day:
		return fmt.Sprintf("%d days", d/day)
	case d >= day && d%day < time.Hour:
		return number(int(d/day), "day", "days")
	case d >= day:
		return fmt.Sprintf("%s %d h", number(int(d/day), "day", "days"), d%day/time.Hour)
	case d >= time.Hour && d%time.Hour < time.Minute:
		return fmt.Sprintf("%d h", d/time.Hour)
	case d >= time.Hour:
		return fmt.Sprintf("%d h %d min", d/time.Hour, d%time.Hour/time.Minute)
	case d >= time.Minute:
		return fmt.Sprintf("%d min", d/time.Minute)
	}
	return fmt.Sprintf("%d s", (d+time.Second-1)/time.Second)
}

// A Moment is a time for people, who think in "in 12 min", and for programs.
type Moment struct {
	Machine  string // RFC 3339
	Day      string // "" for today
	Clock    string // with the offset from UTC
	Stamp    string // both
	Relative string
	at       time.Time
}

// moment is t as one says it at now, in the time zone of now.
func moment(t, now time.Time) *Moment {
	local := t.In(now.Location())
	m := Moment{Machine: local.Format(time.RFC3339), Clock: local.Format("15:04:05 -07:00"), at: t}
	m.Stamp = m.Clock
	if !sameDay(local, now) {
		m.Day, m.Clock = local.Format(time.DateOnly), local.Format("15:04 -07:00")
		m.Stamp = m.Day + " " + m.Clock
	}
	switch d := t.Sub(now); {
	case d > 0:
		m.Relative = "in " + span(d)
	case d > -time.Second:
		m.Relative = "now"
	default:
		m.Relative = span(-d) + " ago"
	}
	return &m
}

// maybe is the moment of a time that may not be known.
func maybe(t *time.Time, now time.Time) *Moment {
	if t == nil || t.IsZero() {
		return nil
	}
	return moment(*t, now)
}

func sameDay(a, b time.Time) bool {
	y, m, d := a.Date()
	v, n, e := b.Date()
	return y == v && m == n && d == e
}

// byNumber compares names as people do: mx2 comes before mx10.
func byNumber(a, b string) int {
	for a != "" && b != "" {
		m, n := digits(a), digits(b)
		if m == 0 || n == 0 {
			if a[0] != b[0] {
				return cmp.Compare(a[0], b[0])
			}
			m, n = 1, 1
		} else if x, y := strings.TrimLeft(a[:m], "0"), strings.TrimLeft(b[:n], "0"); x != y {
			return cmp.Or(cmp.Compare(len(x), len(y)), cmp.Compare(x, y))
		}
		a, b = a[m:], b[n:]
	}
	return cmp.Compare(len(a), len(b))
}

// digits is how many of them a text begins with.
func digits(text string) int {
	return len(text) - len(strings.TrimLeft(text, "0123456789"))
}

// identity is text as the name of an element, by which links and styles find it.
func identity(text string) string {
	var b strings.Builder
	for _, c := range []byte(text) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_':
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "~%02x", c)
		}
	}
	return b.String()
}
