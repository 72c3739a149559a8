package paper

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/audit"
)

// figures are the performance data: label=value;warning;critical;minimum.
func (n Nagios) figures() string {
	errors, warnings := severities(n.here())
	for _, r := range n.Reports {
		e, w := severities(r.Findings)
		errors, warnings = errors+e, warnings+w
	}
	text := fmt.Sprintf("domains=%d;;;0 errors=%d;;0;0 warnings=%d;0;;0", len(n.Reports), errors, warnings)
	if end := n.ends(); !end.IsZero() {
		text += fmt.Sprintf(" days_to_expiry=%.1f", end.Sub(n.At).Hours()/24)
	}
	return text
}

// ends is when the first certificate ends that is served anywhere, zero if none was seen.
func (n Nagios) ends() (first time.Time) {
	for _, r := range n.Reports {
		for _, h := range r.Hosts {
			for _, a := range h.Addresses {
				for _, s := range a.Handshakes {
					if !s.NotAfter.IsZero() && (first.IsZero() || s.NotAfter.Before(first)) {
						first = s.NotAfter
					}
				}
			}
		}
	}
	return first
}

// rest are the lines after the first: what is to be mended, the worst first.
func (n Nagios) rest() (lines []string) {
	text := Text{Width: 200}
	trouble := n.Trouble
	if len(trouble) == 1 && len(trouble[0]) < nagiosHead/2 {
		trouble = nil // the first line has it whole
	}
	for _, said := range slices.Concat(trouble, n.Said) {
		lines = append(lines, flat(said))
	}
	if found := pressing(n.here()); len(found) > 0 {
		lines = append(lines, strings.Split(flatLines(text.Findings("this host", found)), "\n")...)
	}
	for _, r := range worstFirst(n.Reports) {
		if r.State != audit.Clean {
			lines = append(lines, strings.Split(flatLines(text.Line(r)), "\n")...)
		}
	}
	return lines
}

// flat makes a line of what may have come from anywhere. A pipe begins the figures; the
// rest is what the shell of a notification command may take for its own.
func flat(text string) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case '|':
			return '¦'
		case '`', '$', '\\':
			return '\uFFFD'
		}
		return r
	}, harmless(text))
}

// flatLines does so line by line.
func flatLines(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = flat(line)
	}
	return strings.Join(lines, "\n")
}
