package tlsrpt

import "time"

// A Report is what one organisation tells of one time, mostly a day (RFC 8460, section
// 4.4). What it does not say is zero.
type Report struct {
	Organization string    `json:"organization"`
	ID           string    `json:"report_id"`
	Contact      string    `json:"contact"`
	Start        time.Time `json:"start"`
	End          time.Time `json:"end"`
	Policies     []Policy  `json:"policies"`
}

// A Policy is what was applied to the sessions with one policy domain, and how they went.
type Policy struct {
	Type       string    `json:"type"` // tlsa, sts or no-policy-found
	Text       []string  `json:"text"` // the policy, as in the records "3 1 1 …"
	Domain     string    `json:"domain"`
	MXHosts    []string  `json:"mx_hosts"` // patterns, for sts
	Successful int64     `json:"successful"`
	Failed     int64     `json:"failed"`
	Failures   []Failure `json:"failures"`
}

// A Failure is a kind of failure that sessions of a policy ended in.
type Failure struct {
	ResultType  string `json:"result_type"` // of RFC 8460, section 4.3
	SendingIP   string `json:"sending_ip"`
	Host        string `json:"host"` // the MX host
	Helo        string `json:"helo"`
	ReceivingIP string `json:"receiving_ip"`
	Sessions    int64  `json:"sessions"`
	Info        string `json:"info"`
	Reason      string `json:"reason"` // free text or a code of the sender's
}

// Unspecified is the result type of failures that a report counts and does not detail.
const Unspecified = "unspecified"

// day is the day that the report is about, of UTC; zero if it does not say.
func (r Report) day() time.Time {
	at := r.Start
	if at.IsZero() {
		at = r.End
	}
	return at.UTC().Truncate(24 * time.Hour)
}

// Sessions are how many connections a report tells of.
func (r Report) Sessions() (successful, failed int64) {
	for _, p := range r.Policies {
		successful, failed = sum(successful, p.Successful), sum(failed, p.Failed)
	}
	return successful, failed
}

// Sessions are how many connections all reports tell of.
func Sessions(reports []Report) (successful, failed int64) {
	for _, r := range reports {
		good, bad := r.Sessions()
		successful, failed = sum(successful, good), sum(failed, bad)
	}
	return successful, failed
}
