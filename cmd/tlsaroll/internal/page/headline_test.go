package page_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/page"
	"github.com/tlsaroll/tlsaroll/rollover"
)

// with is a lineage of which something is otherwise.
func with(l rollover.LineageStatus, change func(*rollover.LineageStatus)) rollover.LineageStatus {
	change(&l)
	return l
}

// everywhere changes all endpoints.
func everywhere(change func(*rollover.EndpointStatus)) func(*rollover.LineageStatus) {
	return func(l *rollover.LineageStatus) {
		for i := range l.Endpoints {
			change(&l.Endpoints[i])
		}
	}
}

// verified says of all endpoints whether what they present matches.
func verified(k rollover.Known) func(*rollover.LineageStatus) {
	return everywhere(func(e *rollover.EndpointStatus) { e.Verified = k })
}

// secured says of all endpoints how their records validate.
func secured(s rollover.Security) func(*rollover.LineageStatus) {
	return everywhere(func(e *rollover.EndpointStatus) { e.Security = s })
}

// given says of all servers whether they have what is needed.
func given(k rollover.Known) func(*rollover.LineageStatus) {
	return everywhere(func(e *rollover.EndpointStatus) {
		for i := range e.Servers {
			e.Servers[i].Converged = k
		}
	})
}

func warned(c rollover.Code) func(*rollover.LineageStatus) {
	return func(l *rollover.LineageStatus) {
		l.Warnings = append(l.Warnings, rollover.NewWarning(c, "", "something"))
	}
}

