package hello

import (
	"crypto/tls"
	"net"
	"slices"
	"testing"

	"golang.org/x/crypto/cryptobyte"
)

// TestSSL30 has a server of long ago, which nobody builds any more: SSL 3.0, compression,
// no renegotiation that is safe.
func TestSSL30(t *testing.T) {
	yes, no := true, false
	own := []uint16{tls.TLS_RSA_WITH_RC4_128_SHA, tls.TLS_RSA_WITH_AES_128_CBC_SHA}
	at, _ := serve(t, func(c net.Conn) {
		heard, ok := hear(c)
		if !ok {
			t.Error("no ClientHello")
			return
		}
		if heard.version == ssl30 && (heard.extended || !slices.Contains(heard.suites, renegotiationSCSV)) {
			t.Error("SSL 3.0 has no extensions")
		}
		for _, s := range own {
			if slices.Contains(heard.suites, s) {
				hello := serverHello(ssl30, s, "", nil)
				hello[4+2+32+1+2] = heard.compression
				_, _ = c.Write(handshake(hello, message(11, 0, 0, 0), done))
				_, _ = c.Read(make([]byte, 64))
				return
			}
		}
		_, _ = c.Write([]byte{recordAlert, 3, 0, 0, 2, 2, 40})
	})
	got := newScanner().All(t.Context(), endpoint, at)
	want := Result{
		Versions: []uint16{ssl30}, Suites: map[uint16][]uint16{ssl30: own}, OwnOrder: map[uint16]bool{ssl30: true},
		Compression: &yes, SecureRenegotiation: &no,
	}
	if !slices.Equal(got.Versions, want.Versions) || !slices.Equal(got.Suites[ssl30], own) || !got.OwnOrder[ssl30] || got.Err != "" ||
		len(got.Groups)+len(got.Hashes) > 0 || got.Compression == nil || !*got.Compression || got.SecureRenegotiation == nil || *got.SecureRenegotiation {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// A heard is what a server needs of a ClientHello.
type heard struct {
	version     uint16
	suites      []uint16
	compression uint8 // the first that is offered
	extended    bool
}

func hear(c net.Conn) (h heard, ok bool) {
	buffer := make([]byte, 4096)
	n, err := c.Read(buffer)
	s := cryptobyte.String(buffer[:n])
	var record, message, session, suites, compressions cryptobyte.String
	var kind uint8
	if err != nil || !s.Skip(3) || !s.ReadUint16LengthPrefixed(&record) || !record.ReadUint8(&kind) || kind != 1 ||
		!record.ReadUint24LengthPrefixed(&message) || !message.ReadUint16(&h.version) || !message.Skip(32) ||
		!message.ReadUint8LengthPrefixed(&session) || !message.ReadUint16LengthPrefixed(&suites) || !message.ReadUint8LengthPrefixed(&compressions) ||
		!compressions.ReadUint8(&h.compression) {
		return h, false
	}
	for !suites.Empty() {
		var id uint16
		if !suites.ReadUint16(&id) {
			return h, false
		}
		h.suites = append(h.suites, id)
	}
	h.extended = !message.Empty()
	return h, true
}
