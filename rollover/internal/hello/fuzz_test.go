package hello

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"slices"
	"testing"
)

// handshake puts messages into a record.
func handshake(messages ...[]byte) []byte {
	body := slices.Concat(messages...)
	return slices.Concat([]byte{recordHandshake, 3, 3}, binary.BigEndian.AppendUint16(nil, uint16(len(body))), body)
}

func message(kind uint8, body ...byte) []byte {
	return slices.Concat([]byte{kind, 0}, binary.BigEndian.AppendUint16(nil, uint16(len(body))), body)
}

// serverHello is one without a session; extensions may be nil.
func serverHello(version, suite uint16, random string, extensions []byte) []byte {
	b := binary.BigEndian.AppendUint16(nil, version)
	b = append(b, (random + string(make([]byte, 32)))[:32]...)
	b = append(b, 0)
	b = binary.BigEndian.AppendUint16(b, suite)
	b = append(b, 0)
	if extensions != nil {
		b = binary.BigEndian.AppendUint16(b, uint16(len(extensions)))
	}
	return message(typeServerHello, append(b, extensions...)...)
}

var (
	retry  = serverHello(tls.VersionTLS12, tls.TLS_AES_128_GCM_SHA256, helloRetryRequest, []byte{0, 43, 0, 2, 3, 4, 0, 51, 0, 2, 0, 29})
	shared = serverHello(tls.VersionTLS12, tls.TLS_AES_128_GCM_SHA256, "", []byte{0, 43, 0, 2, 3, 4, 0, 51, 0, 5, 0, 29, 0, 1, 7})
	curved = serverHello(tls.VersionTLS12, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, "", []byte{0xff, 1, 0, 1, 0, 0, 23, 0, 0})
	field  = serverHello(tls.VersionTLS12, 0x009e, "", nil)
	done   = message(typeServerHelloDone)
	onX    = message(typeServerKeyExchange, 3, 0, 29, 1, 9, 2, 1, 0, 1, 7)
)

