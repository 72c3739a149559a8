//go:build gsstsig

package rfc2136

import (
	"bytes"
	"context"
	"encoding/asn1"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/jcmturner/gokrb5/v8/crypto"
	"github.com/jcmturner/gokrb5/v8/gssapi"
	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
	"github.com/jcmturner/gokrb5/v8/iana/etypeID"
	"github.com/jcmturner/gokrb5/v8/iana/keyusage"
	"github.com/jcmturner/gokrb5/v8/iana/patype"
	"github.com/jcmturner/gokrb5/v8/keytab"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"
)

func keyOf(text string) types.EncryptionKey {
	return types.EncryptionKey{KeyType: etypeID.AES128_CTS_HMAC_SHA1_96, KeyValue: []byte(text)}
}

var (
	sessionKey = keyOf("0123456789abcdef")
	serverKey  = keyOf("fedcba9876543210")
	begun      = time.Unix(1_700_000_000, 0)
)

func waiting() *handshake {
	return &handshake{key: func() types.EncryptionKey { return sessionKey }, ctime: begun, cusec: 4711, next: 7}
}

// replyToken is what a server answers that has the key.
func replyToken(t testing.TB, key types.EncryptionKey, part messages.EncAPRepPart) []byte {
	t.Helper()
	inner, err := asn1.MarshalWithParams(part, "application,explicit,tag:27")
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := crypto.GetEncryptedData(inner, key, keyusage.AP_REP_ENCPART, 0)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := asn1.MarshalWithParams(messages.APRep{PVNO: 5, MsgType: 15, EncPart: sealed}, "application,explicit,tag:15")
	if err != nil {
		t.Fatal(err)
	}
	token, err := wrap(tokenReply, raw)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// serverMAC is what the server signs with.
func serverMAC(t testing.TB, key types.EncryptionKey, flags byte, usage uint32, msg []byte) []byte {
	t.Helper()
	token := gssapi.MICToken{Flags: flags, Payload: msg}
	if err := token.SetChecksum(key, usage); err != nil {
		t.Fatal(err)
	}
	mac, err := token.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return mac
}

// TestGSSSecurityContext: signatures of the server's, of its key and in its direction, and no
// others.
func TestGSSSecurityContext(t *testing.T) {
	msg := []byte("what is signed")
	for _, subkey := range []types.EncryptionKey{{}, serverKey} {
		c, err := waiting().complete(replyToken(t, sessionKey, messages.EncAPRepPart{CTime: begun.UTC(), Cusec: 4711, Subkey: subkey}))
		if err != nil {
			t.Fatal(err)
		}
		base, other, flags := sessionKey, serverKey, byte(1)
		if subkey.KeyType != 0 {
			base, other, flags = serverKey, sessionKey, 1|4
		}
		good := serverMAC(t, base, flags, keyusage.GSSAPI_ACCEPTOR_SIGN, msg)
		if err := c.compare(good, msg); err != nil {
			t.Error(err)
		}
		ours, err := c.sum(msg)
		if err != nil {
			t.Fatal(err)
		}
		next, err := c.sum(msg)
		if err != nil || bytes.Equal(ours, next) {
			t.Errorf("the same signature twice: %v", err)
		}
		for what, mac := range map[string][]byte{
			"our own":               ours,
			"our own, turned round": serverMAC(t, base, flags, keyusage.GSSAPI_INITIATOR_SIGN, msg),
			"another key":           serverMAC(t, other, flags, keyusage.GSSAPI_ACCEPTOR_SIGN, msg),
			"other flags":           serverMAC(t, base, flags^4, keyusage.GSSAPI_ACCEPTOR_SIGN, msg),
			"sealed":                serverMAC(t, base, flags|2, keyusage.GSSAPI_ACCEPTOR_SIGN, msg),
			"another message":       serverMAC(t, base, flags, keyusage.GSSAPI_ACCEPTOR_SIGN, msg[1:]),
			"half of it":            good[:22],
			"nothing":               nil,
		} {
			if err := c.compare(mac, msg); err != errWrongMAC {
				t.Errorf("%s: %v", what, err)
			}
		}
		for i := range good {
			changed := bytes.Clone(good)
			changed[i] ^= 1
			if err := c.compare(changed, msg); err != errWrongMAC {
				t.Errorf("octet %d may be changed: %v", i, err)
			}
		}
		for _, text := range []string{fmt.Sprintf("%v %+v", c, c), fmt.Sprintf("%#v", c), fmt.Sprintf("%+v", printed(c))} {
			if strings.Contains(text, string(base.KeyValue)) || strings.Contains(text, strings.Trim(fmt.Sprint(base.KeyValue), "[]")) {
				t.Errorf("the key is printed: %s", text)
			}
		}
	}
}

func printed(c *securityContext) *Provider { return &Provider{key: &key{name: "k.", macs: c}} }

// TestGSSHandshake: what a server may answer that is not the one that the ticket is for.
func TestGSSHandshake(t *testing.T) {
	part := messages.EncAPRepPart{CTime: begun.UTC(), Cusec: 4711}
	later, other, old := part, part, part
	later.CTime = later.CTime.Add(time.Second)
	other.Cusec++
	old.Subkey = types.EncryptionKey{KeyType: etypeID.RC4_HMAC, KeyValue: []byte("0123456789abcdef")}
	for want, token := range map[string][]byte{
		"it was not made with the key of the ticket":      replyToken(t, serverKey, part),
		"it answers to another ticket":                    replyToken(t, sessionKey, later),
		"it answers to another ticket ":                   replyToken(t, sessionKey, other),
		"its key is of cipher 23, and only AES is spoken": replyToken(t, sessionKey, old),
		"it is not a token of GSS-API":                    append(replyToken(t, sessionKey, part), 0),
	} {
		if _, err := waiting().complete(token); err == nil || err.Error() != strings.TrimSpace(want) {
			t.Errorf("error is %v, want %s", err, want)
		}
	}
}

// FuzzGSSToken: no token makes a context that was not made with the key of the ticket.
func FuzzGSSToken(f *testing.F) {
	good := replyToken(f, sessionKey, messages.EncAPRepPart{CTime: begun.UTC(), Cusec: 4711, Subkey: serverKey})
	f.Add(good)
	f.Add(good[:len(good)-1])
	refusal := messages.NewKRBError(types.PrincipalName{NameString: []string{"DNS"}}, "R", errorcode.KRB_AP_ERR_SKEW, "\x1b[2J")
	raw, err := refusal.Marshal()
	if err != nil {
		f.Fatal(err)
	}
	token, err := wrap(tokenError, raw)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(token)
	f.Fuzz(func(t *testing.T, token []byte) {
		c, err := waiting().complete(token)
		if (c == nil) == (err == nil) {
			t.Fatalf("%v and %v", c, err)
		}
		if err == nil && !bytes.Equal(c.key().KeyValue, serverKey.KeyValue) {
			t.Error("a context with another key")
		}
		if err != nil && strings.ContainsFunc(err.Error(), unicode.IsControl) {
			t.Errorf("%q", err)
		}
	})
}

// TestGSSTickets: replies of KDCs other than MIT's. Active Directory tells the number of the
// key that its reply is encrypted with, and keytabs made by hand have another; the
// library does not look whom a ticket is for.
func TestGSSTickets(t *testing.T) {
	for _, test := range []struct{ client, service, want string }{
		{"tlsaroll", "DNS/ns1", ""},
		{"tlsaroll", "DNS/other", "the KDC's reply is not believed: the ticket is for DNS/other"},
		{"tlsaroll", "krbtgt/S", "no KDC of realm S can be reached: the Kerberos configuration names none"}, // a referral
		{"tlsaroll", "krbtgt/R", "the KDCs send us from realm to realm"},
		{"\x1b[2J", "DNS/ns1", "the KDC's reply is not believed: CName in response does not match what was requested."},
	} {
		a, key := accountOf(t)
		serveTickets(t, a, key, types.NewPrincipalName(1, test.client), types.NewPrincipalName(2, test.service))
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		_, err := a.ticketFor(ctx, types.NewPrincipalName(2, "DNS/ns1"), "")
		cancel()
		switch {
		case test.want == "" && err != nil:
			t.Errorf("%s: %v", test.service, err)
		case test.want != "" && (err == nil || !strings.HasPrefix(err.Error(), test.want) || strings.ContainsFunc(err.Error(), unicode.IsControl)):
			t.Errorf("%s: error is\n%q, want\n%s", test.service, err, test.want)
		}
	}
}

// serveTickets lets a KDC stand at every address, which gives tickets for a service whatever it
// is asked for, and says who asked for it.
func serveTickets(t *testing.T, a *account, key types.EncryptionKey, client, service types.PrincipalName) {
	now := time.Now().UTC().Truncate(time.Second)
	part := messages.EncKDCRepPart{
		Key: sessionKey, LastReqs: []messages.LastReq{{LRValue: now}}, Flags: types.NewKrbFlags(),
		AuthTime: now, StartTime: now, EndTime: now.Add(time.Hour), SRealm: "R",
	}
	// fields makes what both kinds of replies have.
	fields := func(kind, nonce int, name types.PrincipalName, key types.EncryptionKey, usage uint32) messages.KDCRepFields {
		part := part
		part.Nonce, part.SName = nonce, name
		raw, err := part.Marshal()
		if err != nil {
			t.Error(err)
		}
		sealed, err := crypto.GetEncryptedData(raw, key, usage, 3)
		if err != nil {
			t.Error(err)
		}
		return messages.KDCRepFields{
			PVNO: 5, MsgType: kind, CRealm: "R", CName: a.name, EncPart: sealed,
			Ticket: messages.Ticket{TktVNO: 5, Realm: "R", SName: name},
		}
	}
	a.dial = func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go serveKDC(theirs, func(request []byte) []byte {
			var as messages.ASReq
			var tgs messages.TGSReq
			var raw []byte
			var err error
			switch {
			case as.Unmarshal(request) == nil:
				reply := messages.ASRep{KDCRepFields: fields(11, as.ReqBody.Nonce, as.ReqBody.SName, key, keyusage.AS_REP_ENCPART)}
				raw, err = reply.Marshal()
			case tgs.Unmarshal(request) == nil:
				reply := messages.TGSRep{KDCRepFields: fields(13, tgs.ReqBody.Nonce, service, sessionKey, keyusage.TGS_REP_ENCPART_SESSION_KEY)}
				reply.CName = client // which is not signed
				raw, err = reply.Marshal()
			default:
				err = errors.New("a request of another kind")
			}
			if err != nil {
				t.Error(err)
			}
			return raw
		})
		return ours, nil
	}
}

