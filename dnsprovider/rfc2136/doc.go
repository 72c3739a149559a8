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
// the RRsets are what was wanted, and one of each message is looked up. Only what it plainly
// says yes to is done; the rest goes the way above. An RRset that gets more records has
// the TTL of [dnsprovider.Change].Before then, if it has one.
//
// A reply that is lost is settled by reading: the change was made, or it was not and
// is sent once more, or somebody else was there.
//
// # Connections
//
// An update has a connection of its own, which the server cannot have closed before, as it may
// one that was idle. Where there are several messages of different owners, four are on their
// way at once; none goes over a connection that had to wait. A server that promises to keep
// connections open (RFC 7828), as BIND does, is asked again over the same one, updates
// included, for half the time it promises and ten seconds at most. A server that breaks
// its promise costs a look at what became of the update. Only the first query over a
// connection asks for the promise, and a server that does not know EDNS is never asked again.
//
// Whatever is on its way at once was signed at the same moment, as a server may refuse
// what was signed before what it has seen (RFC 8945, section 5.2.3).
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
//
// # Kerberos in place of a key
//
// A program that is built with the tag gsstsig signs with GSS-TSIG (RFC 3645) as well, with
// [Config.GSS]: it gets a Kerberos ticket for the server with a keytab, and negotiates a
// key with the server that both prove themselves by. The key lasts for hours; another is
// negotiated before it ends, and when the server does not know it any more. What is
// believed is the same as with a key of TSIG, and the reply that a key is negotiated
// with has to be signed with it. The ciphers are those of AES.
//
// A server is known to Kerberos by its name: tickets are for DNS/ns1.example.org if the
// server is ns1.example.org. One that is configured by its address, or by an alias, needs
// [GSS.Service]. KDCs are asked over TCP, those that the Kerberos configuration names,
// else those of the SRV records at _kerberos._tcp below the realm.
//
// For BIND, with a keytab of the principal DNS/ns1.example.org, and a line for each name:
//
//	options { tkey-gssapi-keytab "/etc/bind/dns.keytab"; };
//	zone "example.org" {
//		type primary;
//		update-policy { grant "tlsaroll@EXAMPLE.ORG" name _25._tcp.mx1.example.org TLSA; };
//	};
//
// For Windows and Active Directory, where the realm is the domain in capitals:
//
//   - The zone takes secure updates only. With others allowed beside them Windows does not
//     check who signs, and does not sign its replies, which are then refused.
//
//   - The account is a user of its own, say tlsaroll, in no group but Domain Users, for
//     which AES is allowed ("This account supports Kerberos AES 256 bit encryption") and
//     whose password does not expire.
//
//   - It has the right to write to the nodes of the owner names, such as _25._tcp.mx1, and
//     to no others. An administrator makes each with a first TLSA record, and gives the
//     right in the node's security settings, as rights in Active Directory are to nodes and
//     not to types. Without that any account may make new nodes, and owns what it makes.
//
//   - The keytab is made on Windows, which sets the password,
//
//     ktpass -out tlsaroll.keytab -princ tlsaroll@EXAMPLE.ORG -mapuser tlsaroll -pass * -crypto AES256-SHA1 -ptype KRB5_NT_PRINCIPAL
//
//     or of the password by ktutil, with addent -password -p tlsaroll@EXAMPLE.ORG -k 1 -e
//     aes256-cts-hmac-sha1-96. It is worth the password: mode 0600, and for the program's
//     user alone. Each change of the password needs a new one.
//
//   - Clocks may be five minutes apart, by Kerberos as by TSIG.
//
// There was no Windows to try this with. It is reported to take some types of records by
// dynamic update and to turn down others, and to send back the request's signature in
// place of one of its own when it does. Such a reply is refused, with a hint that says so;
// "tlsaroll provider test" finds out before anything depends on it.
package rfc2136
