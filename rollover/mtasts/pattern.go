package mtasts

import (
	"errors"
	"regexp"
	"strings"
)

// domain is the Domain of RFC 5321, section 4.1.2: no final dot, no letters beyond
// ASCII (RFC 8461, section 3.2 wants A-labels). Underscores are let pass.
var domain = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*$`)

// HostName reports whether senders take a name for that of a host: see domain.
func HostName(name string) bool { return len(name) <= 253 && domain.MatchString(name) }

// CheckPattern says what is wrong with a pattern of a policy's mx (RFC 8461, section
// 3.2). Such a pattern fits no host.
func CheckPattern(pattern string) error {
	name := strings.TrimPrefix(pattern, "*.")
	switch {
	case name == "":
		return errors.New("no name")
	case strings.HasSuffix(name, "."):
		return errors.New("it ends with a dot")
	case strings.Contains(name, "*"):
		return errors.New("a wildcard is the whole leftmost label or none")
	case !HostName(name):
		return errors.New("no host name")
	}
	return nil
}

// Match reports whether a pattern fits a host. A wildcard stands for one label, the
// leftmost (RFC 8461, section 4.1).
func Match(pattern, host string) bool {
	host = strings.TrimSuffix(host, ".")
	parent, wild := strings.CutPrefix(pattern, "*.")
	fits := strings.EqualFold(pattern, host)
	if wild {
		first, rest, _ := strings.Cut(host, ".")
		fits = first != "" && strings.EqualFold(parent, rest)
	}
	// The form comes last: it costs most, and a policy may have thousands of patterns.
	return fits && CheckPattern(pattern) == nil
}

// MatchAny is the first pattern that fits a host; "" where none does.
func MatchAny(patterns []string, host string) string {
	for _, pattern := range patterns {
		if Match(pattern, host) {
			return pattern
		}
	}
	return ""
}
