package audit

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tlsaroll/tlsaroll/rollover"
	"github.com/tlsaroll/tlsaroll/rollover/tlsa"
)

// findingsOfDomain are what is to be said of a domain beside its hosts, the worst first.
func findingsOfDomain(d Domain) []Finding {
	t := &teller{}
	d.tellZone(t)
	if !t.told(rollover.CodeZoneBogus) || d.MX.Security != rollover.Bogus {
		d.tellMX(t)
		d.tellDANE(t)
	}
	d.tellAtDomain(t)
	d.tellSharedKeys(t)
	sortFindings(t.out)
	return t.out
}

// tellZone tells of the lookups that all else hangs on: once, as they are of one zone.
func (d Domain) tellZone(t *teller) {
	switch {
	case d.MX.Security == rollover.Bogus:
		t.tell(rollover.CodeZoneBogus, d.Name, "%s: the MX lookup is bogus, so that senders whose resolver validates do not deliver: %s", d.Name, d.MX.Text).of(d.MX.Text).reportedAs(resultDNSSECInvalid).mendedBy(mendZone)
	case d.Zone.Security == rollover.Bogus:
		t.tell(codeDenialBogus, d.Name, "%s: a lookup of SOA there is bogus, so that the zone's denials are broken: %s", d.Name, d.Zone.Text).of(d.Zone.Text).reportedAs(resultDNSSECInvalid)
	case d.MX.Err != "" || d.MX.Security == rollover.Indeterminate:
		why := cmp.Or(d.MX.Err, d.MX.Text)
		t.tell(rollover.CodeZoneIndeterminate, d.Name, "%s: its MX records could not be looked up: %s", d.Name, why).of(why).mendedBy(mendResolver)
	}
}

// tellMX tells of MX records by themselves (RFC 5321, section 5.1).
func (d Domain) tellMX(t *teller) {
	mx := d.MX
	if mx.Given || mx.Err != "" || mx.Security == rollover.Indeterminate || mx.Security == "" || mx.Null {
		return
	}
	if mx.Implicit {
		t.tell(rollover.CodeImplicitMX, d.Name, "%s has no MX record, so that mail goes to its own address", d.Name)
	}
	if why := d.nowhere(); why != "" {
		t.tell(rollover.CodeMXNone, d.Name, "%s: mail has nowhere to go: %s", d.Name, why)
		return
	}
	for _, e := range mx.Records {
		switch {
		case e.Err != "":
			t.tell(rollover.CodeMXNoHost, e.Host, "%s: MX %d names %q: %s", d.Name, e.Preference, e.Host, e.Err)
		case e.Host == "" && !t.told(rollover.CodeNullMXOthers):
			t.tell(rollover.CodeNullMXOthers, d.Name, "%s: a null MX stands beside %d other MX %s", d.Name, len(mx.Records)-1, verb(len(mx.Records)-1, "record", "records"))
		}
	}
}

// nowhere says why no MX record leads to an address; "" if one does, or may.
func (d Domain) nowhere() string {
	switch {
	case d.MX.NoName:
		return "the domain does not exist"
	case !d.MX.Exists && !d.MX.Implicit:
		return "it has neither an MX record nor an address"
	case len(d.Hosts) == 0:
		for _, e := range d.MX.Records {
			if e.Err != "" {
				return fmt.Sprintf("MX %d names %q: %s", e.Preference, e.Host, e.Err)
			}
		}
		return ""
	}
	for _, h := range d.Hosts {
		if h.Reach.Exists || h.Reach.Err != "" || h.Reach.Security == rollover.Bogus || h.Reach.Security == rollover.Indeterminate {
			return ""
		}
	}
	return fmt.Sprintf("%s %s no address", listed(hostNames(d.Hosts)), verb(len(d.Hosts), "has", "have"))
}

func hostNames(hosts []Host) (names []string) {
	for _, h := range hosts {
		names = append(names, h.Name)
	}
	return names
}