// TestHeadline: all is well where all was seen to be, and nowhere else.
func TestHeadline(t *testing.T) {
	noServers := everywhere(func(e *rollover.EndpointStatus) { e.Servers = nil })
	notify := rollover.NewWarning(rollover.CodeNotifyFailed, "", "nobody heard of it")
	for _, c := range []struct {
		want     string
		tone     page.Tone
		lineages []rollover.LineageStatus
		program  []rollover.Warning
	}{
		{"All is well", page.Good, []rollover.LineageStatus{steady()}, nil},
		{"All is well", page.Good, []rollover.LineageStatus{steady(), named(steady(), "mx2")}, nil},
		{"All is well", page.Good, []rollover.LineageStatus{with(steady(), warned(rollover.CodeServerUnlisted))}, nil},

		{"mx1 does not match its records", page.Doubtful, []rollover.LineageStatus{with(steady(), verified(n))}, nil},
		{"mx1 is not verified now", page.Doubtful, []rollover.LineageStatus{with(steady(), verified(u))}, nil},
		{"mx1 is not verified now", page.Doubtful, []rollover.LineageStatus{with(steady(), verified("perhaps"))}, nil},
		{"mx1 is not verified now", page.Doubtful, []rollover.LineageStatus{unverified()}, nil},
		{"mx1 is not verified now", page.Doubtful, []rollover.LineageStatus{with(steady(), func(l *rollover.LineageStatus) { l.Endpoints[1].Verified = u })}, nil},
		{"mx1 is not verified now", page.Doubtful, []rollover.LineageStatus{with(published(), verified(u))}, nil},
		{"mx1 is not verified now", page.Doubtful, []rollover.LineageStatus{with(swapping(), secured(rollover.Indeterminate))}, nil},
		{"mx1 has records that do not validate", page.Doubtful, []rollover.LineageStatus{with(steady(), secured(rollover.Bogus))}, nil},
		{"mx1 and mx2 are not verified now", page.Doubtful, []rollover.LineageStatus{unverified(), named(unverified(), "mx2"), named(published(), "mx3")}, nil},
		{"mx1 and mx2 need a look", page.Doubtful, []rollover.LineageStatus{unverified(), named(with(steady(), noServers), "mx2")}, nil},
		{"mx1 is not verified now", page.Doubtful, []rollover.LineageStatus{with(unverified(), warned(rollover.CodeZoneIndeterminate))}, nil},
		{"mx1 needs a look", page.Doubtful, []rollover.LineageStatus{with(steady(), warned(rollover.CodeExpiresSoon))}, nil},
		{"mx2 and mx1 need a look", page.Doubtful, []rollover.LineageStatus{unverified(), named(with(steady(), warned(rollover.CodeExpiresSoon)), "mx2")}, nil},
		{"mx1 needs a look", page.Doubtful, []rollover.LineageStatus{with(steady(), func(l *rollover.LineageStatus) {
			secured(rollover.Insecure)(l)
			warned(rollover.CodeExpiresSoon)(l)
		})}, nil},
		{"mx1 needs you", page.Bad, []rollover.LineageStatus{with(steady(), warned(rollover.CodeServedUnmatched)), named(unverified(), "mx2")}, nil},

		{"mx1 has no servers that are known", page.Doubtful, []rollover.LineageStatus{with(steady(), noServers)}, nil},
		{"mx1 has no servers that are known", page.Doubtful, []rollover.LineageStatus{with(generated(), noServers)}, nil},
		{"mx1 has servers of which none answers", page.Doubtful, []rollover.LineageStatus{with(steady(), given(u))}, nil},
		{"mx1 is not on every server", page.Doubtful, []rollover.LineageStatus{with(steady(), func(l *rollover.LineageStatus) { l.Endpoints[1].Servers[3].Converged = n })}, nil},
		// Another address of its name may answer; if not, the rules tell of it in a minute.
		{"All is well", page.Good, []rollover.LineageStatus{with(steady(), func(l *rollover.LineageStatus) { l.Endpoints[1].Servers[3].Converged = u })}, nil},

		{"mx1 is in a zone that is not signed", page.Plain, []rollover.LineageStatus{with(steady(), secured(rollover.Insecure)), named(steady(), "mx2")}, nil},
		{"mx1 has endpoints without records", page.Plain, []rollover.LineageStatus{with(steady(), everywhere(func(e *rollover.EndpointStatus) { e.Records = nil }))}, nil},
		{"mx3-rsa has not been looked at since the start", page.Plain, []rollover.LineageStatus{steady(), named(steady(), "mx3-rsa")}, nil},
		{"mx2 has no pair yet", page.Plain, []rollover.LineageStatus{steady(), fresh()}, nil},
		{"mx2 and mx4 have no pair yet", page.Plain, []rollover.LineageStatus{fresh(), named(fresh(), "mx4")}, nil},
		{"mx2 and mx3-rsa are not verified", page.Plain, []rollover.LineageStatus{fresh(), named(steady(), "mx3-rsa")}, nil},
		{"There is no lineage yet", page.Plain, nil, nil},

		{"Rolling over: mx1, being published", page.Moving, []rollover.LineageStatus{generated(), fresh()}, nil},
		{"Rolling over: mx1, ready in 48 min", page.Moving, []rollover.LineageStatus{published(), named(steady(), "mx2")}, nil},
		{"Rolling over: mx1, ready", page.Moving, []rollover.LineageStatus{with(ready(), func(l *rollover.LineageStatus) { l.Waiting, l.Warnings = nil, nil })}, nil},
		{"Rolling over: mx1, being swapped in", page.Moving, []rollover.LineageStatus{with(swapping(), func(l *rollover.LineageStatus) { l.Swapping.Step = rollover.SwapIntended })}, nil},
		{"Rolling over: mx1, being put back", page.Moving, []rollover.LineageStatus{with(swapping(), func(l *rollover.LineageStatus) { l.Swapping.Step = rollover.SwapUndoing })}, nil},
		{"Rolling over: mx1, being verified", page.Moving, []rollover.LineageStatus{swapping()}, nil},
		{"Rolling over: mx1, being verified", page.Moving, []rollover.LineageStatus{with(swapping(), verified(u))}, nil},
		{"Rolling over: mx1, old records leave in 9 h", page.Moving, []rollover.LineageStatus{retiring()}, nil},
		{"Rolling over: mx1, old records are to leave", page.Moving, []rollover.LineageStatus{cancelled()}, nil},
		{"Rolling over: mx1 and mx2", page.Moving, []rollover.LineageStatus{published(), named(retiring(), "mx2")}, nil},
		{"Rolling over: 4 lineages", page.Moving, []rollover.LineageStatus{published(), named(retiring(), "mx2"), named(published(), "mx3"), named(published(), "mx4")}, nil},
		{"mx1 needs you", page.Bad, []rollover.LineageStatus{heldUp(), named(published(), "mx2")}, nil},

		{"tlsaroll itself needs a look", page.Doubtful, []rollover.LineageStatus{steady(), named(published(), "mx2")}, []rollover.Warning{notify}},
	} {
		f := facts(rollover.Status{Lineages: c.lineages, Warnings: c.program})
		v := page.All(f)
		if v.Headline != c.want || v.Tone != c.tone {
			t.Errorf("%q, %s, want %q, %s", v.Headline, v.Tone, c.want, c.tone)
		}
		f.Now = noon.Add(time.Minute)
		if later := page.All(f); later.Told != v.Told {
			t.Errorf("it is said again as time goes by: %q, %q", v.Told, later.Told)
		}
		if strings.HasPrefix(c.want, "All is well") != (v.Tone == page.Good) {
			t.Errorf("%q in the tone %s", v.Headline, v.Tone)
		}
	}
}

