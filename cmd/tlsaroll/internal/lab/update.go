package lab

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// A Change is one step of a human's edit of a zone.
type Change struct {
	line string
	verb verb
}

type verb int

const (
	add verb = iota
	remove
	removeRRset
)

// Add adds a record, a line as in a zone file with an absolute name and a TTL.
func Add(line string) Change { return Change{line, add} }

// Remove removes exactly that record; its TTL does not count.
func Remove(line string) Change { return Change{line, remove} }

// RemoveRRset removes all records of the line's name and type; the rest of the
// line must parse and does not count.
func RemoveRRset(line string) Change { return Change{line, removeRRset} }

// Update changes a zone at the primary as its administrator would, with a key
// of its own that may change every type. All changes are one message and must
// be of one zone. It returns when the primary serves the signed result.
func (l *Lab) Update(t testing.TB, changes ...Change) {
	t.Helper()
	if err := l.Edit(t.Context(), changes...); err != nil {
		t.Fatal(err)
	}
}

// Edit is [Lab.Update] for who is not the test itself.
func (l *Lab) Edit(ctx context.Context, changes ...Change) error {
	m := new(dns.Msg)
	want := map[rrsetKey]map[string]bool{}
	for i, c := range changes {
		rr, err := dns.NewRR(c.line)
		if err != nil || rr == nil {
			return fmt.Errorf("update: %q: %w", c.line, err)
		}
		if i == 0 {
			zone := l.zoneOf(rr.Header().Name)
			if zone == nil {
				return fmt.Errorf("update: %q: in none of the zones", c.line)
			}
			m.SetUpdate(zone.name)
		}
		set := rrsetKey{rr.Header().Name, rr.Header().Rrtype}
		if want[set] == nil || c.verb == removeRRset {
			want[set] = map[string]bool{}
		}
		switch c.verb {
		case add:
			want[set][rdata(rr)] = true
			m.Insert([]dns.RR{rr})
		case remove:
			want[set][rdata(rr)] = false
			m.Remove([]dns.RR{rr})
		case removeRRset:
			m.RemoveRRset([]dns.RR{rr})
		}
	}
	client := &dns.Client{Net: "tcp", Timeout: queryTimeout, TsigSecret: l.hand.sign(m, time.Now().Unix())}
	reply, _, err := client.ExchangeContext(ctx, m, l.Primary.String())
	if err != nil {
		return fmt.Errorf("update: %w", err)
	}
	if reply.Rcode != dns.RcodeSuccess || reply.IsTsig() == nil {
		return fmt.Errorf("update: %s, signed %t", dns.RcodeToString[reply.Rcode], reply.IsTsig() != nil)
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	return await(ctx, func(ctx context.Context) error { return l.shows(ctx, want) })
}

type rrsetKey struct {
	name   string
	rrtype uint16
}

// shows says whether the primary's signed zone has what was wanted: BIND answers
// an update before the signed copy of the zone follows.
func (l *Lab) shows(ctx context.Context, want map[rrsetKey]map[string]bool) error {
	for set, records := range want {
		reply, err := l.ask(ctx, l.Primary, set.name, set.rrtype)
		if err != nil {
			return err
		}
		have := map[string]bool{}
		for _, rr := range slices.Concat(reply.Answer, reply.Ns, reply.Extra) { // of a delegation NS and glue stand at the end
			if rr.Header().Name == set.name && rr.Header().Rrtype == set.rrtype {
				have[rdata(rr)] = true
			}
		}
		for text, present := range records {
			if have[text] != present {
				return fmt.Errorf("update: %s: primary does not show it yet: %s", set.name, text)
			}
		}
		if len(records) == 0 && len(reply.Answer) > 0 {
			return fmt.Errorf("update: %s: primary does not show its removal yet", set.name)
		}
	}
	return nil
}
