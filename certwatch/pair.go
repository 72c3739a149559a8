package certwatch

import (
	"bytes"
	"encoding/pem"
	"fmt"
	"strings"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// Files says where a pair is. One combined file may be both; an empty Key says
// the same.
type Files struct{ Cert, Key string }

// paths are the one or two files.
func (f Files) paths() []string {
	if f.Key == "" || f.Key == f.Cert {
		return []string{f.Cert}
	}
	return []string{f.Cert, f.Key}
}

// A Pair is a certificate chain and the private key that fits its leaf.
type Pair struct {
	Chain    *tlsa.Chain // in order; what is to be installed
	AsFound  *tlsa.Chain // the certificates as they stood in the file: what a server that read it would present
	Key      PrivateKey
	Findings []Finding // what was repaired, and what somebody should know
}

// ID identifies the pair: the chain decides, as the key follows from the leaf.
func (p Pair) ID() tlsa.ChainID { return p.Chain.ID() }

// ChainPEM is the whole chain, leaf first.
func (p Pair) ChainPEM() []byte {
	var b bytes.Buffer
	for _, c := range p.Chain.Certificates() {
		b.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
	}
	return b.Bytes()
}

// InDate says whether the leaf may be presented at that moment: nil,
// [ErrNotYetValid] or [ErrExpired]. Its issuers' dates matter only to clients
// that follow the path, see tlsa.Chain.Match.
func (p Pair) InDate(now time.Time) error {
	leaf := p.Chain.Leaf()
	switch {
	case now.Before(leaf.NotBefore):
		return &Error{"certificate of " + subject(leaf), "not valid before " + stampText(leaf.NotBefore), "is the clock right?", ErrNotYetValid}
	case now.After(leaf.NotAfter):
		return &Error{"certificate of " + subject(leaf), "expired " + stampText(leaf.NotAfter), "renew it", ErrExpired}
	}
	return nil
}

// Covers says whether the leaf is for host, as DANE-TA and PKIX clients ask: nil
// or [ErrName]. A wildcard stands for one whole label, the first, and at least two
// follow it (RFC 7672, section 3.2.3); host may be in any spelling.
func (p Pair) Covers(host string) error {
	want, err := tlsa.CanonicalHost(host)
	if err != nil {
		return err
	}
	_, parent, _ := strings.Cut(want, ".")
	for _, name := range p.Chain.Names() {
		if name == want || strings.Contains(parent, ".") && name == "*."+parent {
			return nil
		}
	}
	return &Error{"certificate of " + subject(p.Chain.Leaf()), fmt.Sprintf("not for %q", want), "add the name to the next order", ErrName}
}

// SelfSigned reports whether the leaf is its own issuer, so that nothing is missing.
func (p Pair) SelfSigned() bool { return selfIssued(p.Chain.Leaf()) }

// HasIssuer reports whether the certificate that issued the leaf is in the
// chain. Without it DANE-TA and most PKIX clients fail (RFC 7671, section 5.2.2).
func (p Pair) HasIssuer() bool {
	certs := p.Chain.Certificates()
	return len(certs) > 1 && certifies(certs[1], certs[0])
}

// HasRoot reports whether the chain contains a self-signed issuer, as a 2 x x
// record of a root needs (RFC 7671, section 5.2.2).
func (p Pair) HasRoot() bool {
	for _, c := range p.Chain.Certificates()[1:] {
		if selfIssued(c) {
			return true
		}
	}
	return false
}

func stampText(t time.Time) string { return t.UTC().Format(time.RFC3339) }