// tellDANE tells of hosts without DANE, by whether others have it, and of DANE that the
// MX lookup is not signed for.
func (d Domain) tellDANE(t *teller) {
	var with, without []Host
	unknown := false
	for _, h := range d.Hosts {
		demand := claimOf(h, d.At).demand
		switch {
		case demand == demandMatch || demand == demandTLS || newScene(h, d.At).base != nil:
			with = append(with, h)
		case demand == demandNothing:
			without = append(without, h)
		default:
			unknown = true
		}
	}
	if len(with) > 0 && d.MX.Security == rollover.Insecure && !d.MX.Given {
		t.tell(rollover.CodeMXInsecure, d.Name, "%s: %s %s TLSA records, and the MX lookup is not signed for anyone, so that senders may leave DANE out: %s",
			d.Name, listed(hostNames(with)), verb(len(with), "has", "have"), d.MX.Text).reportedAs(resultDANERequired)
	}
	var plain []Host
	for _, h := range without {
		if !offByMistake(h, d.At) {
			plain = append(plain, h)
		}
	}
	switch {
	case len(with) > 0:
		for _, h := range plain {
			f := t.tell(rollover.CodeDANEPartial, h.Name, "%s: DANE holds for %s, and not for %s: %s", d.Name, listed(hostNames(with)), h.Name, whyNot(h, d.At))
			f.reportedAs(resultDANERequired).Host = h.Name
		}
	case len(plain) > 0 && !unknown && len(plain) == len(without):
		t.tell(rollover.CodeDANEAbsent, d.Name, "%s: no MX host has TLSA records: %s: %s", d.Name, plain[0].Name, whyNot(plain[0], d.At)).reportedAs(resultDANERequired)
	}
}

// whyNot says why DANE does not hold for a host.
func whyNot(h Host, at time.Time) string { return strings.TrimSuffix(claimOf(h, at).why, ".") }

// offByMistake reports whether a finding says already why a host's records do not count.
func offByMistake(h Host, at time.Time) bool {
	s := newScene(h, at)
	s.tellInVain()
	return len(s.out) > 0 || len(s.idle) > 0
}

// tellAtDomain tells of records below the mail domain, where no sender looks.
func (d Domain) tellAtDomain(t *teller) {
	if d.AtDomain == nil {
		return
	}
	base := func(b Base) bool {
		leads := b.Target == d.AtDomain.Owner || b.alias() != "" && b.Target == d.AtDomain.Target // straight, or further
		return b.Name == d.Name || leads
	}
	if slices.ContainsFunc(d.Hosts, func(h Host) bool { return slices.ContainsFunc(h.Bases, base) }) {
		return // an MX host may be an alias of the domain, and the owner of its records one of theirs
	}
	records := new(scene).standing(d.AtDomain, tlsa.Reference{})
	wildcard := func(w rollover.Warning) bool { return w.Code == codeWildcard }
	if records.Denial() || slices.ContainsFunc(d.AtDomain.Findings, wildcard) {
		return // of a wildcard other ports may have a use
	}
	t.tell(rollover.CodeWrongOwner, d.AtDomain.Owner.String(), "%s: %s at %s %s where no sender looks: it has to be below the name of the MX host, as in _25._tcp.%s",
		d.Name, shortenAll(records.Associations), d.AtDomain.Owner, verb(len(records.Associations), "stands", "stand"), firstHost(d))
}

func firstHost(d Domain) string {
	if len(d.Hosts) > 0 {
		return d.Hosts[0].Name
	}
	return "mx." + d.Name
}

// tellSharedKeys tells of one key at several hosts: by other addresses, as one machine may
// have several names.
func (d Domain) tellSharedKeys(t *teller) {
	holders := map[string][]Host{}
	var order []string
	for _, h := range d.Hosts {
		for _, l := range newScene(h, d.At).leaves() {
			key := l.SPKI()
			if slices.ContainsFunc(holders[key], func(g Host) bool { return g.Name == h.Name || sameMachine(g, h) }) {
				continue
			}
			if holders[key] == nil {
				order = append(order, key)
			}
			holders[key] = append(holders[key], h)
		}
	}
	var before []string // of a second key, as of a second algorithm, there is no more to say
	for _, key := range order {
		hosts := listed(hostNames(holders[key]))
		if len(holders[key]) > 1 && !slices.Contains(before, hosts) {
			before = append(before, hosts)
			t.tell(rollover.CodeKeyShared, key[:8], "%s: %s present the same key, %s", d.Name, hosts, key[:8])
		}
	}
}

func sameMachine(g, h Host) bool {
	return slices.ContainsFunc(g.Addresses, func(a Address) bool {
		return slices.ContainsFunc(h.Addresses, func(b Address) bool { return a.Address == b.Address })
	})
}
