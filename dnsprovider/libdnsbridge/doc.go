// Package libdnsbridge changes TLSA RRsets through modules of libdns, which speak the APIs
// of DNS hosts.
//
// # What is believed of a module
//
// Little. The modules were read and run, and most lose or garble TLSA records in some of
// their ways. So three are used, and no other: the zone is read as a whole, records that
// lack are appended, and a record that is to go is deleted exactly as it was read. The
// fourth, SetRecords, is not: of ten modules it loses records in seven.
//
// A change adds first and removes then, so that at no moment less stands there than both
// before and after. Nothing counts as done that was not read back. Contents are
// compared as what they mean, never as text: hosts give hex in upper case, in groups,
// or in quotes. An RRset that exists keeps its TTL; to change it is
// [dnsprovider.ErrUnsupported].
//
// A module may hang, panic, or say in a string alone what went wrong. Every call has a
// deadline, a panic is an error, calls for one zone never overlap, not even with one that was
// given up, and what a module says is put into one sentence, without the secrets that it
// was given.
//
// # Other modules
//
// [Hosts] are those that are linked into the program. A program that embeds this package
// can add any module that does what [Backend] asks for: make a [Host] whose Open
// returns it, and hold it to the suite of package providertest before it is trusted with
// a zone.
package libdnsbridge
