package draft

import "cmp"

// makeKey is how the primary gets a key that may change TLSA records and nothing else.
func (d Draft) makeKey() Step {
	zone := cmp.Or(d.zone, "the zone")
	if d.primary != nil && d.primary.Server == "Knot" {
		return Step{"In this host's Knot, make a key, put what is printed into knot.conf, and let it change TLSA records in " + zone + ":", []string{
			"keymgr -t " + d.key + " hmac-sha256",
			"",
			"acl:",
			"  - id: tlsaroll",
			"    key: " + d.key,
			"    action: update",
			"    update-type: TLSA",
			"zone:",
			"  - domain: " + zone,
			"    acl: tlsaroll",
			"",
			"knotc reload",
		}}
	}
	if d.primary != nil && d.primary.Server == "PowerDNS" {
		return Step{"In this host's PowerDNS, make a key, and let it change " + zone + "; it knows no rights by type:", []string{
			"pdnsutil generate-tsig-key " + d.key + " hmac-sha256",
			"pdnsutil set-meta " + zone + " TSIG-ALLOW-DNSUPDATE " + d.key,
		}}
	}
	where := "On the zone's primary"
	if d.primary != nil {
		where = "In this host's BIND"
	}
	return Step{where + ", make a key, put what is printed into named.conf, and let it change TLSA records in the clause of " + zone + ":", []string{
		"tsig-keygen -a hmac-sha256 " + d.key,
		"",
		"# an update-policy that is there gets the grant; allow-update cannot stand beside one, and its keys get grants of their own",
		"# who edits the zone's file by hand does it between rndc freeze and rndc thaw from then on",
		"update-policy { grant " + d.key + " zonesub TLSA; };",
		"",
		"named-checkconf",
		"rndc reconfig",
	}}
}

// signZone is how the primary of this host signs. TLSA records without signatures vouch for
// nothing (RFC 6698, section 4.1).
func (d Draft) signZone() Step {
	if d.primary.Server == "NSD" {
		return Step{"Have " + d.zone + " signed where its zone file is made, as with ldns-signzone, and give the DS record to the parent zone.", nil}
	}
	lines := map[string][]string{
		"BIND":     {"zone \"" + d.zone + "\" { dnssec-policy default; inline-signing yes; … };", "", "rndc reconfig", "rndc dnssec -status " + d.zone},
		"Knot":     {"zone:", "  - domain: " + d.zone, "    dnssec-signing: on", "", "knotc reload", "keymgr " + d.zone + " ds"},
		"PowerDNS": {"pdnsutil secure-zone " + d.zone, "pdnsutil rectify-zone " + d.zone, "pdnsutil show-zone " + d.zone},
	}[d.primary.Server]
	return Step{"Have " + d.primary.Server + " sign " + d.zone + ", and give the DS record to the parent zone:", lines}
}
