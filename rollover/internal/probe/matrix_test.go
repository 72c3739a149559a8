package probe

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// told puts a matrix as one line a result, the leaf by its common name.
func told(results []Result) []string {
	var all []string
	for _, r := range results {
		s := fmt.Sprintf("%s: %s", r.Offer, r.Outcome)
		if r.Chain != nil {
			s += fmt.Sprintf(" %s of %s in %s", r.Algorithm, r.Chain.Leaf().Subject.CommonName, tls.VersionName(r.Version))
		}
		all = append(all, s)
	}
	return all
}

// hangUp ends the connection of a ClientHello without an alert.
func hangUp(h *tls.ClientHelloInfo) (*tls.Config, error) {
	h.Conn.Close()
	return nil, errors.New("closed")
}

// answer ends the handshake of a ClientHello with an alert of the server's own.
func answer(h *tls.ClientHelloInfo, alert tls.AlertError) (*tls.Config, error) {
	h.Conn.Write([]byte{21, 3, 3, 0, 2, 2, byte(alert)})
	return hangUp(h)
}

func only12(h *tls.ClientHelloInfo) bool {
	for _, v := range h.SupportedVersions {
		if v == tls.VersionTLS13 {
			return false
		}
	}
	return true
}

func TestAddress(t *testing.T) {
	change := func(c *tls.Config, f func(*tls.Config)) *tls.Config { f(c); return c }
	ask := func(c *tls.Config, f func(*tls.ClientHelloInfo) (*tls.Config, error)) *tls.Config {
		c.GetConfigForClient = f
		return c
	}
	var once, first atomic.Bool
	tests := map[string]struct {
		config *tls.Config
		want   []string
		dials  int
		err    string // of the last result
	}{
		"both algorithms": {config: with(t, "ecdsa", "rsa"), dials: 6, want: []string{
			"SNI: served ecdsa of mx.example in TLS 1.3",
			"SNI, rsa only: served rsa of mx.example in TLS 1.2",
			"SNI, ecdsa only: served ecdsa of mx.example in TLS 1.2",
			"no SNI: served ecdsa of mx.example in TLS 1.3",
			"no SNI, rsa only: served rsa of mx.example in TLS 1.2",
			"no SNI, ecdsa only: served ecdsa of mx.example in TLS 1.2",
		}},
		"one algorithm": {config: with(t, "rsa"), dials: 6, want: []string{
			"SNI: served rsa of mx.example in TLS 1.3",
			"SNI, rsa only: served rsa of mx.example in TLS 1.2",
			"SNI, ecdsa only: not-offered",
			"no SNI: served rsa of mx.example in TLS 1.3",
			"no SNI, rsa only: served rsa of mx.example in TLS 1.2",
			"no SNI, ecdsa only: not-offered",
		}},
		"ed25519": {config: with(t, "ed25519"), dials: 6, want: []string{
			"SNI: served ed25519 of mx.example in TLS 1.3",
			"SNI, rsa only: not-offered",
			"SNI, ecdsa only: served ed25519 of mx.example in TLS 1.2",
			"no SNI: served ed25519 of mx.example in TLS 1.3",
			"no SNI, rsa only: not-offered",
			"no SNI, ecdsa only: served ed25519 of mx.example in TLS 1.2",
		}},
		"SNI chooses": {
			config: change(with(t, "ecdsa"), func(c *tls.Config) {
				named, other := c.Certificates[0], certificate(t, "rsa", "default.example")
				c.Certificates = nil
				c.GetCertificate = func(h *tls.ClientHelloInfo) (*tls.Certificate, error) {
					if h.ServerName == "mx.example" {
						return &named, nil
					}
					return &other, nil
				}
			}), dials: 6, want: []string{
				"SNI: served ecdsa of mx.example in TLS 1.3",
				"SNI, rsa only: not-offered",
				"SNI, ecdsa only: served ecdsa of mx.example in TLS 1.2",
				"no SNI: served rsa of default.example in TLS 1.3",
				"no SNI, rsa only: served rsa of default.example in TLS 1.2",
				"no SNI, ecdsa only: not-offered",
			}},
		"insists on SNI": {
			config: ask(with(t, "ecdsa"), func(h *tls.ClientHelloInfo) (*tls.Config, error) {
				if h.ServerName == "" {
					return answer(h, alertHandshakeFailure)
				}
				return nil, nil
			}), dials: 6, want: []string{
				"SNI: served ecdsa of mx.example in TLS 1.3",
				"SNI, rsa only: not-offered",
				"SNI, ecdsa only: served ecdsa of mx.example in TLS 1.2",
				"no SNI: handshake-failed",
				"no SNI, rsa only: handshake-failed",
				"no SNI, ecdsa only: handshake-failed",
			}, err: "TLS handshake (no SNI): remote error: tls: handshake failure (hint: a server must not insist on SNI, RFC 7672, section 8.1)"},
		"TLS 1.3 only": {config: change(with(t, "ecdsa", "rsa"), func(c *tls.Config) { c.MinVersion = tls.VersionTLS13 }), dials: 6, want: []string{
			"SNI: served ecdsa of mx.example in TLS 1.3",
			"SNI, rsa only: algorithm-untested",
			"SNI, ecdsa only: algorithm-untested",
			"no SNI: served ecdsa of mx.example in TLS 1.3",
			"no SNI, rsa only: algorithm-untested",
			"no SNI, ecdsa only: algorithm-untested",
		}, err: "TLS handshake (no SNI, ecdsa only): remote error: tls: protocol version not supported (hint: TLS 1.2 is off, and in TLS 1.3 no algorithm can be asked for)"},
		"TLS 1.3 only, in other words": {
			config: ask(with(t, "rsa"), func(h *tls.ClientHelloInfo) (*tls.Config, error) {
				if only12(h) {
					return answer(h, alertHandshakeFailure)
				}
				return nil, nil
			}), dials: 6, want: []string{
				"SNI: served rsa of mx.example in TLS 1.3",
				"SNI, rsa only: algorithm-untested",
				"SNI, ecdsa only: algorithm-untested",
				"no SNI: served rsa of mx.example in TLS 1.3",
				"no SNI, rsa only: algorithm-untested",
				"no SNI, ecdsa only: algorithm-untested",
			}, err: "TLS handshake (no SNI, ecdsa only): turned down in TLS 1.2, which tells nothing of TLS 1.3"},
		"an algorithm in TLS 1.3 only": {
			config: change(with(t, "ecdsa", "rsa"), func(c *tls.Config) {
				c.CipherSuites = []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256}
			}), dials: 6, want: []string{
				"SNI: served ecdsa of mx.example in TLS 1.3",
				"SNI, rsa only: served rsa of mx.example in TLS 1.2",
				"SNI, ecdsa only: algorithm-untested",
				"no SNI: served ecdsa of mx.example in TLS 1.3",
				"no SNI, rsa only: served rsa of mx.example in TLS 1.2",
				"no SNI, ecdsa only: algorithm-untested",
			}, err: "TLS handshake (no SNI, ecdsa only): turned down in TLS 1.2, which tells nothing of TLS 1.3"},
		"TLS 1.0 only": {config: change(with(t, "rsa"), func(c *tls.Config) { c.MaxVersion = tls.VersionTLS10 }), dials: 6, want: []string{
			"SNI: handshake-failed",
			"SNI, rsa only: handshake-failed",
			"SNI, ecdsa only: handshake-failed",
			"no SNI: handshake-failed",
			"no SNI, rsa only: handshake-failed",
			"no SNI, ecdsa only: handshake-failed",
		}, err: "TLS handshake (no SNI): remote error: tls: protocol version not supported (hint: TLS 1.2 or 1.3 is wanted, RFC 8996)"},
		"no certificate at all": {config: with(t), dials: 6, want: []string{
			"SNI: handshake-failed",
			"SNI, rsa only: handshake-failed",
			"SNI, ecdsa only: handshake-failed",
			"no SNI: handshake-failed",
			"no SNI, rsa only: handshake-failed",
			"no SNI, ecdsa only: handshake-failed",
		}, err: "TLS handshake (no SNI, ecdsa only): remote error: tls: unrecognized name"},
		"chokes on TLS 1.3": {
			config: ask(with(t, "rsa"), func(h *tls.ClientHelloInfo) (*tls.Config, error) {
				if !only12(h) {
					return hangUp(h)
				}
				return nil, nil
			}), dials: 8, want: []string{
				"SNI: handshake-failed",
				"SNI, rsa only: served rsa of mx.example in TLS 1.2",
				"SNI, ecdsa only: not-offered",
				"no SNI: handshake-failed",
				"no SNI, rsa only: served rsa of mx.example in TLS 1.2",
				"no SNI, ecdsa only: not-offered",
			}},
		"hangs up where others send an alert": {
			config: ask(with(t, "rsa"), func(h *tls.ClientHelloInfo) (*tls.Config, error) {
				if h.CipherSuites[0] == tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 && only12(h) {
					return hangUp(h)
				}
				return nil, nil
			}), dials: 8, want: []string{
				"SNI: served rsa of mx.example in TLS 1.3",
				"SNI, rsa only: served rsa of mx.example in TLS 1.2",
				"SNI, ecdsa only: not-offered",
				"no SNI: served rsa of mx.example in TLS 1.3",
				"no SNI, rsa only: served rsa of mx.example in TLS 1.2",
				"no SNI, ecdsa only: not-offered",
			}},
		"hangs up once": {
			config: ask(with(t, "rsa"), func(h *tls.ClientHelloInfo) (*tls.Config, error) {
				if only12(h) && once.CompareAndSwap(false, true) {
					return hangUp(h)
				}
				return nil, nil
			}), dials: 7, want: []string{
				"SNI: served rsa of mx.example in TLS 1.3",
				"SNI, rsa only: served rsa of mx.example in TLS 1.2",
				"SNI, ecdsa only: not-offered",
				"no SNI: served rsa of mx.example in TLS 1.3",
				"no SNI, rsa only: served rsa of mx.example in TLS 1.2",
				"no SNI, ecdsa only: not-offered",
			}},
		"hangs up on the first": {
			config: ask(with(t, "rsa"), func(h *tls.ClientHelloInfo) (*tls.Config, error) {
				if first.CompareAndSwap(false, true) {
					return hangUp(h)
				}
				return nil, nil
			}), dials: 7, want: []string{
				"SNI: served rsa of mx.example in TLS 1.3",
				"SNI, rsa only: served rsa of mx.example in TLS 1.2",
				"SNI, ecdsa only: not-offered",
				"no SNI: served rsa of mx.example in TLS 1.3",
				"no SNI, rsa only: served rsa of mx.example in TLS 1.2",
				"no SNI, ecdsa only: not-offered",
			}},
		"hangs up always": {config: ask(with(t, "rsa"), hangUp), dials: 12, want: []string{
			"SNI: handshake-failed",
			"SNI, rsa only: handshake-failed",
			"SNI, ecdsa only: handshake-failed",
			"no SNI: handshake-failed",
			"no SNI, rsa only: handshake-failed",
			"no SNI, ecdsa only: handshake-failed",
		}, err: "TLS handshake (no SNI): the server hung up on the ClientHello"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			addr := serveTLS(t, tt.config)
			dials := 0
			p := &Prober{Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
				dials++
				return new(net.Dialer).DialContext(ctx, network, address)
			}}
			got := p.Address(t.Context(), endpoint, addr)
			if diff := cmp.Diff(tt.want, told(got)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if dials != tt.dials {
				t.Errorf("%d connections, want %d", dials, tt.dials)
			}
			if want := "tls://mx.example:443 at " + addr.String() + ": " + tt.err; tt.err != "" && got[5].Err.Error() != want {
				t.Errorf("got error\n %v, want\n %s", got[5].Err, want)
			}
			for _, r := range got {
				if quiet := r.Outcome == Served || r.Outcome == NotOffered; quiet != (r.Err == nil) || r.Address != addr {
					t.Errorf("got %+v", r)
				}
			}
		})
	}
}

