package audit

import (
	"fmt"
	"slices"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
)

// A teller gathers findings, all of one host or all of one domain.
type teller struct {
	host string
	out  []Finding
}

// tell adds a finding; the severity is that of the code, and so is the remedy if none
// is given with [Finding.mendedBy].
func (t *teller) tell(code rollover.Code, about, format string, args ...any) *Finding {
	f := finding(code, about, fmt.Sprintf(format, args...))
	f.Host = t.host
	t.out = append(t.out, f)
	return &t.out[len(t.out)-1]
}

// told reports whether one of the codes is among the findings.
func (t *teller) told(codes ...rollover.Code) bool {
	return slices.ContainsFunc(t.out, func(f Finding) bool { return slices.Contains(codes, f.Code) })
}

// mendedBy gives a remedy that knows more than that of the code.
func (f *Finding) mendedBy(format string, args ...any) *Finding {
	f.Fix = fmt.Sprintf(format, args...)
	return f
}

// reportedAs gives the word of RFC 8460, section 4.3.
func (f *Finding) reportedAs(resultType string) *Finding {
	f.ResultType = resultType
	return f
}

// of says what the finding comes of, where that may concern other hosts, too.
func (f *Finding) of(cause string) *Finding {
	f.cause = cause
	return f
}

// Result types of RFC 8460, section 4.3, that records and lookups end in.
const (
	resultTLSAInvalid   = "tlsa-invalid"
	resultDNSSECInvalid = "dnssec-invalid"
	resultDANERequired  = "dane-required"
	resultHostMismatch  = "certificate-host-mismatch"
	resultExpired       = "certificate-expired"
	resultNotTrusted    = "certificate-not-trusted"
	resultNoSTARTTLS    = "starttls-not-supported"
	resultValidation    = "validation-failure"
)

// Remedies of lookups that fail, for who may not have a configuration.
const (
	mendZone     = "Mend the zone: look at its signer, at its DS record, and at what each of its servers gives."
	mendResolver = "Look at the resolver that was asked, and at the way to the zone's servers; then check again."
)

// findingsOfHost are what is to be said of one host, the worst first.
func findingsOfHost(h Host, at time.Time) []Finding {
	s := newScene(h, at)
	s.tellLookups()
	s.tellServers()
	s.tellRecords()
	s.tellTLS()
	s.tellMatch()
	s.tellCertificates()
	s.tellCAA()
	s.tellPassedOn()
	sortFindings(s.out)
	return s.out
}

// follows reports whether a finding says no more than another one says.
func follows(f Finding, all []Finding) bool {
	says := func(host string, codes ...rollover.Code) bool {
		return slices.ContainsFunc(all, func(g Finding) bool { return slices.Contains(codes, g.Code) && g.Host == host })
	}
	switch f.Code {
	case rollover.CodeMXNoHost, rollover.CodeMXNoAddress:
		return says("", rollover.CodeMXNone)
	case rollover.CodeExpiresSoon:
		return says(f.Host, rollover.CodeSTSExpiring)
	case rollover.CodeCertificateDates, rollover.CodeCertificateName, rollover.CodeCertificateUntrusted:
		return slices.ContainsFunc(all, func(g Finding) bool {
			return (g.Code == rollover.CodeSTSRefused || g.Code == rollover.CodeSTSWouldRefuse) && g.Host == f.Host && g.ResultType == f.ResultType
		})
	}
	return false
}

// folded tells a cause once that concerns several hosts, and leaves out what follows from
// another finding.
func folded(findings []Finding) []Finding {
	var out []Finding
	others := map[int][]string{}
	for _, f := range findings {
		if follows(f, findings) {
			continue
		}
		i := slices.IndexFunc(out, func(g Finding) bool { return f.cause != "" && g.Code == f.Code && g.cause == f.cause })
		switch {
		case i < 0:
			out = append(out, f)
		case f.Host != out[i].Host && !slices.Contains(others[i], f.Host):
			others[i] = append(others[i], f.Host)
		}
	}
	for i, hosts := range others {
		if out[i].Host != "" { // what is of the domain is not of a host besides
			out[i].Text += "; likewise at " + listed(hosts)
			out[i].Host = ""
		}
	}
	sortFindings(out)
	return out
}
