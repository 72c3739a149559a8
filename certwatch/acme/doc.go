// Package acme gets certificates from CAs by ACME (RFC 8555).
//
// An [Issuer] serves one lineage. [Issuer.Issue] asks its CAs in order for a
// certificate of exactly the key it is given, so that the key's 3 1 1 record can
// stand long before; [Issuer.Renewal] says when the next one is due, by the CA's
// word (RFC 9773) or by a third of the lifetime that is left.
//
// # What is kept
//
// Accounts: one directory for each CA's directory URL, mail address and external
// account, with the account's key and its URI. The key is durable before the CA hears
// of it, so that an account whose URI was lost on the way is found again by its key.
//
// Challenges: each TXT value is noted in a file before it is added to DNS, and the
// note goes when the value has gone. An order that dies on the way (a crash, a power
// cut) leaves nothing else: the next order of the lineage removes what the notes name,
// uses the same account and is given the same key. It begins anew; what the CA has
// validated before it need not be validated again.
//
// # Who is asked next
//
// The next CA is asked where this one is down, limits how often it is asked, talks
// nonsense, or does not want us or these names: its account, its profile, its policy, a
// CAA record that names others. What would fail there as well ends the order: a
// challenge that cannot be set up, a name that the CA finds not to be ours, a key that
// no CA takes.
//
// # What stands behind it
//
// The library lego does the messages and their signatures; it stands in lego.go alone.
package acme
