package dnsprovider

// What to do at a host that can be changed by no safe means.
const (
	// An alias to a zone elsewhere leaves the host alone: it is put there once, by hand.
	byAlias = "a CNAME there for each _port._tcp name, set once by hand, to a name in a zone at a host that can be changed (RFC 7671, section 7); " +
		"both zones have to be signed"
	// Commands are the administrator's own.
	byCommand = byAlias + "; or exec, with commands that remove exactly the record that they are given"
	moving    = "move the zone to a host that signs it"
)

// RefusedTypes lists hosts that people ask for and that there is no provider for, sorted by
// type: their Refused says why, Instead what to use. Where a module is named it was run, or
// read, in this version.
func RefusedTypes() []Capability {
	return []Capability{
		{
			Type: "acmedns", Name: "acme-dns", Instead: byAlias,
			Refused: "it serves the TXT records of ACME challenges and nothing else",
		}, {
			Type: "alidns", Name: "Alibaba Cloud DNS", Instead: byCommand,
			Refused: "its libdns module (v1.0.7) deletes the first record that a search by keyword finds, which may be the live one",
		}, {
			Type: "bunny", Name: "bunny.net", Instead: byCommand,
			Refused: "its libdns module (v1.5.0) fails on every zone with a record of a type that it does not know, and TLSA is one",
		}, {
			Type: "digitalocean", Name: "DigitalOcean", Instead: moving,
			Refused: "it has neither TLSA records nor DNSSEC",
		}, {
			Type: "dnsimple", Name: "DNSimple", Instead: byCommand,
			Refused: "its libdns module (v0.5.0) deletes the first record of that name and type, which may be the live one, and reads a zone's first page alone",
		}, {
			Type: "dode", Name: "do.de", Instead: byAlias,
			Refused: "its API sets the TXT records of ACME challenges and nothing else",
		}, {
			Type: "godaddy", Name: "GoDaddy", Instead: byCommand,
			Refused: "its libdns module (v1.1.0) deletes all records of a name and type where one is to go",
		}, {
			Type: "he", Name: "Hurricane Electric", Instead: "a hidden primary with rfc2136, which Hurricane Electric's name servers transfer the signed zone from; or " + byAlias,
			Refused: "its API sets A, AAAA and TXT records of dynamic names and nothing else",
		}, {
			Type: "ionos", Name: "IONOS", Instead: byCommand,
			Refused: "its libdns module (v1.2.0) deletes all records of a name and type where one is to go",
		}, {
			Type: "mijnhost", Name: "mijn.host", Instead: byCommand,
			Refused: "its libdns module (v1.2.1) writes the whole zone back at each change, so that what somebody else edits meanwhile is lost, " +
				"and sets TTLs above a day to an hour, of all records",
		}, {
			Type: "namecheap", Name: "Namecheap", Instead: byAlias,
			Refused: "its API has no TLSA records, and deletes what is not among those of the call (https://www.namecheap.com/support/api/methods/domains-dns/set-hosts/)",
		}, {
			Type: "netcup", Name: "netcup", Instead: byCommand,
			Refused: "its libdns module (v1.0.0) deletes the first TLSA record that it finds and not the one asked for; " +
				"the API has a TTL for the whole zone alone, documents no condition of a change, and its one password opens the whole account",
		}, {
			Type: "njalla", Name: "Njalla", Instead: byCommand,
			Refused: "its libdns module keeps one record for each name and type, so that two TLSA records become one",
		}, {
			Type: "openprovider", Name: "Openprovider", Instead: byCommand,
			Refused: "there is no libdns module for it that could be tried",
		}, {
			Type: "porkbun", Name: "Porkbun", Instead: byCommand,
			Refused: "its libdns module (v1.1.0) does not see TLSA records, and deletes all of a name where one is to go",
		}, {
			Type: "scaleway", Name: "Scaleway", Instead: byCommand,
			Refused: "its libdns module (v0.3.1) reads a zone's first page alone, so that records that stand there look as if they did not",
		}, {
			Type: "vultr", Name: "Vultr", Instead: byCommand,
			Refused: "its libdns module (v2.0.4) looks for the record to delete by its name alone, so that any record there may go",
		},
	}
}
