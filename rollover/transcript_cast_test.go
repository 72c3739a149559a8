package rollover_test

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// cast gives all that has a hash a name that people can remember, and all times
// one that counts from the story's beginning.
type cast struct {
	began   time.Time
	pairs   map[tlsa.ChainID]string
	records map[tlsa.Association]string
}

// name gives a record its name, unless it has one.
func (c *cast) name(a tlsa.Association, whose string) {
	if _, named := c.records[a]; !named {
		c.records[a] = a.Params.String() + " of " + whose
	}
}

// record is a record's name.
func (c *cast) record(a tlsa.Association) string {
	if name, named := c.records[a]; named {
		return name
	}
	return rollover.Short(a)
}

func (c *cast) recordsOf(as []tlsa.Association) string {
	names := make([]string, len(as))
	for i, a := range as {
		names[i] = c.record(a)
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

func (c *cast) rrset(s tlsa.RRset) string {
	if s.Denial() {
		return "no records"
	}
	return c.recordsOf(s.Associations) + "; ttl " + span(s.TTL)
}

func (c *cast) pair(id tlsa.ChainID) string {
	if name, named := c.pairs[id]; named {
		return name
	}
	return "nothing"
}

// text puts names and times into a sentence.
func (c *cast) text(s string) string {
	for a, name := range c.records {
		s = strings.ReplaceAll(s, rollover.Short(a), name)
		s = strings.ReplaceAll(s, a.String(), name)
		if _, key, ok := strings.Cut(name, "standby "); ok {
			s = strings.ReplaceAll(s, a.Data[:8], fmt.Sprintf("%-8s", key))
		}
	}
	for id, name := range c.pairs {
		s = strings.ReplaceAll(s, id.Short(), name)
	}
	return stamps().ReplaceAllStringFunc(s, func(stamp string) string {
		t, err := time.Parse("2006-01-02 15:04:05Z", stamp)
		if err != nil {
			return stamp
		}
		if t.Before(c.began) {
			return "T" + c.since(t)
		}
		return "T+" + c.since(t)
	})
}

func stamps() *regexp.Regexp { return regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ`) }

// since is a time as the story counts.
func (c *cast) since(t time.Time) string { return span(t.Sub(c.began).Truncate(time.Second)) }

// span writes a duration in days, hours, minutes and seconds.
func span(d time.Duration) string {
	if d < 0 {
		return "-" + span(-d)
	}
	var b strings.Builder
	left := int(d / time.Second)
	for _, u := range units() {
		if n := left / u.seconds; n > 0 {
			fmt.Fprintf(&b, "%d%s", n, u.name)
			left %= u.seconds
		}
	}
	if b.Len() == 0 {
		return "0s"
	}
	return b.String()
}

type unit struct {
	name    string
	seconds int
}

func units() []unit { return []unit{{"d", 86400}, {"h", 3600}, {"m", 60}, {"s", 1}} }

// duration reads a span, such as 7d, 1d12h or 90m.
func (w *words) duration(text string) time.Duration {
	w.t.Helper()
	var d time.Duration
	rest := text
	if days, after, ok := strings.Cut(text, "d"); ok {
		n, err := strconv.Atoi(days)
		if err != nil {
			w.fail("%s is no duration", text)
		}
		d, rest = time.Duration(n)*24*time.Hour, after
	}
	if rest != "" {
		more, err := time.ParseDuration(rest)
		if err != nil {
			w.fail("%s is no duration", text)
		}
		d += more
	}
	return d
}
