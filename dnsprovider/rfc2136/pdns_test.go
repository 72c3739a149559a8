package rfc2136_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/dnsprovider/providertest"
	"github.com/tlsaroll/tlsaroll/dnsprovider/rfc2136"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

const pdnsSchema = "/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql"

// pdns is a PowerDNS of our own.
type pdns struct {
	*named
	dir string
}

// util runs pdnsutil: edits past the server, straight into its database.
func (n *pdns) util(t testing.TB, args ...string) {
	t.Helper()
	run(t, "", needs(t, "pdnsutil"), append([]string{"--config-dir=" + n.dir}, args...)...)
}

// run runs a program that has to succeed.
func run(t testing.TB, stdin string, program string, args ...string) {
	t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Stdin = strings.NewReader(stdin)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", program, args, err, out)
	}
}

// startPowerDNS starts PowerDNS as a primary of the zone, with SQLite. The commands are for
// pdnsutil, such as "secure-zone example.org".
func startPowerDNS(t testing.TB, settings string, commands ...string) *pdns {
	t.Helper()
	program, util, sqlite := needs(t, "pdns_server"), needs(t, "pdnsutil"), needs(t, "sqlite3")
	schema, err := os.ReadFile(pdnsSchema)
	if err != nil {
		if os.Getenv("TLSAROLL_E2E") == "require" {
			t.Fatalf("pdns-backend-sqlite3 is not installed, and TLSAROLL_E2E=require: %v", err)
		}
		t.Skip("LEFT OUT: pdns-backend-sqlite3 is not installed")
	}
	dir := t.TempDir()
	port := freePort(t)
	write(t, filepath.Join(dir, "pdns.conf"), fmt.Sprintf(`
launch=gsqlite3
gsqlite3-database=%[1]s/db
gsqlite3-dnssec=yes
socket-dir=%[1]s
local-address=127.0.0.1
local-port=%[2]d
guardian=no
daemon=no
disable-syslog=yes
loglevel=5
receiver-threads=1
distributor-threads=1
dnsupdate=yes
allow-dnsupdate-from=127.0.0.0/8
%[3]s
`, dir, port, settings))
	write(t, filepath.Join(dir, "zone"), "$ORIGIN "+zone+"\n"+zoneFile)
	run(t, string(schema), sqlite, filepath.Join(dir, "db"))
	for _, command := range append([]string{
		"load-zone " + zone + " " + filepath.Join(dir, "zone"),
		"import-tsig-key " + keyName + " hmac-sha256 " + secret,
		"import-tsig-key " + otherKey + " hmac-sha256 " + otherText,
	}, commands...) {
		run(t, "", util, append([]string{"--config-dir=" + dir}, strings.Fields(command)...)...)
	}

	n := &pdns{named: &named{address: fmt.Sprintf("127.0.0.1:%d", port), log: new(lockedBuffer)}, dir: dir}
	cmd := exec.Command(program, "--config-dir="+dir)
	cmd.Stdout, cmd.Stderr = n.log, n.log
	start(t, cmd)
	n.wait(t)
	return n
}

// pdnsAllow lets the key change the zone.
const pdnsAllow = "set-meta " + zone + " TSIG-ALLOW-DNSUPDATE " + keyName

func TestProviderAgainstPowerDNS(t *testing.T) {
	for name, commands := range map[string][]string{
		"unsigned zone": {pdnsAllow},
		"NSEC":          {pdnsAllow, "secure-zone " + zone},
		"NSEC3":         {pdnsAllow, "secure-zone " + zone, "set-nsec3 " + zone, "rectify-zone " + zone},
	} {
		t.Run(name, func(t *testing.T) { runSuite(t, startPowerDNS(t, "", commands...).named) })
	}
}

func TestTXTProviderAgainstPowerDNS(t *testing.T) {
	n := startPowerDNS(t, "", pdnsAllow, "secure-zone "+zone)
	providertest.RunTXT(t, func(t *testing.T) providertest.TXTFixture { return n.txtFixture(t) })
}

