package audit

import (
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
)

// Judge makes the report on a domain.
func Judge(d Domain) Report {
	return Report{Domain: d.Name, At: d.At}
}

// JudgeHost makes the report on one host, as it was seen at a time.
func JudgeHost(h Host, at time.Time) HostReport {
	return HostReport{Host: h.Name, Preference: h.Preference, Port: h.Port}
}

// finding makes a finding with the severity and the remedy of its code.
func finding(code rollover.Code, about, text string) Finding {
	e, _ := code.Explain()
	return Finding{Warning: rollover.NewWarning(code, about, text), Fix: e.Do}
}
