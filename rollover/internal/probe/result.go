package probe

import (
	"crypto/x509"
	"net/netip"
	"strings"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// A Result is what one offer at one address led to.
type Result struct {
	Address netip.AddrPort
	Offer   Offer
	Outcome Outcome
	// Chain is what the server presented, leaf first, in its order; nil if nothing.
	// It is set whenever a chain was shown, even if the handshake then failed.
	Chain *tlsa.Chain
	// Algorithm is that of the leaf presented: rsa, ecdsa or ed25519; "" without one.
	Algorithm string
	// Version is that of TLS, as in [crypto/tls.VersionTLS13]; 0 if none was agreed on.
	Version uint16
	// Temporary says that the server put TLS off: 454 (RFC 3207, section 4).
	Temporary bool
	// Greeted is how long the server took to greet; 0 where it did not, or has not to,
	// and without [Prober.Now].
	Greeted time.Duration
	// Spoke says that the server greeted as it should, in the clear: whatever became of TLS
	// then, a client that does without may go on.
	Spoke bool
	// Err says why; nil if the outcome is Served or NotOffered.
	Err error
}

// present takes the chain into the result.
func (r *Result) present(certs []*x509.Certificate) error {
	chain, err := tlsa.NewChain(certs...)
	if err != nil {
		return err
	}
	r.Chain = chain
	r.Algorithm = strings.ToLower(chain.Leaf().PublicKeyAlgorithm.String())
	return nil
}