// TestPowerDNSSaysNo: what it answers where something is wrong with the key, the clock or
// the rights. It tells nothing apart that has to do with the key, and signs nothing then.
func TestPowerDNSSaysNo(t *testing.T) {
	n := startPowerDNS(t, "", pdnsAllow)
	const notAuth = "the reply is not signed, and the request was: it is not believed; it says NOTAUTH " +
		`(hint: PowerDNS answers so unless it has a key of exactly the name `
	for _, test := range []struct {
		name   string
		change func(*rfc2136.Config)
		kind   dnsprovider.Kind
		want   string
	}{
		{"unknown key", func(c *rfc2136.Config) { c.KeyName = "nobody.example.org" }, dnsprovider.Unauthentic, notAuth + `"nobody.example.org."`},
		{"another algorithm", func(c *rfc2136.Config) { c.Algorithm = "hmac-sha512" }, dnsprovider.Unauthentic, notAuth},
		{"wrong secret", func(c *rfc2136.Config) { c.Secret = rfc2136.NewSecret(otherText) }, dnsprovider.Unauthentic, notAuth},
		{"clock behind", func(c *rfc2136.Config) { c.Now = func() time.Time { return time.Now().Add(-302 * time.Second) } }, dnsprovider.Unauthentic,
			"and a clock that agrees within 5m0s"},
		{"no rights", func(c *rfc2136.Config) { c.KeyName, c.Secret = otherKey, rfc2136.NewSecret(otherText) }, dnsprovider.Refused,
			`REFUSED: the server does not let this change be made (hint: does key "other.example.org." have update rights`},
		{"another zone's name", func(c *rfc2136.Config) { c.Zone = "mx.example.org" }, dnsprovider.NoZone,
			"the server has no zone mx.example.org., the name lies in its zone example.org."},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := bindConfig(n.named)
			test.change(&c)
			err := newProvider(t, c).Apply(t.Context(), "", []dnsprovider.Change{{Owner: owner, After: rrset("1")}})[0]
			if !errors.Is(err, test.kind.Err()) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error is\n%v, want one of kind %v\n%s", err, test.kind, test.want)
			}
		})
	}
	if got := n.stands(t, owner); !got.Denial() {
		t.Errorf("records stand: %v", got)
	}
}

// TestPowerDNSComparesText: a record whose hex stands with blanks in the database, as
// load-zone leaves it there, is equal to no prerequisite. Nothing is changed then, and the
// error says how to mend it.
func TestPowerDNSComparesText(t *testing.T) {
	n := startPowerDNS(t, "cache-ttl=0\nquery-cache-ttl=0\nnegquery-cache-ttl=0", pdnsAllow)
	load := func(rdata string) {
		t.Helper()
		write(t, filepath.Join(n.dir, "zone"), "$ORIGIN "+zone+"\n"+zoneFile+"_25._tcp.mx IN TLSA "+rdata+"\n")
		n.util(t, "load-zone", zone, filepath.Join(n.dir, "zone"))
	}
	p := newProvider(t, bindConfig(n.named))
	load("3 1 1 " + record("1").Data[:56] + " " + record("1").Data[56:])
	err := apply(t, p, rrset("1"), rrset("1", "2"))
	if !errors.Is(err, dnsprovider.ErrConflict) || !strings.Contains(err.Error(), "and yet it reads the same") ||
		!strings.Contains(err.Error(), "write the record again with pdnsutil replace-rrset") {
		t.Errorf("error is %v", err)
	}
	if got := n.stands(t, owner); !got.Same(rrset("1")) {
		t.Errorf("%v stands", got)
	}
	n.util(t, "replace-rrset", zone, "_25._tcp.mx", "TLSA", "3600", record("1").String())
	if err := apply(t, p, rrset("1"), rrset("1", "2")); err != nil {
		t.Error(err)
	}
	load("3 1 1 " + strings.ToUpper(record("1").Data))
	if err := apply(t, p, rrset("1"), rrset("1", "2")); err != nil {
		t.Errorf("upper case: %v", err)
	}
	if got := n.stands(t, owner); !got.Same(rrset("1", "2")) {
		t.Errorf("%v stands", got)
	}
}

