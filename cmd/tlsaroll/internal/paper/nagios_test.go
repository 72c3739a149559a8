package paper

import (
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/audit"
)

// ending is a report with certificates that end so many days after it was seen.
func ending(r audit.Report, days ...int) audit.Report {
	r.Hosts = []audit.HostReport{{Host: "mx1.example.org", Port: 25}}
	for _, d := range days {
		r.Hosts[0].Addresses = append(r.Hosts[0].Addresses, audit.AddressReport{Handshakes: []audit.HandshakeReport{{}, {NotAfter: seen.AddDate(0, 0, d)}}})
	}
	return r
}

func onHost(severities ...rollover.Severity) *[]audit.Finding {
	findings := []audit.Finding{}
	for _, s := range severities {
		findings = append(findings, audit.Finding{Warning: rollover.Warning{Code: rollover.CodeStagedUnreadable, Severity: s, Text: "mx1: no key"}, Fix: "Look at the file."})
	}
	return &findings
}

func nagiosCases() []Nagios {
	return []Nagios{
		{Reports: []audit.Report{ending(healthy(), 80, 23, 60)}},
		{Reports: []audit.Report{plain()}, Said: []string{"warning: the configuration is not used"}},
		{Reports: []audit.Report{ending(broken(), -2)}},
		{Reports: all()},
		{Reports: []audit.Report{service()}, Here: onHost()},
		{Reports: []audit.Report{service(), healthy()}, Here: onHost(rollover.Info, rollover.Warn)},
		{Reports: []audit.Report{healthy()}, Trouble: []string{"interrupted: 1 of 2 were looked at"}},
		{Trouble: []string{"resolver 127.0.0.1:53: it does not validate"}},
		{Here: onHost(rollover.Danger), Trouble: []string{"resolver 127.0.0.1:53: it does not validate"}},
		{},
	}
}

func nagiosPages() string {
	var pages []string
	for _, n := range nagiosCases() {
		n.At = seen
		pages = append(pages, strings.Join(n.Lines(), "\n"))
	}
	return strings.Join(pages, "\n\n")
}

// firstLine is what plugins print first, with performance data as their guidelines have it.
var firstLine = regexp.MustCompile(`^TLSAROLL (OK|WARNING|CRITICAL|UNKNOWN) - [^|]+( \|( [a-z_]+=-?[0-9]+(\.[0-9]+)?(;[0-9]*){0,3})+)?$`)

func TestNagiosCode(t *testing.T) {
	codes := map[string]int{"OK": NagiosOK, "WARNING": NagiosWarning, "CRITICAL": NagiosCritical, "UNKNOWN": NagiosUnknown}
	want := []string{"OK", "WARNING", "CRITICAL", "CRITICAL", "OK", "WARNING", "UNKNOWN", "UNKNOWN", "CRITICAL", "UNKNOWN"}
	for i, n := range nagiosCases() {
		n.At = seen
		m := firstLine.FindStringSubmatch(n.Lines()[0])
		if m == nil || m[1] != want[i] || n.Code() != codes[want[i]] {
			t.Errorf("%d: %q, exit %d, want %s", i, n.Lines()[0], n.Code(), want[i])
		}
	}
	if n := (Nagios{Here: onHost()}); n.Code() != NagiosOK {
		t.Errorf("a host without services: %q", n.Lines())
	}
	denied := &[]audit.Finding{{Warning: rollover.NewWarning(rollover.CodeNotPermitted, "", "x")}}
	if n := (Nagios{Reports: []audit.Report{healthy()}, Here: denied}); n.Code() != NagiosUnknown {
		t.Errorf("who may not look: %q", n.Lines())
	}
}

// TestNagiosHostile: whatever others say, there is one pipe, no line more, nothing for a
// shell, and no more than is kept.
func TestNagiosHostile(t *testing.T) {
	bad := hostile()
	bad.Findings = append(bad.Findings, audit.Finding{Warning: rollover.Warning{Code: "x|y", Severity: rollover.Danger, Text: "550 go|a=1;;\n`reboot` $(reboot) \\n\x00\u2028"}})
	reports := []audit.Report{bad}
	for range 200 {
		reports = append(reports, bad, broken())
	}
	for _, n := range []Nagios{{Reports: reports[:1], At: seen}, {Reports: reports, At: seen}, {Reports: reports, At: seen, Here: onHost(rollover.Danger), Trouble: []string{strings.Repeat("|\n", 9000)}}} {
		lines := n.Lines()
		all := strings.Join(lines, "\n")
		if !firstLine.MatchString(lines[0]) || utf8.RuneCountInString(lines[0]) > 600 {
			t.Errorf("the first line is %q", lines[0])
		}
		if strings.Count(all, "|") != 1 || strings.ContainsAny(all, "`$\\\x00\x1b\r\u2028\u202e") || len(all) > 8000 {
			t.Errorf("%d octets:\n%q", len(all), all)
		}
		for _, line := range lines {
			if strings.Contains(line, "\n") {
				t.Errorf("a line in a line: %q", line)
			}
		}
	}
}
