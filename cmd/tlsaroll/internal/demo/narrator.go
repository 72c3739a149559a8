package demo

import (
	"fmt"
	"strings"
	"time"
)

// A Stage is where the story is shown.
type Stage interface {
	// Say adds lines that stay, below all that was shown.
	Say(lines ...Line)
	// Event adds a line about one change, where no picture shows it.
	Event(Line)
	// Show replaces the picture below the last lines that stay, where somebody watches.
	Show(picture []Line)
}

// A Line is one line of the story.
type Line struct {
	Text string
	Tone Tone
}

// Tone says what a line means to who reads it.
type Tone uint8

// Tones.
const (
	Plain Tone = iota
	Good
	Bad
)

func plain(format string, args ...any) Line { return Line{Text: fmt.Sprintf(format, args...)} }

// A narrator tells what is new in each sight.
type narrator struct {
	stage Stage
	told  map[string]string // by step: its note
	woe   bool              // that handshakes fail was told
}

// begin begins an act.
func (n *narrator) begin(title string) {
	n.told, n.woe = map[string]string{}, false
	n.stage.Say(Line{}, plain("%s", title))
}

// see tells what is new.
func (n *narrator) see(s sight) {
	for _, step := range s.steps {
		if step.note != "" && n.told[step.name] != step.note {
			n.told[step.name] = step.note
			n.stage.Event(plain("%s  %-10s %s", moment(s.since), step.name, step.note))
		}
	}
	if s.counts.Failed > 0 && !n.woe {
		n.woe = true
		n.stage.Event(Line{fmt.Sprintf("%s  %-10s its record is in %d of %d caches, and senders refuse it", moment(s.since), "failing",
			count(s.caches, with(s.serves)), len(s.caches)), Bad})
	}
	n.stage.Show(picture(s))
}

// end says what an act came to.
func (n *narrator) end(s sight) {
	n.stage.Show(picture(s))
	n.stage.Event(Line{fmt.Sprintf("%s  %-10s %s", moment(s.since), "over", s.counts), s.counts.tone()})
}

func (c Counts) String() string {
	return fmt.Sprintf("%d handshakes, %d failed", c.Handshakes, c.Failed)
}

func (c Counts) tone() Tone {
	if c.Failed > 0 {
		return Bad
	}
	return Good
}

func moment(since time.Duration) string { return fmt.Sprintf("%5.1fs", since.Seconds()) }

// picture draws a sight, in 80 columns.
func picture(s sight) []Line {
	var lines []Line
	for _, step := range s.steps {
		left := ""
		if step.left > 0 {
			left = seconds(step.left)
		}
		lines = append(lines, plain("  %-10s [%s] %3s %s", step.name, bar(step.part), left, step.note))
	}
	return append(lines,
		plain("  %-10s %s", "zone", row(s.servers)),
		plain("  %-10s %s", "caches", row(s.caches)),
		Line{fmt.Sprintf("  %-10s %s", moment(s.since), s.counts), s.counts.tone()})
}

// row says which certificates' records some copies have, and for how long.
func row(copies []held) string {
	var b strings.Builder
	for _, h := range copies {
		cell := h.String()
		if h.left > 0 {
			cell += " (" + seconds(h.left) + ")"
		}
		fmt.Fprintf(&b, "%-14s", cell)
	}
	return strings.TrimRight(b.String(), " ")
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.0fs", d.Seconds()) }

func bar(part float64) string {
	const width = 16
	done := int(width * min(max(part, 0), 1))
	return strings.Repeat("#", done) + strings.Repeat("-", width-done)
}

// prologue says what will be shown.
func prologue() []Line {
	return []Line{
		plain("A mail server gets a new certificate twice, first as scripts do it and then"),
		plain("with tlsaroll. Meanwhile %d senders that enforce DANE deliver without a pause,", resolvers),
		plain("each by what its resolver has cached. The TTL is %s, and one of two name", recordTTL),
		plain("servers lags by %s. It takes half a minute.", lag),
	}
}

// epilogue says what came of it.
func epilogue(r Result) []Line {
	row := func(what string, c Counts) Line {
		return Line{fmt.Sprintf("%-24s %10d %8d", what, c.Handshakes, c.Failed), c.tone()}
	}
	return []Line{
		{},
		plain("%-24s %10s %8s", "", "handshakes", "failed"),
		row("the certificate first", r.SwapFirst),
		row("tlsaroll", r.Tlsaroll),
		{},
		plain("In the zone stand %s.", r.content()),
		plain("What comes next: tlsaroll --help, and the configuration in README.md."),
	}
}
