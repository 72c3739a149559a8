package main

import (
	"errors"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/tlsaroll/tlsaroll/cmd/tlsaroll/internal/lab"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// renewAtPrimary sets a primary up as an example says, and renews Postfix's certificate under load.
func renewAtPrimary(t *testing.T, kind lab.PrimaryKind, example string, asExample func(*host, string)) {
	t.Helper()
	l := lab.Start(t, lab.Options{Primary: kind, TTL: exampleTTL, Resolvers: 3, Records: []string{lab.Owner(25) + " 5 IN TLSA " + someoneElses}})
	secret := filepath.Join(l.Dir, "tsig.secret")
	h := newExampleHost(t, l, example+"/tlsaroll.yaml",
		aReplacement{"state: ", "control: " + filepath.Join(l.Dir, "run", "control.sock") + "\nstate: "},
		aReplacement{"/var/lib/lego", l.Lego().Dir},
		aReplacement{"/etc/tlsaroll/tsig.secret", secret},
		tellFile(l),
	)
	asExample(h, secret)
	h.run()
	h.eventually(20*time.Second, "adopted", live(h.Live))
	hammer := h.Hammer(t.Context(), lab.HammerOptions{Rate: 3})
	next := h.Certificates().Issue(t, lab.LeafOptions{})
	h.Lego().Renew(t, next)
	h.eventually(40*time.Second, "renewed", live(next))
	h.unharmed(hammer, 25)
	h.only(lab.Owner(25), next.TLSA(t, tlsa.EE), someoneElses)
	h.shows("examples/"+example+"/README.md", 0)
	h.toldNobody()
}

func TestExampleKnot(t *testing.T) {
	t.Parallel()
	renewAtPrimary(t, lab.Knot, "knot", (*host).knotAsExample)
}

// knotAsExample gives the lab's Knot the example's key, rights and zone in the place of its own,
// and wants that the key can change TLSA records of the endpoint and no others.
func (h *host) knotAsExample(secret string) {
	h.t.Helper()
	key := h.Key(lab.Domain)
	text := h.read(key.SecretFile)
	h.write(secret, text)
	dir := filepath.Join(h.Dir, "primary")
	conf := filepath.Join(dir, "knot.conf")
	own := h.read(conf)
	for _, item := range []string{`(?m)^  - id: "tlsaroll\.example\.org\."\n(    .*\n)+`, `(?m)^  - domain: example\.org\.\n(    .*\n)+`} {
		items := regexp.MustCompile(item)
		if !items.MatchString(own) {
			h.t.Fatalf("the lab's configuration has no %s", item)
		}
		own = items.ReplaceAllString(own, "")
	}
	h.write(conf, own+filled(h.t, "knot/knot.conf.snippet",
		aReplacement{"(put the secret here)", strings.TrimSpace(text)},
		aReplacement{"/var/lib/knot", dir},
		aReplacement{"dnssec-signing: on", "dnssec-signing: on\n    dnssec-policy: lab"},
		aReplacement{"acl: [tlsaroll]", "acl: [transfer, hand, tlsaroll]"}))
	if out, err := h.command("knotc", "-c", conf, "conf-check"); err != nil {
		h.t.Fatalf("knotc conf-check: %v: %s", err, out)
	}
	if out, err := h.command("knotc", "-c", conf, "reload"); err != nil {
		h.t.Fatalf("knotc reload: %v: %s", err, out)
	}
	h.mayChange(key.Name, text, map[string]int{
		"_25._tcp.mx1.example.org. 5 IN TLSA " + someoneElses: dns.RcodeSuccess,
		"_26._tcp.mx1.example.org. 5 IN TLSA " + someoneElses: dns.RcodeNotAuth,
		"_25._tcp.mx1.example.org. 5 IN TXT x":                dns.RcodeNotAuth,
		"mx2.example.org. 5 IN A 192.0.2.1":                   dns.RcodeNotAuth,
	})
}

func TestExamplePowerDNS(t *testing.T) {
	t.Parallel()
	renewAtPrimary(t, lab.PowerDNS, "powerdns", (*host).powerDNSAsExample)
}

// powerDNSAsExample runs the commands of the example's page in the place of what the lab did, and
// wants that nobody changes the zone without the key.
func (h *host) powerDNSAsExample(secret string) {
	h.t.Helper()
	dir := filepath.Join(h.Dir, "primary")
	own := h.read(filepath.Join(dir, "pdns.conf"))
	for line := range strings.Lines(filled(h.t, "powerdns/pdns.conf.snippet", aReplacement{"192.0.2.25", "127.0.0.0/8"})) {
		if !strings.HasPrefix(line, "#") && !strings.Contains(own, "\n"+line) {
			h.t.Errorf("PowerDNS runs without %q", line)
		}
	}
	name := "tlsaroll." + lab.Domain
	pdnsutil := func(args ...string) string {
		out, err := h.command("pdnsutil", append([]string{"--config-dir=" + dir}, args...)...)
		if err != nil {
			h.t.Fatalf("pdnsutil %v: %v: %s", args, err, out)
		}
		return out
	}
	pdnsutil("delete-tsig-key", name)
	var keys string
	for _, line := range readDocument(h.t, "examples/powerdns/README.md").commands() {
		if line[0] != "pdnsutil" {
			continue
		}
		if out := pdnsutil(line[1:]...); slices.Contains(line, "list-tsig-keys") {
			keys = out
		}
	}
	made := regexp.MustCompile(`(?m)^tlsaroll\.example\.org\. hmac-sha256\.? (\S+)$`).FindStringSubmatch(keys)
	if made == nil {
		h.t.Fatal("pdnsutil lists no key of that name")
	}
	h.Secrets().PlantText("the TSIG secret that pdnsutil made", made[1])
	h.write(secret, made[1]+"\n")
	if out, err := h.command("pdns_control", "--config-dir="+dir, "--socket-dir="+dir, "purge"); err != nil {
		h.t.Fatalf("pdns_control purge: %v: %s", err, out)
	}
	record := "_25._tcp.mx1.example.org. 5 IN TLSA " + someoneElses
	h.mayChange("", "", map[string]int{record: dns.RcodeRefused})
	h.mayChange(name, made[1], map[string]int{record: dns.RcodeSuccess})
}

// mayChange wants that the primary takes or refuses each record with a key, "": with none.
func (h *host) mayChange(key, secret string, want map[string]int) {
	h.t.Helper()
	for record, rcode := range want {
		rr, err := dns.NewRR(record)
		if err != nil {
			h.t.Fatal(err)
		}
		m := new(dns.Msg).SetUpdate(lab.Domain)
		m.Insert([]dns.RR{rr})
		client := &dns.Client{Net: "tcp"}
		if key != "" {
			m.SetTsig(key, dns.HmacSHA256, 300, time.Now().Unix())
			client.TsigSecret = map[string]string{key: strings.TrimSpace(secret)}
		}
		reply, _, err := client.ExchangeContext(h.t.Context(), m, h.Primary.String())
		if err != nil && (reply == nil || !errors.Is(err, dns.ErrAuth)) { // what the library says of NOTAUTH
			h.t.Fatal(err)
		}
		if reply.Rcode != rcode {
			h.t.Errorf("%s with the key %q: %s, want %s", record, key, dns.RcodeToString[reply.Rcode], dns.RcodeToString[rcode])
		}
	}
}
