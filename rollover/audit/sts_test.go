package audit

import (
	"crypto/x509"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// policyOf is a policy in a mode for some patterns that senders keep for a week.
func policyOf(mode string, patterns ...string) STS {
	return STS{Record: rollover.Seen("v=STSv1; id=1;"), Policy: rollover.Seen(STSPolicy{Mode: mode, MX: patterns, MaxAge: 7 * 24 * time.Hour})}
}

// untrusted is an address whose certificate no CA stands behind.
func untrusted(a Address) Address {
	for i := range a.Handshakes {
		if a.Handshakes[i].Chain != nil {
			a.Handshakes[i].Untrusted = "x509: certificate signed by unknown authority"
		}
	}
	return a
}

// also has an address present a chain to who asks for RSA.
func also(a Address, chain *tlsa.Chain) Address {
	for i := range a.Handshakes {
		if a.Handshakes[i].Algorithm == "rsa" {
			a.Handshakes[i].Outcome, a.Handshakes[i].Chain, a.Handshakes[i].Version = rollover.Served, chain, tls13
		}
	}
	return a
}

// endingIn is a chain for mx1.example.org of 60 days whose leaf has some left.
func (a *authority) endingIn(left time.Duration) *tlsa.Chain {
	a.t.Helper()
	template := &x509.Certificate{DNSNames: []string{"mx1.example.org"}, NotBefore: now.Add(left).AddDate(0, 0, -60), NotAfter: now.Add(left)}
	key := newKey(a.t)
	chain, err := tlsa.NewChain(a.sign(template, a.ca, key.Public(), a.key), a.ca)
	if err != nil {
		a.t.Fatal(err)
	}
	return chain
}

// TestSTSHosts: what MTA-STS has against a host, and DANE forgives. Its neighbour mx2 is
// healthy, and is never found fault with.
func TestSTSHosts(t *testing.T) {
	ca := newAuthority(t)
	good, both := ca.chain(leafOf{}), ca.chain(leafOf{names: []string{"mx2.example.org"}})
	ended, elsewhere, nameless := ca.chain(leafOf{ended: true}), ca.chain(leafOf{names: []string{"www.example.net"}}), ca.chain(leafOf{names: []string{}})
	soon, later := ca.endingIn(6*24*time.Hour), ca.endingIn(8*24*time.Hour)
	neighbour := mailHost("mx2.example.org", published("mx2.example.org", record(t, tlsa.EE, both)), serving("192.0.2.2", both))
	refused := func(word, text string) string { return "sts-certificate-refused mx1.example.org " + word + " " + text }
	forgiven := " (DANE does not mind, as its 3 1 1 matches; MTA-STS does)"
	of := func(c *tlsa.Chain) string { return "192.0.2.1:25: certificate " + c.ID().Short() + ": " }
	stamped := func(c *tlsa.Chain) string { return rollover.Stamp(c.NotAfter()) }
	for _, test := range []struct {
		name     string
		at       Address
		matches  *tlsa.Chain // what the record is of; nil: there is none
		want     []string    // code, host, result type, text
		delivery Delivery
		partly   bool
	}{
		{"healthy", serving("192.0.2.1", good), good, nil, WithSTS, false},
		{"healthy without DANE", serving("192.0.2.1", good), nil, nil, WithSTS, false},
		{"ended, DANE-EE", serving("192.0.2.1", ended), ended, []string{refused("certificate-expired", of(ended)+"it ended on "+stamped(ended)+forgiven)}, Deferred, false},
		{"ended, without DANE", serving("192.0.2.1", ended), nil, []string{refused("certificate-expired", of(ended)+"it ended on "+stamped(ended))}, Deferred, false},
		{"ended, and the record is of another", serving("192.0.2.1", ended), good, []string{refused("certificate-expired", of(ended)+"it ended on "+stamped(ended))}, Deferred, false},
		{"another name, DANE-EE", serving("192.0.2.1", elsewhere), elsewhere, []string{refused("certificate-host-mismatch", of(elsewhere)+"it is not for mx1.example.org"+forgiven)}, Deferred, false},
		{"no alternative names", serving("192.0.2.1", nameless), nil, []string{refused("certificate-host-mismatch", of(nameless)+"it is not for mx1.example.org")}, Deferred, false},
		{"untrusted, DANE-EE", untrusted(serving("192.0.2.1", good)), good,
			[]string{refused("certificate-not-trusted", of(good)+"no CA that browsers believe stands behind it: x509: certificate signed by unknown authority"+forgiven)}, Deferred, false},
		{"untrusted and another name", untrusted(serving("192.0.2.1", elsewhere)), elsewhere, []string{
			refused("certificate-not-trusted", of(elsewhere)+"no CA that browsers believe stands behind it: x509: certificate signed by unknown authority"+forgiven),
			refused("certificate-host-mismatch", of(elsewhere)+"it is not for mx1.example.org"+forgiven)}, Deferred, false},
		{"no TLS", without("192.0.2.1", rollover.NoTLS, "STARTTLS is not offered"), good, []string{refused("starttls-not-supported", "192.0.2.1:25: no TLS: STARTTLS is not offered")}, Deferred, false},
		{"out of reach", without("192.0.2.1", rollover.Unreached, "timed out"), good, nil, Unknown, false},
		{"no route", Address{Address: serving("192.0.2.1", good).Address, Untested: "no route"}, good, nil, Unknown, false},
		{"who asks for RSA gets one that ended", also(serving("192.0.2.1", good), ended), good,
			[]string{refused("certificate-expired", "192.0.2.1:25: certificate "+ended.ID().Short()+" to who asks for rsa: it ended on "+stamped(ended))}, WithSTS, true},
		{"ends soon", serving("192.0.2.1", soon), soon, []string{"sts-certificate-expiring mx1.example.org  192.0.2.1:25: certificate " + soon.ID().Short() + " ends on " + stamped(soon) + forgiven}, WithSTS, false},
		{"ends not so soon", serving("192.0.2.1", later), later, nil, WithSTS, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			base := published("mx1.example.org")
			if test.matches != nil {
				base = published("mx1.example.org", record(t, tlsa.EE, test.matches))
			}
			h := mailHost("mx1.example.org", base, test.at)
			d := mailDomain(neighbour, h)
			d.STS = policyOf("enforce", "mx1.example.org", "*.example.org")
			if diff := cmp.Diff(test.want, lines(findingsOfSTS(d))); diff != "" {
				t.Error(diff)
			}
			if delivery, partly, why := deliverySTS(d, h); delivery != test.delivery || partly != test.partly || why == "" {
				t.Errorf("%s, partly %t: %q; want %s, %t", delivery, partly, why, test.delivery, test.partly)
			}
			if delivery, partly, why := deliverySTS(d, neighbour); delivery != WithSTS || partly {
				t.Errorf("neighbour: %s, partly %t: %q", delivery, partly, why)
			}
			d.STS = policyOf("testing", "*.example.org")
			var testing []string
			for _, line := range test.want {
				testing = append(testing, strings.Replace(line, "sts-certificate-refused", "sts-testing-refused", 1))
			}
			if diff := cmp.Diff(append([]string{"sts-mode-testing   the policy is in mode testing"}, testing...), lines(findingsOfSTS(d))); diff != "" {
				t.Error(diff)
			}
			if delivery, _, why := deliverySTS(d, h); delivery != plain(h).Delivery {
				t.Errorf("testing: %s: %q", delivery, why)
			}
		})
	}
}

