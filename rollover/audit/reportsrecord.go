package audit

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/tlsaroll/tlsaroll/rollover"
)

// findingsOfReports are those about a domain's TLSRPT record.
func findingsOfReports(d Domain) []Finding {
	about := "_smtp._tls." + d.Name
	if !d.Reports.Known() {
		return []Finding{finding(rollover.CodeReportsUnknown, about, "the TXT record could not be looked up: "+d.Reports.Err)}
	}
	if d.Reports.Value == "" {
		return []Finding{finding(rollover.CodeReportsNone, about, "no TLSRPT record: nobody tells you of deliveries that fail")}
	}
	if err := checkReports(d.Reports.Value); err != nil {
		return []Finding{finding(rollover.CodeReportsInvalid, about, "the TLSRPT record cannot be used: "+err.Error())}
	}
	return nil
}

// checkReports says what is wrong with a TLSRPT record (RFC 8460, section 3). Several are
// lines.
func checkReports(text string) error {
	if n := strings.Count(text, "\n"); n > 0 {
		return fmt.Errorf("%d records, want one", n+1)
	}
	fields := strings.Split(text, ";")
	if fields[0] = strings.TrimRight(fields[0], " \t"); fields[0] != "v=TLSRPTv1" || len(fields) == 1 {
		return fmt.Errorf("it begins with %.40q, want \"v=TLSRPTv1;\"", text)
	}
	rua := ""
	for _, field := range fields[1:] {
		name, value, _ := strings.Cut(strings.Trim(field, " \t"), "=")
		if strings.TrimSpace(name) == "rua" && rua == "" {
			rua = strings.TrimSpace(value)
		}
	}
	if rua == "" {
		return errors.New("it has no rua=, the address for reports")
	}
	for address := range strings.SplitSeq(rua, ",") {
		if err := checkReportsURI(strings.Trim(address, " \t")); err != nil {
			return err
		}
	}
	return nil
}

// checkReportsURI takes the two schemes that RFC 8460 knows.
func checkReportsURI(address string) error {
	u, err := url.Parse(address)
	switch {
	case err != nil || strings.ContainsAny(address, " \t!"):
		return fmt.Errorf("rua %.80q is not a URI", address)
	case u.Scheme == "mailto" && strings.Contains(u.Opaque, "@"), u.Scheme == "https" && u.Host != "":
		return nil
	}
	return fmt.Errorf("rua %.80q: want mailto:ADDRESS or https://URL", address)
}
