package main

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/tlsrpt"
)

// lines lay out what reports say, for a person: what they are, a table of failures, and
// what there is to say of each.
func (d reportsDoc) lines() []string {
	if len(d.Reports) == 0 {
		return nil
	}
	lines := []string{d.summary()}
	for _, r := range d.Reports {
		if r.SameAs != "" {
			lines = append(lines, fmt.Sprintf("%s is the same report as %s, and counts once", r.File, r.SameAs))
		}
	}
	if len(d.Failures) == 0 {
		return lines
	}
	lines = append(lines, "")
	lines = append(lines, failureTable(d.Failures)...)
	for _, g := range d.Failures {
		lines = append(lines, "")
		lines = append(lines, d.about(g)...)
	}
	if !d.Compared {
		lines = append(lines, "", "not compared with rollovers: "+d.Why)
	}
	return lines
}

func (d reportsDoc) summary() string {
	var organizations []string
	first, last := "", ""
	reports := 0
	for _, r := range d.Reports {
		if r.SameAs != "" {
			continue
		}
		reports++
		if !slices.Contains(organizations, r.Organization) {
			organizations = append(organizations, r.Organization)
		}
		if r.Start.IsZero() {
			continue
		}
		day := r.Start.UTC().Format(time.DateOnly)
		if first == "" || day < first {
			first = day
		}
		last = max(last, day)
	}
	text := counted(reports, "report") + " of " + counted(len(organizations), "organisation")
	switch {
	case first != last:
		text += ", " + first + " to " + last
	case first != "":
		text += ", " + first
	}
	return fmt.Sprintf("%s: %d sessions succeeded, %d failed", text, d.Successful, d.Failed)
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}

func failureTable(groups []tlsrpt.Group) []string {
	var b bytes.Buffer
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "HOST\tRESULT TYPE\tDAY\tSESSIONS\tORGANISATIONS")
	for _, g := range groups {
		for _, day := range g.Days {
			fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\n", g.Place(), g.ResultType, cmp.Or(day.Day, "-"), day.Sessions, someOf(day.Organizations))
		}
	}
	_ = w.Flush() // into a buffer
	var lines []string
	for line := range strings.Lines(b.String()) {
		lines = append(lines, strings.TrimRight(line, " \n"))
	}
	return lines
}

// someOf names the first of many.
func someOf(names []string) string {
	const most = 3
	if len(names) <= most {
		return list(names)
	}
	return fmt.Sprintf("%s and %d more", list(names[:most]), len(names)-most)
}

// about says of a group what the table does not.
func (d reportsDoc) about(g tlsrpt.Group) []string {
	lines := []string{fmt.Sprintf("%s, %s: %s", g.Place(), g.ResultType, g.Meaning)}
	began := "  no report says when they began"
	if !g.Began.IsZero() {
		began = "  began on " + g.Began.UTC().Format(time.DateOnly)
	}
	switch {
	case !d.Compared:
	case g.Rollover == nil:
		began += ", and no lineage has this host"
	case g.Rollover.When == tlsrpt.Outside:
		began += ", in the time of no rollover"
	case g.Rollover.When == tlsrpt.Before:
		began += ", and what rollovers there were then is not remembered"
	}
	if d.Compared && g.Rollover != nil {
		for i, r := range g.Rollover.Rollovers {
			began += [...]string{", in the time of ", ", and of "}[min(i, 1)] + rolloverWords(r)
		}
	}
	lines = append(lines, began)
	if len(g.Reasons) > 0 {
		lines = append(lines, "  senders say: "+someOf(g.Reasons))
	}
	return lines
}

func rolloverWords(r tlsrpt.Within) string {
	words := []string{"began " + minute(r.Began)}
	if !r.Swapped.IsZero() {
		words = append(words, "swapped "+minute(r.Swapped))
	}
	if r.Ended.IsZero() {
		words = append(words, "not over")
	} else {
		words = append(words, "over "+minute(r.Ended))
	}
	return fmt.Sprintf("a rollover of %s (%s)", r.Lineage, list(words))
}

// minute is a time in UTC, in which the days of reports begin.
func minute(t time.Time) string { return t.UTC().Format("2006-01-02 15:04Z") }
