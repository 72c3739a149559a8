package lab

import (
	"context"
	"fmt"
	"os"

	"github.com/miekg/dns"
)

// A PrimaryKind is the software of the server that takes the changes of the zones and
// signs them.
type PrimaryKind string

// Kinds of primaries. A zone's [Lab.Key] may change TLSA records alone at BIND and Knot,
// and everything at PowerDNS, which knows no rights by type.
const (
	BIND     PrimaryKind = "BIND"
	Knot     PrimaryKind = "Knot"
	PowerDNS PrimaryKind = "PowerDNS" // has an HTTP API too, see Lab.PowerDNS
)

// startPrimary starts the server that takes the changes and signs the zones.
func (l *Lab) startPrimary(ctx context.Context) error {
	dir, err := l.mkdir("primary")
	if err != nil {
		return err
	}
	switch l.opts.Primary {
	case Knot:
		return l.startKnot(dir)
	case PowerDNS:
		return l.startPowerDNS(ctx, dir)
	case BIND:
	}
	return l.startBIND(dir)
}

// write puts the zone's first content into a file of a directory.
func (z *zone) write(dir string) error {
	return os.WriteFile(dir+"/"+z.name+"zone", zoneText(z.records), 0o600)
}

// signedDS waits until the primary has signed the zone and returns what belongs
// into its parent; a bogus zone has the DS of a key that is nobody's there.
func (l *Lab) signedDS(ctx context.Context, z *zone) ([]dns.RR, error) {
	var ds []dns.RR
	err := await(ctx, func(ctx context.Context) error {
		if err := l.ended("primary"); err != nil {
			return err
		}
		keys, err := l.ask(ctx, l.Primary, z.name, dns.TypeDNSKEY)
		if err != nil {
			return err
		}
		soa, err := l.ask(ctx, l.Primary, z.name, dns.TypeSOA)
		if err != nil {
			return err
		}
		if !signed(keys) || !signed(soa) {
			return fmt.Errorf("zone %s: not signed yet", z.name)
		}
		ds = ds[:0]
		for _, rr := range keys.Answer {
			if key, ok := rr.(*dns.DNSKEY); ok && key.Flags&dns.SEP != 0 {
				if z.security == bogus {
					stranger, err := newSignedZone(z.name)
					if err != nil {
						return err
					}
					key = stranger.key
				}
				ds = append(ds, key.ToDS(dns.SHA256))
			}
		}
		return nil
	})
	return ds, err
}

func signed(m *dns.Msg) bool {
	for _, rr := range m.Answer {
		if rr.Header().Rrtype == dns.TypeRRSIG {
			return true
		}
	}
	return false
}