func lines(findings []Finding) (out []string) {
	for _, f := range findings {
		if f.Fix == "" || f.About == "" {
			panic("incomplete: " + f.Text)
		}
		out = append(out, strings.Join([]string{string(f.Code), f.Host, f.ResultType, f.Text}, " "))
	}
	return out
}

// TestSTSPolicies: what is said of the record and the policy, and what becomes of mail to
// a host whose certificate is good.
func TestSTSPolicies(t *testing.T) {
	ca := newAuthority(t)
	good := ca.chain(leafOf{})
	record1 := rollover.Seen("v=STSv1; id=1;")
	change := func(s STS, f func(*STSPolicy)) STS {
		f(&s.Policy.Value)
		return s
	}
	for _, test := range []struct {
		name     string
		sts      STS
		want     []string
		delivery Delivery
		why      string
	}{
		{"as it should be", policyOf("enforce", "mx1.example.org"), nil, WithSTS, "the certificate is good, and mx mx1.example.org fits"},
		{"none", STS{}, []string{"sts-none   no MTA-STS policy"}, Opportunistic, "no MTA-STS policy: in TLS, with nobody verified"},
		{"not looked up", STS{Record: rollover.Unseen[string]("SERVFAIL")}, []string{"sts-unknown   the TXT record could not be looked up: SERVFAIL"}, Unknown,
			"whether there is an MTA-STS policy could not be looked up: SERVFAIL"},
		{"two records", STS{Record: record1, RecordErr: "2 records, want one"}, []string{"sts-record-invalid   the TXT record counts for nothing: 2 records, want one"}, Opportunistic,
			"the MTA-STS record counts for nothing, but for senders that hold an earlier policy: in TLS, with nobody verified"},
		{"not fetched", STS{Record: record1, Policy: rollover.Unseen[STSPolicy]("HTTP status 404"), ResultType: "sts-policy-fetch-error"},
			[]string{"sts-policy-fetch-error  sts-policy-fetch-error the policy could not be fetched: HTTP status 404"}, Unknown, "the MTA-STS policy could not be fetched: HTTP status 404"},
		{"web server without a good certificate", STS{Record: record1, Policy: rollover.Unseen[STSPolicy]("unknown authority"), ResultType: "sts-webpki-invalid"},
			[]string{"sts-policy-fetch-error  sts-webpki-invalid the policy could not be fetched: unknown authority"}, Unknown, "the MTA-STS policy could not be fetched: unknown authority"},
		{"not usable", STS{Record: record1, Policy: rollover.Seen(STSPolicy{Mode: "enforce", Faults: []string{"mx without a value"}}), PolicyErr: "no max_age"},
			[]string{"sts-policy-invalid  sts-policy-invalid the policy cannot be used: no max_age; mx without a value"}, Opportunistic,
			"the MTA-STS policy cannot be used, but for senders that hold an earlier policy: in TLS, with nobody verified"},
		{"faults", change(policyOf("enforce", "*.example.org"), func(p *STSPolicy) { p.Faults = []string{"a", "b"} }), []string{"sts-policy-faults   the policy has faults: a; b"}, WithSTS, ""},
		{"none wanted", policyOf("none"), []string{"sts-mode-none   the policy is in mode none"}, Opportunistic, "MTA-STS is in mode none: in TLS, with nobody verified"},
		{"short age", change(policyOf("enforce", "*.example.org"), func(p *STSPolicy) { p.MaxAge = 24*time.Hour - time.Second }),
			[]string{"sts-max-age-short   senders keep the policy for 86399 seconds"}, WithSTS, ""},
		{"a day", change(policyOf("enforce", "*.example.org"), func(p *STSPolicy) { p.MaxAge = 24 * time.Hour }), nil, WithSTS, ""},
		{"a pattern too many", policyOf("enforce", "mx1.example.org", "mx9.example.org"), []string{"sts-pattern-unused   mx mx9.example.org fits none of the MX hosts"}, WithSTS, ""},
		{"many patterns too many", policyOf("enforce", append(strings.Fields(strings.Repeat("mx9.example.org ", 2000)), "mx1.example.org", "mx2.example.org")...),
			[]string{"sts-pattern-unused   mx mx9.example.org and mx2.example.org fit none of the MX hosts"}, WithSTS, ""},
		{"another pattern", policyOf("enforce", "mx9.example.org"), []string{"sts-pattern-unused   mx mx9.example.org fits none of the MX hosts",
			"sts-host-uncovered mx1.example.org validation-failure no mx of the policy fits mx1.example.org"}, Deferred, "no mx of the MTA-STS policy fits it"},
		{"a pattern that cannot fit is a fault alone", policyOf("enforce", "mx1.example.org", "mx1.example.org."), nil, WithSTS, ""},
		{"another pattern, testing", policyOf("testing", "*.mx1.example.org"), []string{"sts-mode-testing   the policy is in mode testing", "sts-pattern-unused   mx *.mx1.example.org fits none of the MX hosts",
			"sts-testing-refused mx1.example.org validation-failure no mx of the policy fits mx1.example.org"}, Opportunistic, "MTA-STS is in mode testing: in TLS, with nobody verified"},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := mailHost("mx1.example.org", published("mx1.example.org", record(t, tlsa.EE, good)), serving("192.0.2.1", good))
			d := mailDomain(h)
			d.STS = test.sts
			if diff := cmp.Diff(test.want, lines(findingsOfSTS(d))); diff != "" {
				t.Error(diff)
			}
			delivery, partly, why := deliverySTS(d, h)
			if delivery != test.delivery || partly || test.why != "" && why != test.why {
				t.Errorf("%s, partly %t: %q; want %s: %q", delivery, partly, why, test.delivery, test.why)
			}
			for name, change := range map[string]func(*Domain){
				"a host alone": func(d *Domain) { d.MX.Given = true }, "null MX": func(d *Domain) { d.MX.Null = true }, "no such domain": func(d *Domain) { d.MX.NoName = true },
			} {
				without := d
				change(&without)
				if got := lines(findingsOfSTS(without)); got != nil {
					t.Errorf("%s: %q", name, got)
				}
			}
		})
	}
}

