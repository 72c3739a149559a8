package lab

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/miekg/dns"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// Options say what a lab consists of. The zero value is one zone, example.org.,
// with a secondary that follows at once, two resolvers and Postfix as
// mx1.example.org, whose certificate has a 3 1 1.
type Options struct {
	Primary      PrimaryKind   // default BIND
	TTL          time.Duration // of TLSA records and of denials; default 10 s
	Resolvers    int           // senders' resolvers; default 2
	SecondaryLag time.Duration // see Lab.LagSecondary
	NSTTL        time.Duration // of NS records and of the servers' addresses; default 5 min
	Dovecot      bool          // implicit TLS on port 993 of mx1.example.org

	// Pebble is an ACME CA; nil: there is none. The TSIG keys of the zones may then change
	// TXT records too.
	Pebble *PebbleOptions
	// Clients are those that the test calls.
	Clients []ClientKind

	// Oracles are the other DANE clients that Lab.Ask runs: OpenSSL's, ldns' and GnuTLS's.
	Oracles bool

	// SecondMX is a second Postfix: mx1.example.org has two addresses. It serves
	// the same certificates, or with SecondLeaf one of its own.
	SecondMX   bool
	SecondLeaf *LeafOptions
	// MTAs are mail servers that send, see Lab.Sendmail.
	MTAs bool
	// Servers are those that a test may start, see Lab.Serve.
	Servers []ServerKind
	// LegoFiles has the first Postfix read what lego writes, see Lego.
	LegoFiles bool

	// Leaf is the certificate that is served at first.
	Leaf LeafOptions
	// RSA has every Postfix serve an RSA chain too, beside Leaf, which is then ECDSA.
	RSA bool
	// TLSA are the combinations published for each leaf at first, for port 25 and,
	// with Dovecot, 993. Nil is 3 1 1; to publish nothing give an empty slice.
	TLSA []tlsa.Params
	// Alias makes a CNAME of a TLSA owner name; the records stand at its target.
	Alias map[string]string

	// Zones are more dynamic zones, as "example.net.", directly below a top-level
	// domain. Primary and secondary serve them beside example.org.
	Zones []string
	// Unsigned are those of Zones that nobody signs, and Bogus those whose DS at the
	// parent fits none of their keys.
	Unsigned, Bogus []string
	// Records are lines as in a zone file, with absolute names, for any of the zones.
	Records []string

	// Haste multiplies the rate of every hammer; default 1.
	Haste float64
	// Unbound are lines for the server clause of every resolver.
	Unbound []string
}

// The names of the lab's own zone and mail host.
const (
	Domain = "example.org."
	Host   = "mx1.example.org"
)

func (o Options) withDefaults() (Options, error) {
	if o.Primary == "" {
		o.Primary = BIND
	}
	if o.Haste == 0 {
		o.Haste = 1
	}
	if !slices.Contains([]PrimaryKind{BIND, Knot, PowerDNS}, o.Primary) {
		return o, fmt.Errorf("lab: no primary of kind %q", o.Primary)
	}
	if o.Primary != BIND && o.Pebble != nil {
		return o, fmt.Errorf("lab: Pebble with %s: its clients have rights at BIND alone", o.Primary)
	}
	if o.TTL == 0 {
		o.TTL = 10 * time.Second
	}
	if o.NSTTL == 0 {
		o.NSTTL = staticTTL * time.Second
	}
	for _, ttl := range []time.Duration{o.TTL, o.NSTTL} {
		if ttl < time.Second || ttl%time.Second != 0 {
			return o, fmt.Errorf("lab: TTL %s: want whole seconds", ttl)
		}
	}
	if o.Resolvers == 0 {
		o.Resolvers = 2
	}
	if o.Resolvers > maxResolvers {
		return o, fmt.Errorf("lab: %d resolvers: at most %d fit the address block", o.Resolvers, maxResolvers)
	}
	if len(o.Leaf.Names) == 0 {
		o.Leaf.Names = []string{Host}
	}
	if o.SecondLeaf != nil && !o.SecondMX {
		return o, errors.New("lab: SecondLeaf without SecondMX")
	}
	if o.RSA && (o.Leaf.KeyType == RSA || o.LegoFiles || o.SecondLeaf != nil && o.SecondLeaf.KeyType == RSA) {
		return o, errors.New("lab: RSA beside a leaf that is RSA, or in lego's files")
	}
	if o.TLSA == nil {
		o.TLSA = []tlsa.Params{tlsa.EE}
	}
	for _, name := range o.Zones {
		if !dns.IsFqdn(name) || dns.CountLabel(name) != 2 {
			return o, fmt.Errorf("lab: zone %q: want a name directly below a top-level domain, with a final dot", name)
		}
	}
	for _, name := range append(slices.Clone(o.Unsigned), o.Bogus...) {
		if !slices.Contains(o.Zones, name) {
			return o, fmt.Errorf("lab: zone %q: unsigned or bogus, and not in Zones", name)
		}
	}
	if len(o.Clients) > 0 && o.Pebble == nil {
		return o, errors.New("lab: Clients without Pebble")
	}
	return o, nil
}

func (o Options) hosts() []byte {
	hosts := []byte{hostRoot, hostParent, hostMX, hostSecondMX, hostResolver, hostNoValidator, hostWrongAnchor, hostUnsigned}
	hosts = append(hosts, nameServers...)
	if o.Pebble != nil {
		hosts = append(hosts, hostPebble, hostPebbleResolver)
	}
	for i := range o.Resolvers {
		hosts = append(hosts, byte(hostResolvers+i))
	}
	return hosts
}

// Owner is the TLSA owner name of a port of the mail host.
func Owner(port uint16) string { return fmt.Sprintf("_%d._tcp.%s.", port, Host) }
