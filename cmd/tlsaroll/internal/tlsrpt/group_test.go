package tlsrpt

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tlsaroll/tlsaroll/rollover"
)

func samples(t *testing.T, names ...string) (all []Report) {
	t.Helper()
	for _, name := range names {
		reports, err := Read(bytes.NewReader(sample(t, name)))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, reports...)
	}
	return all
}

func TestGroups(t *testing.T) {
	var got []string
	for _, g := range Groups(samples(t, "loose.json", "rfc8460.json", "dane.json", "success.json")) {
		got = append(got, fmt.Sprintf("%s %s %v %d, began %s to %s, %q", g.Place(), g.ResultType, g.Policies, g.Sessions, g.Began.Format(time.DateTime), g.By.Format(time.DateTime), g.Reasons))
		for _, d := range g.Days {
			got = append(got, fmt.Sprintf("  %s %d %q %v", d.Day, d.Sessions, d.Organizations, d.Addresses))
		}
	}
	want := []string{
		`example.org sts-policy-fetch-error [sts] 2, began 2026-03-02 00:00:00 to 2026-03-02 23:59:59, ["fetch timed out"]`,
		`  2026-03-02 2 ["Sender Two"] []`,
		`mx-backup.example.org validation-failure [sts] 3, began 2026-03-01 00:00:00 to 2026-03-01 23:59:59, ["X509_V_ERR_PROXY_PATH_LENGTH_EXCEEDED"]`,
		`  2026-03-01 3 ["Sender One"] [203.0.113.58]`,
		`mx1.example.org certificate-expired [sts] 100, began 2026-03-01 00:00:00 to 2026-03-01 23:59:59, []`,
		`  2026-03-01 100 ["Sender One"] []`,
		`mx1.example.org tlsa-invalid [tlsa] 6, began 2026-03-02 00:00:00 to 2026-03-02 23:59:59, []`,
		`  2026-03-02 4 ["Sender Two"] [192.0.2.1 2001:db8::1]`,
		`  2026-03-03 2 ["Sender Three"] [192.0.2.1]`,
		`mx1.example.org unspecified [tlsa] 3, began 2026-03-03 00:00:00 to 2026-03-03 23:59:59, []`,
		`  2026-03-03 3 ["Sender Three"] []`,
		`mx2.example.org starttls-not-supported [sts] 200, began 2026-03-01 00:00:00 to 2026-03-01 23:59:59, ["https://reports.one.example/report_info?id=5065427c-23d3#StarttlsNotSupported"]`,
		`  2026-03-01 200 ["Sender One"] [203.0.113.56]`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestPlaces(t *testing.T) {
	for _, test := range []struct {
		policy  Policy
		failure Failure
		want    string
	}{
		{Policy{Type: "sts", Domain: "example.org"}, Failure{Host: "mx1.example.org", ReceivingIP: "192.0.2.1"}, "mx1.example.org"},
		{Policy{Type: "sts", Domain: "example.org"}, Failure{ReceivingIP: "192.0.2.1"}, "192.0.2.1"},
		{Policy{Type: "sts", Domain: "example.org"}, Failure{}, "example.org"},
		{Policy{Type: "tlsa", Domain: "mx1.example.org"}, Failure{ReceivingIP: "192.0.2.1"}, "mx1.example.org"},
		{Policy{}, Failure{}, "(unknown)"},
	} {
		if got := groupOf(test.policy, test.failure).Place(); got != test.want {
			t.Errorf("%+v, %+v: %s", test.policy, test.failure, got)
		}
	}
}

// TestManyFailures: a report made for the purpose takes no time that matters.
func TestManyFailures(t *testing.T) {
	r := Report{Policies: []Policy{{}}}
	for i := range 20_000 {
		r.Policies[0].Failures = append(r.Policies[0].Failures, Failure{ResultType: "tlsa-invalid", Host: fmt.Sprint(i % 10_000), ReceivingIP: fmt.Sprint(i), Reason: fmt.Sprint(i), Sessions: 1},
			Failure{ResultType: "tlsa-invalid", Host: "one", ReceivingIP: fmt.Sprint(i), Reason: fmt.Sprint(i), Sessions: 1 << 62})
	}
	groups := Groups([]Report{r})
	if len(groups) != 10_001 {
		t.Fatalf("%d groups", len(groups))
	}
	one := groups[len(groups)-1]
	if one.Sessions != 1<<63-1 || len(one.Reasons) != mostNamed || len(one.Days[0].Addresses) != mostNamed {
		t.Errorf("%d sessions, %d reasons, %d addresses", one.Sessions, len(one.Reasons), len(one.Days[0].Addresses))
	}
}

func TestCompare(t *testing.T) {
	at := func(day, hour int) time.Time { return time.Date(2026, 3, day, hour, 0, 0, 0, time.UTC) }
	early, late := rollover.Period{Began: at(1, 9), Swapped: at(1, 12), Ended: at(2, 10)}, rollover.Period{Began: at(8, 9), Swapped: at(8, 12), Ended: at(9, 10)}
	open := rollover.Period{Began: at(20, 9)}
	mx1 := Lineage{"mx1", []string{"mx1.example.org", "mail.example.org"}, []rollover.Period{early, late, open}}
	other := Lineage{"mx1-rsa", []string{"mx1.example.org"}, []rollover.Period{late}}
	for _, test := range []struct {
		name     string
		host     string
		start    time.Time
		end      time.Time
		lineages []Lineage
		want     *Relation
	}{
		{"the day of the swap", "mx1.example.org", at(8, 0), at(8, 23), []Lineage{mx1}, &Relation{During, []Within{{"mx1", late}}}},
		{"another name of it", "mail.example.org", at(8, 0), at(8, 23), []Lineage{mx1}, &Relation{During, []Within{{"mx1", late}}}},
		{"the day of the end", "mx1.example.org", at(9, 0), at(9, 23), []Lineage{mx1}, &Relation{During, []Within{{"mx1", late}}}},
		{"the day after", "mx1.example.org", at(10, 0), at(10, 23), []Lineage{mx1}, &Relation{When: Outside}},
		{"ends as it begins", "mx1.example.org", at(7, 0), at(8, 9), []Lineage{mx1}, &Relation{During, []Within{{"mx1", late}}}},
		{"ends before", "mx1.example.org", at(7, 0), at(8, 8), []Lineage{mx1}, &Relation{When: Outside}},
		{"while one goes on", "mx1.example.org", at(25, 0), at(25, 23), []Lineage{mx1}, &Relation{During, []Within{{"mx1", open}}}},
		{"before what is remembered", "mx1.example.org", at(0, 0), at(0, 23), []Lineage{mx1}, &Relation{When: Before}},
		{"two lineages", "mx1.example.org", at(8, 0), at(8, 23), []Lineage{mx1, other}, &Relation{During, []Within{{"mx1", late}, {"mx1-rsa", late}}}},
		{"one of two remembers", "mx1.example.org", at(5, 0), at(5, 23), []Lineage{mx1, other}, &Relation{When: Before}},
		{"nothing is remembered", "mx1.example.org", at(5, 0), at(5, 23), []Lineage{{"mx1", []string{"mx1.example.org"}, nil}}, &Relation{When: Before}},
		{"nobody says when", "mx1.example.org", time.Time{}, time.Time{}, []Lineage{mx1}, &Relation{When: Before}},
		{"another host", "mx2.example.org", at(8, 0), at(8, 23), []Lineage{mx1, other}, nil},
		{"no host", "", at(8, 0), at(8, 23), []Lineage{mx1}, nil},
	} {
		groups := []Group{{Host: test.host, Began: test.start, By: test.end}}
		Compare(groups, test.lineages)
		if diff := cmp.Diff(test.want, groups[0].Rollover); diff != "" {
			t.Errorf("%s\n%s", test.name, diff)
		}
	}
}