// TestSTSAddresses: a sender goes on to the next address.
func TestSTSAddresses(t *testing.T) {
	ca := newAuthority(t)
	good, ended := ca.chain(leafOf{}), ca.chain(leafOf{ended: true})
	out := without("192.0.2.3", rollover.Unreached, "timed out")
	for _, test := range []struct {
		name   string
		at     []Address
		want   Delivery
		partly bool
		why    string
	}{
		{"all good", []Address{serving("192.0.2.1", good), serving("192.0.2.2", good)}, WithSTS, false, "the certificate is good"},
		{"one forgotten", []Address{serving("192.0.2.1", good), serving("192.0.2.2", ended)}, WithSTS, true, "192.0.2.2:25: certificate"},
		{"one out of reach", []Address{serving("192.0.2.1", good), out}, WithSTS, false, "the certificate is good"},
		{"bad and out of reach", []Address{out, serving("192.0.2.1", ended)}, Deferred, true, "192.0.2.1:25: certificate"},
	} {
		h := mailHost("mx1.example.org", published("mx1.example.org"), test.at...)
		d := mailDomain(h)
		d.STS = policyOf("enforce", "*.example.org")
		if delivery, partly, why := deliverySTS(d, h); delivery != test.want || partly != test.partly || !strings.HasPrefix(why, test.why) {
			t.Errorf("%s: %s, partly %t: %q", test.name, delivery, partly, why)
		}
	}
	h := mailHost("mx1.example.org", published("mx1.example.org"), serving("192.0.2.1", good))
	h.Reach.Exists = false
	d := mailDomain(h)
	d.STS = policyOf("enforce", "*.example.org")
	if delivery, _, why := deliverySTS(d, h); delivery != Deferred {
		t.Errorf("no address: %s: %q", delivery, why)
	}
}
