package draft

import (
	"crypto/x509"
	"encoding/pem"
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/finder"
)

var rewrite = flag.Bool("rewrite", false, "write what comes out into testdata")

// TestHosts makes a configuration for each host of testdata, or tells what would be a guess.
func TestHosts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) < 7 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			h := readHost(t, archive)
			a, guesses := h.decide()
			yaml, text := "", ""
			if guesses != nil {
				text = guesses.Error() + "\n"
			} else {
				d := h.world.Write(a)
				yaml, text = d.YAML, told(d)
				cfg := loads(t, yaml)
				if cfg != nil && len(cfg.Lineages) != len(d.Lineages) {
					t.Errorf("%d lineages, and it says %v", len(cfg.Lineages), d.Lineages)
				}
			}
			if *rewrite {
				setFile(archive, "want.yaml", yaml)
				setFile(archive, "want.txt", text)
				if err := os.WriteFile(file, txtar.Format(archive), 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(h.want["want.yaml"]+h.want["want.txt"], yaml+text); diff != "" {
				t.Errorf("want -, got +:\n%s", diff)
			}
		})
	}
}

// TestZonesApart holds that one provider is no matter of course where the zones have different
// servers.
func TestZonesApart(t *testing.T) {
	w := World{Types: someTypes(), Hosts: map[string]HostDNS{
		"mx1.example.org": {Zone: "example.org.", Servers: []string{"ns1.desec.io."}}, "mx2.example.org": {Zone: "example.org.", Servers: []string{"ns1.desec.io."}}, "mx.example.net": {Zone: "example.net.", Servers: []string{"ns1.example.net."}},
	}}
	if q := w.AskProvider(Answers{Hosts: []string{"mx1.example.org", "mx2.example.org"}}); q.Default != "desec" || q.Guess != "" {
		t.Errorf("one zone: %+v", q)
	}
	if q := w.AskProvider(Answers{Hosts: []string{"mx1.example.org", "mx.example.net"}}); q.Guess != "the TLSA records of mx1.example.org, mx.example.net are in zones with different servers, and whether one provider changes them all cannot be told" {
		t.Errorf("two zones: %+v", q)
	}
}

// TestScalar holds that what is found stands in YAML as the text that it is.
func TestScalar(t *testing.T) {
	for in, want := range map[string]string{
		"mx1.example.org": "mx1.example.org", "/etc/postfix/tls/mx1.pem": "/etc/postfix/tls/mx1.pem", "postmaster@example.org": "postmaster@example.org",
		"ns1.example.org:53": "ns1.example.org:53", "tlsaroll.example.org.": "tlsaroll.example.org.",
		"yes": `"yes"`, "NULL": `"NULL"`, "0x1f": `"0x1f"`, "12e4": `"12e4"`, "12": `"12"`, "": `""`, "a: b": `"a: b"`, "*.example.org": `"*.example.org"`, "a\"b": `"a\"b"`, "a:": `"a:"`, "a #b": `"a #b"`,
	} {
		if got := scalar(in); got != want {
			t.Errorf("%q is written %s, want %s", in, got, want)
		}
	}
}

func TestHostedBy(t *testing.T) {
	for servers, want := range map[string]string{
		"ns1.desec.io. ns2.desec.org.":                       "desec",
		"ns1.desec.io. ns1.example.org.":                     "",
		"ns-1.awsdns-01.com. ns-512.awsdns-00.net.":          "route53",
		"ns-cloud-a1.googledomains.com.":                     "googleclouddns",
		"ada.ns.cloudflare.com. bob.ns.cloudflare.com.":      "cloudflare",
		"ns1.example.org.":                                   "",
		"":                                                   "",
		"helium.ns.hetzner.de. hydrogen.ns.hetzner.com.":     "hetzner",
		"ns1-01.azure-dns.com. ns2-01.azure-dns.net.":        "azure",
		"ns1.desec.io.example.org. ns-1.awsdns.example.org.": "",
	} {
		if got := hostedBy(strings.Fields(servers)); got != want {
			t.Errorf("%s: %q, want %q", servers, got, want)
		}
	}
}

// TestNoPorts holds that a mail server whose ports are not known, or odd, is looked at where
// mail comes in; one that is for mailboxes is not.
func TestNoPorts(t *testing.T) {
	block, _ := pem.Decode(certificate(t, "ECDSA", "60", []string{"mx1.example.org"}))
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	for _, ports := range [][]uint16{nil, {2525}} {
		for _, program := range []string{"Exim", "OpenSMTPD", "Dovecot"} {
			w := World{Types: someTypes(), File: "/etc/tlsaroll/tlsaroll.yaml", Resolver: netip.MustParseAddrPort("127.0.0.1:53")}
			w.Servers = []finder.Server{{Program: program, Ports: ports, Reads: []finder.Reads{{Cert: "/a", Key: "/b", Leaf: leaf}}, Check: [][]string{{"exim4", "-bV"}}}}
			d := w.Write(Answers{Hosts: []string{"mx1.example.org"}, Provider: "manual", Mail: "postmaster@example.org"})
			cfg := loads(t, d.YAML)
			if cfg == nil || len(cfg.Lineages) != 1 || (len(cfg.Lineages[0].Install) == 1) != (program != "Dovecot") || !strings.Contains(d.YAML, "- smtp://mx1.example.org ") {
				t.Errorf("%s, %v:\n%s", program, ports, d.YAML)
			}
		}
	}
}

// TestUnitPath holds that a unit takes a directory for what it is called.
func TestUnitPath(t *testing.T) {
	for in, want := range map[string]string{"/etc/ssl": "/etc/ssl", "/etc/my certs": `"/etc/my certs"`, "/etc/100%": `"/etc/100%%"`, `/etc/a"b\c`: `"/etc/a\"b\\c"`} {
		if got := unitPath(in); got != want {
			t.Errorf("%s is written %s, want %s", in, got, want)
		}
	}
}
