package agent

import (
	"context"
	"io/fs"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"github.com/miekg/dns"

	"github.com/tlsaroll/tlsaroll/certwatch"
	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/rollover"
)

// Config is everything an [Agent] works with. It is plain values: files have
// been read, names are canonical, secrets are inside the providers. It must not be
// changed once it was handed over.
type Config struct {
	State     string // directory of the journal, the stash and the live links
	Installer string // socket of who installs pairs and reloads, see [installer.Client]; "": the agent does
	Timing    rollover.Timing
	Quiet     time.Duration // for so long staged files must have been left alone
	Lineages  []Lineage
	Zones     map[string]Zone // by absolute name
	Providers []Provider

	Resolver      netip.AddrPort // validating
	TrustResolver bool           // believe its AD although it is not on loopback
	ResolverTest  string         // a signed name to test it with; "": the root
	Hello         string         // EHLO name of the probes; "": an address literal

	Clock Clock
	Lock  time.Duration                                              // how long Open waits for another instance to let go of the journal; 0: three seconds
	Log   *slog.Logger                                               // nil: nowhere
	Acted func(lineages []string, action rollover.Action, err error) // called as each action ends; nil: nobody counts
	// Happened is called with events when they are durable, whoever made the pass; nil: nobody
	// is told. A pass waits for it.
	Happened func(events []rollover.Event)
	Workers  int // groups whose servers are looked at side by side; 0: 16

	// The world, where it is not the network's: nil in a program, set in tests.
	Exchange func(ctx context.Context, m *dns.Msg, network string, server netip.AddrPort) (*dns.Msg, error)
	Dial     func(ctx context.Context, network, address string) (net.Conn, error)
	Run      func(ctx context.Context, argv []string) ([]byte, error)
	Local    func() []netip.Addr // addresses of this host
	// Watch tells changed, until ctx ends, which files may have been changed, as
	// [certwatch.Watch] does; wait waits for the end of that.
	Watch func(ctx context.Context, files []certwatch.Files, changed func(certwatch.Files), log *slog.Logger) (wait func())
	// FetchPolicy gets the text of a domain's MTA-STS policy (RFC 8461, section 3.3).
	FetchPolicy func(ctx context.Context, domain string) (string, error)
}

// Lineage is one lineage of the configuration.
type Lineage struct {
	Name      string
	Policy    rollover.LineagePolicy
	Addresses map[string][]netip.AddrPort // by endpoint URL: look there instead of at its A and AAAA
	Nodes     []netip.Addr                // to be seen besides
	Staged    certwatch.Files             // where the ACME client leaves pairs; zero: nowhere
	NextKey   string                      // where it keeps the key of its next one; "": such keys are made here
	Issuer    Issuer                      // or who issues them; nil: they come from elsewhere
	Names     []string                    // for which it does, without trailing dots
	KeyType   certwatch.KeyType           // of keys that are made here; "": that of the live one, else ec256
	Install   []Install
	Check     [][]string
	Reload    [][]string
	Timeout   time.Duration     // of each command
	Providers map[string]string // by endpoint URL; none: the provider whose zone is the longest match
}

// Install is a copy of the live pair for a server that cannot read ours.
type Install struct {
	Path    string   // one file, or
	Dir     string   // a directory behind a symlink
	Content []string // of the file, in order: key, chain, cert, ca
	User    string
	Group   string
	Mode    fs.FileMode
}

// Zone is what must be known of a zone beyond what is found.
type Zone struct {
	Hidden        []string // addresses of servers that no NS record names
	Exclude       []string // names and addresses of servers not to ask
	Private       bool
	AllowInsecure bool
}

// Provider changes the RRsets of a zone.
type Provider struct {
	Name   string
	Zone   string        // absolute; "": the provider finds it, and holds whatever nobody else does
	Margin time.Duration // beyond what is seen, for anycast networks
	dnsprovider.Provider
}

// Clock is the host's time. The agent's own time goes on evenly from when it was
// opened, whatever is done to the wall clock meanwhile.
type Clock struct {
	Wall   func() time.Time
	Boot   func() time.Duration // since the kernel booted, suspended time included
	BootID string
	// Synchronised: the kernel says that the wall clock is; nil: nobody says so.
	Synchronised func() bool
}
