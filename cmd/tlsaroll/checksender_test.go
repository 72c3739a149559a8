package main

import (
	"crypto/tls"
	"fmt"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	mailsink "github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/sink"
	"github.com/tlsaroll/tlsaroll/rollover/agent"
)

// TestCheckSenderUsage: nobody is asked, and nothing written, for what cannot be meant.
func TestCheckSenderUsage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "tlsaroll.yaml")
	writeFile(t, file, fmt.Sprintf(`
state: %s
resolver: 127.0.0.1:9
providers:
  p: {type: exec, zone: example.org, read: ["true"], change: ["true"]}
  q: {type: exec, zone: example.net, read: ["true"], change: ["true"]}
  me: {type: manual, zone: example.com, tell: ["true"]}
lineages:
  mx1:
    endpoints: [smtp://mx1.example.org]
    staged: {cert: /a.crt, key: /a.key}
    install: [{path: /a.pem, content: [key, chain], mode: "0600"}]
    reload: [["true"]]
`, dir))
	const at = "--sender --listen 192.0.2.7 "
	for args, want := range map[string]string{
		"--sender":                      "tlsaroll: --listen: at which address is the mail to come in? (hint: an address of this host ",
		"--sender --listen here":        `tlsaroll: --listen "here": no address (hint: `,
		"--sender --listen 0.0.0.0":     "tlsaroll: --listen 0.0.0.0: not the address of one host (hint: ",
		"--sender --listen 192.0.2.7:0": "tlsaroll: --listen 192.0.2.7:0: not the address of one host (hint: ",
		at + "--listen 192.0.2.7:2525":  "tlsaroll: --listen 192.0.2.7:2525: named twice\n",
		at + "example.org":              "tlsaroll: --sender example.org: what is checked is this host's mail server (hint: ",
		at + "--zone example.org --submit --sendmail no-such-program": "tlsaroll: --submit: ",
		at + "--thorough":                      "tlsaroll: --thorough: does not go with --sender (hint: leave it out)\n",
		"--zone example.org example.org":       "tlsaroll: --zone: goes with --sender alone (hint: tlsaroll check --sender)\n",
		at:                                     "tlsaroll: several providers can change the zone: p, q, me (hint: choose one with --provider NAME, or --zone ZONE)\n",
		at + "--zone example.com":              "tlsaroll: provider \"me\" is a person, who would have to be quick (hint: ",
		at + "--zone example.edu":              "tlsaroll: no provider for zone example.edu (hint: the configuration has: p, q, me)\n",
		at + "--zone example.org --provider q": "tlsaroll: --provider q: no such provider for zone example.org (hint: the configuration has: p, q, me)\n",
		at + "--zone example.org --name a_b":   "tlsaroll: --name: name \"a_b.example.org.\": the label \"a_b\" is not allowed in a host name (hint: ",
		at + "--zone example.org --bogus a..b": "tlsaroll: --bogus: name \"a..b\": an empty label\n",
		at + "--zone example.org --ttl 1500ms": "tlsaroll: --ttl 1.5s: wants whole seconds, one at least (hint: --ttl 10m)\n",
		at + "--zone example.org --timeout 0s": "tlsaroll: --timeout 0s: wants whole seconds, one at least (hint: --timeout 10m)\n",
	} {
		said := &output{}
		code := run(t.Context(), append([]string{"-c", file, "check"}, strings.Fields(args)...), world{
			stdin: strings.NewReader(""), stdout: said, stderr: said, lookupEnv: func(string) (string, bool) { return "", false }, now: time.Now, hangups: hangups,
		})
		if code != exitUsage || !strings.HasPrefix(said.String(), want) {
			t.Errorf("%s: exit %d\n%s, want\n%s", args, code, said, want)
		}
	}
}

