package lab

import (
	"fmt"
	"os"
	"strings"
	"time"

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

// signParents makes the zones above ours. ds has a DS RRset for each of our zones.
func (l *Lab) signParents(ds map[string][]dns.RR) (map[string][]dns.RR, error) {
	now := time.Now()
	root, err := newSignedZone(".")
	if err != nil {
		return nil, err
	}
	l.anchor = root.ds()
	out := map[string][]dns.RR{}
	rootRRs := []dns.RR{
		soa(".", rootServer),
		&dns.NS{Hdr: header(".", dns.TypeNS), Ns: rootServer},
		&dns.A{Hdr: header(rootServer, dns.TypeA), A: l.Root.Addr().AsSlice()},
	}
	for tld, zones := range l.byParent() {
		z, err := newSignedZone(tld)
		if err != nil {
			return nil, err
		}
		server := "ns." + tld
		glue := &dns.A{Hdr: header(server, dns.TypeA), A: l.Parent.Addr().AsSlice()}
		ns := &dns.NS{Hdr: header(tld, dns.TypeNS), Ns: server}
		rootRRs = append(rootRRs, ns, z.ds(), glue)
		rrs := []dns.RR{soa(tld, server), ns, glue}
		for _, child := range zones {
			rrs = append(rrs, l.delegation(child, ds[child.name])...)
		}
		if out[tld], err = z.sign(rrs, now); err != nil {
			return nil, err
		}
	}
	out["."], err = root.sign(rootRRs, now)
	return out, err
}

func soa(origin, server string) dns.RR {
	return &dns.SOA{
		Hdr: header(origin, dns.TypeSOA), Ns: server, Mbox: "hostmaster." + rootServer,
		Serial: 1, Refresh: 86400, Retry: 86400, Expire: 2419200, Minttl: staticTTL,
	}
}

func (l *Lab) byParent() map[string][]*zone {
	out := map[string][]*zone{}
	for _, z := range l.zones {
		next, _ := dns.NextLabel(z.name, 0)
		out[z.name[next:]] = append(out[z.name[next:]], z)
	}
	return out
}

func (l *Lab) startParents(zones map[string][]dns.RR) error {
	dir, err := l.mkdir("parents")
	if err != nil {
		return err
	}
	var clauses strings.Builder
	for origin, rrs := range zones {
		file := "root.zone"
		if origin != "." {
			file = origin + "zone"
			fmt.Fprintf(&clauses, "\tzone %q { type primary; file %q; };\n", origin, file)
		}
		if err := os.WriteFile(dir+"/"+file, zoneText(rrs), 0o600); err != nil {
			return err
		}
	}
	conf := fmt.Sprintf(bindOptions, dir, l.Root.Addr().String()+"; "+l.Parent.Addr().String()+";", "none;") + bindNoControls +
		fmt.Sprintf(parentViews, l.Root.Addr(), l.Parent.Addr(), clauses.String())
	return l.startNamed("parents", dir, conf)
}
