//go:build gsstsig

package rfc2136

import (
	"bytes"
	"encoding/asn1"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jcmturner/gokrb5/v8/crypto"
	"github.com/jcmturner/gokrb5/v8/gssapi"
	"github.com/jcmturner/gokrb5/v8/iana/chksumtype"
	"github.com/jcmturner/gokrb5/v8/iana/flags"
	"github.com/jcmturner/gokrb5/v8/iana/keyusage"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"
)

// handshake is a security context of Kerberos that waits for the server's answer (RFC
// 4121, section 4.1).
type handshake struct {
	token []byte // for the server

	key   func() types.EncryptionKey // of the ticket; a function, so that nothing prints it
	ctime time.Time
	cusec int
	next  uint64
}

// What stands before the messages of Kerberos in tokens (RFC 4121, section 4.1).
var (
	mechanism    = []byte{0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02} // 1.2.840.113554.1.2.2
	tokenRequest = []byte{0x01, 0x00}
	tokenReply   = []byte{0x02, 0x00}
	tokenError   = []byte{0x03, 0x00}
)

// initiate begins a context with the server that the ticket is for. The server has to
// prove itself as well: RFC 3645, section 3.1.1 wants mutual authentication.
func initiate(t *ticket, now time.Time) (h *handshake, err error) {
	defer caught(&err, "the ticket cannot be used")
	auth, err := types.NewAuthenticator(t.crealm, t.cname)
	if err != nil {
		return nil, err
	}
	auth.CTime = now.UTC().Truncate(time.Second) // on the wire are whole seconds
	auth.Cusec = now.Nanosecond() / 1000
	auth.Cksum = types.Checksum{CksumType: chksumtype.GSSAPI, Checksum: contextFlags()}
	request, err := messages.NewAPReq(t.ticket, t.key(), auth)
	if err != nil {
		return nil, err
	}
	types.SetFlag(&request.APOptions, flags.APOptionMutualRequired)
	raw, err := request.Marshal()
	if err != nil {
		return nil, err
	}
	token, err := wrap(tokenRequest, raw)
	if err != nil {
		return nil, err
	}
	return &handshake{token: token, key: t.key, ctime: auth.CTime, cusec: auth.Cusec, next: uint64(auth.SeqNumber)}, nil
}

// contextFlags is the checksum that says what the context is for (RFC 4121, section
// 4.1.1): no channel bindings, mutual authentication, replay detection and integrity.
func contextFlags() []byte {
	b := binary.LittleEndian.AppendUint32(nil, 16)
	b = append(b, make([]byte, 16)...)
	return binary.LittleEndian.AppendUint32(b, gssapi.ContextFlagMutual|gssapi.ContextFlagReplay|gssapi.ContextFlagInteg)
}

// wrap frames a message of Kerberos (RFC 2743, section 3.1).
func wrap(kind, message []byte) ([]byte, error) {
	return asn1.Marshal(asn1.RawValue{
		Class: asn1.ClassApplication, Tag: 0, IsCompound: true,
		Bytes: bytes.Join([][]byte{mechanism, kind, message}, nil),
	})
}

// unwrap returns the kind of a token, and the message in it.
func unwrap(token []byte) (kind, message []byte, err error) {
	var frame asn1.RawValue
	rest, err := asn1.Unmarshal(token, &frame)
	if err != nil || len(rest) > 0 || frame.Class != asn1.ClassApplication || frame.Tag != 0 {
		return nil, nil, errors.New("it is not a token of GSS-API")
	}
	inner, ok := bytes.CutPrefix(frame.Bytes, mechanism)
	if !ok || len(inner) < 2 {
		return nil, nil, errors.New("it is not a token of Kerberos")
	}
	return inner[:2], inner[2:], nil
}

// complete checks the server's answer: that it could open the ticket and what came with
// it. Only the server that the ticket is for can, beside the KDC.
func (h *handshake) complete(token []byte) (c *securityContext, err error) {
	defer caught(&err, "it is a token that cannot be read")
	kind, message, err := unwrap(token)
	switch {
	case err != nil:
		return nil, err
	case bytes.Equal(kind, tokenError):
		var e messages.KRBError
		if err := e.Unmarshal(message); err != nil {
			return nil, errors.New("it is an error of Kerberos that cannot be read")
		}
		return nil, &kerberosError{e}
	case !bytes.Equal(kind, tokenReply):
		return nil, errors.New("it is a token of another kind")
	}
	var reply messages.APRep
	if err := reply.Unmarshal(message); err != nil {
		return nil, errors.New("it is a token that cannot be read")
	}
	plain, err := crypto.DecryptEncPart(reply.EncPart, h.key(), keyusage.AP_REP_ENCPART)
	if err != nil {
		return nil, errors.New("it was not made with the key of the ticket")
	}
	var part messages.EncAPRepPart
	if err := part.Unmarshal(plain); err != nil {
		return nil, errors.New("it is a token that cannot be read")
	}
	if !part.CTime.Equal(h.ctime) || part.Cusec != h.cusec {
		return nil, errors.New("it answers to another ticket")
	}
	c = &securityContext{key: h.key, flags: gssapi.MICTokenFlagSentByAcceptor, next: h.next}
	if subkey := part.Subkey; subkey.KeyType != 0 {
		c.key = func() types.EncryptionKey { return subkey }
		c.flags |= gssapi.MICTokenFlagAcceptorSubkey
	}
	if !isAES(c.key().KeyType) {
		return nil, fmt.Errorf("its key is of cipher %d, and only AES is spoken", c.key().KeyType)
	}
	return c, nil
}

// securityContext is an established context. Each side signs in a way of its own, so that
// a signature that is sent back proves nothing.
//
// What was received before is not looked for: the MAC of a request, which is new every
// time, is part of what its reply's is made of.
type securityContext struct {
	key   func() types.EncryptionKey
	flags byte // of the server's signatures

	mu   sync.Mutex
	next uint64 // number of the next signature: the server takes none twice
}

func (c *securityContext) sum(msg []byte) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	token := gssapi.MICToken{
		Flags:     c.flags &^ gssapi.MICTokenFlagSentByAcceptor,
		SndSeqNum: c.next,
		Payload:   msg,
	}
	c.next++
	if err := token.SetChecksum(c.key(), keyusage.GSSAPI_INITIATOR_SIGN); err != nil {
		return nil, errors.New("the request cannot be signed")
	}
	return token.Marshal()
}

func (c *securityContext) compare(mac, msg []byte) error {
	var token gssapi.MICToken
	if err := token.Unmarshal(mac, true); err != nil || token.Flags != c.flags {
		return errWrongMAC
	}
	token.Payload = msg
	// The error of the library holds what the MAC should have been, so it goes no further.
	if ok, err := token.Verify(c.key(), keyusage.GSSAPI_ACCEPTOR_SIGN); err != nil || !ok {
		return errWrongMAC
	}
	return nil
}
