package audit

import (
	"net/netip"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// A Host is one service of a mail host: of a domain's MX host, port 25.
type Host struct {
	Name       string // in the form of [tlsa.CanonicalHost]
	Preference uint16 // of its MX record
	Port       uint16
	// SMTP says that senders deliver here, as on port 25: RFC 7672 holds. Else RFC
	// 7673 does, where usages 0 and 1 mean something.
	SMTP bool
	// NextHop are the names beside the TLSA base domain that a certificate under DANE-TA
	// may be for (RFC 7672, section 3.2.2): the mail domain, and what that is an alias
	// of, if the MX lookup was secure.
	NextHop []string

	// Zone is how a lookup of the SOA record at Name ended.
	Zone Lookup
	// Reach is how the lookups of A and AAAA ended, the worse of the two; Exists where
	// there is an address.
	Reach Lookup
	// Aliases are the CNAMEs at Name, and Target is where they end: Name without one.
	Aliases []Step
	Target  string
	// Bases are the TLSA base domains in the order in which clients try them (RFC 7672,
	// section 2.2.2). None: DANE does not apply to the host, or its lookup failed. Where
	// its addresses are insecure, it is the host itself if records stand there in vain.
	Bases     []Base
	Addresses []Address
	// IssuerSets are what is known of CAs beforehand.
	IssuerSets []IssuerSet
	// CAA are the records that hold for Name (RFC 8659, section 3), in presentation form.
	CAA rollover.Sight[[]string]
}

// A Base is what was seen of the TLSA records below one base domain.
type Base struct {
	Name  string // the base domain
	Owner tlsa.Owner
	// InVain says that no client asks for these records, as the host's addresses are
	// insecure (RFC 7672, section 2.2.2).
	InVain bool
	// OwnerView is what every authoritative server gave and how the lookup of a
	// validating client ends.
	rollover.OwnerView
	// Resolved is what the validating resolver answered; a denial has no associations.
	// Its TTL is what is left of it there. Err: there is no usable answer.
	Resolved rollover.Sight[tlsa.RRset]
	// Beside is how a lookup of A at Owner ended. It is a denial, and must be as secure as
	// the records: faulty signers get it wrong.
	Beside Lookup
}

// An Address is one address of a host, and what it presented.
type Address struct {
	Address netip.AddrPort
	// Untested says why it was not asked, as where this host has no route for the address
	// family; "": it was asked.
	Untested string
	// Beyond says that it was not asked because the host has too many addresses.
	Beyond bool
	// Handshakes has one entry for each offer: with SNI and without, for any key
	// algorithm, RSA only and ECDSA only, in that order.
	Handshakes []Handshake
	// Greeted is how long the server took to greet; 0 where it did not.
	Greeted time.Duration
	// TLS is what it agrees to beyond what was needed; nil: it was not looked at.
	TLS *TLS
}

// A Handshake is what came of one offer.
type Handshake struct {
	SNI       bool
	Algorithm string // offered: rsa, ecdsa or any
	Outcome   rollover.PresentedOutcome
	// Temporary says that the server put TLS off, as with 454 (RFC 3207, section 4).
	Temporary bool
	// Mute says that it came to no greeting in the clear, after which a client could do
	// without TLS: what answers speaks another protocol, or TLS from the first octet on.
	Mute    bool
	Err     string      // why there is no chain
	Chain   *tlsa.Chain // nil where none was presented
	Version uint16      // of TLS, as in crypto/tls; 0 where none was agreed on
	// Untrusted says why the chain does not lead to a CA that browsers believe, names
	// aside; "": it does (RFC 8461, section 4.2).
	Untrusted string
	// ResultType is the word of RFC 8460, section 4.3 for the failure; "" where there is none.
	ResultType string
}

// TLS is what a server agrees to, found by one ClientHello after the other.
type TLS struct {
	// Versions are those that it takes, oldest first: 0x0300 is SSL 3.0.
	Versions []uint16
	// Suites are the cipher suites that it takes, by version: the newest before TLS 1.3,
	// which Internet.nl looks at, and TLS 1.3. They stand in the order in which
	// it chose them from all.
	Suites map[uint16][]uint16
	// OwnOrder tells whether it chooses by its own order, by version.
	OwnOrder map[uint16]bool
	// Groups are the key exchange groups that it used: as in secp256r1, x25519, ffdhe2048,
	// or dh-1024 for a group without a name.
	Groups []string
	// Hashes are those under its signatures of key exchanges up to TLS 1.2: as in sha256.
	Hashes []string
	// These are of TLS 1.2 and older; nil where that was not taken.
	Compression, SecureRenegotiation, ExtendedMasterSecret *bool
	Err                                                    string // why something of this is not known
}
