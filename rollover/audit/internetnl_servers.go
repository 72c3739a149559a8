package audit

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// nlServersAtMost is how many MX hosts Internet.nl looks at.
const nlServersAtMost = 10

// A nlServer is one of the hosts that Internet.nl looks at.
type nlServer struct {
	name string
	host *Host  // nil where mail cannot go there
	err  string // why
}

// A nlNone says why there are no servers to look at, in the words of Internet.nl.
type nlNone struct {
	verdict string // that of starttls_exists
	status  Status
	text    string
	ours    string
}

// nlServers are the first hosts by name, without localhost. There is no fall-back to the
// domain's own addresses where there is no MX record.
func nlServers(d Domain) (servers []nlServer, none nlNone) {
	if none, ok := nlNullMX(d); ok {
		return nil, none
	}
	records := d.MX.Records
	if d.MX.Implicit {
		records = nil
	}
	for _, x := range records {
		name := strings.ToLower(x.Host)
		if name == "localhost" {
			continue
		}
		s := nlServer{name: name, err: cmp.Or(x.Err, "no host was looked at")}
		if canonical, err := tlsa.CanonicalHost(name); err == nil {
			name = canonical
		}
		if i := slices.IndexFunc(d.Hosts, func(h Host) bool { return h.Name == name }); i >= 0 {
			s.host = &d.Hosts[i]
		}
		servers = append(servers, s)
	}
	if len(servers) == 0 {
		return nil, nlNoMX(d)
	}
	// It sorts names that end in a dot.
	slices.SortFunc(servers, func(a, b nlServer) int { return strings.Compare(a.name+".", b.name+".") })
	servers = servers[:min(nlServersAtMost, len(servers))]
	return slices.CompactFunc(servers, func(a, b nlServer) bool { return a.name == b.name }), nlNone{}
}

// nlNullMX tells the null MX (RFC 7505), alone and not.
func nlNullMX(d Domain) (nlNone, bool) {
	null := slices.ContainsFunc(d.MX.Records, func(x Exchange) bool { return x.Host == "" && x.Preference == 0 })
	switch {
	case !null && !d.MX.Null:
		return nlNone{}, false
	case len(d.MX.Records) > 1:
		return nlNone{verdict: "null-mx-with-other-mx", status: StatusWarning, text: "a null MX stands beside other MX records"}, true
	case looked(d.Addresses) && d.Addresses.Err == "" && !d.Addresses.Exists:
		return nlNone{verdict: "null-mx-without-a-aaaa", status: StatusInfo, text: "a null MX stands at a domain without addresses, where no mail would go anyway"}, true
	}
	none := nlNone{verdict: "null-mx", status: StatusNotTested, text: "the null MX says that there is no mail"}
	if !looked(d.Addresses) || d.Addresses.Err != "" {
		none.text += "; whether the domain has addresses is not known"
	}
	return none, true
}

// nlNoMX is for a domain without MX hosts.
func nlNoMX(d Domain) nlNone {
	switch {
	case !looked(d.MX.Lookup):
		return nlNone{verdict: "not-tested", status: StatusNotTested, text: "the MX records were not looked up"}
	case d.MX.Err != "":
		return nlNone{
			verdict: "not-tested", status: StatusNotTested,
			text: "the MX lookup failed: " + d.MX.Err,
		}
	case d.MX.Security == rollover.Bogus, d.MX.Security == rollover.Indeterminate:
		return nlNone{
			verdict: "not-tested", status: StatusNotTested,
			text: "the MX lookup is " + string(d.MX.Security) + ": " + d.MX.Text,
			ours: "Internet.nl takes MX records that are bogus for what they are, and senders do not",
		}
	}
	addressed := d.Addresses.Exists || d.MX.Implicit && len(d.Hosts) > 0 && d.Hosts[0].Reach.Exists
	if addressed && strings.Join(strings.Fields(strings.ToLower(d.MX.SPF)), " ") == "v=spf1 -all" {
		return nlNone{verdict: "no-null-mx", status: StatusInfo, text: "no MX record, and SPF says that no mail is sent: a null MX would say so too"}
	}
	none := nlNone{verdict: "other-2", status: StatusNotTested, text: "no MX record"}
	if d.MX.Implicit {
		none.ours = "without MX records mail goes to the domain's own addresses (RFC 5321, section 5.1), and those we look at"
	}
	return none
}

// grade is that of one subtest.
func (n nlNone) grade(name string) grade {
	g := grade{status: n.status, verdict: n.verdict, text: n.text}
	switch name {
	case "starttls_exists":
		g.ours = n.ours
	case "dnssec_mx_exists":
		if g.verdict == "other-2" {
			g.verdict = "no-mailservers"
		}
	default:
		return untested("%s", n.text)
	}
	return g
}

// nlUnseen tells of hosts that Internet.nl passes over.
func nlUnseen(d Domain, seen int) string {
	if seen > 0 && len(d.Hosts) > seen {
		return fmt.Sprintf("Internet.nl looks at %d of %d hosts, and we at all", seen, len(d.Hosts))
	}
	return ""
}

// looked reports whether a lookup was made.
func looked(l Lookup) bool { return l.Security != "" || l.Err != "" }

// nlDNSSEC judges the mail domain.
func nlDNSSEC(zone Lookup) grades { return nlSecured(zone, "dnssec_exists", "dnssec_valid") }

// nlDNSSECOfServer judges one MX host.
func nlDNSSECOfServer(zone Lookup) grades {
	return nlSecured(zone, "dnssec_mx_exists", "dnssec_mx_valid")
}

// nlSecured judges the lookup of a SOA record: bogus is signed too, as somebody signed it.
func nlSecured(zone Lookup, exists, valid string) grades {
	switch {
	case !looked(zone):
		g := untested("the zone was not looked at")
		return grades{exists: g, valid: g}
	case zone.Err != "":
		return grades{
			exists: {
				status: StatusFailed, verdict: "resolver-error", text: zone.Err,
				ours: "a lookup that fails says nothing about DNSSEC, and we call it unknown",
			},
			valid: untested("%s", zone.Err),
		}
	case zone.NoName:
		return grades{
			exists: {status: StatusFailed, verdict: "resolver-error", text: "the name does not exist"},
			valid:  untested("the name does not exist"),
		}
	}
	switch zone.Security {
	case rollover.Secure:
		return grades{
			exists: {status: StatusPassed, verdict: "good", text: "signed"},
			valid:  {status: StatusPassed, verdict: "good", text: "secure"},
		}
	case rollover.Bogus:
		return grades{
			exists: {status: StatusPassed, verdict: "good", text: "signed"},
			valid:  {status: StatusFailed, verdict: "bad", text: cmp.Or(zone.Text, "bogus")},
		}
	case rollover.Insecure:
		return grades{
			exists: {status: StatusFailed, verdict: "bad", text: cmp.Or(zone.Text, "not signed")},
			valid:  untested("not signed"),
		}
	case rollover.Indeterminate:
	}
	g := untested("%s", cmp.Or(zone.Text, "whether it is signed is not known"))
	return grades{exists: g, valid: g}
}
