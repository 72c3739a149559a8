package audit

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tlsaroll/tlsaroll/rollover"
)

func TestReportsRecord(t *testing.T) {
	invalid := func(why string) []string {
		return []string{"tlsrpt-record-invalid   the TLSRPT record cannot be used: " + why}
	}
	for _, test := range []struct {
		text string
		want []string
	}{
		{"v=TLSRPTv1; rua=mailto:reports@example.org", nil},
		{"v=TLSRPTv1;rua=mailto:reports@example.org;", nil},
		{"v=TLSRPTv1 ; rua=https://reports.example.org/v1/tlsrpt , mailto:a@example.org ; x=y", nil},
		{"v=TLSRPTv1; rua=mailto:reports%21@example.org", nil},
		{"", []string{"tlsrpt-none   no TLSRPT record: nobody tells you of deliveries that fail"}},
		{"v=TLSRPTv1; rua=mailto:a@example.org\nv=TLSRPTv1; rua=mailto:b@example.org", invalid("2 records, want one")},
		{"v=TLSRPTv1", invalid(`it begins with "v=TLSRPTv1", want "v=TLSRPTv1;"`)},
		{"v=TLSRPTv2; rua=mailto:a@example.org", invalid(`it begins with "v=TLSRPTv2; rua=mailto:a@example.org", want "v=TLSRPTv1;"`)},
		{"v=TLSRPTv1; ruf=mailto:a@example.org", invalid("it has no rua=, the address for reports")},
		{"v=TLSRPTv1; rua=", invalid("it has no rua=, the address for reports")},
		{"v=TLSRPTv1; rua=reports@example.org", invalid(`rua "reports@example.org": want mailto:ADDRESS or https://URL`)},
		{"v=TLSRPTv1; rua=mailto:reports", invalid(`rua "mailto:reports": want mailto:ADDRESS or https://URL`)},
		{"v=TLSRPTv1; rua=http://example.org/", invalid(`rua "http://example.org/": want mailto:ADDRESS or https://URL`)},
		{"v=TLSRPTv1; rua=mailto:a@example.org,", invalid(`rua "": want mailto:ADDRESS or https://URL`)},
		{"v=TLSRPTv1; rua=mailto:a@example.org!10m", invalid(`rua "mailto:a@example.org!10m" is not a URI`)},
		{"v=TLSRPTv1; rua=mailto:a@example.org mailto:b@example.org", invalid(`rua "mailto:a@example.org mailto:b@example.org" is not a URI`)},
	} {
		if diff := cmp.Diff(test.want, lines(findingsOfReports(Domain{Name: "example.org", Reports: rollover.Seen(test.text)}))); diff != "" {
			t.Errorf("%q\n%s", test.text, diff)
		}
	}
	unseen := findingsOfReports(Domain{Name: "example.org", Reports: rollover.Unseen[string]("SERVFAIL")})
	if diff := cmp.Diff([]string{"tlsrpt-unknown   the TXT record could not be looked up: SERVFAIL"}, lines(unseen)); diff != "" {
		t.Error(diff)
	}
}
