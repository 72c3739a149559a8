package rfc2136

import (
	"bytes"
	"crypto/hmac"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"slices"
	"time"

	"github.com/miekg/dns"
)

// fudge is how far clocks may be apart (RFC 8945, section 10).
const fudge = 300 * time.Second

// key is a TSIG key.
//
// Replies are verified here and not by the library: that accepts a reply without a
// signature, does not verify one with RCODE NOTAUTH, which a signed BADTIME has,
// and compares times with a clock of its own.
type key struct {
	name      string // canonical
	algorithm string // canonical
	macs      macs
	until     time.Time // when it ends; zero: it does not
}

// macs makes and compares MACs.
type macs interface {
	sum(msg []byte) ([]byte, error)
	// compare returns nil if mac is the server's MAC of msg, else errWrongMAC or errShortMAC.
	compare(mac, msg []byte) error
}

// secretHash makes MACs with a secret that both sides have.
type secretHash struct {
	hash   func() hash.Hash
	secret func() []byte // a function, so that nothing that prints a key prints the secret
}

func (s secretHash) sum(msg []byte) ([]byte, error) {
	h := hmac.New(s.hash, s.secret())
	h.Write(msg)
	return h.Sum(nil), nil
}

func (s secretHash) compare(mac, msg []byte) error {
	want, err := s.sum(msg)
	switch {
	case err != nil:
		return err
	case len(mac) < len(want) && len(mac) >= max(10, len(want)/2) && hmac.Equal(mac, want[:len(mac)]):
		return errShortMAC // RFC 8945, section 5.2.2.1 allows it, nobody asked for it
	case !hmac.Equal(mac, want):
		return errWrongMAC
	}
	return nil
}

// Generate and Verify make the key a dns.TsigProvider.
func (k *key) Generate(msg []byte, _ *dns.TSIG) ([]byte, error) { return k.macs.sum(msg) }

// Verify compares the MAC in t with the one of msg.
func (k *key) Verify(msg []byte, t *dns.TSIG) error {
	mac, err := hex.DecodeString(t.MAC)
	if err != nil || k.macs.compare(mac, msg) != nil {
		return dns.ErrSig
	}
	return nil
}

// sign packs the request with a TSIG record and returns the MAC, which the reply's
// depends on.
func (k *key) sign(m *dns.Msg, now time.Time) (raw, mac []byte, err error) {
	m.Extra = append(m.Extra, &dns.TSIG{
		Hdr:        dns.RR_Header{Name: k.name, Rrtype: dns.TypeTSIG, Class: dns.ClassANY},
		Algorithm:  k.algorithm,
		TimeSigned: uint64(now.Unix()),
		Fudge:      uint16(fudge / time.Second),
		OrigId:     m.Id,
	})
	raw, hexMAC, err := dns.TsigGenerateWithProvider(m, k, "", false) // takes the record out again
	if err != nil {
		return nil, nil, err
	}
	mac, err = hex.DecodeString(hexMAC)
	return raw, mac, err
}

// Why a reply is not believed.
var (
	errUnsigned     = errors.New("the reply is not signed, and the request was: it is not believed")
	errTSIGMisplace = errors.New("the reply has a TSIG record that is not its last record: it is not believed (RFC 8945, section 5.2)")
	errWrongMAC     = errors.New("the signature of the reply does not fit: it is not believed")
	errShortMAC     = errors.New("the signature of the reply is truncated: it is not believed")
	errEchoedMAC    = errors.New("the reply has the signature of the request instead of one of its own: it is not believed")
)

// A tsigError is an error that the server reports in a TSIG record (RFC 8945, section 3).
type tsigError struct {
	code   uint16
	signed bool      // whether the report is
	server time.Time // its clock, with BADTIME
}

// Error is the mnemonic of the code and what it means.
func (e *tsigError) Error() string {
	name, meaning := dns.RcodeToString[int(e.code)], "a TSIG error that has no name"
	switch e.code {
	case dns.RcodeBadSig:
		meaning = "the server finds the signature of the request wrong"
	case dns.RcodeBadKey:
		meaning = "the server does not know the key, or not with this algorithm"
	case dns.RcodeBadTime:
		meaning = "the server finds that the request was signed at the wrong time"
	case dns.RcodeBadTrunc:
		meaning = "the server finds the signature of the request too short"
	}
	if name == "" {
		name = fmt.Sprintf("TSIG error %d", e.code)
	}
	return name + ": " + meaning
}

