package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/paper"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/audit"
)

// sheets are what a check leaves: text, JSON, a table, a page.
type sheets struct {
	ui      *ui
	o       checkOptions
	all     int // how many reports there will be
	text    paper.Text
	tally   paper.Tally
	reports []audit.Report
	here    *[]audit.Finding // on this host, beside its services; nil: was not asked for
	plugin  *plugin
}

func (p *program) newSheets(o checkOptions, all int) *sheets {
	s := &sheets{ui: p.ui, o: o, all: all, reports: []audit.Report{}, plugin: &p.plugin}
	s.text.Paint = func(t paper.Tone, text string) string {
		return paint(p.ui.colourOut && t != paper.Plain, map[paper.Tone]colour{paper.Good: green, paper.Doubtful: yellow, paper.Bad: red}[t], text)
	}
	if p.ui.readable {
		columns, _ := size(p.ui.own.stdout.Writer)
		s.text.Width = min(max(columns, 60), 120)
	}
	return s
}

// printsText reports whether standard output is for people.
func (s *sheets) printsText() bool {
	return !s.o.json && !s.o.nagios && s.o.csv != "-" && s.o.html != "-"
}

// add takes a report, and prints it if it can be printed alone.
func (s *sheets) add(r audit.Report) {
	one := paper.Count([]audit.Report{r})
	s.tally = paper.Tally{Clean: s.tally.Clean + one.Clean, Warnings: s.tally.Warnings + one.Warnings, Broken: s.tally.Broken + one.Broken, Unknown: s.tally.Unknown + one.Unknown}
	if s.o.json || s.o.nagios || s.o.csv != "" || s.o.html != "" {
		s.reports = append(s.reports, r)
	}
	switch {
	case !s.printsText():
	case s.all == 1 || s.o.verbose:
		if s.tally.All() > 1 || s.here != nil {
			s.ui.result("")
		}
		s.ui.result(s.text.Page(r))
	default:
		s.ui.result(s.text.Line(r))
	}
}

// tellHere takes what was found on this host, and prints it.
func (s *sheets) tellHere(findings []audit.Finding) {
	s.here = &findings
	if s.printsText() {
		s.ui.result(s.text.Findings("this host", findings))
	}
}

// progress shows how many are known, to who may be watching.
func (s *sheets) progress(known int) {
	const width = 24
	if !s.ui.sticky() || s.all == 1 {
		return
	}
	done := width * known / s.all
	s.ui.stick(fmt.Sprintf("%d of %d  [%s%s]", known, s.all, strings.Repeat("#", done), strings.Repeat("-", width-done)))
}

// end writes what is written when all is known, and says how the check ends.
func (s *sheets) end(at time.Time) error {
	s.ui.unstick()
	s.plugin.seen = paper.Nagios{Reports: s.reports, Here: s.here}
	var errs []error
	if s.all > 1 && s.tally.All() > 0 && s.printsText() {
		s.ui.result(s.tally.String())
	}
	if s.o.json {
		errs = append(errs, s.ui.printJSON(struct {
			Here    *[]audit.Finding `json:"host,omitempty"` // beside the endpoints, which are among the domains
			Domains []audit.Report   `json:"domains"`
		}{s.here, s.reports}))
	}
	if s.o.csv != "" {
		errs = append(errs, s.write("--csv", s.o.csv, func(w io.Writer) error { return paper.CSV(w, s.reports) }))
	}
	if s.o.html != "" {
		errs = append(errs, s.write("--html", s.o.html, func(w io.Writer) error { return paper.HTML(w, s.reports, at) }))
	}
	return errors.Join(append(errs, verdict(s.worst()))...)
}

// worst is what the exit code says.
func (s *sheets) worst() audit.State {
	var here []audit.Finding
	if s.here != nil {
		here = *s.here
	}
	switch {
	case s.tally.Broken > 0, slices.ContainsFunc(here, func(f audit.Finding) bool { return f.Severity == rollover.Danger }):
		return audit.Broken
	case s.tally.Unknown > 0, slices.ContainsFunc(here, func(f audit.Finding) bool { return f.Code == rollover.CodeNotPermitted }):
		return audit.Blind
	}
	return audit.Clean
}

// try makes sure that the files can be written, before hours are spent on what is to be in them.
func (s *sheets) try() error {
	var errs []error
	for _, f := range []struct{ option, name string }{{"--csv", s.o.csv}, {"--html", s.o.html}} {
		if f.name == "" || f.name == "-" {
			continue
		}
		at, err := s.place(f.name)
		if err == nil {
			err = at.try()
		}
		errs = append(errs, notWritten(f.option, f.name, err))
	}
	return errors.Join(errs...)
}

func (s *sheets) place(name string) (place, error) {
	if s.ui.own == nil {
		return placeOf(name, nil)
	}
	return placeOf(name, s.ui.own.stdout.Writer)
}

// write writes a file, or to standard output.
func (s *sheets) write(option, name string, content func(io.Writer) error) error {
	var b bytes.Buffer
	err := content(&b)
	switch {
	case err != nil:
	case name == "-":
		s.ui.result(strings.TrimSuffix(b.String(), "\n"))
	default:
		var at place
		if at, err = s.place(name); err == nil {
			err = at.write(b.Bytes())
		}
	}
	return notWritten(option, name, err)
}

// notWritten is what went wrong with a file that was to be written, nil if nothing did.
func notWritten(option, name string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%s: %s: permission denied (hint: name a place that you may write to)", option, name)
	}
	return fmt.Errorf("%s: %w", option, fileError(name, err))
}
