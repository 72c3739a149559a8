// Package rfc2136 changes TLSA RRsets by dynamic update (RFC 2136), signed with TSIG
// (RFC 8945), at the primary server of a zone.
//
// # What is believed
//
// Everything goes over TCP: a reply lost over UDP and the request sent again turns a
// success into a failure (RFC 2136, section 7.8). Every request is signed, queries
// too, and every reply is checked for the same key, the same algorithm, the request's
// MAC and the time. A reply that is not signed is refused, whatever it says: it may
// come from anybody (RFC 8945, section 5.4).
//
// NOERROR proves nothing. A server may ignore an addition beside a CNAME (RFC 2136,
// section 3.4.2.2) or drop what its policy does not allow, and say NOERROR. So
// every change is preceded and followed by a query to the same server, and it is
// done when the RRset was read to be what was wanted.
//
// # How a change is made
//
// All owners of one zone go in one message, up to [Config.MaxBatch] of them, an
// owner never in two. Each brings its prerequisites: the TLSA RRset is exactly the
// one that was read, or does not exist; there is no CNAME. If a message is turned
// down for what may be the fault of one owner, each is sent again alone, so
// that the others do not suffer.
//
// Where there are very many owners, the server does the comparing: instead of a query for
// each, before and after, a second message asks with nothing but prerequisites whether
// the RRsets are what was wanted. Only what it plainly says yes to is done; the rest goes
// the way above.
//
// A reply that is lost is settled by reading: the change was made, or it was not and
// is sent once more, or somebody else was there.
//
// # Where it is sent
//
// To [Config.Server], else to the primary that the zone's SOA names (MNAME).
// SERVFAIL, NOTIMP or no answer lead to the server's next address; any other answer is
// final (RFC 2136, section 4.6). The zone is the one configured, or the one whose SOA
// the server or the resolver gives for the name; a name that lies below a zone cut
// is refused, not written where nobody sees it.
//
// With [Config.TLS] all that goes there goes over TLS, which BIND offers.
//
// # What the server needs
//
// A key of its own for each program that signs, with no more rights than it uses: TLSA at
// the owner names. For BIND, with a line for each name:
//
//	key "tlsaroll.example.org." { algorithm hmac-sha256; secret "…"; };
//	zone "example.org" {
//		type primary;
//		update-policy { grant tlsaroll.example.org. name _25._tcp.mx1.example.org. TLSA; };
//	};
//
// For Knot; query is for reading with the key. Where no acl fits, Knot says BADKEY:
//
//	acl:
//	  - id: tlsaroll
//	    key: tlsaroll.example.org.
//	    action: [query, update]
//	    update-type: [TLSA]
//	    update-owner: name
//	    update-owner-match: equal
//	    update-owner-name: [_25._tcp.mx1]
//
// For PowerDNS, with dnsupdate=yes; the metadata of a zone name the keys that may change
// all of it. Without them anybody may whose address is in allow-dnsupdate-from:
//
//	pdnsutil set-meta example.org ALLOW-DNSUPDATE-FROM 192.0.2.0/24
//	pdnsutil set-meta example.org TSIG-ALLOW-DNSUPDATE tlsaroll.example.org.
//
// Names and types PowerDNS limits by a script alone (lua-dnsupdate-policy-script), in place
// of that metadata, and for all zones. It says NOERROR where the script says no:
//
//	function updatepolicy(input)
//	  return input:getTsigName():toString() == "tlsaroll.example.org." and
//	    input:getQName():toString() == "_25._tcp.mx1.example.org." and input:getQType() == pdns.TLSA
//	end
//
// A lineage whose certificates are ordered with the challenge dns-01 needs TXT as well, at
// _acme-challenge below each name of the certificate. TXT values are added and removed one
// by one ([dnsprovider.TXTProvider]), with one prerequisite alone: no CNAME.
package rfc2136
