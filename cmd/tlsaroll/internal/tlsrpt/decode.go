package tlsrpt

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// These are the fields of RFC 8460, section 4.4, each taken in whatever shape senders
// give it: one value where a list is due, a number as a string, null, or not at all.
type (
	reportJSON struct {
		Organization text              `json:"organization-name"`
		DateRange    *dates            `json:"date-range"`
		Contact      text              `json:"contact-info"`
		ID           text              `json:"report-id"`
		Policies     *list[policyJSON] `json:"policies"`
	}
	dates struct {
		Start instant `json:"start-datetime"`
		End   instant `json:"end-datetime"`
	}
	policyJSON struct {
		Policy struct {
			Type   text       `json:"policy-type"`
			Text   list[text] `json:"policy-string"`
			Domain text       `json:"policy-domain"`
			MXHost list[text] `json:"mx-host"` // one string in the RFC's example, a list by its erratum 6241
		} `json:"policy"`
		Summary struct {
			Successful count `json:"total-successful-session-count"`
			Failed     count `json:"total-failure-session-count"`
		} `json:"summary"`
		Failures list[failureJSON] `json:"failure-details"`
	}
	failureJSON struct {
		ResultType  text   `json:"result-type"`
		SendingIP   text   `json:"sending-mta-ip"`
		Host        text   `json:"receiving-mx-hostname"`
		Helo        text   `json:"receiving-mx-helo"`
		ReceivingIP text   `json:"receiving-ip"`
		Sessions    *count `json:"failed-session-count"`
		Info        text   `json:"additional-information"`
		Reason      text   `json:"failure-reason-code"`
	}
)

// decode reads the reports in a JSON text: one as a rule, several where somebody has put
// them one after the other.
func decode(content []byte) ([]Report, error) {
	content = bytes.TrimPrefix(content, []byte("\ufeff"))
	// Each entry takes far more room than the two octets that it needs in a file.
	if bytes.Count(content, []byte("{")) > maxEntries || bytes.Count(content, []byte(",")) > 10*maxEntries {
		return nil, fmt.Errorf("more than %d entries, and no report has as many", maxEntries)
	}
	var reports []Report
	for d := json.NewDecoder(bytes.NewReader(content)); ; {
		var raw reportJSON
		err := d.Decode(&raw)
		switch {
		case errors.Is(err, io.EOF) && len(reports) == 0:
			return nil, errors.New("it is empty")
		case errors.Is(err, io.EOF):
			return reports, nil
		case errors.Is(err, io.ErrUnexpectedEOF):
			return nil, errors.New("the JSON is cut off")
		case err != nil:
			return nil, fmt.Errorf("no JSON of a report: %w", inWords(err))
		case raw.Policies == nil && raw.DateRange == nil:
			return nil, errors.New("JSON, and no TLSRPT report: it has neither policies nor date-range")
		}
		if len(reports) == maxReports {
			return nil, fmt.Errorf("more than %d reports in one file", maxReports)
		}
		reports = append(reports, raw.report())
	}
}

// inWords leaves the names of our own types out of an error.
func inWords(err error) error {
	if e := (*json.UnmarshalTypeError)(nil); errors.As(err, &e) {
		return fmt.Errorf("%s: a %s where something else is due", e.Field, e.Value)
	}
	return err
}

func (r reportJSON) report() Report {
	out := Report{Organization: string(r.Organization), ID: string(r.ID), Contact: string(r.Contact), Policies: []Policy{}}
	if r.DateRange != nil {
		out.Start, out.End = time.Time(r.DateRange.Start), time.Time(r.DateRange.End)
	}
	if r.Policies == nil {
		return out
	}
	for _, p := range *r.Policies {
		out.Policies = append(out.Policies, p.policy())
	}
	return out
}

func (p policyJSON) policy() Policy {
	out := Policy{Type: strings.ToLower(string(p.Policy.Type)), Text: texts(p.Policy.Text), Domain: host(p.Policy.Domain), MXHosts: texts(p.Policy.MXHost),
		Successful: int64(p.Summary.Successful), Failed: int64(p.Summary.Failed), Failures: []Failure{}}
	detailed := int64(0)
	for _, f := range p.Failures {
		sessions := int64(1) // who names a failure without a number has seen it once at least
		if f.Sessions != nil {
			sessions = int64(*f.Sessions)
		}
		if sessions == 0 {
			continue
		}
		detailed = sum(detailed, sessions)
		kind := strings.ToLower(string(f.ResultType))
		if kind == "" {
			kind = Unspecified
		}
		out.Failures = append(out.Failures, Failure{ResultType: kind, SendingIP: string(f.SendingIP), Host: host(f.Host), Helo: string(f.Helo),
			ReceivingIP: string(f.ReceivingIP), Sessions: sessions, Info: string(f.Info), Reason: string(f.Reason)})
	}
	if out.Failed > detailed {
		out.Failures = append(out.Failures, Failure{ResultType: Unspecified, Sessions: out.Failed - detailed})
	}
	out.Failed = max(out.Failed, detailed)
	return out
}

// host is a name in one form.
func host(name text) string { return strings.TrimSuffix(strings.ToLower(string(name)), ".") }

func texts(all []text) []string {
	out := make([]string, 0, len(all))
	for _, t := range all {
		out = append(out, string(t))
	}
	return out
}
