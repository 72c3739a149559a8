package draft

import (
	"net/netip"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/config"
	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/finder"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// A World is all that is known beforehand.
type World struct {
	finder.Found

	Resolver netip.AddrPort
	Blind    string // why the resolver is not believed; "": it validates

	Hosts map[string]HostDNS // by name, those that were looked up
	Local []netip.Addr       // this host's own addresses

	Types []config.ProviderType // that there are
	File  string                // where the configuration will be
	Has   func(file string) bool
}

// A HostDNS is what DNS says of one host name.
type HostDNS struct {
	Addresses []netip.Addr
	Domain    string // the zone that it lies in, absolute; "": not found, see Err
	Alias     string // where its TLSA names lead, if that is elsewhere
	Zone      string // that holds its TLSA records: what follows is of that one
	Primary   string // that its SOA names, absolute
	Servers   []string
	MX        []string // hosts of the domain's mail, without final dots
	Security  string   // of its TLSA records, see [lookup.Security]
	Private   bool     // all servers of the zone have private addresses
	// Records are the TLSA records that stand, by port.
	Records map[uint16][]tlsa.Association
	Err     string
}

// Answers are what a person said, on the command line or when asked; what is empty was not.
type Answers struct {
	Hosts    []string
	Certs    []string // as in certbot:mx1.example.org
	Provider string
	Mail     string
	TSIG     string     // the file that the key for dynamic update is taken from
	Key      finder.Key // that key
}

// A Question is a choice.
type Question struct {
	Text    string // what is asked
	Default string
	// Guess says why the default would be a guess; "": it is not one.
	Guess  string
	Option string // decides it
}
