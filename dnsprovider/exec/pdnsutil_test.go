package exec_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
	"github.com/tlsaroll/tlsaroll/dnsprovider/exec"
	"github.com/tlsaroll/tlsaroll/dnsprovider/providertest"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// powerDNS is a PowerDNS of our own with a signed zone, whose caches are as they are by
// default.
type powerDNS struct {
	t      *testing.T
	dir    string
	server string
}

const pdnsSchema = "/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql"

func startPowerDNS(t *testing.T) *powerDNS {
	t.Helper()
	program := needs(t, "pdns_server")
	if _, err := os.Stat(pdnsSchema); err != nil {
		needs(t, "pdns-backend-sqlite3")
	}
	p := &powerDNS{t: t, dir: t.TempDir()}
	needs(t, "/usr/bin/python3")
	call(t, "", "/usr/bin/python3", "-c", "import sqlite3, sys; sqlite3.connect(sys.argv[1]).executescript(open(sys.argv[2]).read())", p.dir+"/pdns.sqlite3", pdnsSchema)
	port := freePort(t)
	p.server = fmt.Sprintf("127.0.0.1:%d", port)
	write(t, filepath.Join(p.dir, "pdns.conf"), fmt.Sprintf(`launch=gsqlite3
gsqlite3-database=%[1]s/pdns.sqlite3
gsqlite3-dnssec=yes
socket-dir=%[1]s
local-address=127.0.0.1
local-port=%[2]d
guardian=no
daemon=no
disable-syslog=yes
setuid=0
setgid=0
receiver-threads=1
distributor-threads=1
`, p.dir, port))
	p.pdnsutil("create-zone", "example.org", "ns1.example.org")
	p.pdnsutil("secure-zone", "example.org")
	start(t, program, "--config-dir="+p.dir)
	ask(t, p.server, zone, dns.TypeSOA)
	return p
}

func (p *powerDNS) pdnsutil(args ...string) string {
	p.t.Helper()
	return call(p.t, "", append([]string{"pdnsutil", "--config-dir=" + p.dir}, args...)...)
}

// put edits the zone as somebody would who knows how to.
func (p *powerDNS) put(name, rrtype string, ttl time.Duration, data ...string) {
	p.t.Helper()
	below := strings.TrimSuffix(name, "."+zone)
	if len(data) == 0 {
		p.pdnsutil("delete-rrset", "example.org", below, rrtype)
	} else {
		p.pdnsutil(append([]string{"replace-rrset", "example.org", below, rrtype, strconv.Itoa(int(ttl / time.Second))}, data...)...)
	}
	p.pdnsutil("increase-serial", "example.org")
	p.pdnsutil("rectify-zone", "example.org")
	call(p.t, "", "pdns_control", "--config-dir="+p.dir, "purge", "example.org$")
}

// stands is what pdnsutil lists.
func (p *powerDNS) stands(name, rrtype string) (data []string, ttl time.Duration) {
	p.t.Helper()
	for line := range strings.Lines(p.pdnsutil("list-zone", "example.org")) {
		fields := strings.SplitN(strings.TrimSuffix(line, "\n"), "\t", 5)
		if len(fields) == 5 && strings.EqualFold(fields[0]+".", name) && fields[3] == rrtype {
			seconds, err := strconv.Atoi(fields[1])
			if err != nil {
				p.t.Error(err)
			}
			data, ttl = append(data, fields[4]), time.Duration(seconds)*time.Second
		}
	}
	return data, ttl
}

// provider is one with the commands of the example.
func (p *powerDNS) provider(change []string) *exec.Provider {
	p.t.Helper()
	return newProvider(p.t, exec.Config{
		Read: []string{example(p.t, "exec-pdnsutil/pdns-zone"), "read"}, Change: change,
		Env: []string{"PDNSUTIL=pdnsutil --config-dir=" + p.dir, "PDNS_CONTROL=pdns_control --config-dir=" + p.dir, "LOCK=" + p.dir + "/lock"},
	})
}

