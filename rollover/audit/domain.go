package audit

import (
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
)

// A Domain is what was seen of one mail domain.
type Domain struct {
	Name string    // in the form of [tlsa.CanonicalHost]
	At   time.Time // of the look
	// Zone is how a lookup of the SOA record at Name ended.
	Zone Lookup
	// Addresses is how the lookups of A and AAAA at Name ended, the worse of the two;
	// not looked at where there are MX hosts.
	Addresses Lookup
	MX        MX
	Hosts     []Host // where its mail goes, by preference, then name; see [MX.Implicit]
	STS       STS
	// Reports is the TLSRPT record (RFC 8460, section 3); "" where there is none.
	Reports rollover.Sight[string]
	// AtDomain are the TLSA records at _25._tcp.Name where Name is none of Hosts: a
	// mistake, as clients look below the MX host (RFC 7672, section 2.2.1).
	AtDomain *Base
}

// A Lookup is how a validating lookup ended.
type Lookup struct {
	Security rollover.Security // [rollover.Indeterminate] where Err is set
	Text     string            // why Security is what it is
	// Exists is set where there was a record of the type asked for.
	Exists bool
	NoName bool   // the name itself does not exist
	Err    string // why there is no answer; "": there is one, maybe a denial
}

// MX is where a domain's mail goes (RFC 5321, section 5.1).
type MX struct {
	Lookup
	// Records stand as they are in DNS, sorted by preference, then name.
	Records []Exchange
	// Null says that the only record is 0 ".": no mail (RFC 7505, section 3).
	Null bool
	// Implicit says that there is no MX record, and mail goes to the domain's own
	// addresses; Hosts then has it as the only one.
	Implicit bool
	// Given says that a person named the host, and no MX record was asked for.
	Given bool
	// Aliases are the CNAMEs at the domain itself.
	Aliases []Step
	// SPF is the SPF policy at the domain (RFC 7208); "" where there is none. It says
	// whether a domain without MX sends mail at all.
	SPF string
}

// An Exchange is one MX record.
type Exchange struct {
	Preference uint16
	Host       string // as it stands, without the final dot; "" is the null MX
	// Err says why it is no host that mail can be sent to, as with an address.
	Err string
}

// A Step is one CNAME.
type Step struct {
	Owner, Target string
	// Security is that of this step and all before it.
	Security rollover.Security
}

// STS is what was found of a domain's MTA-STS policy (RFC 8461).
type STS struct {
	// Record is the TXT record at _mta-sts.DOMAIN; "" where there is none.
	Record rollover.Sight[string]
	// RecordErr says why the record that is there counts for nothing.
	RecordErr string
	// Policy is the policy as it was fetched, where Record is good.
	Policy rollover.Sight[STSPolicy]
	// PolicyErr says why the policy that was fetched counts for nothing.
	PolicyErr string
	// ResultType is the word of RFC 8460, section 4.3 for why Policy is not known.
	ResultType string
}

// STSPolicy is a policy (RFC 8461, section 3.2).
type STSPolicy struct {
	Mode   string        // enforce, testing or none
	MX     []string      // patterns
	MaxAge time.Duration // for how long senders keep it
	// Faults are what is wrong with it and does not keep it from being used.
	Faults []string
}
