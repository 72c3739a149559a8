package audit

import (
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
)

// A Report is the judgement on a domain.
type Report struct {
	Domain string    `json:"domain"`
	At     time.Time `json:"at"`
	State  State     `json:"state"`
	// Senders say what becomes of mail to the domain, by how the sender behaves.
	Senders []Verdict `json:"senders"`
	// Lookups are the steps to the hosts, and how each ended.
	Lookups  []LookupReport `json:"lookups"`
	Hosts    []HostReport   `json:"hosts"`
	Findings []Finding      `json:"findings"` // of the domain itself and all its hosts, the worst first
	// InternetNL are the subtests of Internet.nl's mail test for STARTTLS and DANE.
	InternetNL []Subtest `json:"internetnl"`
	// Renewal says what the next certificate will meet.
	Renewal string `json:"next_renewal"`
}

// State is a report in one word.
type State string

// The states, best first.
const (
	Clean    State = "clean"    // nothing to say but what is for information
	Warnings State = "warnings" // mail arrives; something should be mended
	Broken   State = "broken"   // something breaks mail for some senders
	Blind    State = "unknown"  // could not look at what matters, and what was seen is not broken
)

// A HostReport is the judgement on one host.
type HostReport struct {
	Host       string    `json:"host"`
	Preference uint16    `json:"preference"`
	Port       uint16    `json:"port"`
	Senders    []Verdict `json:"senders"`
	// Lookups are the steps to the addresses and the records, and how each ended.
	Lookups []LookupReport `json:"lookups"`
	// Records are the TLSA records that clients use, in presentation form.
	Owner    string            `json:"owner,omitempty"`
	Records  []string          `json:"records"`
	Security rollover.Security `json:"security"` // of these
	// Scheme is how the records are made ready for the next certificate.
	Scheme Scheme `json:"scheme"`
	// Servers are what each authoritative server gives.
	Servers []ServerReport `json:"servers"`
	// Addresses are how each did.
	Addresses []AddressReport `json:"addresses"`
	Findings  []Finding       `json:"findings"`
	Renewal   string          `json:"next_renewal"`
}

// An AddressReport is the judgement on one address.
type AddressReport struct {
	Address string `json:"address"`
	// Verified tells whether a client that enforces DANE takes what it presents, whatever
	// algorithm that asks for: yes, no or unknown; "" where there is nothing to verify.
	Verified rollover.Known `json:"verified"`
	Why      string         `json:"why"`     // of no and unknown; else the record that matches
	Version  string         `json:"version"` // of TLS
	// Handshakes are what it presented to each kind of client.
	Handshakes []HandshakeReport `json:"handshakes"`
}

// A HandshakeReport is what came of one offer.
type HandshakeReport struct {
	SNI       bool                      `json:"sni"`
	Algorithm string                    `json:"algorithm"` // asked for: any, rsa or ecdsa
	Outcome   rollover.PresentedOutcome `json:"outcome"`
	Leaf      string                    `json:"leaf,omitempty"`    // SHA-256 of the certificate's DER, in hex
	Subject   string                    `json:"subject,omitempty"` // the names that it is for
	NotAfter  time.Time                 `json:"not_after,omitzero"`
	Version   string                    `json:"version,omitempty"`
	Error     string                    `json:"error,omitempty"`
}

// A LookupReport is how one lookup ended.
type LookupReport struct {
	What     string            `json:"what"` // as in "MX" or "TLSA"
	Name     string            `json:"name"`
	Security rollover.Security `json:"security"`
	Text     string            `json:"text"` // why
}

// A ServerReport is what one authoritative server gives.
type ServerReport struct {
	Name        string    `json:"name"`
	Address     string    `json:"address"`
	Records     []string  `json:"records"`
	TTL         int       `json:"ttl"`                   // for how long a cache may keep the answer, in seconds
	SignedUntil time.Time `json:"signed_until,omitzero"` // when the first signature ends; zero: not signed, or not known
	Error       string    `json:"error,omitempty"`
}

// A Sender is a behaviour of sending servers.
type Sender string

// The behaviours.
const (
	DANE     Sender = "dane"      // uses DANE where it applies (RFC 7672): Postfix "dane", Exim, Microsoft
	DANEOnly Sender = "dane-only" // delivers with DANE or not at all: Postfix "dane-only"
	May      Sender = "may"       // uses TLS where it is offered, and verifies nothing (RFC 7435)
	MTASTS   Sender = "mta-sts"   // enforces an MTA-STS policy where there is one (RFC 8461), else as May
)

// Senders are the behaviours in the order in which they are shown.
func Senders() []Sender { return []Sender{DANE, DANEOnly, May, MTASTS} }

// Delivery is what becomes of mail.
type Delivery string

// The deliveries.
const (
	WithDANE      Delivery = "dane"          // delivered, the server authenticated by DANE
	WithTLS       Delivery = "encrypted"     // delivered, TLS demanded, nobody authenticated: all records are unusable
	WithSTS       Delivery = "mta-sts"       // delivered, the server authenticated by MTA-STS
	Opportunistic Delivery = "opportunistic" // delivered, with TLS where that works
	Deferred      Delivery = "deferred"      // not delivered; tried again until the sender gives up
	Rejected      Delivery = "rejected"      // goes back at once: the domain takes no mail
	Unknown       Delivery = "unknown"       // hangs on what could not be looked at
)

// A Verdict is what becomes of mail from senders of one behaviour.
type Verdict struct {
	Sender   Sender   `json:"sender"`
	Delivery Delivery `json:"delivery"`
	// Partly says that not every host or address, or not every key algorithm, does as
	// well: some connections fail, and the sender has to try another.
	Partly bool   `json:"partly"`
	Why    string `json:"why"` // one sentence
}

// A Finding is one thing that somebody should know.
type Finding struct {
	rollover.Warning
	Fix string `json:"fix"` // what to do about it
	// Host is the MX host that it is about; "" for the domain.
	Host string `json:"host,omitempty"`
	// ResultType is the word for it in TLSRPT reports (RFC 8460, section 4.3); "" where
	// there is none.
	ResultType string `json:"result_type,omitempty"`

	cause string // what it comes of, where that may concern several hosts; "" where not
}

// A Subtest is one of Internet.nl's.
type Subtest struct {
	Name   string `json:"name"`   // as in dane_valid
	Status Status `json:"status"` // in the words of its API
	// Verdict is the key of Internet.nl's explanation, as in good, bad or bogus.
	Verdict string `json:"verdict"`
	Text    string `json:"text"` // what it is by: hosts, records
	// Ours says where our own judgement differs, and why; "" where it does not.
	Ours string `json:"ours,omitempty"`
}

// Status is Internet.nl's.
type Status string

// The statuses, worst first.
const (
	StatusError         Status = "error"
	StatusFailed        Status = "failed"
	StatusWarning       Status = "warning" // its NOTICE
	StatusInfo          Status = "info"
	StatusNotTested     Status = "not_tested"
	StatusGoodNotTested Status = "good_not_tested"
	StatusPassed        Status = "passed"
)
