package paper

import (
	"fmt"
	"strings"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/audit"
)

// Text lays reports out for a terminal, or for a file.
type Text struct {
	Width int                           // columns; 0: 100
	Paint func(t Tone, s string) string // nil: no colour
}

// Page is all there is to say of a domain, a page where all is well.
func (t Text) Page(r audit.Report) string {
	p := &page{Text: t}
	p.row("", harmless(r.Domain)+": ", lead{string(r.State), stateTones[r.State], 0}, ", seen "+rollover.Stamp(r.At))
	p.senders(r)
	p.hosts(r.Hosts)
	p.findings(r.Findings)
	p.renewal(r)
	p.internetNL(r.InternetNL)
	return strings.TrimSuffix(p.b.String(), "\n")
}

// Line is a domain among many: the verdict, and what is to be mended.
func (t Text) Line(r audit.Report) string {
	p := &page{Text: t}
	p.row("", harmless(r.Domain)+": ", lead{string(r.State), stateTones[r.State], 0}, ": "+inShort(r))
	for _, f := range pressing(r.Findings) {
		p.finding("  ", f)
	}
	return strings.TrimSuffix(p.b.String(), "\n")
}

// Findings are what somebody should know beside the domains.
func (t Text) Findings(title string, findings []audit.Finding) string {
	p := &page{Text: t}
	if len(findings) == 0 {
		p.row("", harmless(title)+": ", lead{"nothing to mend", Good, 0}, "")
	} else {
		p.line(title)
	}
	for _, f := range findings {
		p.finding("  ", f)
		p.fix("  ", f)
	}
	return strings.TrimSuffix(p.b.String(), "\n")
}

func (p *page) senders(r audit.Report) {
	p.begin(who(r))
	said := ""
	for _, v := range r.Senders {
		why := ""
		if v.Why != "" && v.Why != said { // once is enough
			why = ": " + v.Why
		}
		said = v.Why
		p.row(p.label(), fmt.Sprintf("%-15s ", senderWords[v.Sender]), lead{delivery(r, v), toneOfVerdict(v), 0}, why)
	}
}

func (p *page) hosts(hosts []audit.HostReport) {
	p.begin("hosts")
	for _, h := range hosts {
		p.row(p.label(), "", lead{harmless(h.Host), Plain, 0}, hostWords(h, len(hosts) == 1))
		for _, a := range h.Addresses {
			p.address(a)
		}
	}
}

// hostWords are a host's preference, port and records. The only one needs no preference,
// and has none where no MX record led to it.
func hostWords(h audit.HostReport, only bool) string {
	text := fmt.Sprintf(", preference %d: ", h.Preference)
	switch {
	case h.Port != 25:
		text = fmt.Sprintf(", port %d: ", h.Port)
	case only && h.Preference == 0:
		text = ": "
	}
	records := "no TLSA records"
	if len(h.Records) > 0 {
		records = strings.Join(h.Records, ", ")
	}
	text += records
	if h.Security != "" {
		text += ", " + string(h.Security)
	}
	return short(text)
}

func (p *page) address(a audit.AddressReport) {
	version, why := "", strings.TrimPrefix(strings.TrimPrefix(a.Why, a.Address), ":")
	if a.Version != "" {
		version = ", " + a.Version
	}
	text := version
	switch {
	case why != "" && a.Verified == rollover.Yes:
		text = " by " + why + version
	case why != "":
		text = version + ": " + strings.TrimSpace(why)
	}
	p.row(p.label(), fmt.Sprintf("  %-22s ", a.Address), lead{verified(a), toneOfAddress(a), 0}, short(text))
}

func (p *page) findings(findings []audit.Finding) {
	p.begin("findings")
	for _, f := range findings {
		label := p.label()
		p.finding(label, f)
		p.fix(p.label(), f)
	}
}

func (p *page) finding(label string, f audit.Finding) {
	p.row(label, "", lead{fmt.Sprintf("%-7s", f.Severity), severityTones[f.Severity], 9}, fmt.Sprintf("  %s: %s%s", f.Code, where(f), f.Text))
}

func (p *page) fix(label string, f audit.Finding) {
	if f.Fix != "" && !(f.Severity == rollover.Info && strings.HasPrefix(f.Fix, "Nothing")) {
		p.row(label, strings.Repeat(" ", 9), lead{"fix:", Plain, 5}, " "+f.Fix)
	}
}

// renewal says what the next certificate meets: of the domain, else of each host.
func (p *page) renewal(r audit.Report) {
	p.begin("next renewal")
	if r.Renewal != "" {
		p.row(p.label(), "", lead{}, r.Renewal)
		return
	}
	for _, h := range r.Hosts {
		if h.Renewal != "" {
			p.row(p.label(), "", lead{}, h.Host+": "+h.Renewal)
		}
	}
}

// internetNL names the subtests by their status; what has not passed gets a line.
func (p *page) internetNL(tests []audit.Subtest) {
	p.begin("Internet.nl")
	width := 0
	for _, s := range statuses(tests) {
		width = max(width, len(s))
	}
	for _, s := range statuses(tests) {
		var names []string
		for _, t := range ofStatus(tests, s) {
			names = append(names, t.Name)
		}
		p.row(p.label(), "", lead{fmt.Sprintf("%-*s", width, s), statusTones[s], width + 1}, " "+strings.Join(names, ", "))
	}
	for _, t := range tests {
		if quiet(t) {
			continue
		}
		text := ": " + t.Verdict
		if t.Text != "" {
			text += ": " + t.Text
		}
		p.row(p.label(), "", lead{t.Name, statusTones[t.Status], 0}, short(text))
		if t.Ours != "" {
			p.row(p.label(), "  ", lead{"ours:", Plain, 0}, " "+short(t.Ours))
		}
	}
}
