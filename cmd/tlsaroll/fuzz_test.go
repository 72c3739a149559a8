package main

import (
	"bytes"
	"encoding/pem"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// FuzzChainFile reads the FILE of record and match: certificates come out as they stand,
// in their order, or the error begins with the file's name, is one line, and holds
// nothing of a private key.
func FuzzChainFile(f *testing.F) {
	for _, name := range []string{"fullchain.pem", "combined.pem", "rsa.pem"} {
		text, err := os.ReadFile("testdata/certs/" + name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
		f.Add(text[:len(text)/2])
	}
	f.Add([]byte("-----BEGIN CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg\n-----END CERTIFICATE-----\n"))
	f.Add([]byte("\x30\x82"))
	f.Fuzz(func(t *testing.T, text []byte) {
		certs, err := parseCertificates("FILE", bytes.NewReader(text))
		if err != nil {
			said := err.Error()
			if !strings.HasPrefix(said, "FILE: ") || strings.ContainsAny(said, "\n\r\x1b") {
				t.Errorf("got %q", said)
			}
			for line := range strings.Lines(string(text)) {
				if line = strings.TrimSpace(line); len(line) >= 40 && strings.Contains(said, line) {
					t.Errorf("%q quotes the file", said)
				}
			}
			return
		}
		var again bytes.Buffer
		for _, c := range certs {
			again.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
		}
		back, err := parseCertificates("FILE", &again)
		if err != nil || len(back) != len(certs) {
			t.Fatalf("%d certificates came back as %d, %v", len(certs), len(back), err)
		}
		for i := range certs {
			if !certs[i].Equal(back[i]) {
				t.Errorf("certificate %d is another", i)
			}
		}
	})
}

// FuzzRecord reads records as match and adopt take them: what is taken stands in any
// line of a zone, too, and prints as what is read as the same.
func FuzzRecord(f *testing.F) {
	f.Add("3 1 1 " + strings.Repeat("ab", 32))
	f.Add("_25._tcp.mx1.example.org. 3600 IN TLSA ( 3 1 1\n\tABCD ef )")
	f.Add("tlsa tlsa 2 0 0 00")
	f.Add("3 1 1 ( ( ab")
	f.Fuzz(func(t *testing.T, text string) {
		rrset, _, errs := matchOptions{records: []string{text}}.parse(time.Unix(0, 0))
		if len(errs) > 0 {
			if said := errs[0].Error(); !strings.HasPrefix(said, "--tlsa: ") || strings.ContainsAny(said, "\n\r\x1b\x00") {
				t.Errorf("got %q", said)
			}
			if _, err := parseRecords([]string{text}); err == nil {
				t.Errorf("%q: adopt takes what match does not", text)
			}
			return
		}
		a := rrset.Associations[0]
		for _, again := range []string{a.String(), "x. IN TLSA " + a.String(), "x. 60 tlsa ( " + a.String() + " )"} {
			if got, _, errs := (matchOptions{records: []string{again}}).parse(time.Unix(0, 0)); len(errs) > 0 || !got.Same(rrset) {
				t.Errorf("%q: %q again is %v, %v", text, again, got, errs)
			}
		}
		if got, err := parseRecords([]string{a.String()}); err != nil || len(got) != 1 || got[0] != a {
			t.Errorf("%q: adopt reads %v, %v", text, got, err)
		}
		if _, err := tlsa.ParseAssociation(a.String()); err != nil {
			t.Error(err)
		}
	})
}

// FuzzTarget reads what people write for a domain, a host or a service: what is taken has a
// name that means the same again.
func FuzzTarget(f *testing.F) {
	for _, seed := range []string{"example.org", "EXAMPLE.org.", "bücher.example", "mx1.example.org:25", "imaps://mail.example.org", "tls://mx1.example.org:8443", "192.0.2.1", "[2001:db8::1]:25", "postmaster@example.org", "a b", "://", ":25", "smtp://:25"} {
		f.Add(seed, true)
		f.Add(seed, false)
	}
	f.Fuzz(func(t *testing.T, text string, host bool) {
		got, err := parseTarget(text, host)
		if err != nil {
			return
		}
		again, err := parseTarget(got.name, host)
		if err != nil || again.name != got.name || again.service.Port != got.service.Port || again.service.Host != got.service.Host {
			t.Errorf("%q is %+v, which is %+v: %v", text, got, again, err)
		}
	})
}
