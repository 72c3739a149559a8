package tlsrpt

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// A Group is the failures of one kind at one place.
type Group struct {
	// Host is the MX host; "" where the report does not name it, as where a policy could
	// not be fetched. Then Address is where the sender connected to, or "" too.
	Host       string   `json:"host,omitempty"`
	Address    string   `json:"address,omitempty"`
	Domain     string   `json:"domain,omitempty"` // policy domain, where neither is known
	ResultType string   `json:"result_type"`
	Meaning    string   `json:"meaning"`
	Policies   []string `json:"policies"` // types of policy that were applied
	Sessions   int64    `json:"sessions"`
	Days       []Day    `json:"days"`    // oldest first
	Reasons    []string `json:"reasons"` // in the senders' words
	// Began and By are the time of the first report that has it: it began meanwhile.
	Began time.Time `json:"began,omitzero"`
	By    time.Time `json:"by,omitzero"`
	// Rollover is how that lies to our rollovers; nil: no lineage has the host, or they are
	// not known.
	Rollover *Relation `json:"rollover,omitempty"`
}

// A Day is the failures of a group on one day.
type Day struct {
	Day           string   `json:"day"` // as in 2026-03-01; "" where no report says
	Sessions      int64    `json:"sessions"`
	Organizations []string `json:"organizations"`
	Addresses     []string `json:"addresses"` // of the receiving hosts
}

// Place names where the failures were.
func (g Group) Place() string { return cmp.Or(g.Host, g.Address, g.Domain, "(unknown)") }

// Groups puts the failures of reports together, by place and kind.
func Groups(reports []Report) []Group {
	var groups []Group
	at := map[[2]string]int{}
	for _, r := range reports {
		for _, p := range r.Policies {
			for _, f := range p.Failures {
				g := groupOf(p, f)
				key := [2]string{g.Place(), g.ResultType}
				i, known := at[key]
				if !known {
					i = len(groups)
					at[key], groups = i, append(groups, g)
				}
				groups[i].add(r, p, f)
			}
		}
	}
	for i := range groups {
		slices.SortFunc(groups[i].Days, func(a, b Day) int { return strings.Compare(a.Day, b.Day) })
	}
	slices.SortFunc(groups, func(a, b Group) int {
		return cmp.Or(strings.Compare(a.Place(), b.Place()), strings.Compare(a.ResultType, b.ResultType))
	})
	return groups
}

// groupOf is the empty group that a failure belongs to.
func groupOf(p Policy, f Failure) Group {
	g := Group{Host: cmp.Or(f.Host, p.base()), ResultType: f.ResultType, Meaning: Meaning(f.ResultType), Policies: []string{}, Days: []Day{}, Reasons: []string{}}
	switch {
	case g.Host != "":
	case f.ReceivingIP != "":
		g.Address = f.ReceivingIP
	default:
		g.Domain = p.Domain
	}
	return g
}

func (g *Group) add(r Report, p Policy, f Failure) {
	g.Sessions = sum(g.Sessions, f.Sessions)
	g.Policies = with(g.Policies, p.Type)
	g.Reasons = with(with(g.Reasons, f.Reason), f.Info)
	if begin, end := r.span(); g.Began.IsZero() || !begin.IsZero() && begin.Before(g.Began) {
		g.Began, g.By = begin, end
	}
	day := ""
	if d := r.day(); !d.IsZero() {
		day = d.Format(time.DateOnly)
	}
	i := slices.IndexFunc(g.Days, func(d Day) bool { return d.Day == day })
	if i < 0 {
		i = len(g.Days)
		g.Days = append(g.Days, Day{Day: day, Organizations: []string{}, Addresses: []string{}})
	}
	d := &g.Days[i]
	d.Sessions = sum(d.Sessions, f.Sessions)
	d.Organizations = with(d.Organizations, cmp.Or(r.Organization, "(unnamed)"))
	d.Addresses = with(d.Addresses, f.ReceivingIP)
}

// mostNamed is how many of a kind are named.
const mostNamed = 100

// with adds what is new, up to [mostNamed].
func with(all []string, one string) []string {
	if one == "" || len(all) == mostNamed || slices.Contains(all, one) {
		return all
	}
	return append(all, one)
}

// base is the MX host that a policy of type tlsa is of: its domain is the TLSA base domain
// (RFC 8460, section 4.2).
func (p Policy) base() string {
	if p.Type != "tlsa" {
		return ""
	}
	return strings.TrimPrefix(p.Domain, "_25._tcp.")
}

// span is the time that a report is of; where it says no more, a day.
func (r Report) span() (begin, end time.Time) {
	begin, end = r.Start, r.End
	if begin.IsZero() {
		begin = r.day()
	}
	if end.Before(begin) && !begin.IsZero() {
		end = begin.Add(24 * time.Hour)
	}
	return begin, end
}

// Meaning puts a result type into words.
func Meaning(resultType string) string {
	return cmp.Or(meanings[resultType], "a kind of failure that RFC 8460 does not know")
}

// meanings are those of RFC 8460, section 4.3.
var meanings = map[string]string{
	"starttls-not-supported":    "the host offered no STARTTLS",
	"certificate-host-mismatch": "the certificate was not for the host, or the host not in the policy",
	"certificate-expired":       "the certificate had ended",
	"certificate-not-trusted":   "no CA that the sender believes stands behind the certificate",
	"validation-failure":        "another failure; the sender's reason may say which",
	"tlsa-invalid":              "no TLSA record matched what the host presented",
	"dnssec-invalid":            "the sender's resolver got no answer that DNSSEC proves",
	"dane-required":             "the sender demands DANE, and got no TLSA records that DNSSEC proves",
	"sts-policy-fetch-error":    "the MTA-STS policy could not be fetched",
	"sts-policy-invalid":        "the MTA-STS policy could not be used",
	"sts-webpki-invalid":        "the certificate of the MTA-STS policy's web server was not believed",
	Unspecified:                 "counted, and not detailed by the sender",
}
