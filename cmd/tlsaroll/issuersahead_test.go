package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tlsaroll/tlsaroll/certwatch/issuers"
	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/config"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/agent"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// Files and known sets may stand side by side; what is in both is one record.
func TestIssuersAhead(t *testing.T) {
	set, err := issuers.Named("letsencrypt-rsa")
	if err != nil {
		t.Fatal(err)
	}
	root := withoutLeaf(t, "testdata/certs/withroot.pem")
	as, lists, err := issuersAhead([]string{root, "letsencrypt-rsa", "letsencrypt"})
	if err != nil {
		t.Fatal(err)
	}
	ca, err := readCertificates(root)
	if err != nil {
		t.Fatal(err)
	}
	want, err := tlsa.Associate(tlsa.TA, ca[0])
	if err != nil {
		t.Fatal(err)
	}
	if len(as) != len(ca)+6 || as[0] != want {
		t.Errorf("%d records, want %d; the first is %s", len(as), len(ca)+6, as[0])
	}
	if !slices.Equal(lists, []rollover.IssuerList{{Name: "letsencrypt-rsa", AsOf: set.AsOf}, {Name: "letsencrypt", AsOf: set.AsOf}}) {
		t.Errorf("lists are %v", lists)
	}
}

// The records of three of Let's Encrypt's intermediates are those that others publish,
// pin or log for them.
func TestIssuersAheadAreTheRecordsThatOthersKnow(t *testing.T) {
	as, _, err := issuersAhead([]string{"letsencrypt"})
	if err != nil {
		t.Fatal(err)
	}
	for _, record := range []string{
		"2 1 1 6ebcefb4210b088654a38b03fea3d7d1c711b4fb1ddc363a45f9b1a4e53da01e", // YE1
		"2 1 1 2e8307068b6db620e4a39d068b5dee5d6ef5788cbb2c0b6d23ead84fcc17178c", // YR1
		"2 1 1 9d637b3d27a9e570d07607b9ccadb80a70915c7af72afce12841b1b1da825fd1", // YR2
	} {
		a, err := tlsa.ParseAssociation(record)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Contains(as, a) {
			t.Errorf("%s is not among %v", record, as)
		}
	}
}

func TestBadIssuers(t *testing.T) {
	dir := t.TempDir()
	empty := filepath.Join(dir, "empty.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, want string }{
		{filepath.Join(dir, "absent.pem"), "DIR/absent.pem: no such file (hint: check the path)"},
		{empty, "DIR/empty.pem: empty (hint: name the PEM file of the chain, leaf first)"},
		{dir + "/", "DIR/: a directory (hint: name the file in it)"},
		{"testdata/certs/fullchain.pem", `testdata/certs/fullchain.pem: "CN=mx1.example.org" is not a CA certificate (hint: issuers names the certificates that sign, not those of servers)`},
		{"verisign", `no set of issuers is called "verisign" (hint: one of letsencrypt, letsencrypt-ecdsa, letsencrypt-rsa)`},
	} {
		_, _, err := issuersAhead([]string{"letsencrypt", tt.name})
		if got := strings.ReplaceAll(fmt.Sprint(err), dir, "DIR"); got != tt.want {
			t.Errorf("%s: %s\nwant %s", tt.name, got, tt.want)
		}
	}
}

// Issuers that would fill an RRset are refused when the configuration is loaded, and the
// largest known set at two lineages is not.
func TestIssuersThatLeaveNoRoom(t *testing.T) {
	wired := func(names ...string) []agent.Lineage {
		var all []agent.Lineage
		for i, name := range names {
			l, err := wireLineage(config.Lineage{Name: fmt.Sprint("mx", i+1), Scheme: rollover.Scheme{EE: true, TA: true, Standby: true}, Issuers: strings.Fields(name),
				Endpoints: []config.Endpoint{{URL: "smtp://mx.example.org", Scheme: "smtp", Host: "mx.example.org", Port: 25}}})
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, l)
		}
		return all
	}
	if err := roomForIssuers(wired("letsencrypt", "letsencrypt-rsa")); err != nil {
		t.Errorf("with one set at two lineages: %v", err)
	}
	root := withoutLeaf(t, "testdata/certs/withroot.pem")
	for _, tt := range []struct {
		lineages []string
		want     string
	}{
		{[]string{"letsencrypt " + root, "letsencrypt"}, "lineages mx1, mx2: issuers: _25._tcp.mx.example.org. would have 8 records of issuers and up to 6 of keys, more than senders take (hint: 6 of issuers fit; a CA's set for one kind of key, as letsencrypt-ecdsa, is smaller)"},
		{[]string{"letsencrypt " + root, ""}, "lineage mx1: issuers: _25._tcp.mx.example.org. would have 8 records of issuers and up to 6 of keys, more than senders take (hint: 6 of issuers fit; a CA's set for one kind of key, as letsencrypt-ecdsa, is smaller)"},
	} {
		if err := roomForIssuers(wired(tt.lineages...)); fmt.Sprint(err) != tt.want {
			t.Errorf("%q: %v\nwant %s", tt.lineages, err, tt.want)
		}
	}
}

// withoutLeaf copies a chain's CA certificates into a file.
func withoutLeaf(t *testing.T, chain string) string {
	t.Helper()
	text, err := os.ReadFile(chain)
	if err != nil {
		t.Fatal(err)
	}
	_, cas, _ := strings.Cut(string(text), "-----END CERTIFICATE-----")
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, []byte(cas), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
