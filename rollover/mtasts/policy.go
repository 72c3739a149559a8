package mtasts

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The modes of a policy (RFC 8461, section 5).
const (
	Enforce = "enforce"
	Testing = "testing"
	None    = "none"
)

// LongestAge is the most that max_age may be (RFC 8461, section 3.2).
const LongestAge = 31557600 * time.Second

// A Policy is what a domain asks of its senders (RFC 8461, section 3.2).
type Policy struct {
	Mode   string        // "" where it is none of the three
	MX     []string      // patterns, as they stand
	MaxAge time.Duration // for how long senders keep it; at most [LongestAge]
	// Faults are what is wrong with it that some senders put up with.
	Faults []string
}

// ParsePolicy reads a policy. Of a field that is given twice the first counts, mx aside,
// and unknown fields count for nothing (RFC 8461, section 3.2). An error says why senders
// cannot use it; the policy then has what could be read.
func ParsePolicy(text string) (Policy, error) {
	var p Policy
	fields := p.fields(text)
	mode := fields["mode"]
	switch {
	case fields["version"] != "STSv1" && strings.HasPrefix(text, "\ufeff"):
		return p, errors.New("no version STSv1: the text begins with a byte order mark")
	case fields["version"] != "STSv1":
		return p, errors.New("no version STSv1")
	case !slices.Contains([]string{Enforce, Testing, None}, mode):
		return p, fmt.Errorf("mode %.40q: neither enforce nor testing nor none", mode)
	}
	p.Mode = mode
	if err := p.age(fields); err != nil {
		return p, err
	}
	if len(p.MX) == 0 && mode != None {
		return p, fmt.Errorf("mode %s, and no mx", mode)
	}
	return p, nil
}

// fields reads the lines; mx and faults go into p.
func (p *Policy) fields(text string) map[string]string {
	fields := map[string]string{}
	text = strings.TrimRight(text, "\r\n\t ")
	lines := strings.Split(text, "\n")
	if ends := strings.Count(text, "\r\n"); ends > 0 && ends < len(lines)-1 {
		p.fault("some lines end in CRLF, others in LF")
	}
	for _, line := range lines {
		line = strings.TrimSuffix(line, "\r")
		key, value, ok := strings.Cut(line, ":")
		name := strings.TrimSpace(key)
		value = strings.TrimSpace(value)
		switch {
		case !ok || !fieldName.MatchString(name):
			p.fault("%.60q is not a line of the form NAME: VALUE", line)
		case name != key:
			p.fault("blanks around the name %s", name)
		case value == "":
			p.fault("%s without a value", name)
		}
		if !ok {
			continue
		}
		_, twice := fields[name]
		switch {
		case name == "mx":
			p.pattern(value)
		case twice:
			p.fault("%.32s stands more than once: the first counts", name)
		default:
			fields[name] = value
		}
	}
	return fields
}

func (p *Policy) pattern(value string) {
	if err := CheckPattern(value); err != nil {
		p.fault("mx %.80q: %v", value, err)
	}
	p.MX = append(p.MX, value)
}

var seconds = regexp.MustCompile(`^[0-9]{1,10}$`)

func (p *Policy) age(fields map[string]string) error {
	value, ok := fields["max_age"]
	switch {
	case !ok:
		return errors.New("no max_age")
	case !seconds.MatchString(value):
		return fmt.Errorf("max_age %.40q: want seconds", value)
	}
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil {
		return fmt.Errorf("max_age %.40q: %w", value, err)
	}
	if most := int64(LongestAge / time.Second); n > most {
		p.fault("max_age %d: more than %d, and some senders then refuse the policy", n, most)
		n = most
	}
	p.MaxAge = time.Duration(n) * time.Second
	return nil
}

// fault remembers each fault once: a text of 64 KiB may have thousands of one kind.
func (p *Policy) fault(format string, args ...any) {
	const most = 8
	if text := fmt.Sprintf(format, args...); len(p.Faults) < most && !slices.Contains(p.Faults, text) {
		p.Faults = append(p.Faults, text)
	}
}
