package manual

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// A Tell tells a person what to change. It may be called again with the same changes if its
// error said that nobody was told.
type Tell func(context.Context, Notice) error

// A Notice is what a person is told of one zone, and the JSON that a command gets.
type Notice struct {
	Version  int      `json:"version"` // of this schema: 1
	Provider string   `json:"provider"`
	Host     string   `json:"host"` // that the provider works on
	Zone     string   `json:"zone"`
	Changes  []Change `json:"changes"`
	Text     string   `json:"text"` // all of it, for people
}

// A Change is what is to be done at one owner name. The lines are whole: with absolute
// names, TTL and class.
type Change struct {
	Owner    tlsa.Owner `json:"owner"`
	Add      []string   `json:"add"`
	Remove   []string   `json:"remove"`
	TTLOnly  bool       `json:"ttl_only"` // the lines are the same but for the TTL
	Urgent   bool       `json:"urgent"`   // the next certificate waits for it
	Reminder bool       `json:"reminder"` // it was told before
}

const noticeVersion = 1

func changeOf(owner tlsa.Owner, e *dnsprovider.ByHandError, reminder bool) Change {
	return Change{
		Owner: owner, Add: append([]string{}, e.Add...), Remove: append([]string{}, e.Remove...),
		TTLOnly: e.TTLOnly, Urgent: e.Urgent(), Reminder: reminder,
	}
}

// Title is the notice in a few words.
func (n Notice) Title() string {
	var add, remove, ttls, reminders int
	for _, c := range n.Changes {
		switch {
		case c.TTLOnly:
			ttls += len(c.Add)
		default:
			add += len(c.Add)
			remove += len(c.Remove)
		}
		if c.Reminder {
			reminders++
		}
	}
	var parts []string
	for _, part := range []struct {
		n    int
		what string
	}{{add, "to add"}, {remove, "to remove"}, {ttls, "to get another TTL"}} {
		if part.n > 0 {
			parts = append(parts, counted(part.n)+" "+part.what)
		}
	}
	title := "zone " + strings.TrimSuffix(n.Zone, ".") + ": " + strings.Join(parts, ", ")
	if reminders == len(n.Changes) {
		title = "reminder: " + title
	}
	return title
}

func counted(n int) string {
	if n == 1 {
		return "1 record"
	}
	return fmt.Sprintf("%d records", n)
}

// text is the notice for people, what is urgent first.
func (n Notice) text() string {
	var b strings.Builder
	who := "tlsaroll"
	if n.Host != "" {
		who += " on " + n.Host
	}
	fmt.Fprintf(&b, "%s wants records changed in the zone %s, and has no means to do it itself.\n", who, strings.TrimSuffix(n.Zone, "."))
	changes := slices.Clone(n.Changes)
	slices.SortStableFunc(changes, func(a, b Change) int { return rank(a) - rank(b) })
	for _, c := range changes {
		switch {
		case c.TTLOnly:
			section(&b, "Give these records another TTL, when you like. Now they are:", c.Remove)
			section(&b, "They are to be:", c.Add)
		case c.Urgent:
			section(&b, "Add, and leave all other records at this name as they are: the next certificate waits for it.", c.Add)
			section(&b, "Remove, not before the others are there:", c.Remove)
		default:
			section(&b, "Remove, when you like, and leave all other records at this name as they are:", c.Remove)
		}
	}
	b.WriteString("\nThere is nothing else to do: once the name servers have it, all goes on by itself.\n")
	return b.String()
}

func rank(c Change) int {
	switch {
	case c.Urgent:
		return 0
	case c.TTLOnly:
		return 2
	}
	return 1
}

func section(b *strings.Builder, title string, lines []string) {
	if len(lines) == 0 {
		return
	}
	b.WriteString("\n" + title + "\n\n")
	for _, l := range lines {
		b.WriteString(l + "\n")
	}
}
