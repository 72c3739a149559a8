package main

import (
	"crypto/tls"
	"fmt"

	mailsink "github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/sink"
)

// senderJSON is a check of a sender for programs.
type senderJSON struct {
	Verdict string           `json:"verdict"`
	Text    string           `json:"text"`
	Why     string           `json:"why"`
	Notes   []string         `json:"notes"`
	Cases   []senderCaseJSON `json:"cases"`
}

type senderCaseJSON struct {
	Name     string            `json:"name"`
	Domain   string            `json:"domain"`
	About    string            `json:"about"`
	Wants    string            `json:"wants"`
	Outcome  string            `json:"outcome"`
	InClear  bool              `json:"in_clear"`
	FellBack bool              `json:"fell_back"`
	Visits   []senderVisitJSON `json:"visits"`
}

type senderVisitJSON struct {
	Address   string `json:"address"` // of the sender
	Hello     string `json:"hello"`
	Offered   bool   `json:"starttls_offered"`
	TLS       string `json:"tls"` // "": none
	SNI       string `json:"sni"`
	Failure   string `json:"tls_failure,omitempty"`
	Delivered bool   `json:"delivered"`
}

func shownSender(results []mailsink.Result, v mailsink.Verdict) senderJSON {
	out := senderJSON{Verdict: string(v.Stance), Text: v.Stance.About(), Why: v.Why, Notes: append([]string{}, v.Notes...)}
	for _, r := range results {
		c := senderCaseJSON{
			Name: string(r.Kind), Domain: r.Domain, About: r.Kind.About(), Wants: string(r.Kind.Wants()), Outcome: string(r.Outcome),
			InClear: r.InClear, FellBack: r.Fell, Visits: []senderVisitJSON{},
		}
		for _, x := range r.Visits {
			c.Visits = append(c.Visits, senderVisitJSON{
				Address: x.Peer.String(), Hello: x.Hello, Offered: x.Alone == "", TLS: tlsVersion(x.TLS), SNI: x.SNI, Failure: x.Failure, Delivered: x.Brought(r.Domain),
			})
		}
		out.Cases = append(out.Cases, c)
	}
	return out
}

func tlsVersion(v uint16) string {
	if v == 0 {
		return ""
	}
	return tls.VersionName(v)
}

// senderLines are what a person reads of a check.
func senderLines(results []mailsink.Result, v mailsink.Verdict) (lines []string) {
	for _, r := range results {
		lines = append(lines, fmt.Sprintf("%s (%s): %s", r.Kind, r.Kind.About(), fate(r)))
		if r.Outcome != mailsink.Absent {
			lines = append(lines, "  "+visitor(r.Best()))
		}
	}
	lines = append(lines, fmt.Sprintf("%s: %s", v.Stance.About(), v.Why))
	for _, note := range v.Notes {
		lines = append(lines, "  note: "+note)
	}
	return lines
}

// fate is what became of the mail of a case, and whether it should have.
func fate(r mailsink.Result) string {
	text := string(r.Outcome)
	switch {
	case r.Outcome == mailsink.Absent && r.Kind == mailsink.Bogus:
		return "nothing came, as it should be"
	case r.Outcome == mailsink.Absent:
		return "nothing came"
	case r.InClear:
		text += " in the clear"
	case r.Outcome == mailsink.Delivered:
		text += " over " + tlsVersion(r.Best().TLS)
	}
	if r.Fell {
		text += ", after it was kept at first"
	}
	switch {
	case r.Outcome == mailsink.Kept && r.Kind == mailsink.None:
		return text + ", which is more than DANE asks for"
	case r.Outcome != r.Kind.Wants() || r.InClear && r.Kind == mailsink.Right:
		return text + ", against the rules"
	}
	return text + ", as it should be"
}

// visitor is who came, and how far it went.
func visitor(v mailsink.Visit) string {
	text := fmt.Sprintf("%s as %s", v.Peer, v.Hello)
	switch {
	case v.Alone != "":
		text += ", no STARTTLS offered"
	case v.TLS != 0:
		text += ", " + tlsVersion(v.TLS)
	case v.Failure != "":
		text += ", TLS failed: " + v.Failure
	default:
		text += ", no STARTTLS asked for"
	}
	if v.SNI != "" {
		text += ", SNI " + v.SNI
	}
	return text
}
