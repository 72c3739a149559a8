package paper

import (
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/audit"
)

// senderWords go on from "senders that".
var senderWords = map[audit.Sender]string{
	audit.DANE:     "use DANE",
	audit.DANEOnly: "insist on DANE",
	audit.May:      "use any TLS",
	audit.MTASTS:   "use MTA-STS",
}

// deliveryWords say what becomes of mail.
var deliveryWords = map[audit.Delivery]string{
	audit.WithDANE:      "arrives, authenticated by DANE",
	audit.WithTLS:       "arrives encrypted, nobody authenticated",
	audit.WithSTS:       "arrives, authenticated by MTA-STS",
	audit.Opportunistic: "arrives, not authenticated",
	audit.Deferred:      "does not arrive, is deferred",
	audit.Rejected:      "goes back at once",
	audit.Unknown:       "not known",
}

// Tone is how good what is said is.
type Tone int

// The tones.
const (
	Plain Tone = iota
	Good
	Doubtful
	Bad
)

var stateTones = map[audit.State]Tone{audit.Clean: Good, audit.Warnings: Doubtful, audit.Blind: Doubtful, audit.Broken: Bad}

var severityTones = map[rollover.Severity]Tone{rollover.Warn: Doubtful, rollover.Danger: Bad}

var statusTones = map[audit.Status]Tone{audit.StatusPassed: Good, audit.StatusWarning: Doubtful, audit.StatusFailed: Bad, audit.StatusError: Bad}

var knownTones = map[rollover.Known]Tone{rollover.Yes: Good, rollover.Unknown: Doubtful, rollover.No: Bad}

var securityTones = map[rollover.Security]Tone{rollover.Secure: Good, rollover.Indeterminate: Doubtful, rollover.Bogus: Bad}

var deliveryTones = map[audit.Delivery]Tone{audit.WithDANE: Good, audit.WithSTS: Good, audit.Deferred: Bad, audit.Rejected: Bad, audit.Unknown: Doubtful}

// toneOfVerdict is doubtful at most for senders that insist on DANE: where there is none, they
// would not have it otherwise.
func toneOfVerdict(v audit.Verdict) Tone {
	tone := deliveryTones[v.Delivery]
	if tone == Good && v.Partly || tone == Bad && v.Sender == audit.DANEOnly {
		return Doubtful
	}
	return tone
}

// verified is the answer to whether what an address presents is vouched for; where nothing
// asks for that, whether it could be reached.
func verified(a audit.AddressReport) string {
	if a.Verified == "" && !reached(a) {
		return "not reached"
	}
	return map[rollover.Known]string{rollover.Yes: "verified", rollover.No: "not verified", rollover.Unknown: "not known", "": "reached"}[a.Verified]
}

func reached(a audit.AddressReport) bool {
	return a.Version != "" || slices.ContainsFunc(a.Handshakes, func(h audit.HandshakeReport) bool {
		return h.Outcome == rollover.Served || h.Outcome == rollover.NoTLS
	})
}

func toneOfAddress(a audit.AddressReport) Tone {
	if a.Verified == "" && !reached(a) {
		return Doubtful
	}
	return knownTones[a.Verified]
}

// clientWords say what becomes of connections to a service that takes no mail from
// other servers.
var clientWords = map[audit.Delivery]string{
	audit.WithDANE:      "connect, the server authenticated by DANE",
	audit.WithTLS:       "connect encrypted, nobody authenticated by DANE",
	audit.Opportunistic: "connect, nobody authenticated by DANE",
	audit.Deferred:      "do not connect",
	audit.Unknown:       "not known",
}

// forClients reports whether a report is on a service for clients, and on no mail host.
func forClients(r audit.Report) bool { return len(r.Hosts) == 1 && r.Hosts[0].Port != 25 }

// delivery is what becomes of mail, or of connections, in a few words.
func delivery(r audit.Report, v audit.Verdict) string {
	text := deliveryWords[v.Delivery]
	if forClients(r) {
		text = clientWords[v.Delivery]
	}
	if text == "" {
		text = string(v.Delivery)
	}
	if v.Partly {
		text += ", not on every connection"
	}
	return text
}

// who are those that verdicts are about.
func who(r audit.Report) string {
	if forClients(r) {
		return "clients that"
	}
	return "senders that"
}

// inShort is the verdict for who uses DANE.
func inShort(r audit.Report) string {
	v := verdictOf(r.Senders, audit.DANE)
	text := map[audit.Delivery]string{
		audit.WithDANE:      "mail arrives with DANE",
		audit.WithTLS:       "mail arrives encrypted, nobody is authenticated",
		audit.WithSTS:       "mail arrives with MTA-STS",
		audit.Opportunistic: "mail arrives without DANE",
		audit.Deferred:      "mail from senders that use DANE does not arrive",
		audit.Rejected:      "takes no mail",
		audit.Unknown:       "not known whether mail arrives",
	}[v.Delivery]
	if forClients(r) {
		text = "clients that use DANE " + delivery(r, audit.Verdict{Delivery: v.Delivery})
	}
	if v.Partly {
		text += ", not on every connection"
	}
	return text
}

// statusOrder are Internet.nl's statuses as they are shown, the worst last.
var statusOrder = []audit.Status{
	audit.StatusPassed, audit.StatusGoodNotTested, audit.StatusNotTested, audit.StatusInfo,
	audit.StatusWarning, audit.StatusFailed, audit.StatusError,
}

// statuses are those among subtests, in that order.
func statuses(tests []audit.Subtest) (found []audit.Status) {
	for _, s := range statusOrder {
		if len(ofStatus(tests, s)) > 0 {
			found = append(found, s)
		}
	}
	return found
}

// ofStatus are the subtests of one status.
func ofStatus(tests []audit.Subtest, s audit.Status) []audit.Subtest {
	return slices.DeleteFunc(slices.Clone(tests), func(t audit.Subtest) bool { return t.Status != s })
}

// quiet reports whether its name says all there is to say of a subtest: it has passed, or
// what it asks for was not there to be tested.
func quiet(t audit.Subtest) bool {
	return t.Ours == "" && slices.Contains([]audit.Status{audit.StatusPassed, audit.StatusGoodNotTested, audit.StatusNotTested}, t.Status)
}

var digest = regexp.MustCompile(`\b([0-9a-fA-F]{8})[0-9a-fA-F]{9,}\b`)

// short leaves of digests what tells them apart.
func short(text string) string { return digest.ReplaceAllString(text, "$1…") }

// harmless takes out of what others said all that moves a cursor or turns text around.
func harmless(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n', r == '\t', unicode.In(r, unicode.Zl, unicode.Zp):
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r), r == unicode.ReplacementChar:
			return unicode.ReplacementChar
		}
		return r
	}, text)
}

// where names a finding's host, unless the text does.
func where(f audit.Finding) string {
	if f.Host == "" || strings.Contains(f.Text, f.Host) {
		return ""
	}
	return f.Host + ": "
}