// TestDoubtsAreExplained: what the rules have not told of yet is told with what to do, and once.
func TestDoubtsAreExplained(t *testing.T) {
	troubles := func(l rollover.LineageStatus) (codes []string) {
		for _, x := range page.All(facts(rollover.Status{Lineages: []rollover.LineageStatus{l}})).Lineages[0].Troubles {
			if x.Do == "" || x.Text == "" {
				t.Errorf("%+v", x)
			}
			codes = append(codes, x.Code)
		}
		return codes
	}
	for _, c := range []struct {
		l    rollover.LineageStatus
		want []string
	}{
		{steady(), nil},
		{unverified(), []string{"zone-indeterminate"}},
		{with(unverified(), warned(rollover.CodeZoneIndeterminate)), []string{"zone-indeterminate"}},
		{with(steady(), verified(n)), []string{"served-unmatched"}},
		{lost(), []string{"zone-indeterminate", "endpoint-unseen", "servers-unknown"}},
		{with(steady(), secured(rollover.Insecure)), []string{"zone-insecure"}},
	} {
		if diff := cmp.Diff(c.want, troubles(c.l)); diff != "" {
			t.Error(diff)
		}
	}
}

// TestNextStep: what comes next stands on a line of its own, with its time where that is known.
func TestNextStep(t *testing.T) {
	for _, c := range []struct {
		l          rollover.LineageStatus
		text, when string
	}{
		{steady(), "the next certificate is ordered", "in 2 days 23 h"},
		{with(steady(), func(l *rollover.LineageStatus) { l.Renewal.Again = in(time.Hour) }), "a certificate is ordered, once more", "in 1 h"},
		{with(steady(), func(l *rollover.LineageStatus) { l.Renewal = nil }), "none, until another certificate comes", ""},
		{generated(), "the wait for caches begins when every server has its records", ""},
		{lost(), "its records are published when its servers are known", ""},
		{published(), "it is swapped in when no cache can lack its records", "in 48 min"},
		{ready(), "it is swapped in when nothing keeps it any more", "in 20 h"},
		{with(ready(), func(l *rollover.LineageStatus) { l.Waiting = nil }), "it is swapped in, at any moment", ""},
		{swapping(), "what every address presents is verified, then the records of the pair before leave in their time", ""},
		{retiring(), "records that nobody needs any more leave", "in 9 h"},
		{cancelled(), "records that nobody needs any more leave", ""},
		{heldUp(), "the swap is tried again", "in 50 min"},
		{fresh(), "a pair is handed in, or the one that is served is adopted (hint: tlsaroll adopt mx2)", ""},
	} {
		v := page.All(facts(rollover.Status{Lineages: []rollover.LineageStatus{c.l}}))
		next := v.Lineages[0].Next
		when := ""
		if next.When != nil {
			when = next.When.Relative
		}
		if next.Text != c.text || when != c.when {
			t.Errorf("%q %q, want %q %q", next.Text, when, c.text, c.when)
		}
		if (v.Next != nil) != (when != "") {
			t.Errorf("at the top: %v", v.Next)
		}
		line := `<p class="next"><b>Next step:</b> ` + strings.ReplaceAll(c.text, "'", "&#39;")
		if !strings.Contains(written(t, v), line) {
			t.Errorf("no line %s", line)
		}
	}
	v := page.All(facts(site()))
	if v.Next == nil || v.Next.Text != "mx1: it is swapped in when no cache can lack its records" {
		t.Errorf("the first of several: %v", v.Next)
	}
}