// TestProviderForSender: who changes the zone, where it is not said.
func TestProviderForSender(t *testing.T) {
	t.Parallel()
	zoned, other, open := agent.Provider{Name: "zoned", Zone: "example.org."}, agent.Provider{Name: "other", Zone: "example.net."}, agent.Provider{Name: "open"}
	for _, tc := range []struct {
		providers []agent.Provider
		o         senderOptions
		want      string
	}{
		{[]agent.Provider{zoned}, senderOptions{}, "zoned example.org."},
		{[]agent.Provider{zoned, other}, senderOptions{zone: "example.net"}, "other example.net."},
		{[]agent.Provider{zoned, open}, senderOptions{zone: "Example.ORG."}, "zoned example.org."},
		{[]agent.Provider{zoned, open}, senderOptions{zone: "example.com"}, "open example.com."},
		{[]agent.Provider{zoned, open}, senderOptions{zone: "example.org", provider: "open"}, "open example.org."},
		{[]agent.Provider{open}, senderOptions{}, " : which zone? provider open names none (hint: --zone example.org)"},
	} {
		p, zone, err := providerForSender(tc.providers, tc.o)
		got := p.Name + " " + zone
		if err != nil {
			got += ": " + err.Error()
		}
		if got != tc.want {
			t.Errorf("%+v: %s, want %s", tc.o, got, tc.want)
		}
	}
}

// TestSenderLines is what a person reads.
func TestSenderLines(t *testing.T) {
	t.Parallel()
	visit := func(k mailsink.Kind) mailsink.Visit {
		v := mailsink.Visit{Peer: netip.MustParseAddr("192.0.2.25"), Hello: "mta.example.org", Begun: time.Unix(1, 0), Ended: time.Unix(2, 0)}
		if k.Alone() {
			v.Alone = k
			return v
		}
		v.TLS, v.SNI = tls.VersionTLS13, string(k)+".dane-check.example.org"
		return v
	}
	var visits []mailsink.Visit
	cases := senderCases("dane-check.example.org", "bogus.example.net", []netip.AddrPort{netip.MustParseAddrPort("192.0.2.7:25"), netip.MustParseAddrPort("192.0.2.8:25"), netip.MustParseAddrPort("192.0.2.9:25")})
	for i, c := range cases {
		v := visit(c.Kind)
		v.Serial = i
		switch c.Kind {
		case mailsink.Right, mailsink.Agility:
			v.Recipients, v.Delivered = []string{c.Domain}, []string{c.Domain}
		case mailsink.Unusable:
			v.Recipients, v.Delivered, v.InClear = []string{c.Domain}, []string{c.Domain}, []string{c.Domain}
		case mailsink.Wrong:
			v.TLS, v.Failure = 0, "remote error: tls: bad certificate"
		case mailsink.Bogus, mailsink.None:
			continue
		case mailsink.NoTLS:
		}
		visits = append(visits, v)
	}
	results := mailsink.Results(cases, visits, nil)
	want := []string{
		"right (the record matches): delivered over TLS 1.3, as it should be",
		"  192.0.2.25 as mta.example.org, TLS 1.3, SNI right.dane-check.example.org",
		"wrong (the record does not match): kept, as it should be",
		"  192.0.2.25 as mta.example.org, TLS failed: remote error: tls: bad certificate, SNI wrong.dane-check.example.org",
		"notls (the record matches, no STARTTLS): kept, as it should be",
		"  192.0.2.25 as mta.example.org, no STARTTLS offered",
		"none (no record): nothing came",
		"unusable (no usable record, no STARTTLS): delivered in the clear, against the rules",
		"  192.0.2.25 as mta.example.org, no STARTTLS offered",
		"agility (only the record of the weaker digest matches): delivered over TLS 1.3, against the rules",
		"  192.0.2.25 as mta.example.org, TLS 1.3, SNI agility.dane-check.example.org",
		"bogus (broken DNSSEC): nothing came, as it should be",
		"the sender enforces DANE: it delivered where the record matched, and kept its mail where none did and where TLS was missing",
		"  note: it believes the weaker digest although a stronger one stands beside it (RFC 7671, section 9)",
		"  note: it delivers in the clear where there are records and none of them is usable: TLS is due then (RFC 7672, section 2.2)",
		"  note: it did not deliver to the domain without records: it sends by DANE alone, or that mail was not sent",
	}
	if diff := cmp.Diff(want, senderLines(results, mailsink.Judge(results))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
