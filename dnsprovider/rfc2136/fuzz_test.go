package rfc2136

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// FuzzReplies has a server answer each request with octets of its choice, under the
// request's ID so that they are looked at: no change is ever taken for done, as
// nobody without the key can say so, and the errors begin with the provider's name and
// hold neither the secret nor what would move a cursor.
func FuzzReplies(f *testing.F) {
	k := testKey(f)
	raw := signedReply(f, k, "abcd", time.Unix(1_700_000_000, 0))
	soa := new(dns.Msg).SetQuestion("_25._tcp.mx.example.org.", dns.TypeTLSA)
	soa.Response, soa.Authoritative, soa.Rcode = true, true, dns.RcodeNameError
	soa.Ns = []dns.RR{&dns.SOA{Hdr: dns.RR_Header{Name: "example.org.", Rrtype: dns.TypeSOA, Class: dns.ClassINET, Ttl: 60}, Ns: "ns1.example.org.", Mbox: "h.example.org."}}
	unsigned, err := soa.Pack()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw, raw)
	f.Add(unsigned, raw)
	f.Add(raw[:headerLen], []byte{})
	f.Add(append(bytes.Clone(raw), "\x1b[2J"...), unsigned)
	secret := []byte("planted in the fuzzer of replies")
	text := base64.StdEncoding.EncodeToString(secret)
	change := dnsprovider.Change{Owner: "_25._tcp.mx.example.org.", After: tlsa.NewRRset(time.Hour, tlsa.Association{Params: tlsa.EE, Data: strings.Repeat("ab", 32)})}
	f.Fuzz(func(t *testing.T, first, second []byte) {
		synctest.Test(t, func(t *testing.T) { // waits for replies that are none take no time
			replies := [][]byte{first, second}
			var p *Provider
			dial := func(context.Context, string, string) (net.Conn, error) {
				ours, theirs := net.Pipe()
				go answerWith(theirs, replies)
				return ours, nil
			}
			var err error
			p, err = New(Config{Server: "127.0.0.1:53", Zone: "example.org", KeyName: "tlsaroll.", Secret: NewSecret(text), Timeout: 2 * time.Second, ReadBack: time.Millisecond, Dial: dial,
				Now: func() time.Time { return time.Unix(1_700_000_000, 0) }})
			if err != nil {
				t.Fatal(err)
			}
			_, errRead := p.RRset(t.Context(), "example.org.", change.Owner)
			errApply := errors.Join(p.Apply(t.Context(), "example.org.", []dnsprovider.Change{change})...)
			errTXT := p.AddTXT(t.Context(), "example.org.", "_acme-challenge.mx.example.org.", "value", time.Minute)
			for what, err := range map[string]error{"read": errRead, "change": errApply, "add": errTXT} {
				if err == nil {
					t.Fatalf("%s: %x was believed", what, replies)
				}
				said := err.Error()
				if !strings.Contains(said, "rfc2136 127.0.0.1:53: ") {
					t.Errorf("%s: %q does not say who answered", what, said)
				}
				if strings.ContainsFunc(said, func(r rune) bool { return r < ' ' && r != '\n' || r >= 0x7f && r < 0xa0 }) {
					t.Errorf("%s: %q is not printable", what, said)
				}
				for _, form := range []string{text[:20], string(secret[:12]), hex.EncodeToString(secret[:12])} {
					if strings.Contains(said, form) && !bytes.Contains(first, []byte(form)) && !bytes.Contains(second, []byte(form)) {
						t.Errorf("%s: %q holds the secret", what, said)
					}
				}
			}
		})
	})
}

// answerWith answers requests over TCP in turn. It reads on while it writes, as the
// buffers of a socket would let it.
func answerWith(conn net.Conn, replies [][]byte) {
	out := make(chan []byte, 64)
	defer close(out)
	go func() {
		defer conn.Close()
		for reply := range out {
			if _, err := conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(reply))), reply...)); err != nil {
				return
			}
		}
	}()
	for i := 0; ; i++ {
		var length [2]byte
		if _, err := io.ReadFull(conn, length[:]); err != nil {
			return
		}
		request := make([]byte, binary.BigEndian.Uint16(length[:]))
		if _, err := io.ReadFull(conn, request); err != nil {
			return
		}
		reply := bytes.Clone(replies[i%len(replies)])
		if len(reply) >= 2 && len(request) >= 2 {
			copy(reply, request[:2])
		}
		out <- reply[:min(len(reply), 65535)]
	}
}
