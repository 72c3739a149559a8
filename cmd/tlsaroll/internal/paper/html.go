package paper

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strings"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/audit"
)

//go:embed sheet.html
var sheetHTML string

// sheet is the page; it loads nothing and runs nothing, and says so to the browser.
var sheet = template.Must(template.New("sheet").Funcs(template.FuncMap{
	"words":      harmless,
	"short":      func(s string) string { return short(harmless(s)) },
	"sender":     func(s audit.Sender) string { return senderWords[s] },
	"delivery":   delivery,
	"inShort":    inShort,
	"forClients": forClients,
	"where":      where,
	"state":      stateWord,
	"stamp":      rollover.Stamp,
	"class":      class,
	"quiet":      quiet,
	"statuses":   statuses,
	"names":      names,
	"count":      count,
	"verified":   verified,
}).Parse(sheetHTML))

// leaf is what the template of the whole page gets.
type leaf struct {
	Date    string
	At      time.Time
	Tally   Tally
	Numbers []figure
	Reports []audit.Report
}

// figure is one of the numbers at the top.
type figure struct {
	N     int
	Class string
	Word  string
	Means string
}

// HTML writes a page for a browser that says to whoever pays for the mail servers how
// the domains do, the worst first.
func HTML(w io.Writer, reports []audit.Report, at time.Time) error {
	t := Count(reports)
	return sheet.Execute(w, leaf{
		Date: at.UTC().Format("2 January 2006"), At: at, Tally: t, Reports: worstFirst(reports),
		Numbers: []figure{
			{t.Broken, "bad", "broken", "some mail does not arrive, or is about not to"},
			{t.Unknown, "doubtful", "unknown", "could not be looked at"},
			{t.Warnings, "doubtful", "warnings", "mail arrives; something should be mended"},
			{t.Clean, "good", "clean", "nothing to mend"},
		},
	})
}

// stateWord is a state for who does not read our JSON.
func stateWord(s audit.State) string {
	if s == "" {
		return string(audit.Blind)
	}
	return string(s)
}

// class is the style of what is good or bad.
func class(v any) string {
	tone := Plain
	switch v := v.(type) {
	case audit.State:
		tone = stateTones[v]
	case audit.Verdict:
		tone = toneOfVerdict(v)
	case audit.Status:
		tone = statusTones[v]
	case rollover.Severity:
		tone = severityTones[v]
	case rollover.Security:
		tone = securityTones[v]
	case audit.AddressReport:
		tone = toneOfAddress(v)
	}
	return map[Tone]string{Plain: "plain", Good: "good", Doubtful: "doubtful", Bad: "bad"}[tone]
}

// count is how many findings have a severity.
func count(findings []audit.Finding, s rollover.Severity) (n int) {
	for _, f := range findings {
		if f.Severity == s {
			n++
		}
	}
	return n
}

// names are the subtests of a status, in one line.
func names(tests []audit.Subtest, s audit.Status) string {
	var list []string
	for _, t := range ofStatus(tests, s) {
		list = append(list, t.Name)
	}
	return fmt.Sprintf("%d: %s", len(list), harmless(strings.Join(list, ", ")))
}
