package lab

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// AddSecondary starts one more NSD, two at most, which follows the primary
// without a lag. It returns when that has all zones, and nothing names it yet: see
// [Lab.SetNS] and [Lab.SetDelegation].
func (l *Lab) AddSecondary(t testing.TB) *Secondary {
	t.Helper()
	l.mu.Lock()
	n := 2 + len(l.added)
	if n == len(nameServers) {
		l.mu.Unlock()
		t.Fatalf("lab: add secondary: no address is left after %d name servers", n)
	}
	s := newSecondary(l, n)
	l.added = append(l.added, s)
	l.mu.Unlock()
	ctx, cancel := context.WithTimeout(t.Context(), startPatience)
	defer cancel()
	err := l.startSecondary(s)
	if err == nil {
		err = s.bringOver(ctx, time.Now().Add(firstTransfer))
	}
	if err != nil {
		t.Fatalf("lab: add secondary: %v", err)
	}
	s.follow(0)
	return s
}

// secondaries are those that were started.
func (l *Lab) secondaries() []*Secondary {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.second == nil {
		return nil
	}
	return append([]*Secondary{l.second}, l.added...)
}

// secondary returns the secondary whose process has a name, nil if none has.
func (l *Lab) secondary(name string) *Secondary {
	for _, s := range l.secondaries() {
		if s.Name == name {
			return s
		}
	}
	return nil
}

// SetNS makes hosts, as "ns3.example.org.", the zone's NS set in the zone itself,
// and returns when the primary serves that. A server that is no longer named goes
// on as it is; hold it, and it becomes stale.
func (l *Lab) SetNS(t testing.TB, zone string, hosts ...string) {
	t.Helper()
	for _, host := range hosts {
		l.Update(t, Add(l.glueLine(host)))
	}
	have, err := l.Query(t.Context(), l.Primary, Question{zone, "NS"})
	if err != nil {
		t.Fatal(err)
	}
	var changes []Change
	for _, host := range hosts {
		changes = append(changes, Add(l.nsLine(zone, host)))
	}
	for _, host := range have.RDATA {
		if !slices.Contains(hosts, host) {
			changes = append(changes, Remove(l.nsLine(zone, host)))
		}
	}
	l.Update(t, changes...)
}

// SetDelegation makes hosts the zone's NS set in its parent, with their addresses
// as glue, and returns when the parent's server gives that as a referral.
func (l *Lab) SetDelegation(t testing.TB, zone string, hosts ...string) {
	t.Helper()
	if err := l.delegate(t, zone, hosts); err != nil {
		t.Fatalf("lab: delegation of %s: %v", zone, err)
	}
}

func (l *Lab) delegate(t testing.TB, zone string, hosts []string) error {
	z := l.zoneOf(zone)
	if z == nil || z.name != zone {
		return fmt.Errorf("no zone %q", zone)
	}
	l.mu.Lock()
	tld := l.topLevels[z.parent()]
	tld.serial++
	z.parents = hosts
	serial := tld.serial
	text, err := l.topLevelText(tld)
	l.mu.Unlock()
	if err != nil {
		return err
	}
	if err := replaceFile(l.path("parents/"+tld.origin+"zone"), text, 0o600); err != nil {
		return err
	}
	l.signal(t, "parents", syscall.SIGHUP)
	ctx, cancel := context.WithTimeout(t.Context(), startPatience)
	defer cancel()
	return await(ctx, func(ctx context.Context) error {
		have, err := l.serial(ctx, l.Parent, tld.origin)
		if err == nil && have != serial {
			err = fmt.Errorf("parent has serial %d, want %d", have, serial)
		}
		return err
	})
}

// delegation is what the parent publishes of the zone: NS, DS and glue.
func (l *Lab) delegation(z *zone) []dns.RR {
	ttl := uint32(l.opts.NSTTL / time.Second)
	rrs := slices.Clone(z.ds)
	for _, host := range z.parents {
		rrs = append(rrs, &dns.NS{Hdr: dns.RR_Header{Name: z.name, Rrtype: dns.TypeNS, Class: dns.ClassINET, Ttl: ttl}, Ns: host})
		if z.name == Domain {
			rrs = append(rrs, &dns.A{Hdr: dns.RR_Header{Name: host, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: ttl}, A: l.nameServerAddr(host).AsSlice()})
		}
	}
	return rrs
}

func (l *Lab) nsLine(zone, host string) string {
	return fmt.Sprintf("%s %d NS %s", zone, l.opts.NSTTL/time.Second, host)
}

func (l *Lab) glueLine(host string) string {
	return fmt.Sprintf("%s %d A %s", host, l.opts.NSTTL/time.Second, l.nameServerAddr(host))
}

// nameServer is the name of one of nameServers.
func nameServer(i int) string { return fmt.Sprintf("ns%d.%s", i+1, Domain) }

func (l *Lab) nameServerAddr(host string) netip.Addr {
	for i, last := range nameServers {
		if host == nameServer(i) {
			return l.block.addr(last)
		}
	}
	panic("lab: no name server " + host)
}