// TestPowerDNSEditedPastTheServer: what its caches still say is no ground to change
// anything on.
func TestPowerDNSEditedPastTheServer(t *testing.T) {
	n := startPowerDNS(t, "query-cache-ttl=600\nnegquery-cache-ttl=600\ncache-ttl=600", pdnsAllow)
	p := newProvider(t, bindConfig(n.named))
	for _, before := range []tlsa.RRset{{}, rrset("1")} {
		read, err := p.RRset(t.Context(), zone, owner)
		if err != nil || !read.Same(before) {
			t.Fatalf("read %v, %v", read, err)
		}
		n.util(t, "replace-rrset", zone, "_25._tcp.mx", "TLSA", "3600", record("f").String())
		if err := apply(t, p, before, rrset("2")); !errors.Is(err, dnsprovider.ErrConflict) {
			t.Errorf("%v was read, and something else stands there: %v", before, err)
		}
		n.util(t, "replace-rrset", zone, "_25._tcp.mx", "TLSA", "3600", record("1").String())
		if err := p.AddTXT(t.Context(), zone, "purges.example.org.", "the-caches", time.Minute); err != nil {
			t.Error(err)
		}
		if err := p.RemoveTXT(t.Context(), zone, "purges.example.org.", "the-caches"); err != nil {
			t.Error(err)
		}
	}
}

// TestPowerDNSKeepsTheName in the chain of NSEC and NSEC3 records, few owners or many: a
// resolver may conclude from the chain what there is not (RFC 8198).
func TestPowerDNSKeepsTheName(t *testing.T) {
	for name, commands := range map[string][]string{
		"NSEC":  {pdnsAllow, "secure-zone " + zone},
		"NSEC3": {pdnsAllow, "secure-zone " + zone, "set-nsec3 " + zone, "rectify-zone " + zone},
	} {
		t.Run(name, func(t *testing.T) {
			n := startPowerDNS(t, "", commands...)
			c := bindConfig(n.named)
			c.ReadBack = 10 * time.Second
			p := newProvider(t, c)
			for _, owners := range []int{3, 60} {
				steps := []tlsa.RRset{{}, rrset("1"), rrset("1", "2"), rrset("2"), rrset("2", "3"), rrset("3"), {}}
				for i := range steps[1:] {
					changes := additions(owners)
					for j := range changes {
						changes[j].Before, changes[j].After = steps[i], steps[i+1]
					}
					for j, err := range p.Apply(t.Context(), zone, changes) {
						if err != nil {
							t.Fatalf("step %d, change %d: %v", i, j, err)
						}
						if there := n.inChain(t, changes[j].Owner); there != !steps[i+1].Denial() {
							t.Errorf("step %d, change %d: in the chain: %v", i, j, there)
						}
					}
				}
			}
			// Taken out by itself, a record takes the name with it.
			n.add(t, owner, "3600 IN TLSA "+record("1").String(), "3600 IN TLSA "+record("2").String())
			gone, err := dns.NewRR(string(owner) + " 0 IN TLSA " + record("1").String())
			if err != nil {
				t.Fatal(err)
			}
			m := new(dns.Msg).SetUpdate(zone)
			m.Remove([]dns.RR{gone})
			n.edit(t, m, owner, nil)
			if n.inChain(t, owner) {
				t.Log("this PowerDNS keeps names in the chain by itself, and a record that stays need not be put in again")
			}
		})
	}
}

// inChain reports whether the denial of a type at the name is that of a name that is there.
func (n *pdns) inChain(t *testing.T, owner tlsa.Owner) bool {
	t.Helper()
	m := new(dns.Msg).SetQuestion(string(owner), dns.TypeHINFO).SetEdns0(4096, true)
	client := &dns.Client{Net: "tcp", Timeout: 5 * time.Second}
	reply, _, err := client.Exchange(m, n.address)
	if err != nil {
		t.Fatal(err)
	}
	for _, rr := range reply.Ns {
		switch rr := rr.(type) {
		case *dns.NSEC:
			if dns.CanonicalName(rr.Hdr.Name) == string(owner) {
				return slices.Contains(rr.TypeBitMap, dns.TypeTLSA)
			}
		case *dns.NSEC3:
			if rr.Match(string(owner)) {
				return slices.Contains(rr.TypeBitMap, dns.TypeTLSA)
			}
		}
	}
	return false
}
