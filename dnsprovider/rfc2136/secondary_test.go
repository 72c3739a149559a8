package rfc2136_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/tlsaroll/tlsaroll/dnsprovider"
)

// startSecondary starts a BIND that transfers the zone and is told of no change.
func startSecondary(t *testing.T, primary *named, clauses string) *named {
	t.Helper()
	host, port := primary.hostPort(t)
	return startBIND(t, fmt.Sprintf(`zone %q { type secondary; file "copy"; primaries { %s port %s; }; %s };`, zone, host, port, clauses))
}

// startPowerDNSSecondary starts a PowerDNS as a secondary.
func startPowerDNSSecondary(t *testing.T, primary *named, settings string) *named {
	t.Helper()
	return startPowerDNS(t, "secondary=yes\n"+settings, pdnsAllow,
		"set-kind "+zone+" secondary", "change-secondary-zone-primary "+zone+" "+primary.address).named
}

// transferred is a primary whose zone everybody may transfer.
func transferred(t *testing.T) *named {
	t.Helper()
	return startNamed(t, `allow-update { key "tlsaroll.example.org."; }; allow-transfer { any; };`)
}

// TestSecondaryTakesNoUpdates: the sentence asks for the primary.
func TestSecondaryTakesNoUpdates(t *testing.T) {
	for name, secondary := range map[string]func(primary *named) *named{
		"BIND":     func(primary *named) *named { return startSecondary(t, primary, "") },
		"PowerDNS": func(primary *named) *named { return startPowerDNSSecondary(t, primary, "forward-dnsupdate=no") },
	} {
		t.Run(name, func(t *testing.T) {
			primary := transferred(t)
			err := apply(t, newProvider(t, bindConfig(secondary(primary))), rrset(), rrset("1"))
			if !errors.Is(err, dnsprovider.ErrRefused) || !strings.Contains(err.Error(), "is this the primary") {
				t.Errorf("error is %v", err)
			}
			if got := primary.stands(t, owner); !got.Denial() {
				t.Errorf("%v stands", got)
			}
		})
	}
}

// TestSecondaryPassesUpdatesOn (RFC 2136, section 6): what was changed at the primary is
// not seen at the secondary in time, so the sentence asks for the primary, too.
func TestSecondaryPassesUpdatesOn(t *testing.T) {
	for name, secondary := range map[string]func(primary *named) *named{
		"BIND": func(primary *named) *named { return startSecondary(t, primary, "allow-update-forwarding { any; };") },
		"Knot": func(primary *named) *named {
			host, port := primary.hostPort(t)
			remote := fmt.Sprintf("    action: [query, update]\nremote:\n  - id: primary\n    address: %s@%s\nacl:", host, port)
			return startKnotWith(t, remote, "master: primary")
		},
		"PowerDNS": func(primary *named) *named { return startPowerDNSSecondary(t, primary, "") },
	} {
		t.Run(name, func(t *testing.T) {
			primary := transferred(t)
			err := apply(t, newProvider(t, bindConfig(secondary(primary))), rrset(), rrset("1"))
			if !errors.Is(err, dnsprovider.ErrIgnored) || !strings.Contains(err.Error(), "is it a secondary that passes updates on (then configure the primary)") {
				t.Errorf("error is %v", err)
			}
			if got := primary.stands(t, owner); !got.Same(rrset("1")) {
				t.Errorf("%v stands at the primary", got)
			}
		})
	}
}

// TestHiddenPrimary: neither the SOA nor the NS records of the zone name the server that
// takes its updates; what they name is a secondary.
func TestHiddenPrimary(t *testing.T) {
	primary := transferred(t)
	public := startSecondary(t, primary, "")
	c := bindConfig(primary)
	c.Zone = ""
	p := newProvider(t, c)
	if read, err := p.RRset(t.Context(), "", owner); err != nil || !read.Denial() {
		t.Errorf("read %v, %v", read, err)
	}
	if err := p.Apply(t.Context(), "", []dnsprovider.Change{{Owner: owner, After: rrset("1")}})[0]; err != nil {
		t.Fatal(err)
	}
	if read, err := p.RRset(t.Context(), "", owner); err != nil || !read.Same(rrset("1")) {
		t.Errorf("read %v, %v", read, err)
	}
	if got := public.stands(t, owner); !got.Denial() { // it looks by itself in an hour
		t.Errorf("%v stands at the secondary", got)
	}
}
