package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/lab"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// TestBadServers holds what is said about DNS that is not as it should be, and that
// a rollover that met all of it is finished all the same when it is.
func TestBadServers(t *testing.T) {
	t.Parallel()
	h := newHost(t, lab.Options{
		TTL: 2 * time.Second, Resolvers: 1,
		Leaf:  lab.LeafOptions{Names: []string{lab.Host, "mx2.example.org", "mx1.example.net", "mx1.example.com"}},
		Zones: []string{"example.net.", "example.com."}, Unsigned: []string{"example.net."}, Bogus: []string{"example.com."},
		Records: []string{"_25._tcp.mx2.example.org. 2 CNAME _dane.example.net."},
	}, short(setting{}))
	for _, name := range []string{"mx2.example.org", "mx1.example.net", "mx1.example.com"} {
		h.Update(t, lab.Add(name+". 2 A "+h.MX.String()))
	}
	next := h.Certificates().Issue(t, lab.LeafOptions{Names: h.Live.Leaf().DNSNames})
	file := filepath.Join(h.Dir, "wrong.secret")
	if err := os.WriteFile(file, []byte(wrongSecret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, state := range []string{"", "unreachable"} {
		h.configure(short(setting{state: state}))
		h.must(exitDone, "adopt", "mx1")
	}
	key := h.Key(lab.Domain)
	unsigned := h.UnsignedPrimary(t)
	once := []string{"rollover", "mx1", "--cert", next.Fullchain(), "--key", next.Privkey()}
	wait := append(slices.Clone(once), "--wait")
	secretOf := func(name string) string {
		return "key: " + name + ", secret-file: " + filepath.Join(h.Dir, "keys", strings.TrimSuffix(name, ".")+".secret")
	}
	closed := h.MX.String() + ":53"
	const at = "_25._tcp.mx1.example.org."
	others := "[" + at + "]" // what the certificate is for besides is not what these are about
	for _, b := range []bad{
		{
			name: "TSIG key's name", setting: setting{key: "key: nobody.example.org., secret-file: " + key.SecretFile}, args: wait, code: exitError,
			says: "read " + at + ": ns1 127.77.0.53:53: BADKEY: the server does not know the key, or not with this algorithm (the reply itself is not signed) (hint: does the server have a key of exactly the name \"nobody.example.org.\", for hmac-sha256)",
		},
		{
			name: "TSIG secret", setting: setting{key: "key: " + key.Name + ", secret-file: " + file}, args: wait, code: exitError,
			says: "read " + at + ": ns1 127.77.0.53:53: BADSIG: the server finds the signature of the request wrong (the reply itself is not signed) (hint: is the secret of key \"tlsaroll.example.org.\" the same on both sides, to the last character)",
		},
		{
			name: "TSIG algorithm", setting: setting{key: "key: " + key.Name + ", algorithm: hmac-sha512, secret-file: " + key.SecretFile}, args: wait, code: exitError,
			says: "read " + at + ": ns1 127.77.0.53:53: BADKEY: the server does not know the key, or not with this algorithm (the reply itself is not signed) (hint: does the server have a key of exactly the name \"tlsaroll.example.org.\", for hmac-sha512)",
		},
		{
			name: "clock", clock: 10 * time.Minute, setting: setting{state: "clock"}, args: wait, code: exitError,
			says: "read " + at + ": ns1 127.77.0.53:53: BADTIME: the server finds that the request was signed at the wrong time: its clock says TIME, this host's TIME, 10m apart (hint: one of the two clocks is wrong: is NTP running on both)",
		},
		{
			name: "key without rights", setting: setting{key: secretOf("transfer.lab.")}, args: wait, code: exitError,
			says: "error: change " + at + ": ns1 127.77.0.53:53: REFUSED: the server does not let this change be made (hint: does key \"transfer.lab.\" have update rights for TLSA at this name, e.g. grant transfer.lab. name " + at + " TLSA; and is this the primary)",
		},
		{
			name: "no primary", setting: setting{provider: h.Secondary.String(), key: secretOf("transfer.lab.")}, args: wait, code: exitError,
			says: "error: change " + at + ": ns1 127.77.0.54:53: the reply is not signed, and the request was: it is not believed; it says NOTIMP (hint: is this the primary, with the key \"transfer.lab.\", and nothing between it and here)",
		},
		{
			name: "a resolver for a primary", setting: setting{provider: h.Resolvers[0].String()}, args: wait, code: exitError,
			says: "read " + at + ": ns1 127.77.0.101:53: the reply is not signed, and the request was: it is not believed; it says FORMERR (hint: is this the primary, with the key \"tlsaroll.example.org.\", and nothing between it and here)",
		},
		{
			name: "unsigned replies", setting: setting{provider: unsigned.Addr.String()}, args: wait, code: exitError,
			says: "read " + at + ": ns1 127.77.0.55:53: the reply is not signed, and the request was: it is not believed; it says NOERROR (hint: is this the primary, with the key \"tlsaroll.example.org.\", and nothing between it and here)",
		},
		{
			name: "primary unreachable", setting: setting{provider: closed}, args: once, code: exitWaiting,
			waits: "copy-unknown: " + at + ": the provider's own copy cannot be read: read " + at + ": ns1 127.77.0.25:53: dial tcp 127.77.0.25:53: connect: connection refused (hint: is the server up, and does it take TCP from here)",
		},
		{
			name: "name outside the zone", setting: setting{zone: "example.net."}, args: wait, code: exitPerson,
			says: "warning: LAB/tlsaroll.yaml:1:1: lineages.mx1.endpoints[0]: no provider's zone holds mx1.example.org (hint: add one, unless its TLSA name is an alias that leads into a zone of ours)\n" +
				"no-provider: " + at + " lies in zone example.org., which no provider of ours holds: whoever does must see to 3 1 1 DIGEST",
		},
		{
			name: "no such zone", setting: setting{zone: "mx1.example.org.", key: secretOf(key.Name)}, args: wait, code: exitPerson,
			says: "no-provider: " + at + " lies in zone example.org., which no provider of ours holds: whoever does must see to 3 1 1 DIGEST",
		},
		{
			name: "resolver without validation", setting: setting{resolver: h.BadResolver(t, lab.NoValidator).String()}, args: once, code: exitWaiting,
			waits: "zone-indeterminate: whether " + at + " is signed is not known (resolver 127.77.0.61:53: self-test: . SOA comes without AD: it does not validate (hint: systemd-resolved needs DNSSEC=yes; better run unbound or another validating resolver))",
		},
		{
			name: "resolver with a wrong trust anchor", setting: setting{resolver: h.BadResolver(t, lab.WrongAnchor).String()}, args: once, code: exitWaiting,
			waits: "zone-indeterminate: whether " + at + " is signed is not known (resolver 127.77.0.62:53: self-test: . SOA: SERVFAIL (hint: has the resolver a trust anchor and the right time?))",
		},
		{
			name: "a server that is no resolver", setting: setting{resolver: h.Primary.String()}, args: once, code: exitWaiting,
			waits: "zone-indeterminate: whether " + at + " is signed is not known (resolver 127.77.0.53:53: self-test: . SOA: REFUSED (hint: has the resolver a trust anchor and the right time?))",
		},
		{
			name: "resolver unreachable", setting: setting{state: "unreachable", resolver: closed}, args: once, code: exitWaiting,
			says: "servers-unknown: zone of " + at + ": resolver 127.77.0.25:53: " + at + " SOA: no answer: 3 tries over UDP (connection refused), then TCP (connection refused) (hint: does a validating resolver run on this host?)",
		},
		{
			name: "CNAME", setting: setting{state: "cname", host: "mx2.example.org", ignore: others}, args: wait, code: exitPerson,
			says: "no-provider: _dane.example.net. lies in zone example.net., which no provider of ours holds: whoever does must see to 3 1 1 DIGEST, 3 1 1 DIGEST",
		},
		{
			name: "unsigned zone", setting: setting{state: "insecure", host: "mx1.example.net", zone: "example.net.", ignore: others}, args: wait, code: exitPerson,
			says: "zone-insecure: zone example.net. is not signed, so nothing is published in it (RFC 8314, section 4.5.4) (hint: sign it and have its DS record put into the parent zone)",
		},
		{
			name: "bogus zone", setting: setting{state: "bogus", host: "mx1.example.com", zone: "example.com.", ignore: others}, args: once, code: exitWaiting,
			waits: "zone-bogus: _25._tcp.mx1.example.com. is bogus for a validating resolver (resolver 127.77.0.60:53 refuses the answer and gives it without validation: signatures or the chain of trust are broken)",
		},
	} {
		t.Run(b.name, func(t *testing.T) {
			b.setting = short(b.setting)
			h.suffers(t, b)
		})
	}
	if n := unsigned.Updates(); n > 0 {
		t.Errorf("%d updates were sent to who cannot sign", n)
	}
	h.configure(short(setting{ignore: "[mx1.example.com]"})) // whether there are records in the bogus zone is not known
	h.must(exitDone, "rollover", "mx1", "--wait=retired")    // without --cert: the pair was not lost
	h.only(at, next.TLSA(t, tlsa.EE))
	h.soonPresents(t, next)
}
