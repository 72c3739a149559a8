package notify

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tlsaroll/tlsaroll/rollover"
)

// daily is how often people are reminded unless a test says otherwise.
const daily = 24 * time.Hour

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func notice(about string, s rollover.Severity) Notice {
	return Notice{Lineage: "mx1", Code: rollover.CodeServerUnknown, Severity: s, About: about, Text: about + " gives no answer"}
}

// told plays looks at what there is and writes down what people hear.
func told(looks []look) string {
	var b strings.Builder
	known := Told{}
	for _, l := range looks {
		var out []Message
		known, out = known.Next(l.seen, daily, start.Add(l.at))
		for _, m := range out {
			fmt.Fprintf(&b, "%v %s %s %s since %v\n", l.at, m.Event, m.About, m.Severity, m.Since.Sub(start))
		}
	}
	return b.String()
}

type look struct {
	at   time.Duration
	seen []Notice
}

func TestPeopleAreTold(t *testing.T) {
	warned, worse := notice("a", rollover.Warn), notice("a", rollover.Danger)
	for _, test := range []struct {
		name  string
		looks []look
		want  string
	}{
		{"at once, and once", []look{{0, []Notice{warned}}, {time.Second, []Notice{warned}}, {23 * time.Hour, []Notice{warned}}}, `
0s new a warning since 0s`},
		{"daily while it lasts", []look{{0, []Notice{warned}}, {24 * time.Hour, []Notice{warned}}, {47 * time.Hour, []Notice{warned}}, {49 * time.Hour, []Notice{warned}}}, `
0s new a warning since 0s
24h0m0s reminder a warning since 0s
49h0m0s reminder a warning since 0s`},
		{"that it became worse", []look{{0, []Notice{warned}}, {time.Hour, []Notice{worse}}, {2 * time.Hour, []Notice{worse}}, {25 * time.Hour, []Notice{worse}}}, `
0s new a warning since 0s
1h0m0s changed a error since 0s
25h0m0s reminder a error since 0s`},
		{"with the next reminder that it became better", []look{{0, []Notice{worse}}, {time.Hour, []Notice{warned}}, {2 * time.Hour, []Notice{worse}}, {3 * time.Hour, []Notice{warned}}, {24 * time.Hour, []Notice{warned}}, {25 * time.Hour, []Notice{worse}}}, `
0s new a error since 0s
24h0m0s reminder a warning since 0s
25h0m0s changed a error since 0s`},
		{"that it cleared, once it was away for a while", []look{{0, []Notice{warned}}, {time.Hour, nil}, {time.Hour + hold - 1, nil}, {time.Hour + hold, nil}, {2 * time.Hour, nil}}, `
0s new a warning since 0s
1h5m0s cleared a warning since 0s`},
		{"nothing of one that comes and goes", []look{{0, []Notice{warned}}, {time.Minute, nil}, {5 * time.Minute, []Notice{warned}}, {6 * time.Minute, nil}, {10 * time.Minute, []Notice{warned}}}, `
0s new a warning since 0s`},
		{"that it came back worse", []look{{0, []Notice{warned}}, {time.Minute, nil}, {2 * time.Minute, []Notice{worse}}}, `
0s new a warning since 0s
2m0s changed a error since 0s`},
		{"anew once it had cleared", []look{{0, []Notice{warned}}, {time.Minute, nil}, {6 * time.Minute, nil}, {7 * time.Minute, []Notice{warned}}}, `
0s new a warning since 0s
6m0s cleared a warning since 0s
7m0s new a warning since 7m0s`},
		{"of each thing on its own", []look{{0, []Notice{notice("b", rollover.Warn), notice("a", rollover.Danger), notice("b", rollover.Danger)}}, {time.Minute, []Notice{notice("b", rollover.Info)}}, {time.Hour, []Notice{notice("b", rollover.Info)}}}, `
0s new a error since 0s
0s new b error since 0s
1h0m0s cleared a error since 0s`},
		{"and the clock may be set", []look{{48 * time.Hour, []Notice{warned}}, {0, []Notice{warned}}, {23 * time.Hour, []Notice{warned}}, {24 * time.Hour, []Notice{warned}}, {48 * time.Hour, nil}, {25 * time.Hour, nil}, {25*time.Hour + hold, nil}}, `
48h0m0s new a warning since 48h0m0s
24h0m0s reminder a warning since 48h0m0s
25h5m0s cleared a warning since 48h0m0s`},
	} {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(strings.TrimPrefix(test.want, "\n")+"\n", told(test.looks)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestPeopleAreReminded as often as they want: what lasts for eight days is looked at each
// half hour.
func TestPeopleAreReminded(t *testing.T) {
	for _, test := range []struct {
		remind time.Duration
		want   int
	}{{0, 0}, {time.Hour, 8 * 24}, {24 * time.Hour, 8}, {7 * 24 * time.Hour, 1}, {30 * 24 * time.Hour, 0}} {
		known, all := Told{}, map[Event]int{}
		for at := time.Duration(0); at <= 8*24*time.Hour; at += 30 * time.Minute {
			var out []Message
			known, out = known.Next([]Notice{notice("a", rollover.Warn)}, test.remind, start.Add(at))
			for _, m := range out {
				all[m.Event]++
			}
		}
		if diff := cmp.Diff(map[Event]int{Appeared: 1, Reminder: test.want}, all); diff != "" && (test.want > 0 || len(all) != 1) {
			t.Errorf("every %v: %s", test.remind, diff)
		}
		known, _ = known.Next([]Notice{notice("a", rollover.Danger)}, test.remind, start.Add(200*time.Hour))
		known, _ = known.Next(nil, test.remind, start.Add(201*time.Hour))
		if _, out := known.Next(nil, test.remind, start.Add(202*time.Hour)); len(out) != 1 || out[0].Event != Cleared {
			t.Errorf("every %v: it is over, and people hear %v", test.remind, out)
		}
	}
}

func TestTextMayChangeAndSinceMayBeGiven(t *testing.T) {
	n := notice("a", rollover.Danger)
	n.Since = start.Add(-time.Hour)
	known, _ := Told{}.Next([]Notice{n}, daily, start)
	n.Text, n.Since = "another text", time.Time{}
	known, out := known.Next([]Notice{n}, daily, start.Add(time.Minute))
	if len(out) != 0 {
		t.Errorf("told again for another text: %v", out)
	}
	known, _ = known.Next(nil, daily, start.Add(2*time.Minute))
	_, out = known.Next(nil, daily, start.Add(time.Hour))
	if len(out) != 1 || out[0].Text != "another text" || !out[0].Since.Equal(start.Add(-time.Hour)) {
		t.Errorf("cleared as %+v", out)
	}
}

// TestAnySequence holds every sequence of looks to the promises.
func TestAnySequence(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type life struct {
			told     bool
			severity rollover.Severity
			at, seen time.Time
		}
		lives := map[string]*life{"a": {}, "b": {}}
		known, now := Told{}, start
		for range rapid.IntRange(1, 60).Draw(t, "looks") {
			now = now.Add(time.Duration(rapid.SampledFrom([]int{1, 30, 60, 299, 301, 3600, 86400}).Draw(t, "later")) * time.Second)
			var seen []Notice
			there := map[string]rollover.Severity{}
			for _, about := range []string{"a", "b"} {
				if rapid.Bool().Draw(t, about) {
					there[about] = rapid.SampledFrom(severities).Draw(t, "severity")
					seen = append(seen, notice(about, there[about]))
				}
			}
			before := len(known)
			var out []Message
			known, out = known.Next(seen, daily, now)
			if !slices.IsSortedFunc(out, func(a, b Message) int { return byKey(a.Notice, b.Notice) }) || len(known) > 2 || before > 2 {
				t.Fatalf("told %v", out)
			}
			heard := map[string]Event{}
			for _, m := range out {
				l := lives[m.About]
				if heard[m.About] != "" {
					t.Fatalf("%s: told twice at once", m.About)
				}
				heard[m.About] = m.Event
				switch severity, here := there[m.About]; {
				case (m.Event == Appeared) == l.told, here == (m.Event == Cleared):
					t.Fatalf("%s: %s, told before: %v, there: %v", m.About, m.Event, l.told, here)
				case m.Event == Cleared && now.Sub(l.seen) < hold:
					t.Fatalf("%s: cleared %v after it was seen", m.About, now.Sub(l.seen))
				case m.Event == Reminder && now.Sub(l.at) < daily:
					t.Fatalf("%s: reminded after %v", m.About, now.Sub(l.at))
				case m.Event == Changed && rank(severity) <= rank(l.severity):
					t.Fatalf("%s: changed from %s to %s", m.About, l.severity, severity)
				}
				l.told, l.at, l.severity = m.Event != Cleared, now, m.Severity
			}
			for about, severity := range there {
				l := lives[about]
				l.seen = now
				if !l.told || rank(severity) > rank(l.severity) || now.Sub(l.at) >= daily {
					t.Fatalf("%s is %s, and people know of %+v", about, severity, l)
				}
			}
		}
	})
}
