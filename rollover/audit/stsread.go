package audit

import (
	"crypto/tls"
	"errors"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/mtasts"
)

// STSOf is what is known once the TXT records at _mta-sts.DOMAIN were looked at, each
// with its strings joined.
func STSOf(texts rollover.Sight[[]string]) STS {
	if !texts.Known() {
		return STS{Record: rollover.Unseen[string](texts.Err), Policy: rollover.Unseen[STSPolicy]("its record is not known: " + texts.Err)}
	}
	record, err := mtasts.ParseRecord(texts.Value)
	return STS{Record: rollover.Seen(record.Text), RecordErr: reason(err)}
}

// Announced reports whether the record says that there is a policy, which is then to be
// fetched (RFC 8461, section 3.3).
func (s STS) Announced() bool { return s.Record.Known() && s.Record.Value != "" && s.RecordErr == "" }

// Fetched is s with the text of the policy, or why that could not be fetched.
func (s STS) Fetched(text string, err error) STS {
	if err != nil {
		s.Policy, s.PolicyErr, s.ResultType = rollover.Unseen[STSPolicy](err.Error()), "", "sts-policy-fetch-error"
		if untrusted := (*tls.CertificateVerificationError)(nil); errors.As(err, &untrusted) {
			s.ResultType = "sts-webpki-invalid"
		}
		return s
	}
	s.ResultType = ""
	p, err := mtasts.ParsePolicy(text)
	s.Policy, s.PolicyErr = rollover.Seen(STSPolicy{Mode: p.Mode, MX: p.MX, MaxAge: p.MaxAge, Faults: p.Faults}), reason(err)
	return s
}

// reason is the text of an error; "" of none.
func reason(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
