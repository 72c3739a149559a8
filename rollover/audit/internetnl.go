package audit

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Internet.nl's rules are those of its release 1.11.2 (commit cec0e01d, 2026-07-14):
// checks/tasks/dnssec.py, checks/tasks/tls/{scans,evaluation,tasks_reports}.py,
// checks/tasks/shared.py, checks/categories.py and checks/scoring.py.

// internetNL gives the subtests of Internet.nl's mail test for DNSSEC and for STARTTLS
// and DANE, as it would show them. What was not looked at is not tested, and why stands
// in the text: it is never passed.
func internetNL(d Domain) []Subtest {
	found := nlDNSSEC(d.Zone)
	if d.MX.Given {
		g := untested("a host was asked for, and no domain")
		found = grades{"dnssec_exists": g, "dnssec_valid": g}
	}
	servers, none := nlServers(d)
	results := make([]nlResult, len(servers))
	for i, s := range servers {
		results[i] = nlResult{s.name, s.grades(d.At)}
	}
	subtests := make([]Subtest, 0, len(nlCatalogue()))
	for _, c := range nlCatalogue() {
		g, ok := found[c.name]
		switch {
		case ok:
		case len(servers) == 0:
			g = none.grade(c.name)
		default:
			g = nlWorst(c, results)
		}
		if c.name == "starttls_exists" && g.ours == "" {
			g.ours = nlUnseen(d, len(servers))
		}
		g = g.within(c.worst)
		subtests = append(subtests, Subtest{Name: c.name, Status: g.status, Verdict: g.verdict, Text: g.text, Ours: g.ours})
	}
	return subtests
}

// A grade is what Internet.nl says of one subtest.
type grade struct {
	status  Status
	verdict string
	text    string
	ours    string // see [Subtest.Ours]
	// beyond says that the subtest's worst status does not hold.
	beyond bool
}

// grades are those of one server, by subtest; one that is missing was not tested.
type grades map[string]grade

// untested is the grade of what was not looked at.
func untested(format string, args ...any) grade {
	return grade{status: StatusNotTested, verdict: "not-tested", text: fmt.Sprintf(format, args...)}
}

// within makes a grade no worse than the worst status of its subtest.
func (g grade) within(worst Status) grade {
	if !g.beyond && nlRank(g.status) < nlRank(worst) {
		g.status = worst
	}
	return g
}

// A nlEntry is a subtest and the worst status that it can have: one that is worth no
// points cannot fail.
type nlEntry struct {
	name  string
	worst Status
}

// nlCatalogue are the subtests in the order in which they are shown.
func nlCatalogue() []nlEntry {
	return []nlEntry{
		{"dnssec_exists", StatusFailed},
		{"dnssec_valid", StatusFailed},
		{"dnssec_mx_exists", StatusFailed},
		{"dnssec_mx_valid", StatusFailed},
		{"starttls_exists", StatusFailed},
		{"tls_version", StatusFailed},
		{"tls_ciphers", StatusFailed},
		{"tls_cipher_order", StatusFailed},
		{"fs_params", StatusFailed},
		{"kex_hash_func", StatusFailed},
		{"tls_compression", StatusFailed},
		{"renegotiation_secure", StatusFailed},
		{"renegotiation_client", StatusInfo},
		{"extended_master_secret", StatusFailed},
		{"zero_rtt", StatusFailed},
		{"cert_trust", StatusInfo},
		{"cert_pubkey", StatusFailed},
		{"cert_signature", StatusFailed},
		{"cert_hostmatch", StatusInfo},
		{"mail_caa", StatusWarning},
		{"dane_exists", StatusFailed},
		{"dane_valid", StatusFailed},
		{"dane_rollover", StatusInfo},
	}
}

// nlRank orders the statuses, the worst first.
func nlRank(s Status) int {
	return slices.Index([]Status{StatusError, StatusFailed, StatusWarning, StatusInfo, StatusNotTested, StatusGoodNotTested, StatusPassed}, s)
}

// A nlResult is what one server got.
type nlResult struct {
	host string
	grades
}

// grade is that of one subtest.
func (r nlResult) grade(name string) grade {
	if g, ok := r.grades[name]; ok {
		return g
	}
	return untested("not tested without STARTTLS")
}

// nlWorst combines what the servers got in one subtest: the worst counts, and of equals
// the last. Who differs from us is told even where another server is worse.
func nlWorst(c nlEntry, results []nlResult) grade {
	worst := grade{status: StatusPassed}
	for _, r := range results {
		if g := r.grade(c.name).within(c.worst); nlRank(g.status) <= nlRank(worst.status) {
			worst = g
		}
	}
	var texts, ours []string
	for _, r := range results {
		g := r.grade(c.name).within(c.worst)
		if g.status == worst.status && g.text != "" {
			texts = append(texts, r.host+": "+g.text)
		}
		if g.ours != "" {
			ours = append(ours, r.host+": "+g.ours)
		}
	}
	worst.text, worst.ours, worst.beyond = strings.Join(texts, "; "), "", true
	if len(ours) > 0 {
		worst.ours = ours[0]
		if n := len(ours) - 1; n > 0 {
			worst.ours += fmt.Sprintf(" (and %d more)", n)
		}
	}
	return worst
}

// grades are what one server gets.
func (s nlServer) grades(at time.Time) grades {
	if s.host == nil {
		return grades{
			"dnssec_mx_exists": {status: StatusFailed, verdict: "resolver-error", text: s.err},
			"starttls_exists":  {status: StatusError, verdict: "other", beyond: true, text: s.err},
		}
	}
	h := *s.host
	g := nlDNSSECOfServer(h.Zone)
	a, started := nlStartTLS(h)
	g["starttls_exists"] = started
	if started.status != StatusPassed {
		return g
	}
	nlTLS(g, a)
	nlDANE(g, h, a, at) // before the certificate, whose name matters with DANE-TA
	nlCertificate(g, h, a)
	g["mail_caa"] = nlCAA(h.CAA)
	return g
}
