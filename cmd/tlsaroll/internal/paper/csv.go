package paper

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/audit"
)

// A column of the table. Their names and order are a contract: more may be added at the end.
type column struct {
	name string
	cell func(r audit.Report, h audit.HostReport) string
}

var columns = []column{
	{"domain", func(r audit.Report, _ audit.HostReport) string { return r.Domain }},
	{"at", func(r audit.Report, _ audit.HostReport) string { return r.At.UTC().Format(time.RFC3339) }},
	{"state", func(r audit.Report, _ audit.HostReport) string { return string(r.State) }},
	{"dane", ofDomain(audit.DANE)},
	{"dane_only", ofDomain(audit.DANEOnly)},
	{"may", ofDomain(audit.May)},
	{"mta_sts", ofDomain(audit.MTASTS)},
	{"host", func(_ audit.Report, h audit.HostReport) string { return h.Host }},
	{"preference", number(func(h audit.HostReport) uint16 { return h.Preference })},
	{"port", number(func(h audit.HostReport) uint16 { return h.Port })},
	{"host_dane", ofHost(audit.DANE)},
	{"host_dane_only", ofHost(audit.DANEOnly)},
	{"security", func(_ audit.Report, h audit.HostReport) string { return string(h.Security) }},
	{"records", func(_ audit.Report, h audit.HostReport) string { return strings.Join(h.Records, "; ") }},
	{"verified", addresses(rollover.Yes)},
	{"not_verified", addresses(rollover.No)},
	{"unknown", addresses(rollover.Unknown)},
	{"errors", codes(rollover.Danger)},
	{"warnings", codes(rollover.Warn)},
	{"internetnl_failed", failed},
	{"next_renewal", renewal},
	{"scheme", func(_ audit.Report, h audit.HostReport) string { return string(h.Scheme) }},
}

func ofDomain(s audit.Sender) func(audit.Report, audit.HostReport) string {
	return func(r audit.Report, _ audit.HostReport) string { return deliveryCell(r.Senders, s) }
}

func ofHost(s audit.Sender) func(audit.Report, audit.HostReport) string {
	return func(_ audit.Report, h audit.HostReport) string {
		if h.Host == "" {
			return ""
		}
		return deliveryCell(h.Senders, s)
	}
}

// deliveryCell is the word of the JSON, with a word after it where not every connection does as well.
func deliveryCell(verdicts []audit.Verdict, s audit.Sender) string {
	v := verdictOf(verdicts, s)
	if v.Partly {
		return string(v.Delivery) + " partly"
	}
	return string(v.Delivery)
}

func number(of func(audit.HostReport) uint16) func(audit.Report, audit.HostReport) string {
	return func(_ audit.Report, h audit.HostReport) string {
		if h.Host == "" {
			return ""
		}
		return strconv.Itoa(int(of(h)))
	}
}

// addresses are those of a host that did so.
func addresses(did rollover.Known) func(audit.Report, audit.HostReport) string {
	return func(_ audit.Report, h audit.HostReport) string {
		var list []string
		for _, a := range h.Addresses {
			if a.Verified == did {
				list = append(list, a.Address)
			}
		}
		return strings.Join(list, " ")
	}
}

// codes are those of the findings on the host and on the domain itself.
func codes(s rollover.Severity) func(audit.Report, audit.HostReport) string {
	return func(r audit.Report, h audit.HostReport) string {
		var list []string
		for _, f := range r.Findings {
			if f.Severity == s && (f.Host == "" || f.Host == h.Host) {
				list = append(list, string(f.Code))
			}
		}
		return strings.Join(list, " ")
	}
}

func failed(r audit.Report, _ audit.HostReport) string {
	var list []string
	for _, t := range r.InternetNL {
		if t.Status == audit.StatusFailed || t.Status == audit.StatusError {
			list = append(list, t.Name)
		}
	}
	return strings.Join(list, " ")
}

func renewal(r audit.Report, h audit.HostReport) string {
	if h.Renewal != "" {
		return h.Renewal
	}
	return r.Renewal
}

// CSV writes a line for each host of each domain (RFC 4180), and one for a domain without
// any, below a line with the columns' names.
func CSV(w io.Writer, reports []audit.Report) error {
	out := csv.NewWriter(w)
	cells := make([]string, len(columns))
	for i, c := range columns {
		cells[i] = c.name
	}
	err := out.Write(cells)
	for _, r := range reports {
		hosts := r.Hosts
		if len(hosts) == 0 {
			hosts = []audit.HostReport{{}}
		}
		for _, h := range hosts {
			for i, c := range columns {
				cells[i] = inert(harmless(c.cell(r, h)))
			}
			if err == nil {
				err = out.Write(cells)
			}
		}
	}
	out.Flush()
	if err == nil {
		err = out.Error()
	}
	return err
}

// inert keeps a spreadsheet from running a cell as a formula.
func inert(cell string) string {
	if cell != "" && strings.ContainsRune("=+-@", rune(cell[0])) {
		return "'" + cell
	}
	return cell
}
