package probe

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// An address of a family that this host has no route for cannot be tested: that is
// no pass, and nothing against the server either.
func TestNoRouteIsNoPass(t *testing.T) {
	for _, errno := range []syscall.Errno{syscall.ENETUNREACH, syscall.EHOSTUNREACH, syscall.EADDRNOTAVAIL, syscall.EAFNOSUPPORT} {
		dials := 0
		p := &Prober{Dial: func(context.Context, string, string) (net.Conn, error) {
			dials++
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", errno)}
		}}
		results := p.Address(t.Context(), Endpoint{"smtp", "mx.example", 25}, netip.MustParseAddrPort("[2001:db8::25]:25"))
		for _, r := range results {
			if r.Outcome != Unreachable || r.Outcome.Known() || r.Outcome.Broken() || r.Chain != nil || r.Err == nil || !strings.Contains(r.Err.Error(), errno.Error()) {
				t.Errorf("%v: got %+v", errno, r)
			}
		}
		if len(results) != 6 || dials != 1 {
			t.Errorf("%v: %d results of %d connections", errno, len(results), dials)
		}
	}
}

// Who cannot show a raw public key is not asked for one (RFC 7250): so none is
// negotiated, and there is always a certificate to look at.
func TestNoRawPublicKeyIsAskedFor(t *testing.T) {
	hellos := make(chan *tls.ClientHelloInfo, 1)
	config := with(t, "ecdsa")
	config.GetConfigForClient = func(h *tls.ClientHelloInfo) (*tls.Config, error) { hellos <- h; return nil, nil }
	addr := serveTLS(t, config)
	const clientCertificateType, serverCertificateType = 19, 20
	for _, offer := range []Offer{{}, {SNI: true}, {true, ECDSA}} {
		if got := new(Prober).Probe(t.Context(), endpoint, addr, offer); got.Outcome != Served {
			t.Fatalf("%s: got %+v", offer, got)
		}
		h := <-hellos
		if slices.Contains(h.Extensions, clientCertificateType) || slices.Contains(h.Extensions, serverCertificateType) {
			t.Errorf("%s: asks for a raw public key: %v", offer, h.Extensions)
		}
	}
}

// Seen in other tools: EHLO and STARTTLS in one segment. Servers take that for
// pipelining before TLS and hang up. Nothing is sent here before the answer to what
// was sent before is there, whole.
func TestNothingIsSentAheadOfAnAnswer(t *testing.T) {
	for scheme, talk := range map[string]script{"smtp": smtpTalk, "imap": imapTalk, "pop3": pop3Talk, "sieve": sieveTalk} {
		t.Run(scheme, func(t *testing.T) {
			addr := serve(t, func(raw net.Conn) {
				for i, step := range talk {
					if step == "TLS" {
						return
					}
					if err := playStep(raw, step); err != nil {
						t.Errorf("%s: %v", step, err)
						return
					}
					// With part of the answer to come, or all of it, the client is silent.
					if more := i+1 < len(talk) && strings.HasPrefix(talk[i+1], "S:"); more {
						raw.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
						var b [1]byte
						if n, _ := raw.Read(b[:]); n > 0 {
							t.Errorf("after %q the client did not wait for %q", step, talk[i+1])
							return
						}
						raw.SetReadDeadline(time.Time{})
					}
				}
			})
			p := &Prober{Hello: "probe.example", Timeout: 5 * time.Second}
			e := must(ParseURL(scheme + "://mx.example"))
			if got := p.Probe(t.Context(), e, addr, Offer{SNI: true}); got.Outcome == Served || got.Outcome == ProtocolError {
				t.Errorf("got %+v", got)
			}
		})
	}
}

// playStep plays one step, and takes no octet more than the step has, so that what the
// client sent ahead is still there to be found.
func playStep(c net.Conn, step string) error {
	text, command := strings.CutPrefix(step, "C: ")
	if !command {
		_, err := io.WriteString(c, strings.TrimPrefix(step, "S: ")+"\r\n")
		return err
	}
	line := make([]byte, len(text)+2)
	if _, err := io.ReadFull(c, line); err != nil {
		return err
	}
	if string(line) != text+"\r\n" {
		return errors.New("want " + text + ", the client said " + said(string(line)))
	}
	return nil
}
