package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/config"
	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/control"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/agent"
)

func (p *program) historyCommand() *cobra.Command {
	var asJSON bool
	var since string
	c := &cobra.Command{
		Use:                   "history [--json] [--since TIME] [LINEAGE]",
		DisableFlagsInUseLine: true,
		Short:                 "say what happened when",
		Long: `
			Prints what happened to a lineage, or to all of them and to the daemon, a line each, the oldest first: which pair
			came from where, which records were published, when every name server gave them and no cache could be without
			them, what was swapped, verified, rolled back and retired, what a person ordered, which warnings came and went.

			A year is kept, and of each lineage no more than 1000 steps and 400 warnings.`,
		Example: `
			$ tlsaroll history --since 30d mx1`,
		Annotations: map[string]string{exitStatus: "0\tprinted\n1\tthe journal cannot be read\n2\twrong usage or configuration"},
		Args:        atMostOne("LINEAGE"),
		RunE: func(c *cobra.Command, args []string) error {
			from, err := parseSince(since, p.now())
			if err != nil {
				return usage(fmt.Errorf("--since: %w", err))
			}
			return p.errand(c.Context(), "history", first(args), historyOptions{asJSON, from})
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON, for programs")
	c.Flags().StringVar(&since, "since", "", "leave out what happened before `TIME`, as in 2027-01-31, 2027-01-31T12:00:00Z or 30d")
	return c
}

// parseSince reads a time, or for how long until now.
func parseSince(s string, now time.Time) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	if ago, err := config.ParseDuration(s); err == nil {
		return now.Add(-ago), nil
	}
	if at, err := time.ParseInLocation(time.DateOnly, s, time.Local); err == nil { // a day where the reader is
		return at, nil
	}
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return at, fmt.Errorf("%q is not a time (hint: write 2027-01-31, 2027-01-31T12:00:00Z, or 30d for the last thirty days)", s)
	}
	return at, nil
}

// historyOptions are what history was asked for.
type historyOptions struct {
	JSON  bool      `json:"json,omitempty"`
	Since time.Time `json:"since,omitzero"`
}

// history says what happened when.
func (o *office) history(_ context.Context, r control.Request) error {
	asked, err := options[historyOptions](r)
	if err != nil {
		return err
	}
	return with(o.reading, r.Lineage, func(a *agent.Agent) error {
		var of []string
		if r.Lineage != "" {
			of = []string{r.Lineage}
		}
		events, err := a.History(asked.Since, of...)
		switch {
		case err != nil:
			return err
		case asked.JSON:
			return o.ui.printJSON(shownEvents(events))
		case len(events) == 0:
			o.ui.say("nothing is remembered of that time", "")
		}
		for _, e := range events {
			o.ui.result(eventLine(e, time.Local))
		}
		return nil
	})
}

// shownEvents are events as programs read them.
func shownEvents(events []rollover.Event) any {
	shown := slices.Clone(events)
	for i := range shown {
		shown[i].At = shown[i].At.UTC()
	}
	if shown == nil {
		shown = []rollover.Event{}
	}
	return struct {
		Events []rollover.Event `json:"events"`
	}{shown}
}

// eventLine is an event in a line, by the clock of those who read it.
func eventLine(e rollover.Event, where *time.Location) string {
	about := e.Lineage
	if about == "" {
		about = "tlsaroll"
	}
	text := strings.Join(strings.Fields(e.Text), " ")
	if e.Severity != "" {
		text = string(e.Severity) + " " + text
	}
	return fmt.Sprintf("%s  %-10s  %-11s  %s", e.At.In(where).Format("2006-01-02 15:04:05 -0700"), about, e.Kind, text)
}
