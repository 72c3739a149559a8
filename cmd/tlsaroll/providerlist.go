package main

import (
	"bytes"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/config"
	"github.com/tlsaroll/tlsaroll/dnsprovider"
)

// capabilityJSON is a capability for programs. Durations are in seconds.
type capabilityJSON struct {
	Type         string   `json:"type"`
	Name         string   `json:"name"`
	Verified     string   `json:"verified,omitempty"`
	Atomic       string   `json:"atomic,omitempty"`
	MinTTL       int      `json:"min_ttl"`
	DNSSEC       string   `json:"dnssec,omitempty"`
	DNS01        bool     `json:"dns_01"`
	Margin       int      `json:"margin"`
	MarginSource string   `json:"margin_source,omitempty"`
	Rights       string   `json:"rights,omitempty"`
	Hazards      []string `json:"hazards,omitempty"`
	Refused      string   `json:"refused,omitempty"`
	Instead      string   `json:"instead,omitempty"`
}

func shownCapability(c dnsprovider.Capability) capabilityJSON {
	return capabilityJSON{
		Type: c.Type, Name: c.Name, Verified: c.Verified, Atomic: string(c.Atomic), MinTTL: int(c.MinTTL / time.Second), DNSSEC: c.DNSSEC, DNS01: c.TXT,
		Margin: int(c.Margin / time.Second), MarginSource: c.MarginSource, Rights: c.Rights, Hazards: c.Hazards, Refused: c.Refused, Instead: c.Instead,
	}
}

// capabilityTable has a line for each type, what an administrator chooses by.
func capabilityTable(linked []dnsprovider.Capability) []string {
	var b bytes.Buffer
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "TYPE\tHOST\tCHANGES\tLOWEST TTL\tMARGIN\tDNS-01\tDNSSEC")
	for _, c := range linked {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", c.Type, c.Name, c.Atomic, orDash(c.MinTTL), orDash(c.Margin), yesNo(c.TXT), c.DNSSEC)
	}
	_ = w.Flush() // into a buffer
	var lines []string
	for line := range strings.Lines(b.String()) {
		lines = append(lines, strings.TrimRight(line, " \n"))
	}
	return lines
}

// capabilityPage is all there is to know of one type.
func capabilityPage(c dnsprovider.Capability) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n", c.Type, c.Name)
	for _, part := range []struct{ title, text string }{
		{"THERE IS NONE", c.Refused},
		{"WHAT TO USE", c.Instead},
		{"VERIFIED", c.Verified},
		{"CHANGES", string(c.Atomic)},
		{"LOWEST TTL", lowest(c)},
		{"DNSSEC", c.DNSSEC},
		{"MARGIN", margin(c)},
		{"DNS-01", dns01(c)},
		{"RIGHTS", c.Rights},
		{"HAZARDS", strings.Join(c.Hazards, "; ")},
	} {
		if part.text != "" {
			fmt.Fprintf(&b, "\n%s\n%s", part.title, indent(7, part.text))
		}
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func lowest(c dnsprovider.Capability) string {
	switch {
	case c.Refused != "":
		return ""
	case c.MinTTL == 0:
		return "none is known"
	}
	return config.ShortDuration(c.MinTTL) + ": a lower one is raised to it"
}

func margin(c dnsprovider.Capability) string {
	switch {
	case c.Refused != "":
		return ""
	case c.Margin == 0:
		return "none: " + c.MarginSource
	}
	return config.ShortDuration(c.Margin) + " after all servers that are seen agree. " + c.MarginSource
}

func dns01(c dnsprovider.Capability) string {
	switch {
	case c.Refused != "":
		return ""
	case c.TXT:
		return "can write the TXT records of dns-01"
	}
	return "cannot write the TXT records of dns-01: orders need http-01 or tls-alpn-01"
}

func orDash(d time.Duration) string {
	if d == 0 {
		return "-"
	}
	return config.ShortDuration(d)
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
