package web

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/lab"
	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/rollover"
)

// monitoring is where the rules and the dashboard for Prometheus and Grafana are.
const monitoring = "../../../../examples/prometheus"

func monitoringFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(monitoring, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// alertRules is as much of a rule file as is looked at.
type alertRules struct {
	Groups []struct {
		Rules []alertRule
	}
}

type alertRule struct {
	Alert, Expr string
	For         string
	Labels      map[string]string
	Annotations map[string]string
}

func readRules(t *testing.T) (rules []alertRule) {
	t.Helper()
	var file alertRules
	if err := yaml.Unmarshal([]byte(monitoringFile(t, "tlsaroll.rules.yaml")), &file); err != nil {
		t.Fatal(err)
	}
	for _, g := range file.Groups {
		rules = append(rules, g.Rules...)
	}
	if len(rules) < 5 {
		t.Fatalf("%d rules", len(rules))
	}
	return rules
}

// shown are the metrics that the program shows, by name: their labels, with the values
// that were seen.
type shown map[string]map[string][]string

// everything is what is shown where everything is, and what Prometheus adds.
func everything(t *testing.T) shown {
	t.Helper()
	status := append(site(), rollover.LineageStatus{Name: "all", Warnings: []rollover.Warning{{Code: rollover.CodeQueued, Severity: rollover.Info}}})
	m := metricsOf(status)
	m.Configure([]string{"mx1"}, []string{"ns1"})
	for _, err := range []error{nil, &dnsprovider.ByHandError{}, dnsprovider.ErrConflict, dnsprovider.ErrRefused, os.ErrClosed} {
		m.Acted(nil, rollover.Publish{Change: rollover.Change{Provider: "ns1"}}, err)
		m.Acted(nil, rollover.Swap{Lineage: "mx1"}, err)
	}
	families, err := m.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	found := shown{"up": {"job": nil, "instance": nil}}
	for _, f := range families {
		labels := map[string][]string{"job": nil, "instance": nil}
		for _, s := range f.GetMetric() {
			for _, l := range s.GetLabel() {
				labels[l.GetName()] = append(labels[l.GetName()], l.GetValue())
			}
		}
		found[f.GetName()] = labels
	}
	return found
}

var (
	selectorOf  = regexp.MustCompile(`\b(up|tlsaroll_\w+|go_\w+|process_\w+)(?:\{([^}]*)\})?`)
	matcherOf   = regexp.MustCompile(`(\w+)\s*(?:=~|!~|!=|=)\s*"([^"]*)"`)
	groupedBy   = regexp.MustCompile(`\b(?:by|on|without|ignoring|group_left|group_right)\s*\(([^)]*)\)`)
	wordOf      = regexp.MustCompile(`\w+`)
	enumerated  = []string{"phase", "role", "result", "severity"} // all values are known
	templateOf  = regexp.MustCompile(`\$labels\.(\w+)`)
	legendOf    = regexp.MustCompile(`\{\{(\w+)\}\}`)
	explainedIn = regexp.MustCompile(`\bexplain ((?:[a-z-]+)(?: or [a-z-]+)*)`)
)

// query wants of a query that the program shows what it asks for. It returns the labels
// that its result may have.
func (s shown) query(t testing.TB, where, query string) (labels []string) {
	t.Helper()
	selectors := selectorOf.FindAllStringSubmatch(query, -1)
	if len(selectors) == 0 {
		t.Errorf("%s: no metric of ours in %s", where, query)
	}
	for _, m := range selectors {
		known, ok := s[m[1]]
		if !ok {
			t.Errorf("%s: there is no metric %s", where, m[1])
			continue
		}
		for label := range known {
			labels = append(labels, label)
		}
		for _, m2 := range matcherOf.FindAllStringSubmatch(m[2], -1) {
			s.matcher(t, where, m[1], m2[1], m2[2])
		}
	}
	for _, m := range groupedBy.FindAllStringSubmatch(query, -1) {
		for _, label := range wordOf.FindAllString(m[1], -1) {
			if !slices.Contains(labels, label) {
				t.Errorf("%s: no metric has the label %s: %s", where, label, query)
			}
		}
	}
	return labels
}

// matcher wants that a label is there, and has values as those that are asked for.
func (s shown) matcher(t testing.TB, where, metric, label, value string) {
	t.Helper()
	seen, ok := s[metric][label]
	if !ok {
		t.Errorf("%s: %s has no label %s", where, metric, label)
		return
	}
	if strings.HasPrefix(value, "$") {
		return // a variable of the dashboard
	}
	for one := range strings.SplitSeq(value, "|") {
		if _, known := rollover.Code(one).Explain(); label == "code" && !known {
			t.Errorf("%s: there is no code %s", where, one)
		}
		if slices.Contains(enumerated, label) && !slices.Contains(seen, one) {
			t.Errorf("%s: %s has no %s %q, only %q", where, metric, label, one, seen)
		}
	}
}

// words wants that codes and labels exist of which a text speaks.
func (s shown) words(t *testing.T, where, text string, labels []string) {
	t.Helper()
	for _, m := range explainedIn.FindAllStringSubmatch(text, -1) {
		for code := range strings.SplitSeq(m[1], " or ") {
			if _, ok := rollover.Code(code).Explain(); !ok {
				t.Errorf("%s: there is no code %s", where, code)
			}
		}
	}
	for _, m := range templateOf.FindAllStringSubmatch(text, -1) {
		if !slices.Contains(labels, m[1]) {
			t.Errorf("%s: nothing in its query has the label %s", where, m[1])
		}
	}
}

// TestAlerts holds the rules to what the program shows, and their test to the rules.
func TestAlerts(t *testing.T) {
	known, tests := everything(t), monitoringFile(t, "tlsaroll.rules.test.yaml")
	for _, r := range readRules(t) {
		labels := known.query(t, r.Alert, r.Expr)
		for _, name := range []string{"summary", "description"} {
			if r.Annotations[name] == "" {
				t.Errorf("%s: no %s", r.Alert, name)
			}
			known.words(t, r.Alert, r.Annotations[name], labels)
		}
		if !slices.Contains([]string{"critical", "warning"}, r.Labels["severity"]) {
			t.Errorf("%s: its severity is %q", r.Alert, r.Labels["severity"])
		}
		if !strings.Contains(tests, `ALERTS{alertname="`+r.Alert+`",alertstate="firing",severity="`+r.Labels["severity"]+`"`) {
			t.Errorf("%s: no test has it fire", r.Alert)
		}
	}
	for _, m := range regexp.MustCompile(`series: '([^']*)'`).FindAllStringSubmatch(tests, -1) {
		known.query(t, "the rules' test", m[1])
	}
}

// complaints keeps what a test would fail with.
type complaints struct {
	testing.TB
	said []string
}

func (c *complaints) Errorf(format string, args ...any) {
	c.said = append(c.said, fmt.Sprintf(format, args...))
}

// TestNoSuchMetric: what is wrong in a query is noticed.
func TestNoSuchMetric(t *testing.T) {
	known := everything(t)
	for _, query := range []string{
		`tlsaroll_phase`, `tlsaroll_warning{owner="x"}`, `tlsaroll_warning{code="on-fire"}`, `tlsaroll_warning{severity="critical"}`,
		`tlsaroll_swaps_total{result=~"ok|done"}`, `sum by (server) (tlsaroll_warning)`, `tlsaroll_lineage_phase{phase="idle"}`, `vector(1)`,
	} {
		c := &complaints{TB: t}
		known.query(c, "here", query)
		if len(c.said) != 1 {
			t.Errorf("%s: %q", query, c.said)
		}
	}
}

// TestMetricsTable wants each metric of ours in the README beside the rules, and no other.
func TestMetricsTable(t *testing.T) {
	page := monitoringFile(t, "README.md")
	var told []string
	for _, m := range regexp.MustCompile("(?m)^\\| `(tlsaroll_\\w+)(?:\\{([a-z,]*)\\})?`").FindAllStringSubmatch(page, -1) {
		told = append(told, m[1])
		var labels []string
		for label := range everything(t)[m[1]] {
			if label != "job" && label != "instance" {
				labels = append(labels, label)
			}
		}
		stated := strings.FieldsFunc(m[2], func(r rune) bool { return r == ',' })
		slices.Sort(labels)
		slices.Sort(stated)
		if !slices.Equal(labels, stated) {
			t.Errorf("%s has the labels %v, and the README says %v", m[1], labels, stated)
		}
	}
	m := metricsOf(site())
	m.Configure([]string{"mx1"}, []string{"ns1"})
	names := ours(t, m)
	slices.Sort(told)
	if !slices.Equal(told, names) {
		t.Errorf("the README tells of %v, and there are %v", told, names)
	}
}

// TestPromtool has Prometheus' own program read the rules and the configuration, and run
// the rules' test.
func TestPromtool(t *testing.T) {
	promtool := lab.Cached(t, "prometheus", "promtool")
	for _, args := range [][]string{
		{"check", "rules", "tlsaroll.rules.yaml"},
		{"check", "config", "prometheus.yaml"},
		{"test", "rules", "tlsaroll.rules.test.yaml"},
	} {
		t.Run(args[0]+" "+args[1], func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), promtool, args...)
			cmd.Dir = monitoring
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("promtool %v: %v\n%s", args, err, out)
			}
		})
	}
}
