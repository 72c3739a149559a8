package main

import (
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/lab"
	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// A serving is an example about a mail server. All are tried in one lab, each at a name of
// its own with a daemon of its own.
type serving struct {
	example, name string
	ports         []uint16
	// start has the server present first by what the example says, and returns what the lab
	// has in the place of the example's paths and commands.
	start func(n *neighbour, first *lab.Pair) []aReplacement
	// harm is what its reload may do to clients; "": nothing.
	harm harm
}

type harm string

// refuses is a server that takes no connections for a moment.
const refuses harm = "refuses"

var servings = []serving{
	{"postfix-dovecot", lab.Host, []uint16{25, 993}, (*neighbour).postfixAndDovecot, ""},
	{"haproxy", "haproxy.example.org", []uint16{465, 993}, (*neighbour).haproxy, ""},
	{"exim", "exim.example.org", []uint16{25}, (*neighbour).exim, ""},
	{"dovecot", "dovecot.example.org", []uint16{993}, (*neighbour).dovecot, ""},
	{"sendmail", "sendmail.example.org", []uint16{25}, (*neighbour).sendmail, refuses},
}

// TestExampleServers renews each server's certificate by its example, under load.
func TestExampleServers(t *testing.T) {
	t.Parallel()
	l := lab.Start(t, lab.Options{TTL: exampleTTL, Resolvers: 2, Dovecot: true, Servers: []lab.ServerKind{lab.HAProxy, lab.Exim, lab.Dovecot, lab.Sendmail}})
	for _, s := range servings {
		at, first := l.MX, l.Live
		if s.name != lab.Host {
			at, first = l.Spare(t), l.Certificates().Issue(t, lab.LeafOptions{Names: []string{s.name}})
			s.publish(t, l, at, first)
		}
		t.Run(s.example, func(t *testing.T) {
			t.Parallel()
			newNeighbour(t, l, s, at, first).renews()
		})
	}
}

// publish puts a host's records into the zone. It is done before anybody asks for any name: an
// answer that there is none would be remembered, and stand for other names, too.
func (s serving) publish(t *testing.T, l *lab.Lab, at netip.Addr, first *lab.Pair) {
	t.Helper()
	changes := []lab.Change{lab.Add(s.name + ". 5 A " + at.String())}
	for _, port := range s.ports {
		changes = append(changes, lab.Add(s.owner(port)+" 5 TLSA "+first.TLSA(t, tlsa.EE)))
	}
	l.Update(t, changes...)
}

// owner is where the records of a port stand.
func (s serving) owner(port uint16) string {
	return strings.ReplaceAll(lab.Owner(port), lab.Host, s.name)
}

// A neighbour is a host of a lab that has several.
type neighbour struct {
	*host
	serving
	at    netip.Addr
	dir   string // all that is its own
	first *lab.Pair
}

func newNeighbour(t *testing.T, l *lab.Lab, s serving, at netip.Addr, first *lab.Pair) *neighbour {
	t.Helper()
	n := &neighbour{&host{Lab: l, t: t, now: time.Now}, s, at, filepath.Join(l.Dir, "host-"+s.example), first}
	if err := os.Mkdir(n.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	config := "examples/" + s.example + "/tlsaroll.yaml"
	timing := timingLine.FindString(readDocument(t, config).text)
	n.config = filepath.Join(n.dir, "tlsaroll.yaml")
	n.write(n.config, filled(t, s.example+"/tlsaroll.yaml", append(s.start(n, n.first),
		aReplacement{"state: /var/lib/tlsaroll", "state: " + filepath.Join(n.dir, "state")},
		aReplacement{"/run/tlsaroll/control.sock", filepath.Join(n.dir, "sock")},
		aReplacement{"resolver: 127.0.0.1:53", "resolver: " + l.Resolver.String()},
		aReplacement{timing, "timing: " + exampleTiming},
		aReplacement{"providers:\n", labZones + "providers:\n"},
		aReplacement{"ns1.example.org:53", l.Primary.String()},
		aReplacement{"/etc/tlsaroll/tsig.secret", l.Key(lab.Domain).SecretFile},
		aReplacement{"{mail: postmaster@example.org}", "[tee, -a, " + n.told() + "]"},
		aReplacement{"/var/lib/lego", n.lego()},
		aReplacement{lab.Host, n.name},
	)...))
	return n
}

func (n *neighbour) issue() *lab.Pair {
	n.t.Helper()
	return n.Certificates().Issue(n.t, lab.LeafOptions{Names: []string{n.name}})
}

func (n *neighbour) told() string { return filepath.Join(n.dir, "told") }
func (n *neighbour) lego() string { return filepath.Join(n.dir, "lego") }

// leaves puts a pair where lego leaves it.
func (n *neighbour) leaves(p *lab.Pair) {
	n.t.Helper()
	dir := filepath.Join(n.lego(), "certificates")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		n.t.Fatal(err)
	}
	n.write(filepath.Join(dir, n.name+".crt"), n.read(p.Fullchain()))
	n.write(filepath.Join(dir, n.name+".key"), n.read(p.Privkey()))
}

// renews has the daemon adopt what is served, and renew it.
func (n *neighbour) renews() {
	n.t.Helper()
	d := n.run()
	settled := func(p *lab.Pair) func(rollover.LineageStatus) bool {
		return func(s rollover.LineageStatus) bool {
			return live(p)(s) && len(s.Endpoints) == len(n.ports) && !slices.ContainsFunc(s.Endpoints, func(e rollover.EndpointStatus) bool { return e.Verified != rollover.Yes })
		}
	}
	n.eventually(20*time.Second, "adopted", settled(n.first))
	var hammers []*lab.Tally
	for _, port := range n.ports {
		hammers = append(hammers, n.Hammer(n.t.Context(), lab.HammerOptions{Host: n.name, Port: port, Rate: 3}))
	}
	next := n.issue()
	n.leaves(next)
	n.eventually(40*time.Second, "renewed", settled(next))
	for i, port := range n.ports {
		if n.harm == refuses {
			n.refused(hammers[i], 25)
		} else {
			n.unharmed(hammers[i], 25)
		}
		n.only(n.owner(port), next.TLSA(n.t, tlsa.EE))
	}
	n.shows("examples/"+n.example+"/README.md", 0, aReplacement{lab.Host, n.name})
	if text, err := os.ReadFile(n.told()); err == nil {
		n.t.Errorf("somebody was told:\n%s", text)
	}
	if text := d.String(); strings.Contains(text, "level=ERROR") {
		n.t.Errorf("the daemon says\n%s", text)
	}
}

// postfixAndDovecot are the lab's, with a line of the example's in Dovecot's configuration.
func (n *neighbour) postfixAndDovecot(*lab.Pair) []aReplacement {
	n.t.Helper()
	conf := n.read(n.Dovecot.Config)
	for line := range strings.Lines(filled(n.t, "postfix-dovecot/dovecot.conf.snippet", aReplacement{"/etc/dovecot/tls/mx1", n.Dovecot.TLS})) {
		if !strings.HasPrefix(line, "#") && !strings.Contains(conf, "\n"+line) {
			n.t.Errorf("Dovecot runs without %q", line)
		}
	}
	return []aReplacement{
		{"/etc/postfix/tls/mx1.pem", n.Postfix.Combined},
		{"/etc/dovecot/tls/mx1", n.Dovecot.TLS},
		{"[postfix, check]", argv([]string{"postfix", "-c", n.Postfix.Config, "check"})},
		{"[doveconf, -n]", argv([]string{"doveconf", "-n", "-c", n.Dovecot.Config})},
		{"[systemctl, reload, postfix]", argv(n.Postfix.Reload)},
		{"[systemctl, reload, dovecot]", argv(n.Dovecot.Reload)},
	}
}
