package hello

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"slices"

	"golang.org/x/crypto/cryptobyte"
)

// An answer is what a server chose.
type answer struct {
	version, suite       uint16
	compressed           bool
	secureRenegotiation  bool
	extendedMasterSecret bool
	group                string // "" where there is none, or it is not told
	hash                 string // under the key exchange; "" where nothing is signed
}

// What a server may say before it is its turn to be answered.
const (
	maxRecord = 1<<14 + 2048 // RFC 5246, section 6.2.3
	maxFlight = 256 << 10
)

// A refusal is an alert in place of an answer.
type refusal struct{ description uint8 }

func (r refusal) Error() string {
	return "the server refuses: " + tls.AlertError(r.description).Error()
}

var errNoTLS = errors.New("what answers does not speak TLS")

// read takes the server's answer to an offer: its ServerHello, and up to TLS 1.2 its part
// of the key exchange. Every length is checked against what is there.
func read(r io.Reader, o offer) (answer, error) {
	f := &flight{r: r, left: maxFlight}
	kind, body, err := f.next()
	if err != nil {
		return answer{}, err
	}
	if kind != typeServerHello {
		return answer{}, fmt.Errorf("%w: message %d in place of a ServerHello", errNoTLS, kind)
	}
	a, err := parseServerHello(body)
	switch {
	case err != nil:
		return a, err
	case !slices.Contains(o.suites, a.suite):
		return a, fmt.Errorf("the server took suite 0x%04x, which was not offered", a.suite)
	case a.version > o.newest:
		return a, fmt.Errorf("the server took version 0x%04x, which was not offered", a.version)
	case a.version >= tls.VersionTLS13:
		return a, nil
	}
	how, _ := familyOf(a.suite)
	for {
		switch kind, body, err = f.next(); {
		case err != nil:
			return a, err
		case kind == typeServerKeyExchange:
			a.group, a.hash, err = parseKeyExchange(body, how, a.version)
			if err != nil {
				return a, err
			}
		case kind == typeServerHelloDone:
			return a, nil
		}
	}
}

// Handshake messages (RFC 5246, section 7.4).
const (
	typeServerHello       = 2
	typeServerKeyExchange = 12
	typeServerHelloDone   = 14
)

// helloRetryRequest is the random of a ServerHello that is one (RFC 8446, section 4.1.3).
const helloRetryRequest = "\xcf\x21\xad\x74\xe5\x9a\x61\x11\xbe\x1d\x8c\x02\x1e\x65\xb8\x91\xc2\xa2\x11\x16\x7a\xbb\x8c\x5e\x07\x9e\x09\xe2\xc8\xa8\x33\x9c"

func parseHello(body []byte) (a answer, err error) {
	malformed := errors.New("a ServerHello that cannot be read")
	s := cryptobyte.String(body)
	var random []byte
	var session cryptobyte.String
	var compression uint8
	if !s.ReadUint16(&a.version) || !s.ReadBytes(&random, 32) || !s.ReadUint8LengthPrefixed(&session) ||
		!s.ReadUint16(&a.suite) || !s.ReadUint8(&compression) {
		return a, malformed
	}
	a.compressed = compression != 0
	if s.Empty() {
		return a, nil // no extensions
	}
	var extensions cryptobyte.String
	if !s.ReadUint16LengthPrefixed(&extensions) || !s.Empty() {
		return a, malformed
	}
	for !extensions.Empty() {
		var id uint16
		var data cryptobyte.String
		if !extensions.ReadUint16(&id) || !extensions.ReadUint16LengthPrefixed(&data) {
			return a, malformed
		}
		ok := true
		switch id {
		case extSupportedVersions:
			ok = data.ReadUint16(&a.version)
		case extRenegotiationInfo:
			a.secureRenegotiation = true
		case extExtendedMasterSecret:
			a.extendedMasterSecret = true
		case extKeyShare:
			// Of a HelloRetryRequest it is the group alone (RFC 8446, section 4.2.8).
			var chosen uint16
			ok = data.ReadUint16(&chosen) && (data.Empty() || string(random) != helloRetryRequest)
			a.group = groupName(chosen)
		}
		if !ok {
			return a, malformed
		}
	}
	return a, nil
}

// parseServerHello reads a ServerHello (RFC 8446, section 4.1.3; RFC 5246, section 7.4.1.3).
func parseServerHello(body []byte) (answer, error) {
	a, err := parseHello(body)
	if err == nil && (a.version < ssl30 || a.version > tls.VersionTLS13) {
		err = fmt.Errorf("%w: version 0x%04x", errNoTLS, a.version)
	}
	return a, err
}

// parseKeyExchange reads a ServerKeyExchange (RFC 5246, section 7.4.3; RFC 8422, section
// 5.4). Before TLS 1.2 the hash goes by the kind of the key.
func parseKeyExchange(body []byte, how family, version uint16) (group, hash string, err error) {
	malformed := errors.New("a ServerKeyExchange that cannot be read")
	s := cryptobyte.String(body)
	switch how.exchange {
	case curve:
		var kind uint8
		var id uint16
		var point cryptobyte.String
		if !s.ReadUint8(&kind) {
			return "", "", malformed
		}
		if kind != 3 { // a curve in numbers, which RFC 8422 did away with
			return "explicit-curve", "", nil
		}
		if !s.ReadUint16(&id) || !s.ReadUint8LengthPrefixed(&point) {
			return "", "", malformed
		}
		group = groupName(id)
	case finite:
		var prime, generator, public cryptobyte.String
		if !s.ReadUint16LengthPrefixed(&prime) || !s.ReadUint16LengthPrefixed(&generator) || !s.ReadUint16LengthPrefixed(&public) {
			return "", "", malformed
		}
		group = fieldName(prime, generator)
	default: // an RSA key for export
		return "", "", nil
	}
	switch {
	case how.signature == "":
		return group, "", nil
	case version < tls.VersionTLS12:
		return group, how.signature, nil
	}
	var scheme uint16
	var signature cryptobyte.String
	if !s.ReadUint16(&scheme) || !s.ReadUint16LengthPrefixed(&signature) {
		return "", "", malformed
	}
	return group, hashOf(scheme), nil
}
