package agent

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/tlsaroll/tlsaroll/dnsprovider/lookup"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

const imap = tlsa.Owner("_993._tcp.mail.example.org.")

// TestUnlistedOwnerBlocks: a name that nobody listed has a record that vouches for
// the live certificate alone.
func TestUnlistedOwnerBlocks(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.lineage("mx1")
		first := w.ca.issue(t, mx1, "mail.example.org")
		w.serve("mx1", first)
		w.publish(imap, record(t, first))
		a := w.open()
		defer w.close(a)
		w.goOn(a, time.Hour, isSteady("mx1", first))
		time.Sleep(5 * time.Minute)
		if n := w.questions("127.0.0.1 " + string(imap)); n > 0 {
			t.Errorf("with nothing on its way, %d questions were asked about names that nobody listed", n)
		}
		second := w.ca.issue(t, mx1, "mail.example.org")
		w.stage("mx1", second)
		r := w.goOn(a, time.Hour, func(r Report) bool { return says(r, "mx1", rollover.CodeUnlistedOwner) != "" })
		if text := says(r, "mx1", rollover.CodeUnlistedOwner); !strings.HasPrefix(text, string(imap)+" vouches for the live certificate and not for ") {
			t.Errorf("it says %q", text)
		}
		time.Sleep(10 * time.Minute)
		w.goOn(a, time.Hour, func(r Report) bool { return !r.Changed })
		w.presentsStill(first.Chain.LeafID())

		w.publish(imap, record(t, second)) // somebody minds it
		w.goOn(a, time.Hour, isSteady("mx1", second))
	})
}

func (w *world) presentsStill(leaf string) {
	w.t.Helper()
	if got := w.presents("192.0.2.25:25"); got != leaf {
		w.t.Errorf("the server presents %s, want %s", got, leaf)
	}
}

// TestUnlistedOwnerUnknown: that it cannot be told whether a name has records
// blocks, also in the passes between two searches and after a restart.
func TestUnlistedOwnerUnknown(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.lineage("mx1")
		first := w.ca.issue(t, mx1, "mail.example.org")
		w.serve("mx1", first)
		a := w.open()
		w.goOn(a, time.Hour, isSteady("mx1", first))
		time.Sleep(5 * time.Minute)
		for _, trouble := range []string{"servfail", "silent"} {
			w.dns.resolver = func(q dns.Question) string {
				if strings.HasSuffix(q.Name, "._tcp.mail.example.org.") {
					return trouble
				}
				return ""
			}
			second := w.ca.issue(t, mx1, "mail.example.org")
			w.stage("mx1", second)
			var ready time.Time
			w.goOn(a, time.Hour, func(r Report) bool {
				if l := r.State.Lineages["mx1"]; l.Successor == second.ID() && !l.ReadyAt.IsZero() {
					ready = l.ReadyAt
				}
				return !ready.IsZero() && r.At.Sub(ready) > 5*time.Minute
			})
			w.presentsStill(first.Chain.LeafID())
			w.close(a)
			a = w.open()
			r := w.goOn(a, time.Minute, func(r Report) bool { return !r.Changed })
			if text := says(r, "mx1", rollover.CodeUnlistedUnknown); !strings.HasPrefix(text, "whether _") || !strings.Contains(text, ".mail.example.org. has TLSA records is not known") {
				t.Errorf("%s: it says %q", trouble, text)
			}
			w.dns.resolver = nil
			begun := time.Now()
			w.goOn(a, time.Hour, isSteady("mx1", second))
			if took := time.Since(begun); took > 5*time.Minute {
				t.Errorf("%s: %s after the trouble was over", trouble, took)
			}
			first = second
			time.Sleep(5 * time.Minute)
		}
		w.close(a)
	})
}

// said is a resolver that has answers at hand.
type said struct {
	Looker
	answers map[string]lookup.Answer
}

func (s said) Ask(_ context.Context, name string, _ uint16) lookup.Answer { return s.answers[name] }