func TestExamplePdnsutil(t *testing.T) {
	t.Parallel()
	p := startPowerDNS(t)
	script := example(t, "exec-pdnsutil/pdns-zone")
	t.Run("TLSA", func(t *testing.T) {
		providertest.Run(t, func(t *testing.T) providertest.Fixture {
			command, lose, meanwhile := interposed(t, t.TempDir(), script, "change")
			return providertest.Fixture{
				Provider: p.provider(command), Zone: zone, Slow: !*whole,
				Seed: func(_ *testing.T, owner tlsa.Owner, ttl time.Duration, rdata ...string) {
					p.put(string(owner), "TLSA", ttl, rdata...)
				},
				// What is served: caches that were not emptied, denials that are not those of
				// now, and signatures that are missing would show here.
				Look:      func(t *testing.T, owner tlsa.Owner) tlsa.RRset { return notWild(p.server, t, owner) },
				Alias:     func(_ *testing.T, owner, target tlsa.Owner) { p.put(string(owner), "CNAME", time.Hour, string(target)) },
				LoseReply: func(*testing.T) { lose() },
				Meanwhile: func(_ *testing.T, edit func()) { meanwhile(edit) },
				Beside:    func(_ *testing.T, name, rrtype, rdata string) { p.put(name, rrtype, time.Hour, rdata) },
				Stands: func(_ *testing.T, name, rrtype string) []string {
					data, _ := p.stands(name, rrtype)
					return data
				},
				Without: map[providertest.Part]string{
					providertest.MinimumTTLs: "PowerDNS takes any TTL",
					providertest.Faults:      "there is no API; what a command may say is a test of its own",
					providertest.Listings:    "counted with a command of the tests' own",
				},
			}
		})
	})
	t.Run("TXT", func(t *testing.T) {
		providertest.RunTXT(t, func(t *testing.T) providertest.TXTFixture {
			command, lose, _ := interposed(t, t.TempDir(), script, "change")
			return providertest.TXTFixture{
				Provider: p.provider(command), Zone: zone,
				Seed: func(_ *testing.T, name tlsa.Owner, ttl time.Duration, values ...string) {
					for i, v := range values {
						values[i] = strconv.Quote(v)
					}
					p.put(string(name), "TXT", ttl, values...)
				},
				Look: func(_ *testing.T, name tlsa.Owner) ([]string, time.Duration) {
					data, ttl := p.stands(string(name), "TXT")
					for i, d := range data {
						data[i] = strings.Trim(d, `"`)
					}
					return data, ttl
				},
				Alias:     func(_ *testing.T, name, target tlsa.Owner) { p.put(string(name), "CNAME", time.Hour, string(target)) },
				LoseReply: func(*testing.T) { lose() },
			}
		})
	})
}

// notWild is what is served at the name itself: the labels of a signature tell what a
// wildcard gives (RFC 4035, section 5.3.4).
func notWild(server string, t *testing.T, owner tlsa.Owner) tlsa.RRset {
	t.Helper()
	for _, rr := range ask(t, server, string(owner), dns.TypeTLSA).Answer {
		if sig, ok := rr.(*dns.RRSIG); ok && int(sig.Labels) < dns.CountLabel(string(owner)) {
			return tlsa.RRset{}
		}
	}
	return served(t, server, owner)
}

// TestExamplePdnsutilKilled: a change that was killed between the database and the server
// is finished by the next call, be it only to read.
func TestExamplePdnsutilKilled(t *testing.T) {
	t.Parallel()
	p := startPowerDNS(t)
	before := serial(t, p.server)
	kill := filepath.Join(p.dir, "pdnsutil")
	write(t, kill, `#!/bin/sh
case $1 in increase-serial) kill -9 $PPID; sleep 10;; esac
exec pdnsutil --config-dir=`+p.dir+` "$@"
`)
	script := example(t, "exec-pdnsutil/pdns-zone")
	killed := newProvider(t, exec.Config{
		Read:   []string{script, "read"},
		Change: []string{"/usr/bin/env", "PDNSUTIL=sh " + kill, script, "change"},
		Env:    []string{"PDNSUTIL=pdnsutil --config-dir=" + p.dir, "PDNS_CONTROL=pdns_control --config-dir=" + p.dir, "LOCK=" + p.dir + "/lock"},
	})
	// The change was made, the call that reads it back finishes it.
	if err := killed.Apply(t.Context(), zone, []dnsprovider.Change{{Owner: owner, After: rrset("1")}})[0]; err != nil {
		t.Error(err)
	}
	if got := served(t, p.server, owner); !got.Same(rrset("1")) {
		t.Errorf("%v is served", got)
	}
	if now := serial(t, p.server); now <= before {
		t.Errorf("the serial is %d, and was %d", now, before)
	}
	if text, err := os.ReadFile(p.dir + "/lock"); err != nil || len(text) > 0 {
		t.Errorf("the lock has %q, %v", text, err)
	}
}

