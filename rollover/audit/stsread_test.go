package audit

import (
	"crypto/tls"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tlsaroll/tlsaroll/rollover"
)

func TestSTSOf(t *testing.T) {
	for _, test := range []struct {
		name      string
		texts     rollover.Sight[[]string]
		want      STS
		announced bool
	}{
		{"a record", rollover.Seen([]string{"v=spf1 -all", "v=STSv1; id=a;"}), STS{Record: rollover.Seen("v=STSv1; id=a;")}, true},
		{"none", rollover.Seen([]string(nil)), STS{}, false},
		{"two", rollover.Seen([]string{"v=STSv1; id=a", "v=STSv1; id=b"}),
			STS{Record: rollover.Seen("v=STSv1; id=a v=STSv1; id=b"), RecordErr: "2 records, want one (RFC 8461, section 3.1)"}, false},
		{"not known", rollover.Unseen[[]string]("no answer"),
			STS{Record: rollover.Unseen[string]("no answer"), Policy: rollover.Unseen[STSPolicy]("its record is not known: no answer")}, false},
	} {
		got := STSOf(test.texts)
		if diff := cmp.Diff(test.want, got); diff != "" || got.Announced() != test.announced {
			t.Errorf("%s: announced %t\n%s", test.name, got.Announced(), diff)
		}
	}
}

func TestSTSFetched(t *testing.T) {
	s := STSOf(rollover.Seen([]string{"v=STSv1; id=a;"}))
	for _, test := range []struct {
		name, text string
		err        error
		policy     rollover.Sight[STSPolicy]
		policyErr  string
		resultType string
	}{
		{"good", "version: STSv1\nmode: testing\nmx: mx1.example.org\nmax_age: 60\nx\n", nil, rollover.Seen(STSPolicy{Mode: "testing", MX: []string{"mx1.example.org"},
			MaxAge: time.Minute, Faults: []string{`"x" is not a line of the form NAME: VALUE`}}), "", ""},
		{"not usable", "version: STSv1\nmode: enforce\nmax_age: 60\n", nil, rollover.Seen(STSPolicy{Mode: "enforce", MaxAge: time.Minute}), "mode enforce, and no mx", ""},
		{"not fetched", "", errors.New("HTTP status 404"), rollover.Unseen[STSPolicy]("HTTP status 404"), "", "sts-policy-fetch-error"},
		{"not authenticated", "", fmt.Errorf("get: %w", &tls.CertificateVerificationError{Err: errors.New("unknown authority")}),
			rollover.Unseen[STSPolicy]("get: tls: failed to verify certificate: unknown authority"), "", "sts-webpki-invalid"},
	} {
		want := s
		want.Policy, want.PolicyErr, want.ResultType = test.policy, test.policyErr, test.resultType
		if diff := cmp.Diff(want, s.Fetched(test.text, test.err)); diff != "" {
			t.Errorf("%s\n%s", test.name, diff)
		}
	}
}
