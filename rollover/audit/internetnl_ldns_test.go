package audit

import (
	"bytes"
	"context"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// TestLdns puts sets of records to ldns-dane itself, by files alone.
func TestLdns(t *testing.T) {
	ldns, err := exec.LookPath("ldns-dane")
	if err != nil {
		what := fmt.Sprintf("left out: %s: ldns-dane is not asked: %v (hint: install ldnsutils)", t.Name(), err)
		if os.Getenv("TLSAROLL_E2E") == "require" {
			t.Fatal(what + " (TLSAROLL_E2E=require)")
		}
		t.Skip(what)
	}
	w := newNLWorld(t)
	rec := func(s string) tlsa.Association { return w.record(s, nlParty{}) }
	leaf := func(s string) tlsa.Association { return w.record(s, w.leaf) }
	root := func(s string) tlsa.Association { return w.record(s, w.root) }
	ab := strings.Repeat("ab", 32)
	other := nlIssue(t, w.root, nlKey(t, elliptic.P256()), func(c *x509.Certificate) { c.DNSNames = []string{"example.org"} })
	wild := nlIssue(t, w.root, nlKey(t, elliptic.P256()), func(c *x509.Certificate) { c.DNSNames = []string{"*.example.org"} })
	common := nlIssue(t, w.root, nlKey(t, elliptic.P256()), func(c *x509.Certificate) { c.Subject.CommonName, c.DNSNames = nlHost, nil })
	for name, r := range map[string]struct {
		chain   *tlsa.Chain
		records []tlsa.Association
	}{
		"EE":                       {w.chain, []tlsa.Association{leaf("3 1 1")}},
		"EE of another":            {w.chain, []tlsa.Association{rec("3 1 1 " + ab)}},
		"EE over":                  {w.lateChain, []tlsa.Association{leaf("3 1 1")}},
		"TA":                       {w.chain, []tlsa.Association{root("2 1 1")}},
		"TA over":                  {w.lateChain, []tlsa.Association{root("2 1 1")}},
		"TA for no name":           {w.nameless, []tlsa.Association{root("2 1 1")}},
		"TA for another name":      {w.chainOf(other, w.root), []tlsa.Association{root("2 1 1")}},
		"TA by a wildcard":         {w.chainOf(wild, w.root), []tlsa.Association{root("2 1 1")}},
		"TA by a common name":      {w.chainOf(common, w.root), []tlsa.Association{root("2 1 1")}},
		"EE for another name":      {w.chainOf(other, w.root), []tlsa.Association{w.record("3 1 1", other)}},
		"usage 1 for another name": {w.chainOf(other, w.root), []tlsa.Association{w.record("1 1 1", other)}},
		"TA not sent":              {w.chainOf(w.leaf), []tlsa.Association{rec("2 1 1 " + ab)}},
		"usage 1":                  {w.chain, []tlsa.Association{leaf("1 1 1"), rec("3 1 1 " + ab)}},
		"usage 0":                  {w.chain, []tlsa.Association{root("0 1 1")}},
		"the stronger digest":      {w.chain, []tlsa.Association{leaf("3 1 1"), rec("3 1 2 " + ab + ab)}},
		"a bad length beside":      {w.chain, []tlsa.Association{leaf("3 1 1"), rec("3 1 1 abcd")}},
		"a bad length first":       {w.chain, []tlsa.Association{rec("2 1 1 abcd"), leaf("3 1 1")}},
		"a bad length alone":       {w.chain, []tlsa.Association{rec("3 1 1 abcd")}},
		"no key beside":            {w.chain, []tlsa.Association{rec("3 1 0 abcd"), leaf("3 1 1")}},
		"an unknown usage beside":  {w.chain, []tlsa.Association{rec("255 1 1 abcd"), leaf("3 1 1")}},
		"an unknown digest beside": {w.chain, []tlsa.Association{rec("3 1 3 abcd"), leaf("3 1 1")}},
		"an unknown usage alone":   {w.chain, []tlsa.Association{rec("255 1 1 abcd")}},
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			_, ours := ldnsVerifies(tlsa.NewRRset(time.Hour, r.records...), r.chain, nlHost, r.chain != w.lateChain, nlNow)
			said, theirs := askLdns(t, ldns, w, r.chain, r.records)
			if (ours == nil) != theirs {
				t.Errorf("we say %v, ldns-dane says %s", ours, said)
			}
		})
	}
}

// askLdns judges as Internet.nl judges what ldns-dane says.
func askLdns(t *testing.T, ldns string, w *nlWorld, c *tlsa.Chain, records []tlsa.Association) (said string, valid bool) {
	t.Helper()
	dir := t.TempDir()
	var zone, chain bytes.Buffer
	for _, a := range records {
		fmt.Fprintf(&zone, "_25._tcp.%s. 3600 IN TLSA %s\n", nlHost, a)
	}
	for _, cert := range c.Certificates() {
		if err := pem.Encode(&chain, &pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw}); err != nil {
			t.Fatal(err)
		}
	}
	for name, content := range map[string][]byte{
		"zone": zone.Bytes(), "chain": chain.Bytes(), "CA": pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: w.root.Raw}),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	command := exec.CommandContext(ctx, ldns, "-n", "-T", "-c", "chain", "-t", "zone", "-f", "CA", "verify", nlHost, "25")
	command.Dir = dir
	out, err := command.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || exit.ExitCode() < 0) {
		t.Fatalf("ldns-dane: %v\n%s", err, out)
	}
	return string(out), err == nil && !bytes.Contains(out, []byte("No usable TLSA records"))
}
