package config

import (
	"net/netip"
	"time"

	"github.com/tlsaroll/tlsaroll/certwatch"
	"github.com/tlsaroll/tlsaroll/rollover"
)

// Config is a whole configuration.
type Config struct {
	State        string // directory of the journal, the stash and live/
	Control      string // the control socket's path
	ControlGroup string // the group that may use it

	Installer     string // socket of the installer, for a daemon without privileges; "": it installs itself
	InstallerUser string // the daemon's user then

	Listen netip.AddrPort // status page, metrics and health; invalid: off
	Web    Web            // how it is guarded

	Resolver      netip.AddrPort // the validating resolver; invalid: none is known
	TrustResolver bool           // believe its AD although it is not on loopback
	ResolverTest  string         // a signed name, absolute, to test the resolver with; the root's "."

	Timing       Timing
	Notify       []Notifier
	NotifyAt     string        // the least severity: info, warning or error
	NotifyRemind time.Duration // how often people are told again of what lasts; 0: never
	NotifySwaps  bool          // they are told of certificates that are in service, too

	Zones     []Zone     // in the order of the file
	Providers []Provider // likewise
	Lineages  []Lineage  // likewise
}

// Timing is how long things wait.
type Timing struct {
	rollover.Timing
	Quiet time.Duration // how long files are unchanged before they count
}

// Web guards the status page where it does not listen on loopback alone.
type Web struct {
	Name     string // under which it is asked for, besides loopback's; "": none
	User     string // basic authentication: the name
	Password Secret
	Token    Secret // or a bearer token
	Cert     string // TLS: the chain's file, leaf first
	Key      string // and its key's
}

// Equal reports whether two say the same, in their secrets too.
func (w Web) Equal(o Web) bool {
	return w.Name == o.Name && w.User == o.User && w.Cert == o.Cert && w.Key == o.Key && w.Password.Equal(o.Password) && w.Token.Equal(o.Token)
}

// A Notifier is told about new and cleared warnings; one of its first four fields is set.
type Notifier struct {
	Command []string // run with JSON on its standard input
	Mail    string   // address, through sendmail(8)
	SMTP    SMTP     // mail through a server
	Webhook Secret   // URL, which may hold a token

	Format WebhookFormat // of a webhook
	Room   string        // of matrix
	Token  Secret        // of a webhook: a bearer token; zero: none
}

// SMTP is a mail server that takes mail for anywhere. The zero value is none.
type SMTP struct {
	Server   string // host and port
	From, To string
	User     string // "": it wants none
	Password Secret
}

// WebhookFormat is what a webhook understands.
type WebhookFormat string

// Formats of webhooks.
const (
	FormatJSON   WebhookFormat = "json" // what commands get
	FormatSlack  WebhookFormat = "slack"
	FormatMatrix WebhookFormat = "matrix"
	FormatNtfy   WebhookFormat = "ntfy"
)

// Zone is what can't be found out about a zone, or must differ.
type Zone struct {
	Name             string           // absolute
	Hidden           []netip.AddrPort // authoritative servers that the zone does not name
	ExcludeNames     []string         // servers not to ask, absolute names
	ExcludeAddresses []netip.Addr     // likewise
	Private          bool             // private addresses are meant to be there
	AllowInsecure    bool             // publish without DNSSEC
}

// Lineage is successive certificates for one purpose, with their files,
// services and endpoints.
type Lineage struct {
	Name      string
	Scheme    rollover.Scheme
	TA        rollover.TrustAnchor
	Issuers   []string      // absolute paths of CA certificates, or names of sets, to publish ahead
	TTL       time.Duration // for an RRset that does not exist yet
	KnownTTL  time.Duration // the operator's word that it was never longer; 0: none given
	Deadline  rollover.Deadline
	Endpoints []Endpoint
	Nodes     []netip.Addr // must be seen even while DNS does not show them
	Ignore    []string     // owner names, or hosts for all ports, absolute, that may be left alone

	Staged     Staged            // where an ACME client leaves pairs; zero: nowhere
	ACME       []ACME            // or our own order, at CAs in order; empty: none
	SelfSigned bool              // or no CA at all
	Names      []string          // what is ordered: A-labels without trailing dots, and wildcards
	KeyType    certwatch.KeyType // of keys that are made here for it
	Lifetime   time.Duration     // of self-signed certificates
	Hook       bool              // hooks and the control socket may stage

	Install []Install
	Check   [][]string // argument lists, run before the switch
	Reload  [][]string // and after it
	Timeout time.Duration
}

// Endpoint is one TLS service that clients reach.
type Endpoint struct {
	URL      string // as in smtp://mx1.example.org, without the usual port
	Scheme   string // smtp, submission, submissions, imap, imaps, pop3, pop3s, sieve or tls
	Host     string // A-labels, lower case, no trailing dot
	Port     uint16
	Address  []netip.AddrPort // look here instead of the host's A and AAAA; empty: there
	Provider string           // whose RRset it is; "": whoever's zone is found to hold it
}

// Staged is where the newest pair is found.
type Staged struct {
	Layout string // files, lego, certbot, acme.sh or dehydrated; "": nowhere
	Cert   string // of files: absolute paths
	Key    string
	Dir    string // of the others: the client's directory
	Name   string // and its name for the certificate
}

// Install is an extra copy for a server that can't read ours.
type Install struct {
	Path    string   // one file, replaced by rename; or
	Dir     string   // a directory behind a symlink
	Content []string // of the file, in order: key, chain, cert, ca
	User    string   // name or number; "": the user we run as
	Group   string
	Mode    uint32 // permission bits
}