// TestExamplePdnsutilSaysNo: what is wrong is said, and nothing is done.
func TestExamplePdnsutilSaysNo(t *testing.T) {
	t.Parallel()
	p := startPowerDNS(t)
	script := example(t, "exec-pdnsutil/pdns-zone")
	provider := p.provider([]string{script, "change"})
	other := newProvider(t, exec.Config{Zone: "example.net", Read: []string{script, "read"}, Env: []string{"PDNSUTIL=pdnsutil --config-dir=" + p.dir, "LOCK=" + p.dir + "/lock"}})
	_, err := other.RRset(t.Context(), "", "_25._tcp.mx.example.net.")
	wants(t, err, dnsprovider.NoZone, "pdns-zone: no-zone: pdnsutil list-zone: Zone 'example.net' not found! (hint:")
	broken := newProvider(t, exec.Config{Read: []string{script, "read"}, Env: []string{"PDNSUTIL=pdnsutil --config-dir=/no/such", "LOCK=" + p.dir + "/lock"}})
	_, err = broken.RRset(t.Context(), zone, owner)
	wants(t, err, dnsprovider.Temporary, "pdns-zone: exit status 1: pdns-zone: pdnsutil list-zone: ")
	locked := newProvider(t, exec.Config{Read: []string{script, "read"}, Env: []string{"LOCK=/no/such/lock"}})
	_, err = locked.RRset(t.Context(), zone, owner)
	wants(t, err, dnsprovider.Temporary, "exit status 1: pdns-zone: [Errno 2] No such file or directory: '$LOCK' (hint:")

	// The serial rises with what is changed, and with that alone.
	before := serial(t, p.server)
	if err := provider.Apply(t.Context(), zone, []dnsprovider.Change{{Owner: owner, After: rrset("1")}})[0]; err != nil {
		t.Error(err)
	}
	if now := serial(t, p.server); now != before+1 {
		t.Errorf("the serial is %d, and was %d", now, before)
	}
	for _, request := range []string{
		`{"owner":"` + string(owner) + `","type":"TLSA","ttl":60,"before":[],"after":["3 1 1 ab"],"add":["3 1 1 ab"],"remove":[]}`,
		`{"owner":"mx.example.org.","type":"A","ttl":60,"before":[],"after":["192.0.2.1"],"add":["192.0.2.1"],"remove":[]}`,
		`{"owner":"example.org.","type":"TXT","ttl":60,"before":[],"after":["x"],"add":["x"],"remove":[]}`,
	} {
		var reply struct {
			Results []struct{ Status, Message string }
		}
		out := call(t, `{"version":1,"zone":"example.org.","changes":[`+request+`]}`, "env", "PDNSUTIL=pdnsutil --config-dir="+p.dir, "LOCK="+p.dir+"/lock", script, "change")
		if err := json.Unmarshal([]byte(out), &reply); err != nil || len(reply.Results) != 1 || reply.Results[0].Status == "done" || reply.Results[0].Message == "" {
			t.Errorf("%s:\n%s", request, out)
		}
	}
	if now := serial(t, p.server); now != before+1 {
		t.Errorf("the serial is %d, and was %d", now, before)
	}
	for _, argv := range [][]string{{script}, {script, "write"}} {
		if out := call(t, "", "sh", "-c", `"$@" 2>&1 || true`, "sh", argv[0], strings.Join(argv[1:], "")); out != "usage: pdns-zone read|change\n" {
			t.Errorf("%s says %s", argv, out)
		}
	}
	if out := call(t, `{"version":2}`, "sh", "-c", `"$@" 2>&1 || true`, "sh", script, "read"); out != "pdns-zone: asked in another version of the schema than 1\n" {
		t.Errorf("it says %s", out)
	}
}