// TestExist: a denial that does not validate is none.
func TestExist(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a := w.open()
		defer w.close(a)
		there := rr("_25._tcp.a.example.org. 60 TLSA 3 1 1 " + strings.Repeat("00", 32))
		answers := map[string]lookup.Answer{
			"records":           {Records: []dns.RR{there}, Security: lookup.Secure},
			"records, bogus":    {Records: []dns.RR{there}, Security: lookup.Bogus, Text: "expired"},
			"denied":            {Rcode: dns.RcodeNameError, Security: lookup.Secure},
			"denied, insecure":  {Rcode: dns.RcodeNameError, Security: lookup.Insecure},
			"denied, bogus":     {Rcode: dns.RcodeNameError, Security: lookup.Bogus, Text: "expired"},
			"an alias, bogus":   {Records: []dns.RR{rr("a. 60 CNAME b.")}, Security: lookup.Bogus, Text: "expired"},
			"no answer at all":  {Err: "timeout", Security: lookup.Indeterminate, Text: "timeout"},
			"denied, who knows": {Security: lookup.Indeterminate, Text: "no self-test"},
		}
		var among []tlsa.Owner
		for name := range answers {
			among = append(among, tlsa.Owner(name))
		}
		found, unknown := a.exist(t.Context(), said{answers: answers}, among)
		if want := map[tlsa.Owner]bool{"records": true, "records, bogus": true}; !maps.Equal(found, want) {
			t.Errorf("found %v", found)
		}
		if want := map[tlsa.Owner]string{"denied, bogus": "expired", "an alias, bogus": "expired", "no answer at all": "timeout"}; !maps.Equal(unknown, want) {
			t.Errorf("unknown %v", unknown)
		}
	})
}

// TestSearchIsBounded: a certificate with many names costs questions now and then,
// not in every pass, and a resolver that sleeps keeps no pass for long.
func TestSearchIsBounded(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.lineage("mx1")
		names := []string{mx1}
		for i := range 60 {
			names = append(names, fmt.Sprintf("host%d.example.org", i))
		}
		first := w.ca.issue(t, names...)
		w.serve("mx1", first)
		a := w.open()
		defer w.close(a)
		w.goOn(a, time.Hour, isSteady("mx1", first))
		time.Sleep(5 * time.Minute)
		second := w.ca.issue(t, names...)
		w.stage("mx1", second)
		w.goOn(a, time.Hour, isSteady("mx1", second))
		if n, all := w.questions("127.0.0.1 _25._tcp.host7.example.org. TLSA"), w.questions("host"); n == 0 || n > 4 {
			t.Errorf("one name was asked for %d times in a rollover (%d questions)", n, all)
		}

		w.dns.resolver = func(q dns.Question) string {
			if strings.Contains(q.Name, "._tcp.host") {
				return "silent"
			}
			return ""
		}
		third := w.ca.issue(t, names...)
		if _, err := a.Offer("mx1", third); err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		mustPass(t, a, "mx1")
		if took := time.Since(begun); took > searchTime+5*time.Second {
			t.Errorf("one pass took %s", took)
		}
		if !slices.Contains(w.stands(owner25(mx1)), record(t, third)) {
			t.Error("it was not published for all that")
		}
	})
}

func TestSearchDue(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	some, other := []tlsa.Owner{owner25("a")}, []tlsa.Owner{owner25("b")}
	ago := func(d time.Duration, complete bool) search {
		return search{at: now.Add(-d), among: some, complete: complete}
	}
	deafSince := func(s search) search { s.deaf = true; return s }
	for _, test := range []struct {
		name  string
		last  search
		among []tlsa.Owner
		ripe  bool
		want  bool
	}{
		{"never", search{}, some, false, true},
		{"a moment ago", ago(time.Second, true), some, false, false},
		{"a moment ago, among others", ago(time.Second, true), other, false, true},
		{"a moment ago, ripe", ago(time.Second, true), some, true, false},
		{"a minute ago, ripe", ago(time.Minute, true), some, true, true},
		{"a minute ago", ago(time.Minute, true), some, false, false},
		{"a minute ago, and not all answered", ago(time.Minute, false), some, false, true},
		{"a moment ago, and the resolver was away since", deafSince(ago(time.Second, true)), some, false, false},
		{"a moment ago, not all answered, and the resolver was away since", deafSince(ago(time.Second, false)), some, false, true},
		{"long ago", ago(15*time.Minute, true), some, false, true},
	} {
		if got := test.last.due(test.among, test.ripe, 15*time.Minute, now); got != test.want {
			t.Errorf("%s: due is %t", test.name, got)
		}
	}
}

// TestEndpointsOfOthersAreListed: a name that another lineage of ours has an
// endpoint at is that lineage's affair.
func TestEndpointsOfOthersAreListed(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.lineage("mx1")
		w.lineage("mx2", "192.0.2.26")
		first := w.ca.issue(t, mx1, "mx2.example.org")
		w.serve("mx1", first)
		w.serve("mx2", first)
		a := w.open()
		defer w.close(a)
		settled(t, a, "mx1")
		settled(t, a, "mx2")
		time.Sleep(5 * time.Minute)
		second := w.ca.issue(t, mx1, "mx2.example.org")
		w.stage("mx1", second)
		w.goOn(a, time.Hour, isSteady("mx1", second))
		if s, _, _ := a.State("mx1"); len(s.Owners) != 1 {
			t.Errorf("mx1 has the ledgers of %d owner names", len(s.Owners))
		}
	})
}
