// Package survey looks at a mail domain as its senders would: at its MX records, at
// every host and address behind them, at their TLSA records at every authoritative
// server and through a validating resolver, at what they present to every client,
// and at the domain's MTA-STS policy. It judges nothing: package audit does.
//
// A [Surveyor] lives as long as its configuration. A [Round] is one look at many
// domains: what they share (zones, hosts, addresses) is looked at once.
package survey
