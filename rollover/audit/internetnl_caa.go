package audit

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/tlsaroll/tlsaroll/rollover"
)

// nlCAA judges the CAA records, and not whether they allow the CA in use.
func nlCAA(records rollover.Sight[[]string]) grade {
	switch {
	case !records.Known():
		return untested("%s", records.Err)
	case len(records.Value) == 0:
		return grade{status: StatusFailed, verdict: "bad", text: "no CAA records"}
	}
	issue := false
	var faults []string
	for _, r := range records.Value {
		tag, err := caaFault(r)
		if err != nil {
			faults = append(faults, err.Error())
		}
		issue = issue || tag == "issue"
	}
	switch {
	case !issue:
		return grade{status: StatusFailed, verdict: "insufficient", text: strings.Join(append(faults, "no issue property"), ", ")}
	case len(faults) > 0:
		return grade{status: StatusFailed, verdict: "syntax-error", text: strings.Join(faults, ", ")}
	}
	return grade{status: StatusPassed, verdict: "good", text: strings.Join(records.Value, ", ")}
}

// The grammar of issue and its relatives (RFC 8659, section 4.2).
const (
	caaLabel     = `[0-9A-Za-z](?:-*[0-9A-Za-z])*`
	caaParameter = caaLabel + `[ \t]*=[ \t]*[\x21-\x3A\x3C-\x7E]*`
)

var (
	caaIssue = regexp.MustCompile(`^[ \t]*(?:` + caaLabel + `(?:\.` + caaLabel + `)*[ \t]*)?` +
		`(?:;[ \t]*(?:` + caaParameter + `(?:[ \t]*;[ \t]*` + caaParameter + `)*[ \t]*)?)?$`)
	caaMethods = regexp.MustCompile(`(?:^|[; \t])validationmethods[ \t]*=[ \t]*([\x21-\x3A\x3C-\x7E]*)`)
)

// caaFault reads one record in presentation form, and says what is wrong with it.
func caaFault(record string) (tag string, err error) {
	fields := strings.Fields(record)
	if len(fields) < 2 {
		return "", fmt.Errorf("%q is not a CAA record", record)
	}
	tag = fields[1]
	_, value, _ := strings.Cut(record, tag)
	value = strings.TrimSpace(value)
	if len(value) > 1 && value[0] == '"' && value[len(value)-1] == '"' {
		value = value[1 : len(value)-1]
	}
	flags, err := strconv.Atoi(fields[0])
	if err == nil && flags != 0 && flags != 128 {
		err = errors.New("reserved flags")
	}
	if err == nil {
		err = caaValueFault(strings.ToLower(tag), value)
	}
	if err != nil {
		return tag, fmt.Errorf("%s: %w", record, err)
	}
	return tag, nil
}

func caaValueFault(tag, value string) error {
	switch tag {
	case "issue", "issuewild", "issuevmc":
		if !caaIssue.MatchString(value) {
			return errors.New("no issuer and parameters")
		}
		if m := caaMethods.FindStringSubmatch(value); m != nil {
			return caaMethodsFault(m[1])
		}
	case "issuemail":
		if !caaIssue.MatchString(value) {
			return errors.New("no issuer and parameters")
		}
	case "iodef":
		u, err := url.Parse(value)
		switch {
		case err != nil:
			return errors.New("no URL")
		case u.Scheme == "mailto" && !strings.Contains(u.Opaque, "@"), u.Scheme != "mailto" && u.Scheme != "http" && u.Scheme != "https":
			return errors.New("no URL to report to")
		case u.Scheme != "mailto" && u.Host == "":
			return errors.New("no host to report to")
		}
	case "contactemail":
		if !strings.Contains(value, "@") {
			return errors.New("no mail address")
		}
	case "contactphone":
		if !strings.HasPrefix(value, "+") || !strings.ContainsAny(value, "0123456789") {
			return errors.New("no phone number")
		}
	case "auth", "path", "policy":
		return errors.New("a reserved property")
	default:
		return errors.New("an unknown property")
	}
	return nil
}

// caaMethodsFault reads a list of methods (RFC 8657, section 4). Those in the list are
// those that Internet.nl has of IANA's.
func caaMethodsFault(list string) error {
	known := []string{"http-01", "dns-01", "tls-alpn-01", "email-reply-00", "tkauth-01"}
	for _, m := range strings.Split(list, ",") {
		if list != "" && !slices.Contains(known, m) && !strings.HasPrefix(m, "ca-") {
			return fmt.Errorf("unknown validation method %q", m)
		}
	}
	return nil
}
