package lab

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"

	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// A zone is one of the dynamic zones that primary and secondary serve.
type zone struct {
	name     string
	key      Key
	records  []dns.RR
	security security
	ds       []dns.RR // at the parent
	parents  []string // the servers that the parent names
}

// security is what validating resolvers find of a zone (RFC 4033, section 5).
type security string

const (
	secure   security = "secure"
	insecure security = "insecure"
	bogus    security = "bogus"
)

func (o Options) security(zone string) security {
	switch {
	case slices.Contains(o.Unsigned, zone):
		return insecure
	case slices.Contains(o.Bogus, zone):
		return bogus
	}
	return secure
}

// zones makes the zones with their first content.
func (l *Lab) makeZones() error {
	for _, name := range append([]string{Domain}, l.opts.Zones...) {
		key, err := newKey256("tlsaroll."+name, l.path("keys"))
		if err != nil {
			return err
		}
		l.zones = append(l.zones, &zone{name: name, key: key, security: l.opts.security(name), parents: []string{nameServer(0), nameServer(1)}})
	}
	lines, err := l.firstRecords()
	if err != nil {
		return err
	}
	for _, line := range append(lines, l.opts.Records...) {
		rr, err := dns.NewRR(line)
		if err != nil || rr == nil {
			return fmt.Errorf("lab: record %q: %w", line, err)
		}
		z := l.zoneOf(rr.Header().Name)
		if z == nil {
			return fmt.Errorf("lab: record %q: in none of the zones", line)
		}
		z.records = append(z.records, rr)
	}
	return nil
}

// parent is the zone above, a top-level domain.
func (z *zone) parent() string {
	next, _ := dns.NextLabel(z.name, 0)
	return z.name[next:]
}

// zoneOf returns the zone that a name is in, nil if it is in none.
func (l *Lab) zoneOf(name string) *zone {
	for _, z := range l.zones {
		if dns.IsSubDomain(z.name, strings.ToLower(dns.Fqdn(name))) {
			return z
		}
	}
	return nil
}

func (l *Lab) zoneNames() []string {
	var names []string
	for _, z := range l.zones {
		names = append(names, z.name)
	}
	return names
}

func (l *Lab) firstRecords() ([]string, error) {
	negative := int(l.opts.TTL / time.Second)
	var lines []string
	for _, z := range l.zones {
		// A refresh of a day: the secondary moves only when it is told to.
		lines = append(lines,
			fmt.Sprintf("%s %d SOA ns1.%s hostmaster.%s 1 86400 86400 2419200 %d", z.name, negative, Domain, Domain, negative),
			l.nsLine(z.name, nameServer(0)), l.nsLine(z.name, nameServer(1)))
	}
	lines = append(lines, l.glueLine(nameServer(0)), l.glueLine(nameServer(1)),
		fmt.Sprintf("%s %d MX 10 %s.", Domain, staticTTL, Host),
		fmt.Sprintf("%s. %d A %s", Host, staticTTL, l.MX))
	if l.opts.SecondMX {
		lines = append(lines, fmt.Sprintf("%s. %d A %s", Host, staticTTL, l.block.addr(hostSecondMX)))
	}
	ports := []uint16{25}
	if l.opts.Dovecot {
		ports = append(ports, 993)
	}
	for _, port := range ports {
		owner := Owner(port)
		if target := l.opts.Alias[owner]; target != "" {
			lines = append(lines, fmt.Sprintf("%s %d CNAME %s", owner, negative, target))
			owner = target
		}
		records, err := l.firstTLSA()
		if err != nil {
			return nil, err
		}
		for _, a := range records {
			lines = append(lines, fmt.Sprintf("%s %d TLSA %s", owner, negative, a))
		}
	}
	return lines, nil
}

// firstTLSA are the associations of the pairs that are served at first.
func (l *Lab) firstTLSA() ([]tlsa.Association, error) {
	var out []tlsa.Association
	for _, p := range []*Pair{l.Live, l.LiveRSA, l.SecondLive} {
		if p == nil {
			continue
		}
		for _, params := range l.opts.TLSA {
			a, err := p.Association(params)
			if err != nil {
				return nil, err
			}
			if !slices.Contains(out, a) {
				out = append(out, a)
			}
		}
	}
	return out, nil
}