// TestRead has answers that are good, and such that are not.
func TestRead(t *testing.T) {
	wrong := func(b []byte, at int, to byte) []byte { b = slices.Clone(b); b[at] = to; return b }
	cut := func(b []byte) []byte { return b[:len(b)-1] }
	for name, r := range map[string]struct {
		said []byte
		want answer
		err  string
	}{
		"retry":                {handshake(retry), answer{version: tls.VersionTLS13, suite: tls.TLS_AES_128_GCM_SHA256, group: "x25519"}, ""},
		"TLS 1.3":              {handshake(shared), answer{version: tls.VersionTLS13, suite: tls.TLS_AES_128_GCM_SHA256, group: "x25519"}, ""},
		"retry with a key":     {handshake(serverHello(tls.VersionTLS12, tls.TLS_AES_128_GCM_SHA256, helloRetryRequest, []byte{0, 51, 0, 5, 0, 29, 0, 1, 7})), answer{}, "a ServerHello that cannot be read"},
		"a curve":              {handshake(curved, onX, done), answer{version: tls.VersionTLS12, suite: tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, secureRenegotiation: true, extendedMasterSecret: true, group: "x25519", hash: "sha1"}, ""},
		"in many records":      {slices.Concat(handshake(curved[:7]), handshake(curved[7:], onX[:3]), handshake(onX[3:], done)), answer{version: tls.VersionTLS12, suite: tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, secureRenegotiation: true, extendedMasterSecret: true, group: "x25519", hash: "sha1"}, ""},
		"after a warning":      {slices.Concat([]byte{recordAlert, 3, 3, 0, 2, 1, 112}, handshake(field, done)), answer{version: tls.VersionTLS12, suite: 0x009e}, ""},
		"a field":              {handshake(field, message(typeServerKeyExchange, 0, 2, 0x83, 1, 0, 1, 2, 0, 1, 5, 4, 1, 0, 1, 7), done), answer{version: tls.VersionTLS12, suite: 0x009e, group: "dh-16", hash: "sha256"}, ""},
		"a curve in numbers":   {handshake(curved, message(typeServerKeyExchange, 1, 9), done), answer{version: tls.VersionTLS12, suite: tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, secureRenegotiation: true, extendedMasterSecret: true, group: "explicit-curve"}, ""},
		"compressed":           {handshake(wrong(field, 4+2+32+1+2, 1), done), answer{version: tls.VersionTLS12, suite: 0x009e, compressed: true}, ""},
		"an alert":             {[]byte{recordAlert, 3, 1, 0, 2, 2, 40}, answer{}, "the server refuses: tls: handshake failure"},
		"goodbye":              {[]byte{recordAlert, 3, 1, 0, 2, 1, 0}, answer{}, "the server refuses: tls: close notify"},
		"words":                {[]byte("421 4.7.0 go away\r\n"), answer{}, `what answers does not speak TLS: it says "421 4"`},
		"an empty record":      {[]byte{recordHandshake, 3, 3, 0, 0}, answer{}, `what answers does not speak TLS: it says "\x16\x03\x03\x00\x00"`},
		"a huge record":        {[]byte{recordHandshake, 3, 3, 0xff, 0xff}, answer{}, `what answers does not speak TLS: it says "\x16\x03\x03\xff\xff"`},
		"a huge message":       {handshake([]byte{typeServerHello, 0xff, 0xff, 0xff}), answer{}, "what answers does not speak TLS: a message of 16777215 octets"},
		"no ServerHello":       {handshake(done), answer{}, "what answers does not speak TLS: message 14 in place of a ServerHello"},
		"a short ServerHello":  {handshake(message(typeServerHello, 3, 3)), answer{}, "a ServerHello that cannot be read"},
		"a short extension":    {handshake(wrong(retry, len(retry)-3, 3)), answer{}, "a ServerHello that cannot be read"},
		"octets left":          {handshake(wrong(retry, 4+2+32+1+2+1+1, 6)), answer{}, "a ServerHello that cannot be read"},
		"another suite":        {handshake(serverHello(tls.VersionTLS12, 0x00ab, "", nil)), answer{}, "the server took suite 0x00ab, which was not offered"},
		"another version":      {handshake(serverHello(0x0200, 0x009e, "", nil)), answer{}, "what answers does not speak TLS: version 0x0200"},
		"a short curve":        {handshake(curved, message(typeServerKeyExchange, 3, 0)), answer{}, "a ServerKeyExchange that cannot be read"},
		"a short point":        {handshake(curved, message(typeServerKeyExchange, 3, 0, 29, 9)), answer{}, "a ServerKeyExchange that cannot be read"},
		"a short signature":    {handshake(curved, message(typeServerKeyExchange, 3, 0, 29, 1, 9, 2, 1, 0, 9)), answer{}, "a ServerKeyExchange that cannot be read"},
		"a short field":        {handshake(field, message(typeServerKeyExchange, 0, 9, 1)), answer{}, "a ServerKeyExchange that cannot be read"},
		"an empty exchange":    {handshake(curved, message(typeServerKeyExchange)), answer{}, "a ServerKeyExchange that cannot be read"},
		"cut within a record":  {cut(handshake(retry)), answer{}, "unexpected EOF"},
		"cut within a message": {handshake(cut(retry)), answer{}, "EOF"},
		"cut before the end":   {handshake(curved, onX), answer{}, "EOF"},
		"nothing":              {nil, answer{}, "EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := read(bytes.NewReader(r.said), everything())
			switch {
			case r.err == "" && (err != nil || got != r.want):
				t.Errorf("%+v, %v; want %+v", got, err, r.want)
			case r.err != "" && (err == nil || err.Error() != r.err):
				t.Errorf("error %v, want %s", err, r.err)
			}
		})
	}
}

func everything() offer { return new(look).of(tls.VersionTLS13) }

// FuzzServerHello has servers say anything at all.
func FuzzServerHello(f *testing.F) {
	for _, seed := range [][]byte{
		handshake(retry), handshake(shared), handshake(curved, onX, done), handshake(field, done), {recordAlert, 3, 3, 0, 2, 2, 40},
	} {
		f.Add(seed)
	}
	o := everything()
	f.Fuzz(func(t *testing.T, said []byte) {
		a, err := read(bytes.NewReader(said), o)
		if err == nil && (!slices.Contains(o.suites, a.suite) || a.version < ssl30 || a.version > tls.VersionTLS13) {
			t.Errorf("%+v was not offered", a)
		}
	})
}

// TestFlightLimit has a server that never comes to an end.
func TestFlightLimit(t *testing.T) {
	endless := bytes.Repeat(handshake(message(11, make([]byte, 1<<13)...)), 100)
	if _, err := read(bytes.NewReader(slices.Concat(handshake(field), endless)), everything()); err == nil || err.Error() != "what answers does not speak TLS: it says more than 262144 octets" {
		t.Error(err)
	}
}
