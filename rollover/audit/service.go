package audit

import "time"

// JudgeService makes the report on one service alone, by the name that it was asked for:
// no domain's MX records led there.
func JudgeService(name string, h Host, at time.Time) Report {
	host := JudgeHost(h, at)
	out := Report{Domain: name, At: at.UTC(), Senders: host.Senders, Lookups: []LookupReport{}, Hosts: []HostReport{host}, Findings: append([]Finding{}, host.Findings...), Renewal: host.Renewal, InternetNL: []Subtest{}}
	sortFindings(out.Findings)
	out.State = state(out.Findings, out.Senders)
	return out
}