// accountOf makes an account with a keytab of one key.
func accountOf(t testing.TB) (*account, types.EncryptionKey) {
	t.Helper()
	a := &account{name: types.NewPrincipalName(1, "tlsaroll"), realm: "R", timeout: 10 * time.Second, now: time.Now}
	dir := t.TempDir()
	a.configFile, a.keytabFile = filepath.Join(dir, "krb5.conf"), filepath.Join(dir, "keytab")
	kt := keytab.New()
	if err := kt.AddEntry("tlsaroll", "R", "password", begun, 1, etypeID.AES128_CTS_HMAC_SHA1_96); err != nil {
		t.Fatal(err)
	}
	raw, err := kt.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	for path, text := range map[string][]byte{a.configFile: []byte("[libdefaults]\n dns_lookup_kdc = false\n[realms]\n R = {\n  kdc = 192.0.2.1:88\n }\n"), a.keytabFile: raw} {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return a, kt.Entries[0].Key
}

// FuzzGSSKDC has a KDC answer with octets of its choice: there is no ticket, and the error is
// one line without the key.
func FuzzGSSKDC(f *testing.F) {
	a, key := accountOf(f)
	secret := string(key.KeyValue)
	infos, err := asn1.Marshal([]types.ETypeInfo2Entry{{EType: etypeID.AES128_CTS_HMAC_SHA1_96}})
	if err != nil {
		f.Fatal(err)
	}
	wants := messages.NewKRBError(types.NewPrincipalName(2, "krbtgt/R"), "R", errorcode.KDC_ERR_PREAUTH_REQUIRED, "")
	if wants.EData, err = asn1.Marshal([]types.PAData{{PADataType: patype.PA_ETYPE_INFO2, PADataValue: infos}}); err != nil {
		f.Fatal(err)
	}
	first, err := wants.Marshal()
	if err != nil {
		f.Fatal(err)
	}
	reply := messages.ASRep{KDCRepFields: messages.KDCRepFields{PVNO: 5, MsgType: 11, CRealm: "\x1b[2J", CName: a.name, Ticket: messages.Ticket{TktVNO: 5, Realm: "R", SName: types.NewPrincipalName(2, "krbtgt/R")}}}
	second, err := reply.Marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(first, second)
	f.Add(second, first)
	f.Add([]byte{}, []byte{})
	f.Fuzz(func(t *testing.T, first, second []byte) {
		replies := [][]byte{first, second}
		a.dial = func(context.Context, string, string) (net.Conn, error) {
			if len(replies) == 0 {
				return nil, errors.New("no more")
			}
			ours, theirs := net.Pipe()
			reply := replies[0]
			replies = replies[1:]
			go serveKDC(theirs, func([]byte) []byte { return reply })
			return ours, nil
		}
		ticket, err := a.ticketFor(t.Context(), types.NewPrincipalName(2, "DNS/ns1"), "")
		if ticket != nil || err == nil {
			t.Fatalf("a ticket of nobody: %v", err)
		}
		text := a.ticketTrouble(t.Context(), err, "DNS/ns1").err.Error()
		if strings.ContainsFunc(text, unicode.IsControl) || strings.Contains(text, secret) {
			t.Errorf("%q", text)
		}
	})
}

// serveKDC answers one request.
func serveKDC(conn net.Conn, answer func([]byte) []byte) {
	defer conn.Close()
	var length [4]byte
	if _, err := io.ReadFull(conn, length[:]); err != nil {
		return
	}
	request := make([]byte, binary.BigEndian.Uint32(length[:]))
	if _, err := io.ReadFull(conn, request); err != nil {
		return
	}
	reply := answer(request)
	conn.Write(slices.Concat(binary.BigEndian.AppendUint32(nil, uint32(len(reply))), reply))
}
