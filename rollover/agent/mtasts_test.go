package agent

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/tlsaroll/tlsaroll/dnsprovider/lookup"
	"github.com/tlsaroll/tlsaroll/rollover"
)

const policyText = "version: STSv1\r\nmode: enforce\r\nmx: mx1.example.org\r\nmax_age: 604800\r\n"

func TestPolicyID(t *testing.T) {
	txt := func(texts ...string) (all []dns.RR) {
		for _, text := range texts {
			all = append(all, &dns.TXT{Txt: strings.Split(text, "|")})
		}
		return all
	}
	for _, test := range []struct {
		name string
		in   lookup.Answer
		want string
	}{
		{"one", lookup.Answer{Records: txt("v=STSv1; id=20260101T000000;")}, "20260101T000000"},
		{"in pieces", lookup.Answer{Records: txt("v=STS|v1; id=2026|0101")}, "20260101"},
		{"beside others", lookup.Answer{Records: txt("v=spf1 -all", "v=STSv1;id=a", "v=STSv10; id=b")}, "a"},
		{"two: none", lookup.Answer{Records: txt("v=STSv1; id=a", "v=STSv1; id=b")}, ""},
		{"an id that strict senders would not take", lookup.Answer{Records: txt("v=STSv1; id=2026-01-01")}, "2026-01-01"},
		{"without id", lookup.Answer{Records: txt("v=STSv1; foo=bar")}, ""},
		{"none", lookup.Answer{}, ""},
	} {
		if got, err := policyID(test.in); got != test.want || err != nil {
			t.Errorf("%s: %q, %v", test.name, got, err)
		}
	}
	if _, err := policyID(lookup.Answer{Err: "no answer"}); err == nil || err.Error() != "no answer" {
		t.Errorf("unknown: %v", err)
	}
}

// TestPolicyIsLookedAt: near the end of the live certificate, and then only, it
// is found out whether senders enforce MTA-STS.
func TestPolicyIsLookedAt(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		fetched, text := 0, policyText
		var fails error
		w.config.FetchPolicy = func(_ context.Context, domain string) (string, error) {
			if domain != "example.org" {
				t.Errorf("the policy of %s was fetched", domain)
			}
			fetched++
			return text, fails
		}
		a, _ := adopted(w)
		defer w.close(a)
		if fetched > 0 || w.questions("_mta-sts") > 0 {
			t.Error("it was looked at although the certificate is good for long")
		}
		enforced := func() bool {
			t.Helper()
			time.Sleep(w.config.Timing.Look)
			r := mustPass(t, a, "mx1")
			return r.State.Lineages["mx1"].Enforced
		}
		time.Sleep(61 * 24 * time.Hour)
		if enforced() || fetched > 0 || w.questions("_mta-sts.example.org. TXT") == 0 {
			t.Errorf("no record: fetched %d times", fetched)
		}
		w.dns.texts["_mta-sts.example.org."] = "v=STSv1; id=1;"
		if !enforced() || fetched != 1 {
			t.Errorf("mode enforce was not seen, fetched %d times", fetched)
		}
		if !enforced() || fetched != 1 {
			t.Errorf("with the same id it was fetched %d times", fetched)
		}
		text, fails = "", errors.New("no route")
		w.dns.texts["_mta-sts.example.org."] = "v=STSv1; id=2;"
		if !enforced() || fetched != 2 {
			t.Errorf("unknown is not none: fetched %d times", fetched)
		}
		if enforced(); fetched != 3 {
			t.Errorf("what is not known is asked again: fetched %d times", fetched)
		}
		text, fails = strings.Replace(policyText, "enforce", "testing", 1), nil
		if enforced() || fetched != 4 {
			t.Errorf("mode testing was not seen, fetched %d times", fetched)
		}
		time.Sleep(policyAge)
		if enforced(); fetched != 5 {
			t.Errorf("a day later: fetched %d times", fetched)
		}
	})
}

