package main

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/certwatch"
	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/config"
	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/lab"
	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/dnsprovider/rfc2136"
	"github.com/tlsaroll/tlsaroll/rollover/agent"
)

// TestOwnOrders gets certificates from a CA that believes what the lab's name servers say: by
// updates at the primary, once the secondary has them too, and where an alias leads into
// another provider's zone.
func TestOwnOrders(t *testing.T) {
	t.Parallel()
	h := newHost(t, lab.Options{
		Pebble: &lab.PebbleOptions{EAB: map[string]string{"customer-1": hmacOfTheCA}}, Resolvers: 1, Zones: []string{"example.net."},
		Records: []string{"_acme-challenge.mx2.example.org. 5 IN CNAME mx2.acme.example.net."},
	}, setting{})
	text, err := os.ReadFile(h.config)
	if err != nil {
		t.Fatal(err)
	}
	hmac, other := filepath.Join(h.Dir, "eab.hmac"), h.Key("example.net.")
	acme := fmt.Sprintf("acme: {directory: %q, ca-file: %s, profile: classic, email: postmaster@example.org, eab: {key-id: customer-1, hmac-file: %s}}\n    names: [mx1.example.org, mx2.example.org]",
		h.Pebble.Directory, h.Pebble.CAFile, hmac)
	second := fmt.Sprintf("providers:\n  ns2: {type: rfc2136, server: %q, zone: example.net., key: %s, secret-file: %s}\n", h.Primary.String(), other.Name, other.SecretFile)
	text = []byte(strings.Replace(string(text), "providers:\n", second, 1) + "    " + acme + "\n")
	if err := errors.Join(os.WriteFile(h.config, text, 0o600), os.WriteFile(hmac, []byte(hmacOfTheCA+"\n"), 0o600)); err != nil {
		t.Fatal(err)
	}
	said := &output{}
	p := newProgram(world{stdin: strings.NewReader(""), stdout: said, stderr: said, lookupEnv: func(string) (string, bool) { return "", false }, now: time.Now, hangups: hangups})
	p.configFile = h.config
	cfg, wired, err := p.load()
	if err != nil {
		t.Fatal(err)
	}
	issuer, err := p.wireACME(cfg, cfg.Lineages[0], wired.Providers)
	if err != nil {
		t.Fatal(err)
	}
	h.LagSecondary(1500 * time.Millisecond)
	key, err := certwatch.EC256.Generate()
	if err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	pair, err := issuer.Issue(t.Context(), certwatch.Request{Names: cfg.Lineages[0].Names, Key: key})
	if err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	if took := time.Since(begun); took < 1500*time.Millisecond {
		t.Errorf("took %s: the secondary had the records later", took)
	} else {
		t.Logf("took %s", took.Round(100*time.Millisecond))
	}
	if names := pair.Chain.Names(); !slices.Equal(names, cfg.Lineages[0].Names) || len(pair.Findings) > 0 {
		t.Errorf("names %v, findings %v", names, pair.Findings)
	}
	for _, name := range []string{"_acme-challenge.mx1.example.org.", "mx2.acme.example.net."} {
		answer, err := h.Query(t.Context(), h.Primary, lab.Question{Name: name, Type: "TXT"})
		if err != nil || len(answer.RDATA) > 0 {
			t.Errorf("%s: left %v (%v)", name, answer.RDATA, err)
		}
	}
	clock := pair.Chain.Leaf().NotBefore.Add(time.Hour)
	r, err := issuer.Renewal(t.Context(), pair.Chain.Leaf())
	if err != nil || !r.At.After(clock) || !strings.Contains(r.Reason, " wants it between ") {
		t.Errorf("renewal %+v (%v)", r, err)
	}
	if strings.Contains(said.String(), hmacOfTheCA[:20]) {
		t.Error("the HMAC key was shown")
	}
}

// hmacOfTheCA is of a CA that lives as long as a test.
const hmacOfTheCA = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"

// TestWireACMEInVain: what is wrong is said before anybody is asked.
func TestWireACMEInVain(t *testing.T) {
	p := newProgram(quiet())
	dir := t.TempDir()
	empty := filepath.Join(dir, "empty.pem")
	if err := os.WriteFile(empty, []byte("nothing\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	tlsa := agent.Provider{Name: "tlsa", Provider: p.heard.to(onlyTLSA{})}
	for want, l := range map[string]config.Lineage{
		"lineage mx1: acme: ca-file: open " + dir + "/none.pem: no such file or directory":                     {Name: "mx1", ACME: []config.ACME{{Directory: "https://a.example/d", Challenge: "http-01", CAFile: dir + "/none.pem"}}},
		"lineage mx1: acme: ca-file: " + empty + ": no certificate in PEM":                                     {Name: "mx1", ACME: []config.ACME{{Directory: "https://a.example/d", Challenge: "http-01", CAFile: empty}}},
		"lineage mx1: acme: dns-01: no provider that can write TXT records (hint: use http-01 or tls-alpn-01)": {Name: "mx1", ACME: []config.ACME{{Directory: "https://a.example/d", Challenge: "dns-01"}}},
	} {
		if _, err := p.wireACME(&config.Config{State: dir, Resolver: netip.MustParseAddrPort("127.0.0.1:53")}, l, []agent.Provider{tlsa}); err == nil || err.Error() != want {
			t.Errorf("error is %v, want %s", err, want)
		}
	}
	if writesTXT(p.heard.to(&rfc2136.Provider{})) == nil {
		t.Error("a provider of RFC 2136 that is listened to is none of TXT records")
	}
}

type onlyTLSA struct{ dnsprovider.Provider }
