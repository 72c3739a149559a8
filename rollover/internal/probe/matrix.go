package probe

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/netip"
	"slices"
)

// Address makes every offer to one address, one connection after the other: with
// SNI, then without, and for each of these any algorithm, RSA only, ECDSA only. It
// gives six results, always in that order.
//
// A server that has no certificate of the algorithm asked for and one whose TLS is
// broken turn a handshake down in the same words. So the offers of one algorithm are
// judged beside that of any. Where there is no STARTTLS, or where the server is out
// of reach, offers that remain are not made: they share the outcome of the last. A
// tarpit is waited for at each offer.
func (p *Prober) Address(ctx context.Context, e Endpoint, addr netip.AddrPort) []Result {
	var all []Result
	for _, sni := range []bool{true, false} {
		for _, algorithm := range []string{"", RSA, ECDSA} {
			all = append(all, p.next(ctx, e, all, Result{Address: addr, Offer: Offer{sni, algorithm}}))
		}
	}
	settle(e, all[:3])
	settle(e, all[3:])
	if all[0].Outcome == Served {
		for i := range all[3:] {
			if r := &all[3+i]; r.Outcome == HandshakeFailed {
				r.Err = fmt.Errorf("%w (hint: a server must not insist on SNI, RFC 7672, section 8.1)", r.Err)
			}
		}
	}
	return all
}

// next makes the offer of r, unless the last result shows that this is in vain.
func (p *Prober) next(ctx context.Context, e Endpoint, done []Result, r Result) Result {
	if len(done) > 0 {
		switch last := done[len(done)-1]; last.Outcome {
		case Unreachable, Refused, NoSTARTTLS, ProtocolError:
			r.Outcome, r.Spoke, r.Err = last.Outcome, last.Spoke, last.Err
			return r
		}
	}
	r = p.Probe(ctx, e, r.Address, r.Offer)
	if !errors.Is(r.Err, errHungUp) {
		return r
	}
	// Once may be chance, as where a server counts connections.
	again := p.Probe(ctx, e, r.Address, r.Offer)
	if r.Offer.Algorithm == "" || !errors.Is(again.Err, errHungUp) {
		return again
	}
	// Some servers (Schannel) close the connection where others send an alert.
	r.Outcome, r.Err = NotOffered, nil
	return r
}

// settle judges the offers of one algorithm beside the first, of any algorithm:
// "not offered" and "TLS 1.2 is off" both presume that there is TLS, and the
// former that TLS 1.2 can get the certificates that TLS 1.3 gets.
func settle(e Endpoint, three []Result) {
	whole, restricted := three[0], three[1:]
	served := slices.ContainsFunc(restricted, func(r Result) bool { return r.Outcome == Served })
	for i := range restricted {
		r := &restricted[i]
		noTLS12 := isAlert(r.Err, alertProtocolVersion)
		switch {
		case r.Outcome != NotOffered && !noTLS12:
		case whole.Outcome == HandshakeFailed && !served:
			r.Outcome, r.Err = whole.Outcome, whole.Err
		case noTLS12:
		case whole.Outcome == Served && suitesFor(whole.Algorithm) == r.Offer.Algorithm,
			!served && (whole.Outcome != Served || whole.Version != tls.VersionTLS12):
			r.Outcome = AlgorithmUntested
			r.Err = fmt.Errorf("%s at %s: TLS handshake (%s): turned down in TLS 1.2, which tells nothing of TLS 1.3", e, r.Address, r.Offer)
		}
	}
}

// suitesFor is the offer of one algorithm that gets a leaf of the given one.
func suitesFor(leaf string) string {
	if leaf == RSA {
		return RSA
	}
	return ECDSA // ed25519 too
}
