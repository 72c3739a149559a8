package survey

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/audit"
)

// Who owns a zone says how much there is to look at, and who owns a server how long it
// takes: a DNS answer has room for thousands of hosts, each with thousands of addresses, and a
// server may answer each step just in time. These limits are far beyond what anybody
// needs. Senders try few of a host's addresses, too: Postfix five.
const (
	mostHosts     = 50 // of a domain
	mostAddresses = 32 // of a host

	// A server that greets after 30 s is done in six minutes, or in half an hour.
	longest         = 10 * time.Minute // for an address
	longestThorough = 45 * time.Minute
)

// notLookedAt is an MX host beyond the limit.
func notLookedAt(name string, all int) audit.Host {
	failed := unknown(fmt.Sprintf("of %d MX hosts %d are looked at", all, mostHosts))
	return audit.Host{Name: name, Port: smtpPort, SMTP: true, Target: name, Zone: failed, Reach: failed}
}

// notAsked is an address beyond the limit.
func notAsked(address netip.AddrPort, all int) audit.Address {
	return audit.Address{Address: address, Beyond: true, Untested: fmt.Sprintf("of %d addresses %d are asked", all, mostAddresses)}
}

// patience is how long an address may take.
func (r *Round) patience() (time.Duration, error) {
	d := longest
	if r.cfg.Thorough {
		d = longestThorough
	}
	return d, fmt.Errorf("not done in %s", d)
}