// verify says why the reply raw to the request with that MAC is not believed; nil if
// it is proven to come from who holds the key. A [tsigError] that is signed is
// proven too. A request without a signature has no MAC, and then there is nothing of it
// in the reply's. The checks are in the order of RFC 8945, section 5.2.
func (k *key) verify(raw, requestMAC []byte, now time.Time) error {
	t, offset, err := findTSIG(raw)
	if err != nil {
		return err
	}
	rcode := int(raw[3] & 0xf)
	if t.MACSize == 0 {
		if rcode == dns.RcodeNotAuth && t.Error != dns.RcodeSuccess {
			return &tsigError{code: t.Error} // section 5.3.2
		}
		return errUnsigned
	}
	if name := dns.CanonicalName(t.Hdr.Name); name != k.name {
		return fmt.Errorf("the reply is signed with the key %q and the request was with %q: it is not believed", name, k.name)
	}
	if algorithm := dns.CanonicalName(t.Algorithm); algorithm != k.algorithm {
		return fmt.Errorf("the reply is signed with the algorithm %q and the request was with %q: it is not believed", algorithm, k.algorithm)
	}
	variables, err := tsigVariables(t)
	if err != nil {
		return fmt.Errorf("%w: %w", errWrongMAC, err)
	}
	mac, err := hex.DecodeString(t.MAC)
	switch {
	case err != nil:
		return errWrongMAC
	case len(requestMAC) > 0 && bytes.Equal(mac, requestMAC):
		return errEchoedMAC
	}
	var msg []byte
	if len(requestMAC) > 0 {
		msg = lengthPrefixed(requestMAC)
	}
	msg = slices.Concat(msg, withoutTSIG(raw, offset, t.OrigId), variables)
	if err := k.macs.compare(mac, msg); err != nil {
		return err
	}
	if t.Error != dns.RcodeSuccess {
		return &tsigError{code: t.Error, signed: true, server: serverTime(t)}
	}
	signed := time.Unix(int64(t.TimeSigned), 0)
	if apart := now.Sub(signed).Abs(); apart > time.Duration(t.Fudge)*time.Second {
		return fmt.Errorf("the reply was signed at %s, which is %s from this host's clock: it is not believed", signed.UTC().Format(time.RFC3339), apart.Truncate(time.Second))
	}
	return nil
}

// findTSIG returns the TSIG record of the message and where it begins. It has to be
// the last record and the only one.
func findTSIG(raw []byte) (*dns.TSIG, int, error) {
	records, err := locate(raw)
	if err != nil {
		return nil, 0, err
	}
	for i, r := range records {
		if r.rrtype != dns.TypeTSIG {
			continue
		}
		if i != len(records)-1 || !r.additional {
			return nil, 0, errTSIGMisplace
		}
		rr, _, err := dns.UnpackRR(raw, r.offset)
		t, ok := rr.(*dns.TSIG)
		if err != nil || !ok || t.Hdr.Class != dns.ClassANY || t.Hdr.Ttl != 0 {
			return nil, 0, errTSIGMisplace
		}
		return t, r.offset, nil
	}
	return nil, 0, errUnsigned
}

// withoutTSIG is the message as it was before it was signed (RFC 8945, section 4.3.2).
func withoutTSIG(raw []byte, offset int, originalID uint16) []byte {
	msg := append([]byte(nil), raw[:offset]...)
	binary.BigEndian.PutUint16(msg[0:], originalID)
	binary.BigEndian.PutUint16(msg[10:], binary.BigEndian.Uint16(msg[10:])-1) // ARCOUNT
	return msg
}

// tsigVariables are what is signed beside the message (RFC 8945, section 4.3.3).
func tsigVariables(t *dns.TSIG) ([]byte, error) {
	name, err := wireName(t.Hdr.Name)
	if err != nil {
		return nil, err
	}
	algorithm, err := wireName(t.Algorithm)
	if err != nil {
		return nil, err
	}
	other, err := hex.DecodeString(t.OtherData)
	if err != nil || len(other) != int(t.OtherLen) {
		return nil, errShort
	}
	b := binary.BigEndian.AppendUint16(name, dns.ClassANY)
	b = binary.BigEndian.AppendUint32(b, t.Hdr.Ttl)
	b = append(b, algorithm...)
	b = binary.BigEndian.AppendUint16(b, uint16(t.TimeSigned>>32))
	b = binary.BigEndian.AppendUint32(b, uint32(t.TimeSigned))
	b = binary.BigEndian.AppendUint16(b, t.Fudge)
	b = binary.BigEndian.AppendUint16(b, t.Error)
	b = binary.BigEndian.AppendUint16(b, uint16(len(other)))
	return append(b, other...), nil
}

// serverTime is the clock of a server that says BADTIME, zero if it does not tell
// (RFC 8945, section 5.2.3).
func serverTime(t *dns.TSIG) time.Time {
	other, err := hex.DecodeString(t.OtherData)
	if err != nil || len(other) != 6 {
		return time.Time{}
	}
	return time.Unix(int64(binary.BigEndian.Uint64(append([]byte{0, 0}, other...))), 0)
}

func lengthPrefixed(b []byte) []byte {
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(b))), b...)
}
