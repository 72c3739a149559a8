package lab

import (
	"fmt"
	"os"
	"strings"

	"github.com/miekg/dns"
)

// The root and the top-level domains are two views of one BIND, as a server
// that has a zone and its parent would give no referral between them.
const parentViews = `
view "root" {
	match-destinations { %s; };
	zone "." { type primary; file "root.zone"; };
};
view "top-level" {
	match-destinations { %s; };
%s};
`

const rootServer = "a.root.lab."

// A topLevel is a zone between the root and ours.
type topLevel struct {
	*signedZone
	serial   uint32
	children []*zone
}

// topLevelText is the zone as it is signed now.
func (l *Lab) topLevelText(tld *topLevel) ([]byte, error) {
	server := "ns." + tld.origin
	rrs := []dns.RR{
		soa(tld.origin, server, tld.serial),
		&dns.NS{Hdr: header(tld.origin, dns.TypeNS), Ns: server},
		&dns.A{Hdr: header(server, dns.TypeA), A: l.Parent.Addr().AsSlice()},
	}
	for _, child := range tld.children {
		rrs = append(rrs, l.delegation(child)...)
	}
	rrs, err := tld.sign(rrs, validFor(signatureLife))
	return zoneText(rrs), err
}

func (l *Lab) rootText() ([]byte, error) {
	rrs := []dns.RR{
		soa(".", rootServer, 1),
		&dns.NS{Hdr: header(".", dns.TypeNS), Ns: rootServer},
		&dns.A{Hdr: header(rootServer, dns.TypeA), A: l.Root.Addr().AsSlice()},
	}
	for _, tld := range l.topLevels {
		server := "ns." + tld.origin
		rrs = append(rrs, tld.ds(),
			&dns.NS{Hdr: header(tld.origin, dns.TypeNS), Ns: server},
			&dns.A{Hdr: header(server, dns.TypeA), A: l.Parent.Addr().AsSlice()})
	}
	rrs, err := l.root.sign(rrs, validFor(signatureLife))
	return zoneText(rrs), err
}

func soa(origin, server string, serial uint32) dns.RR {
	return &dns.SOA{
		Hdr: header(origin, dns.TypeSOA), Ns: server, Mbox: "hostmaster." + rootServer,
		Serial: serial, Refresh: 86400, Retry: 86400, Expire: 2419200, Minttl: staticTTL,
	}
}

// makeParents makes the zones above ours.
func (l *Lab) makeParents() (err error) {
	if l.root, err = newSignedZone("."); err != nil {
		return err
	}
	l.topLevels = map[string]*topLevel{}
	for _, z := range l.zones {
		tld := l.topLevels[z.parent()]
		if tld == nil {
			signed, err := newSignedZone(z.parent())
			if err != nil {
				return err
			}
			tld = &topLevel{signedZone: signed, serial: 1}
			l.topLevels[z.parent()] = tld
		}
		tld.children = append(tld.children, z)
	}
	return nil
}

func (l *Lab) startParents() error {
	dir, err := l.mkdir("parents")
	if err != nil {
		return err
	}
	if err := l.makeParents(); err != nil {
		return err
	}
	text, err := l.rootText()
	if err != nil {
		return err
	}
	if err := os.WriteFile(dir+"/root.zone", text, 0o600); err != nil {
		return err
	}
	var clauses strings.Builder
	for origin, tld := range l.topLevels {
		text, err := l.topLevelText(tld)
		if err != nil {
			return err
		}
		if err := os.WriteFile(dir+"/"+origin+"zone", text, 0o600); err != nil {
			return err
		}
		fmt.Fprintf(&clauses, "\tzone %q { type primary; file %q; };\n", origin, origin+"zone")
	}
	conf := fmt.Sprintf(bindOptions, dir, l.Root.Addr().String()+"; "+l.Parent.Addr().String()+";", "none;") + bindNoControls +
		fmt.Sprintf(parentViews, l.Root.Addr(), l.Parent.Addr(), clauses.String())
	return l.startNamed("parents", dir, conf)
}