// What is so for every offer is found out once.
func TestAddressStopsEarly(t *testing.T) {
	for name, tt := range map[string]struct {
		talks []script // of one connection after the other
		want  []Outcome
	}{
		"no STARTTLS": {[]script{{"S: 220 mx", "C: EHLO probe.example", "S: 250 mx", "C: QUIT", "S: 221 bye"}},
			[]Outcome{NoSTARTTLS, NoSTARTTLS, NoSTARTTLS, NoSTARTTLS, NoSTARTTLS, NoSTARTTLS}},
		"refused": {[]script{{"S: 421 busy", "C: QUIT", "S: 221 bye"}},
			[]Outcome{Refused, Refused, Refused, Refused, Refused, Refused}},
		"no SMTP": {[]script{{"S: hello", "hang"}},
			[]Outcome{ProtocolError, ProtocolError, ProtocolError, ProtocolError, ProtocolError, ProtocolError}},
		"too many connections": {[]script{smtpTalk, smtpTalk, smtpTalk, smtpTalk, {"S: 421 slow down", "C: QUIT", "S: 221 bye"}},
			[]Outcome{Served, NotOffered, Served, Served, Refused, Refused}},
		"gone": {[]script{smtpTalk, {"close"}},
			[]Outcome{Served, Unreachable, Unreachable, Unreachable, Unreachable, Unreachable}},
	} {
		t.Run(name, func(t *testing.T) {
			config := with(t, "ecdsa")
			next := 0
			p := &Prober{Hello: "probe.example", Dial: func(context.Context, string, string) (net.Conn, error) {
				if next == len(tt.talks) {
					return nil, errors.New("one connection too many")
				}
				client, server := net.Pipe()
				talk := tt.talks[next]
				next++
				go func() {
					defer server.Close()
					talk.play(server, config) // the offer that is turned down ends it early
				}()
				return client, nil
			}}
			got := p.Address(t.Context(), must(ParseURL("smtp://mx.example")), netip.MustParseAddrPort("192.0.2.1:25"))
			var outcomes []Outcome
			for i, r := range got {
				outcomes = append(outcomes, r.Outcome)
				if want := (Offer{SNI: i < 3, Algorithm: []string{"", RSA, ECDSA}[i%3]}); r.Offer != want {
					t.Errorf("result %d is of %s, want %s", i, r.Offer, want)
				}
				if i > 0 && r.Err != nil && strings.Contains(r.Err.Error(), "one connection too many") {
					t.Errorf("result %d: %v", i, r.Err)
				}
			}
			if diff := cmp.Diff(tt.want, outcomes); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if next != len(tt.talks) {
				t.Errorf("%d connections, want %d", next, len(tt.talks))
			}
		})
	}
}

func TestOutcomes(t *testing.T) {
	for o, want := range map[Outcome]struct {
		known, broken bool
		word          string
	}{
		Served:            {true, false, ""},
		Unreachable:       {false, false, ""},
		Refused:           {false, false, ""},
		NoSTARTTLS:        {true, true, "starttls-not-supported"},
		ProtocolError:     {true, true, "validation-failure"},
		HandshakeFailed:   {true, true, "validation-failure"},
		NotOffered:        {true, false, ""},
		AlgorithmUntested: {false, false, ""},
		"":                {false, false, ""},
	} {
		if o.Known() != want.known || o.Broken() != want.broken || o.ResultType() != want.word {
			t.Errorf("%q: got %t, %t, %q, want %v", o, o.Known(), o.Broken(), o.ResultType(), want)
		}
	}
}
