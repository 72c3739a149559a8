package audit

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// TestReportsHaveLists: programs that read the JSON find a list wherever one may stand, be
// it an empty one.
func TestReportsHaveLists(t *testing.T) {
	bare := Host{Name: "mx1.example.org", Port: 25, SMTP: true, Addresses: []Address{{Untested: "no route"}}}
	reports := map[string]Report{
		"a domain that nobody saw": Judge(Domain{Name: "example.org", At: now}),
		"a host without a base":    Judge(mailDomain(bare)),
		"a service":                JudgeService("smtp://mx1.example.org", bare, now),
		"a service for clients":    JudgeService("imaps://mx1.example.org", Host{Name: "mx1.example.org", Port: 993}, now),
	}
	for name, r := range reports {
		text, err := json.Marshal(r)
		if err != nil || strings.Contains(string(text), ":null") {
			t.Errorf("%s: %v: %s", name, err, text)
		}
	}
}

// TestServiceHasNoPolicy: who asks for a host alone names no domain, so that nobody can say
// that there is no MTA-STS policy.
func TestServiceHasNoPolicy(t *testing.T) {
	chain := newAuthority(t).chain(leafOf{})
	h := mailHost("mx1.example.org", published("mx1.example.org", record(t, tlsa.EE, chain)), serving("192.0.2.1", chain))
	for _, v := range JudgeService("smtp://mx1.example.org", h, now).Senders {
		if want := "no domain was named whose MTA-STS policy could be looked for"; v.Sender == MTASTS && (v.Delivery != Unknown || v.Why != want) {
			t.Errorf("%s: %s", v.Delivery, v.Why)
		}
	}
}

// TestReportsAreInUTC: the same report reads the same wherever it is made.
func TestReportsAreInUTC(t *testing.T) {
	at := now.In(time.FixedZone("", 3600))
	d := mailDomain()
	d.At = at
	for _, r := range []Report{Judge(d), JudgeService("imaps://mx1.example.org", Host{}, at)} {
		if r.At != now {
			t.Errorf("%s: %s", r.Domain, r.At)
		}
	}
}

// TestDomainThatIsAnAlias: a domain without MX records may be one, while the host of an MX
// record must not.
func TestDomainThatIsAnAlias(t *testing.T) {
	h := mailHost("example.org", published("example.org"), without("192.0.2.1", rollover.Unreached, "timed out"))
	h.Aliases, h.Target = []Step{{Owner: "example.org.", Target: "mx.example.net.", Security: rollover.Secure}}, "mx.example.net"
	told := func(implicit bool) bool {
		d := mailDomain(h)
		d.MX.Implicit, d.MX.Exists = implicit, !implicit
		r := Judge(d)
		alias := func(f Finding) bool { return f.Code == rollover.CodeMXAlias }
		return slices.ContainsFunc(append(r.Findings, r.Hosts[0].Findings...), alias)
	}
	if told(true) || !told(false) {
		t.Errorf("told of the domain: %t, of an MX host: %t", told(true), told(false))
	}
}

// TestNullMXTwice: several of them are no null MX, and name no host either.
func TestNullMXTwice(t *testing.T) {
	d := mailDomain()
	d.MX.Records = []Exchange{{}, {Preference: 10}}
	r := Judge(d)
	if why := r.Senders[0].Why; r.Senders[0].Delivery != Rejected || !strings.HasSuffix(why, "each is a null MX") {
		t.Errorf("%+v", r.Senders[0])
	}
	n := 0
	for _, f := range r.Findings {
		if f.Code == rollover.CodeNullMXOthers {
			n++
		}
	}
	if n != 1 {
		t.Errorf("told %d times", n)
	}
}

// TestManyNames: a certificate for thousands of names does not fill the page with them.
func TestManyNames(t *testing.T) {
	ca := newAuthority(t)
	var names []string
	for i := range 1000 {
		names = append(names, fmt.Sprintf("www%d.example.net", i))
	}
	chain := ca.chain(leafOf{names: names})
	r := Judge(mailDomain(mailHost("mx1.example.org", published("mx1.example.org", record(t, tlsa.TA, chain)), serving("192.0.2.1", chain))))
	said := []string{r.Senders[0].Why, r.Hosts[0].Addresses[0].Why}
	for _, f := range r.Findings {
		said = append(said, f.Text)
	}
	for _, s := range r.InternetNL {
		said = append(said, s.Text)
	}
	named := 0
	for _, text := range said {
		if strings.Contains(text, "www0.example.net") {
			named++
		}
		if len(text) > 500 {
			t.Errorf("%d octets: %.80s", len(text), text)
		}
	}
	if named < 4 {
		t.Errorf("named in %d places", named)
	}
}

// TestInternetNLKnowsNoOtherBase: where records stand at the end of an alias it sees none, and
// clients do.
func TestInternetNLKnowsNoOtherBase(t *testing.T) {
	chain := newAuthority(t).chain(leafOf{})
	own, end := published("mx1.example.org"), published("mail.example.net", record(t, tlsa.EE, chain))
	for ours, bases := range map[string][]Base{"below mail.example.net first": {end, own}, "": {published("mail.example.net"), own}} {
		h := mailHost("mx1.example.org", own, serving("192.0.2.1", chain))
		h.Bases = bases
		tests := Judge(mailDomain(h)).InternetNL
		s := tests[slices.IndexFunc(tests, func(s Subtest) bool { return s.Name == "dane_exists" })]
		if s.Status != StatusFailed || !strings.Contains(s.Ours, ours) || (s.Ours == "") != (ours == "") {
			t.Errorf("%+v", s)
		}
	}
}