// TestPolicyKeepsNobodyWaiting: a web server that is slow holds up no pass.
func TestPolicyKeepsNobodyWaiting(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.config.FetchPolicy = func(ctx context.Context, _ string) (string, error) {
			<-ctx.Done()
			return "", ctx.Err()
		}
		w.dns.texts["_mta-sts.example.org."] = "v=STSv1; id=1;"
		w.lineage("mx1")
		first := w.ca.issueFor(t, newKey(t), 20*24*time.Hour, mx1)
		w.serve("mx1", first)
		a := w.open()
		defer w.close(a)
		w.goOn(a, time.Hour, isSteady("mx1", first))
		time.Sleep(5 * time.Minute)
		second := w.ca.issue(t, mx1)
		w.stage("mx1", second)
		var ready time.Time
		r := w.goOn(a, time.Hour, func(r Report) bool {
			l := r.State.Lineages["mx1"]
			if l.Successor == second.ID() && !l.ReadyAt.IsZero() {
				ready = l.ReadyAt
			}
			return l.Live == second.ID()
		})
		if late := r.State.Lineages["mx1"].Swapped.Sub(ready); late > time.Second {
			t.Errorf("swapped %s late", late)
		}
	})
}

func TestPolicyHosts(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		pair := w.ca.issueFor(t, newKey(t), 20*24*time.Hour, mx1)
		for name, change := range map[string]func(*Lineage){
			"mx1":  func(*Lineage) {},
			"wait": func(l *Lineage) { l.Policy.Deadline = rollover.DeadlineWait },
			"swap": func(l *Lineage) { l.Policy.Deadline = rollover.DeadlineSwap },
			"imap": func(l *Lineage) { l.Policy.Endpoints[0].SMTP, l.Policy.Endpoints[0].Port = false, 993 },
		} {
			change(w.lineage(name))
		}
		a := w.open()
		defer w.close(a)
		for name := range a.lineages {
			g := a.of[name]
			g.state.Lineages[name] = rollover.Lineage{Live: pair.ID()}
			g.state.Chains[pair.ID()] = pair.Chain
			if got := a.policyHosts(g)[name]; (len(got) == 1) != (name == "mx1") {
				t.Errorf("%s: %v", name, got)
			}
		}
	})
}

// TestEnforcedByOne: of the mail domains of a lineage's hosts one that is enforced counts, whatever
// is known of the others; one that is unknown leaves it open otherwise.
func TestEnforcedByOne(t *testing.T) {
	yes, no, unknown := rollover.Seen(true), rollover.Seen(false), rollover.Unseen[bool]("timeout")
	inWorld(t, func(t *testing.T, w *world) {
		pair := w.ca.issueFor(t, newKey(t), 20*24*time.Hour, mx1)
		l := w.lineage("mx1")
		second := l.Policy.Endpoints[0]
		second.Host, second.URL, second.Owner = "mx2.example.net", "smtp://mx2.example.net", owner25("mx2.example.net")
		l.Policy.Endpoints = append(l.Policy.Endpoints, second)
		a := w.open()
		defer w.close(a)
		g := a.of["mx1"]
		g.state.Lineages["mx1"] = rollover.Lineage{Live: pair.ID()}
		g.state.Chains[pair.ID()] = pair.Chain
		for _, test := range []struct{ one, other, want rollover.Sight[bool] }{
			{yes, no, yes}, {no, yes, yes}, {yes, unknown, yes}, {unknown, yes, yes},
			{no, unknown, unknown}, {unknown, no, unknown}, {no, no, no},
		} {
			got := a.enforced(g, book{policies: map[string]mtaState{mx1: {enforced: test.one}, second.Host: {enforced: test.other}}})["mx1"]
			if got != test.want {
				t.Errorf("%+v and %+v: %+v", test.one, test.other, got)
			}
		}
	})
}
